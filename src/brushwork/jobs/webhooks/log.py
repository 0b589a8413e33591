"""The log of deliveries: what was told to whom, every attempt, and telling it again. Shows no answer of a receiver."""

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from brushwork.database.tables import attempts, deliveries, endpoints
from brushwork.errors import Conflict, InvalidField, NotFound
from brushwork.jobs.queue import notify
from brushwork.jobs.webhooks.endpoints import Endpoint
from brushwork.jobs.webhooks.event import EventName
from brushwork.jobs.webhooks.outbox import LISTENING, WAKE, Happening, row_for
from brushwork.jobs.webhooks.schedule import DAY

DeliveryStatus = Literal["pending", "delivered", "failed"]

KEPT_SECONDS = 30 * DAY
"""How long a delivery can be looked at, and sent again, after it has ended."""
LOST_SECONDS = 600.0
"""How long what is told is kept for a listener whose connection broke."""
REMOVED_AT_ONCE = 1000
MAX_PAGE = 100


@dataclass(frozen=True)
class Attempt:
    """One try: when, how long it took, the status of the answer or the problem."""

    at: float
    seconds: float
    status: int | None
    problem: str


@dataclass(frozen=True)
class LoggedDelivery:
    """One event for one receiver."""

    id: str
    endpoint_id: int | None
    url: str
    event: str
    job_id: str | None
    status: DeliveryStatus
    attempts: int
    next_at: float
    created_at: float
    ended_at: float | None


@dataclass(frozen=True)
class DeliveryPage:
    """A page of deliveries, newest first. `next_cursor` is None on the last one."""

    deliveries: tuple[LoggedDelivery, ...]
    next_cursor: str | None


COLUMNS = [deliveries.c[name] for name in LoggedDelivery.__dataclass_fields__]
IS_SHOWN = deliveries.c.status != LISTENING


async def page(
    tx: AsyncConnection,
    account_id: int,
    *,
    status: DeliveryStatus | None = None,
    event: str | None = None,
    endpoint_id: int | None = None,
    job_id: str | None = None,
    cursor: str | None = None,
    limit: int = 20,
) -> DeliveryPage:
    """The account's deliveries, newest first, `limit` at a time."""
    limit = max(1, min(limit, MAX_PAGE))
    wanted = {"status": status, "event": event, "endpoint_id": endpoint_id, "job_id": job_id}
    conditions = [deliveries.c[name] == value for name, value in wanted.items() if value is not None]
    if cursor is not None:
        created_at, delivery_id = read_cursor(cursor)
        place = sa.tuple_(sa.literal(created_at, sa.Double), sa.literal(delivery_id))
        conditions.append(sa.tuple_(deliveries.c.created_at, deliveries.c.id) < place)
    newest_first = (
        sa.select(*COLUMNS)
        .where(deliveries.c.account_id == account_id, IS_SHOWN, *conditions)
        .order_by(deliveries.c.created_at.desc(), deliveries.c.id.desc())
        .limit(limit + 1)
    )
    rows = (await tx.execute(newest_first)).all()
    found = tuple(LoggedDelivery(**row._mapping) for row in rows[:limit])
    return DeliveryPage(found, write_cursor(found[-1]) if len(rows) > limit else None)


def write_cursor(last: LoggedDelivery) -> str:
    return base64.urlsafe_b64encode(json.dumps([last.created_at, last.id]).encode()).decode().rstrip("=")


def read_cursor(cursor: str) -> tuple[float, str]:
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        created_at, delivery_id = json.loads(text)
        if not (isinstance(delivery_id, str) and delivery_id.isascii() and delivery_id.isprintable()):
            raise ValueError("not an id")
        return float(created_at), delivery_id
    except (binascii.Error, ValueError, TypeError, OverflowError, RecursionError) as error:
        raise InvalidField("cursor", "is not one that this server gave out.") from error


async def get(tx: AsyncConnection, account_id: int, delivery_id: str) -> tuple[LoggedDelivery, Sequence[Attempt]]:
    """One delivery with its attempts, oldest first. Raises NotFound for unknown and foreign ones alike."""
    row = (await tx.execute(sa.select(*COLUMNS).where(*owned(account_id, delivery_id)))).first()
    if row is None:
        raise unknown()
    columns = [attempts.c[name] for name in Attempt.__dataclass_fields__]
    tries = sa.select(*columns).where(attempts.c.delivery_id == delivery_id).order_by(attempts.c.id)
    return LoggedDelivery(**row._mapping), [Attempt(**one._mapping) for one in await tx.execute(tries)]


def owned(account_id: int, delivery_id: str) -> tuple[sa.ColumnElement[bool], ...]:
    return deliveries.c.id == delivery_id, deliveries.c.account_id == account_id, IS_SHOWN


def unknown() -> NotFound:
    return NotFound("There is no webhook delivery with this id.")


# ── once more ─────────────────────────────────────────────────────────────────────────────────────────────────────────

AGAIN: dict[str, Any] = {"status": "pending", "attempts": 0, "ended_at": None, "lease_until": None, "owner": None}


async def replay(tx: AsyncConnection, account_id: int, delivery_id: str, *, now: float) -> None:
    """Send one again, whether it was taken or not, under the same id, with all its attempts before it."""
    before, _ = await get(tx, account_id, delivery_id)
    if before.status == "pending":
        await tx.execute(deliveries.update().where(*owned(account_id, delivery_id)).values(next_at=now))
    else:
        await refuse_disabled(tx, before.endpoint_id)
        again = deliveries.update().where(*owned(account_id, delivery_id), deliveries.c.status == before.status)
        await tx.execute(again.values(**AGAIN, next_at=now))
    await notify(tx, [WAKE])


async def refuse_disabled(tx: AsyncConnection, endpoint_id: int | None) -> None:
    if endpoint_id is None:
        return
    is_on = sa.select(endpoints.c.id).where(endpoints.c.id == endpoint_id, endpoints.c.disabled_at.is_(None))
    if (await tx.execute(is_on)).first() is None:
        raise Conflict("The webhook endpoint of this delivery has been removed or switched off.")


async def replay_failed(
    tx: AsyncConnection, account_id: int, *, since: float, endpoint_id: int | None = None, now: float
) -> int:
    """Send everything again that failed and was made at `since` or later; returns how many."""
    is_on = sa.exists().where(endpoints.c.id == deliveries.c.endpoint_id, endpoints.c.disabled_at.is_(None))
    again = deliveries.update().where(
        deliveries.c.account_id == account_id,
        deliveries.c.created_at >= since,
        deliveries.c.status == "failed",
        sa.or_(deliveries.c.endpoint_id.is_(None), is_on),
    )
    if endpoint_id is not None:
        again = again.where(deliveries.c.endpoint_id == endpoint_id)
    count = (await tx.execute(again.values(**AGAIN, next_at=now))).rowcount
    if count:
        await notify(tx, [WAKE])
    return count


async def send_test(tx: AsyncConnection, endpoint: Endpoint, *, now: float) -> LoggedDelivery:
    """Put a test event in the line."""
    if endpoint.disabled_at is not None:
        raise Conflict("This webhook endpoint is switched off.")
    event: EventName = "test"
    row = row_for(Happening(endpoint.account_id, event), endpoint.id, endpoint.url, now)
    await tx.execute(deliveries.insert(), row)
    await notify(tx, [WAKE])
    delivery, _ = await get(tx, endpoint.account_id, row["id"])
    return delivery


async def forget_old(tx: AsyncConnection, *, now: float) -> int:
    """Remove what ended long ago, with its attempts, some at a time; returns how many."""
    old = sa.select(deliveries.c.id).where(deliveries.c.ended_at < now - KEPT_SECONDS).limit(REMOVED_AT_ONCE)
    return (await tx.execute(deliveries.delete().where(deliveries.c.id.in_(old)))).rowcount


async def forget_lost(tx: AsyncConnection, *, account_id: int | None = None, now: float) -> None:
    """Remove listeners that have not come back, with what they were told."""
    lost = sa.and_(endpoints.c.url.like(f"{LISTENING}:%"), endpoints.c.created_at < now - LOST_SECONDS)
    if account_id is not None:
        lost = sa.and_(lost, endpoints.c.account_id == account_id)
    gone = (await tx.execute(sa.select(endpoints.c.id).where(lost))).scalars().all()
    if gone:
        await tx.execute(endpoints.delete().where(endpoints.c.id.in_(gone)))
        await tx.execute(deliveries.delete().where(deliveries.c.endpoint_id.in_(gone)))
