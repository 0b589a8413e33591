"""The line of deliveries: claim what is due, a few for each host, and write down what came of it.

A claim is a lease in the row, which a living sender renews while it sends: one that dies loses its deliveries when the
lease runs out, and another one sends them, under the same id. Several senders step around each other's rows.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from brushwork.database.tables import attempts, deliveries
from brushwork.jobs.webhooks.endpoints import lock_endpoint, note_failure, note_success
from brushwork.jobs.webhooks.schedule import is_last, pause_before
from brushwork.jobs.webhooks.sending import Answer

is_pending = deliveries.c.status == sa.literal_column("'pending'")


@dataclass(frozen=True)
class Delivery:
    """One event for one receiver, claimed."""

    id: str
    account_id: int
    endpoint_id: int | None
    url: str
    host: str
    event: str
    job_id: str | None
    data: Mapping[str, Any] | None
    attempts: int
    created_at: float
    trace: str | None


async def claim(
    tx: AsyncConnection, owner: str, *, limit: int, per_host: int, busy: Collection[Delivery], lease: float, now: float
) -> list[Delivery]:
    """Take up to `limit` that are due, those first that have been due for longest, but for hosts that have enough.

    `busy` is what the owner is sending: it is not taken twice, even if its leases could not be renewed in time.
    """
    taking = Counter(delivery.host for delivery in busy)
    sending = [delivery.id for delivery in busy]
    taken: dict[str, None] = {}
    while len(taken) < limit:
        full = [host for host, count in taking.items() if count >= per_host]
        rows = (await tx.execute(due_rows(now, limit, full=full, taken=[*sending, *taken]))).all()
        for row in rows:
            if taking[row.host] < per_host and len(taken) < limit:
                taking[row.host] += 1
                taken[row.id] = None
        # Rows that were passed over belong to a host that is full now: the next look goes past them.
        if len(rows) < limit:
            break
    if not taken:
        return []
    claimed = await tx.execute(TAKE, {"ids": list(taken), "claimer": owner, "until": now + lease})
    found = {row.id: Delivery(**row._mapping) for row in claimed}
    return [found[delivery_id] for delivery_id in taken]


def due(now: float) -> sa.ColumnElement[bool]:
    free = sa.or_(deliveries.c.lease_until.is_(None), deliveries.c.lease_until < now)
    return sa.and_(is_pending, deliveries.c.next_at <= now, free)


def due_rows(now: float, limit: int, *, full: list[str], taken: list[str]) -> sa.Select[Any]:
    query = sa.select(deliveries.c.id, deliveries.c.host).where(due(now)).order_by(deliveries.c.next_at).limit(limit)
    if full:
        query = query.where(deliveries.c.host.not_in(full))
    if taken:
        query = query.where(deliveries.c.id.not_in(taken))
    return query.with_for_update(skip_locked=True)


TAKE = (
    deliveries.update()
    .where(deliveries.c.id.in_(sa.bindparam("ids", expanding=True)))
    .values(owner=sa.bindparam("claimer"), lease_until=sa.bindparam("until"))
    .returning(*(deliveries.c[name] for name in Delivery.__dataclass_fields__))
)


async def renew(tx: AsyncConnection, owner: str, sending: Collection[str], *, lease: float, now: float) -> None:
    """Keep these deliveries for as long again. One that somebody is changing this moment is left for the next time."""
    ours = sa.and_(deliveries.c.id.in_(sending), deliveries.c.owner == owner, is_pending)
    free = sa.select(deliveries.c.id).where(ours).with_for_update(skip_locked=True)
    await tx.execute(deliveries.update().where(deliveries.c.id.in_(free)).values(lease_until=now + lease))


async def due_in(tx: AsyncConnection, *, full: Collection[str], now: float) -> float | None:
    """Seconds until something may be sent to a host that is not full; 0 for now, None when nothing waits."""
    free = deliveries.c.host.not_in(full) if full else sa.true()
    if (await tx.execute(sa.select(deliveries.c.id).where(due(now), free).limit(1))).first() is not None:
        return 0.0
    later = sa.select(sa.func.min(deliveries.c.next_at)).where(is_pending, deliveries.c.next_at > now)
    first: float | None = (await tx.execute(later)).scalar_one()
    return None if first is None else first - now


async def settle(tx: AsyncConnection, delivery: Delivery, owner: str, answer: Answer, *, now: float) -> bool:
    """Write down an attempt and what follows from it. False when the delivery is not ours any more."""
    if delivery.endpoint_id is not None:  # endpoints before deliveries, everywhere, or two of us wait for each other
        await lock_endpoint(tx, delivery.endpoint_id)
    tried = delivery.attempts + 1
    values: dict[str, Any] = {"attempts": tried, "owner": None, "lease_until": None}
    if answer.is_taken:
        values |= {"status": "delivered", "ended_at": now}
    elif answer.is_gone or answer.is_final or is_last(tried):
        values |= {"status": "failed", "ended_at": now}
    else:
        values["next_at"] = now + pause_before(tried, wished=answer.wished)
    ours = deliveries.update().where(deliveries.c.id == delivery.id, deliveries.c.owner == owner, is_pending)
    if (await tx.execute(ours.values(**values))).rowcount != 1:
        return False
    entry = {"at": now - answer.seconds, "seconds": answer.seconds, "status": answer.status, "problem": answer.problem}
    await tx.execute(attempts.insert(), {"delivery_id": delivery.id, **entry})
    if delivery.endpoint_id is not None and not answer.is_final:
        if answer.is_taken:
            await note_success(tx, delivery.endpoint_id)
        else:
            await note_failure(tx, delivery.endpoint_id, is_gone=answer.is_gone, now=now)
    return True


async def let_go(tx: AsyncConnection, owner: str) -> None:
    """Give back everything that is claimed: others may send it at once."""
    ours = deliveries.update().where(deliveries.c.owner == owner, is_pending)
    await tx.execute(ours.values(owner=None, lease_until=None))


@dataclass(frozen=True)
class Backlog:
    """What waits to be sent."""

    pending: int
    due: int
    """Of these, what could be sent this moment: more than a few for long means that senders do not keep up."""
    oldest_seconds: float
    """How long the first of those has been due."""


async def backlog(tx: AsyncConnection, *, now: float) -> Backlog:
    """How much waits; reads the partial index only."""
    is_due = deliveries.c.next_at <= now
    query = sa.select(sa.func.count(), sa.func.count(sa.case((is_due, 1))), sa.func.min(deliveries.c.next_at)).where(
        is_pending
    )
    pending, due_now, first = (await tx.execute(query)).one()
    return Backlog(pending, due_now, max(0.0, now - first) if due_now else 0.0)
