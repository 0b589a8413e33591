"""Noise levels, noise and guidance."""

import numpy as np
import pytest

from brushwork.engines.flow.model import Caption
from brushwork.engines.flow.sampling import Plan, begin, guided, kept, levels, noise_of

FIRST_NOISE = [-0.293339, 1.7038306, 1.5391918]


def test_levels_fall_from_the_beginning_to_nothing() -> None:
    assert levels(2) == (1.0, 0.6, 0.0)
    assert len(levels(20)) == 21


@pytest.mark.parametrize("start", [0.1, 0.5, 0.9, 1.0])
def test_a_later_beginning_leaves_out_the_steps_before_it(start: float) -> None:
    some = levels(20, start=start)

    assert some[0] == pytest.approx(start)
    assert some[-1] == 0
    assert list(some) == sorted(some, reverse=True)
    assert len(some) - 1 == sum(0 < level < start for level in levels(20)) + 1


def test_stopping_early_keeps_the_first_levels() -> None:
    assert levels(20, stop=0.5) == levels(20)[:11]
    assert len(levels(20, stop=0.01)) == 2


def test_noise_is_the_same_on_every_machine() -> None:
    first = noise_of(7, 0, (2, 3))

    assert first.dtype == np.float32
    assert first.ravel()[:3] == pytest.approx(FIRST_NOISE, abs=1e-6)
    assert not np.allclose(first, noise_of(7, 1, (2, 3)))
    assert not np.allclose(first, noise_of(8, 0, (2, 3)))


def test_guidance_goes_beyond_the_caption_and_weights_share_it() -> None:
    ways = np.stack([np.full((1, 1, 1), value, np.float32) for value in (1.0, 2.0, 4.0)])

    assert guided(ways, (1.0, 0.0), 1.0).item() == 2
    assert guided(ways, (1.0, 0.0), 3.0).item() == 4
    assert guided(ways, (0.5, 0.5), 1.0).item() == 3
    assert guided(ways, (1.5, -0.5), 1.0).item() == 1


def test_what_may_not_change_carries_as_much_noise_as_the_rest() -> None:
    noise, known = noise_of(1, 0, (2, 2, 2)), np.full((2, 2, 2), 3, np.float32)
    free = np.array([[[1, 0], [0, 1]]], np.float32)
    nothing = Caption(np.zeros((2, 1, 1), np.float32), np.zeros((2, 1), np.float32))
    drawing = begin(Plan((1.0, 0.0), nothing, (1.0,), 3.0), noise, known=known, free=free)

    half = kept(drawing, np.zeros((2, 2, 2), np.float32), 0.5)

    assert (half[:, 0, 0] == 0).all()
    assert half[:, 0, 1] == pytest.approx(0.5 * known[:, 0, 1] + 0.5 * noise[:, 0, 1])
    assert (kept(drawing, noise, 0.0)[:, 1, 0] == 3).all()
