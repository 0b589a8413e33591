"""Hearing of an account's events without an address: for a developer whose machine nobody can reach.

Whoever listens has an endpoint for a while. What it is told is written like all else, and fetched instead of sent. A
connection that breaks may come back within minutes and has missed nothing.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from brushwork.database.session import Database
from brushwork.database.tables import accounts, deliveries, endpoints, jobs
from brushwork.errors import Conflict
from brushwork.jobs.rows import job_of
from brushwork.jobs.webhooks.endpoints import secrets_of
from brushwork.jobs.webhooks.event import EventName
from brushwork.jobs.webhooks.line import Delivery
from brushwork.jobs.webhooks.log import forget_lost
from brushwork.jobs.webhooks.outbox import LISTENING
from brushwork.jobs.webhooks.sender import Message, Render, message_for

MAX_LISTENERS = 5
"""Of one account at a time."""
LOOK_SECONDS = 0.3
TOUCH_SECONDS = 60.0


@dataclass(frozen=True)
class Heard:
    """One delivery for a listener: what would have been posted, or None when its job has been removed."""

    id: str
    event: str
    message: Message | None


async def begin(
    tx: AsyncConnection, account_id: int, session: str, *, events: Sequence[EventName], now: float
) -> tuple[int, str]:
    """Begin to listen, or go on as `session`; returns (the endpoint, the name of the session)."""
    mine = sa.and_(endpoints.c.account_id == account_id, endpoints.c.url.like(f"{LISTENING}:%"))
    if session:
        found = endpoints.update().where(mine, endpoints.c.url == f"{LISTENING}:{session}").returning(endpoints.c.id)
        row = (await tx.execute(found.values(created_at=now, events=" ".join(events)))).first()
        if row is not None:
            return row.id, session
    await tx.execute(sa.select(accounts.c.id).where(accounts.c.id == account_id).with_for_update())
    await forget_lost(tx, account_id=account_id, now=now)
    count = (await tx.execute(sa.select(sa.func.count()).select_from(endpoints).where(mine))).scalar_one()
    if count >= MAX_LISTENERS:
        raise Conflict(f"{MAX_LISTENERS} listeners are there already; one that leaves makes room within minutes.")
    session = secrets.token_urlsafe(12)
    values = {"account_id": account_id, "url": f"{LISTENING}:{session}", "events": " ".join(events), "created_at": now}
    made = await tx.execute(endpoints.insert().values(**values).returning(endpoints.c.id))
    return made.scalar_one(), session


async def hear(
    database: Database, endpoint_id: int, render: Render, *, clock: Callable[[], float]
) -> AsyncIterator[Heard]:
    """What the endpoint is told, as it happens, for ever. What was taken is forgotten before the next one."""
    touched = clock()
    while True:
        async with database.read() as tx:
            waiting = await told(tx, endpoint_id, render, now=clock())
        for heard in waiting:
            if heard.message is not None:
                yield heard
            async with database.write() as tx:
                await tx.execute(deliveries.delete().where(deliveries.c.id == heard.id))
        if clock() - touched > TOUCH_SECONDS:
            touched = clock()
            async with database.write() as tx:
                await tx.execute(endpoints.update().where(endpoints.c.id == endpoint_id).values(created_at=touched))
        if not waiting:
            await asyncio.sleep(LOOK_SECONDS)


async def told(tx: AsyncConnection, endpoint_id: int, render: Render, *, now: float) -> list[Heard]:
    mine = sa.and_(deliveries.c.endpoint_id == endpoint_id, deliveries.c.status == LISTENING)
    columns = [deliveries.c[name] for name in Delivery.__dataclass_fields__]
    query = sa.select(*columns).where(mine).order_by(deliveries.c.created_at, deliveries.c.id).limit(20)
    found = [Delivery(**row._mapping) for row in await tx.execute(query)]
    if not found:
        return []
    signed_by = await secrets_of(tx, found[0].account_id, now=now)
    wanted = [delivery.job_id for delivery in found if delivery.job_id]
    rows = {row.id: row for row in await tx.execute(jobs.select().where(jobs.c.id.in_(wanted)))}
    heard = []
    for delivery in found:
        row = rows.get(delivery.job_id or "")
        job = None if row is None else job_of(row._mapping)
        is_gone = delivery.job_id is not None and job is None
        message = None if is_gone else message_for(delivery, job, render, signed_by, now=now)
        heard.append(Heard(delivery.id, delivery.event, message))
    return heard
