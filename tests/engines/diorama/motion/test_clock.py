"""The clock: still at time 0, the same again after a period."""

import pytest

from brushwork.engines.diorama.motion.clock import STILL, Moment, flash_at
from brushwork.engines.diorama.noise import Grain, as_f32

TIMES = [0.0, 0.3, 1.7, 4.99]


def test_at_time_zero_nothing_has_moved() -> None:
    assert STILL.is_still
    assert STILL.swing(3, 0.4) == 0
    assert STILL.turns(3) == 0
    assert flash_at(STILL, 2).power == 1


@pytest.mark.parametrize("t", TIMES)
def test_the_shares_of_two_laps_add_up_to_one(t: float) -> None:
    laps = Moment(t, 5.0).laps(1.3)

    assert sum(lap.share for lap in laps) == pytest.approx(1)
    assert all(0 <= lap.share <= 1 for lap in laps)


@pytest.mark.parametrize("seconds", [0.4, 1.3, 5.0, 40.0])
def test_a_clock_with_a_period_is_back_where_it_was(seconds: float) -> None:
    first, again = Moment(1.25, 5.0), Moment(6.25, 5.0)

    assert again.swing(seconds, 0.3) == pytest.approx(first.swing(seconds, 0.3), abs=1e-9)
    assert (again.turns(seconds) - first.turns(seconds)) % 1 == pytest.approx(0, abs=1e-9)
    assert again.laps(seconds) == first.laps(seconds)


def test_what_starts_over_is_unseen_while_it_does() -> None:
    before, after = (Moment(t, 5.0).laps(5.0) for t in (2.499, 2.501))

    assert before[0].share == pytest.approx(after[0].share, abs=1e-3)
    assert min(before[0].share, after[0].share) < 1e-3


@pytest.mark.parametrize("period", [None, 5.0])
def test_drifting_noise_moves_and_begins_as_it_stands(period: float | None) -> None:
    x = as_f32([[0.0, 0.4, 1.1, 2.0]])
    z = x * 0.7

    still = Grain(7).at("soft", x, z, 8, 3)
    begun = Grain(7, Moment(0.0, period)).drifting("soft", x, z, 8, 3, along=(0.3, 0.1))
    soon = Grain(7, Moment(1e-4, period)).drifting("soft", x, z, 8, 3, along=(0.3, 0.1))
    later = Grain(7, Moment(1.0, period)).drifting("soft", x, z, 8, 3, along=(0.3, 0.1))

    assert (begun == still).all()
    assert abs(soon - still).max() < 2e-3
    assert abs(later - still).max() > 0.01
