"""When a delivery is tried, and tried again. Pure: knows no clock."""

import random
from collections.abc import Callable
from email.utils import parsedate_to_datetime

MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0

PAUSES = (
    0.0,
    5.0,
    5 * MINUTE,
    30 * MINUTE,
    2 * HOUR,
    5 * HOUR,
    10 * HOUR,
    14 * HOUR,
    20 * HOUR,
    24 * HOUR,
)
"""Before each attempt: three days in all, so that a receiver that is down over a weekend loses nothing."""

SPREAD = 0.2
"""A pause is up to so much longer or shorter: those that failed together do not come back together."""

LONGEST_WISH = DAY
"""A receiver may ask for a longer pause than planned, but not for ever."""

FAILING_SECONDS = 5 * DAY
"""An endpoint that has taken nothing for so long is disabled."""


def pause_before(attempt: int, *, wished: float | None = None, chance: Callable[[], float] = random.random) -> float:
    """Seconds to wait before attempt number `attempt`, from 0; at least what the receiver wished for."""
    planned = PAUSES[attempt] * (1 + SPREAD * (2 * chance() - 1))
    return max(planned, min(wished or 0.0, LONGEST_WISH))


def is_last(attempts: int) -> bool:
    """Whether so many attempts are all that are made."""
    return attempts >= len(PAUSES)


def wished_pause(header: str, *, now: float) -> float | None:
    """The seconds in a Retry-After header, which holds a number or a date. None when it cannot be read."""
    text = header.strip()
    if text.isascii() and text.isdigit() and len(text) < 10:
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - now)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
