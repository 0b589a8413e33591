"""Moments and periods as requests name them. A moment without a zone is taken as UTC."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Query
from pydantic import BeforeValidator

from brushwork.errors import InvalidField

USUAL_SECONDS = 31 * 86400.0
"""How far a period reaches back where nothing is said."""
FIRST, LAST = -62_135_596_800.0, 253_402_300_799.0
"""The first and the last second that have a date in UTC. An offset can lead beyond, and no answer could show that."""


@dataclass(frozen=True)
class Period:
    """From `since` up to, not including, `until`; seconds since 1970."""

    since: float
    until: float


def in_seconds(moment: datetime) -> float:
    seconds = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    return min(max(seconds, FIRST), LAST)


def in_future(field: str, moment: datetime | None, *, now: float) -> float | None:
    """When something is to end, None for never. Raises InvalidField when that is over already."""
    if moment is None:
        return None
    if (seconds := in_seconds(moment)) <= now:
        raise InvalidField(field, "must be in the future")
    return seconds


blank_is_absent = BeforeValidator(lambda value: None if value == "" else value)
Moment = Annotated[datetime | None, blank_is_absent]


async def period_of(
    since: Annotated[Moment, Query(alias="from", description="RFC 3339 or a day; else 31 days before `to`")] = None,
    until: Annotated[Moment, Query(alias="to", description="RFC 3339 or a day, not included; else now")] = None,
) -> Period:
    end = time.time() if until is None else in_seconds(until)
    begin = max(end - USUAL_SECONDS, FIRST) if since is None else in_seconds(since)
    if begin > end:
        raise InvalidField("from", "must not be after `to`")
    return Period(begin, end)


CurrentPeriod = Annotated[Period, Depends(period_of)]
