"""The log of a job: one event for each move of its status, its progress, its previews. Live views and webhooks read it.

An event is written in a transaction that has locked or changed its job's row before. That puts the events of one job in
the order of their ids, so "after id 7" misses nothing.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa

from brushwork.database.session import Database
from brushwork.database.tables import events, jobs
from brushwork.database.together import Writes
from brushwork.errors import JobNotFound
from brushwork.jobs.signals import Listeners

EventKind = Literal["status", "progress", "preview"]

FINAL = ("completed", "failed")

VAIN_SECONDS = 0.05
"""Pause after a signal that meant nothing to us: on SQLite every change of the file is one."""
FALLBACK_SECONDS = 1.0
"""A missed signal delays an event by this much at most."""


@dataclass(frozen=True)
class Event:
    """One thing that happened to a job."""

    id: int
    kind: EventKind
    data: Mapping[str, Any]
    created_at: float

    @property
    def is_final(self) -> bool:
        return self.kind == "status" and self.data["status"] in FINAL


APPEND = events.insert().values(
    job_id=sa.bindparam("event_job", type_=sa.Text),
    kind=sa.bindparam("event_kind", type_=sa.Text),
    data=sa.bindparam("event_data", type_=events.c.data.type),
    created_at=sa.bindparam("event_at", type_=sa.Double),
)
FORGET_PREVIEWS = events.delete().where(
    events.c.job_id.in_(sa.bindparam("jobs", expanding=True)), events.c.kind == sa.literal_column("'preview'")
)
"""Previews are only of use while the job runs."""


def record(writes: Writes, happenings: Iterable[tuple[str, EventKind, Mapping[str, Any]]], now: float) -> None:
    """Append (job id, kind, data) for each. Whoever sends the writes has locked those jobs' rows, and notifies."""
    said = [dict(zip(EVENT, (*happening, now), strict=True)) for happening in happenings]
    writes.add(APPEND, *said)


EVENT = ("event_job", "event_kind", "event_data", "event_at")


async def follow(
    database: Database, listeners: Listeners, account_id: int, job_id: str, *, after: int
) -> AsyncIterator[Event]:
    """What happened since event `after`, then what happens; ends with the final status."""
    async with listeners.listen(job_id) as changed:
        while True:
            changed.clear()
            is_finished, news = await read_news(database, account_id, job_id, after=after)
            for event in news:
                after = event.id
                yield event
            # The status was read before the events, so a finished job has no event left to come.
            if is_finished:
                return
            if not news:
                await asyncio.sleep(VAIN_SECONDS)
            await wait(changed, FALLBACK_SECONDS)


async def read_news(database: Database, account_id: int, job_id: str, *, after: int) -> tuple[bool, list[Event]]:
    async with database.read() as tx:
        job = (
            await tx.execute(sa.select(jobs.c.ended_at).where(jobs.c.id == job_id, jobs.c.account_id == account_id))
        ).first()
        if job is None:
            raise JobNotFound
        rows = await tx.execute(
            sa.select(events.c.id, events.c.kind, events.c.data, events.c.created_at)
            .where(events.c.job_id == job_id, events.c.id > after)
            .order_by(events.c.id)
        )
        return job.ended_at is not None, [Event(*row) for row in rows]


async def wait(changed: asyncio.Event, seconds: float) -> bool:
    """Whether it was set before the time was up."""
    try:
        await asyncio.wait_for(changed.wait(), seconds)
    except TimeoutError:
        return False
    return True
