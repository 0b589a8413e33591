"""When a delivery is tried again."""

import pytest

from brushwork.jobs.webhooks.schedule import DAY, HOUR, PAUSES, is_last, pause_before, wished_pause


def test_ten_attempts_are_spread_over_three_days() -> None:
    assert PAUSES == (0, 5, 300, 1800, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR)
    assert 3 * DAY < sum(PAUSES) < 4 * DAY
    assert [is_last(attempts) for attempts in (0, 9, 10, 11)] == [False, False, True, True]


@pytest.mark.parametrize("attempt", range(1, 10))
def test_a_pause_is_a_fifth_longer_or_shorter(attempt: int) -> None:
    pauses = [pause_before(attempt, chance=lambda chance=chance: chance) for chance in (0.0, 0.5, 1.0)]  # type: ignore[misc]  # a bound default

    assert pauses == pytest.approx([PAUSES[attempt] * share for share in (0.8, 1.0, 1.2)])


def test_the_first_attempt_is_made_at_once() -> None:
    assert pause_before(0) == 0


def test_a_wish_makes_a_pause_longer_and_never_shorter_nor_endless() -> None:
    assert pause_before(1, wished=60) == 60
    assert pause_before(9, wished=60) > 19 * HOUR
    assert pause_before(1, wished=1e9) == DAY


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120.0),
        (" 0 ", 0.0),
        ("Sun, 22 Nov 2026 12:01:00 GMT", 60.0),
        ("Sun, 22 Nov 2026 11:00:00 GMT", 0.0),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("٣", None),
        ("9" * 400, None),
        ("", None),
    ],
)
def test_retry_after_holds_seconds_or_a_date(header: str, seconds: float | None) -> None:
    assert wished_pause(header, now=1_795_348_800.0) == seconds
