"""The queue: claim a compatible batch, keep it by heartbeat, give it back. Moves jobs only between queued and running.

A claim writes a fresh token into its rows; only the holder of that token may finish them, so a worker that lost its
lease can do no harm. On PostgreSQL workers step around each other's rows (SKIP LOCKED); SQLite has one writer anyway.

What differs between the two databases is in this file and, for waiting, in `signals.py`. Knows no credits, no files.
"""

import json
import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from brushwork.database.tables import jobs, queued, running
from brushwork.database.together import Writes
from brushwork.jobs.fairness import AHEAD

JOBS_CHANNEL = "brushwork_jobs"
"""Something may be claimed; the payload is the pool."""
STOPS_CHANNEL = "brushwork_stops"
"""A running job was ended from outside; the payload is the worker that runs it."""
EVENTS_CHANNEL = "brushwork_events"
"""A job has a new event; the payload is the job."""

Notice = tuple[str, str]
"""(channel, payload)"""


# ── what differs between the databases ────────────────────────────────────────────────────────────────────────────────


class DatabaseClock(FunctionElement[float]):
    """Now, by the one clock that all workers of a database share: its own. Seconds since 1970."""

    type = sa.Double()
    inherit_cache = True


@compiles(DatabaseClock, "postgresql")
def clock_of_postgres(*_: Any, **__: Any) -> str:
    return "extract(epoch from statement_timestamp())::float8"


@compiles(DatabaseClock, "sqlite")
def clock_of_sqlite(*_: Any, **__: Any) -> str:
    return "((julianday('now') - 2440587.5) * 86400.0)"


NOW = DatabaseClock()


async def notify(tx: AsyncConnection, notices: Iterable[Notice], *, writes: Writes | None = None) -> None:
    """Wake whoever listens, when this transaction commits, and send what waits in `writes` along with it.

    On SQLite they watch the file instead.
    """
    later = Writes() if writes is None else writes
    distinct = sorted(set(notices))
    if not distinct:
        await later.send(tx)
        return
    pairs = json.dumps([{"channel": channel, "payload": payload} for channel, payload in distinct])
    await later.send(tx, NOTIFY, notices=pairs)


NOTICES = (
    sa.func.json_to_recordset(sa.cast(sa.bindparam("notices", type_=sa.Text), sa.JSON))
    .table_valued(sa.column("channel", sa.Text), sa.column("payload", sa.Text))
    .render_derived(with_types=True)
)
NOTIFY = sa.select(sa.func.pg_notify(NOTICES.c.channel, NOTICES.c.payload))


# ── claim ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, eq=False)
class ClaimedJob:
    """A job that this process may work on as long as it holds the token."""

    id: str
    account_id: int
    task: str
    input: Mapping[str, Any]
    seed: int
    warnings: Sequence[Mapping[str, Any]]
    progress: int
    attempts: int
    deadline_at: float
    token: str
    sources: Sequence[Mapping[str, Any]]
    """What it was given to work on, as its row keeps it."""
    batch_key: str = ""
    created_at: float = 0.0
    started_at: float = 0.0
    """When it was begun for the first time."""
    trace: str | None = None
    """The request's `traceparent`."""


async def claim(
    tx: AsyncConnection,
    worker_id: str,
    *,
    pools: Sequence[str],
    limit: int,
    lease: float,
    joining: Collection[str] = (),
) -> list[ClaimedJob]:
    """Take the head of the line and up to `limit` - 1 more that can be drawn with it, in order.

    Those may be taken before their turn, but not by more than `AHEAD`; jobs of a later lane only fill the room left.

    `joining` are the batch keys of jobs that are being drawn already, and that others may join: the head is taken
    whatever its key, so that none is passed over for ever; those taken with it may have any of these keys too.
    """
    head = (await tx.execute(HEAD, {"pools": pools})).first()
    if head is None or (joining and head.attempts):
        return []
    ids = [head.id]
    # A job that has already cost a worker is tried alone, so that it cannot drag others along.
    if limit > 1 and head.attempts == 0:
        keys = {head.batch_key, *joining}
        same = {"pools": [head.pool], "keys": sorted(keys), "head": head.id, "more": limit - 1}
        same |= {"lane": head.priority, "latest": head.turn + AHEAD}
        ids += (await tx.execute(COMPANY, same)).scalars()
    taken = {"ids": ids, "owner": worker_id, "token": uuid.uuid4().hex, "lease": lease}
    claimed = {row.id: claimed_job(row) for row in await tx.execute(TAKE, taken)}
    return [claimed[job_id] for job_id in ids]


def claimed_job(row: Any) -> ClaimedJob:
    return ClaimedJob(**{**row._mapping, "warnings": row.warnings or (), "sources": row.sources or ()})


async def has_ready(tx: AsyncConnection, pools: Sequence[str]) -> bool:
    """Whether a claim would find anything."""
    return (await tx.execute(ANY, {"pools": pools})).first() is not None


# Built once: putting these together takes longer than running them.
LINE = (
    sa.select(jobs.c.id)
    .where(queued, jobs.c.pool.in_(sa.bindparam("pools", expanding=True)))
    .where(jobs.c.run_after <= NOW, jobs.c.deadline_at > NOW)
)
ANY = LINE.limit(1)
IN_ORDER = LINE.order_by(jobs.c.priority, jobs.c.turn, jobs.c.seq).with_for_update(skip_locked=True)
HEAD = IN_ORDER.add_columns(jobs.c.batch_key, jobs.c.pool, jobs.c.attempts, jobs.c.priority, jobs.c.turn).limit(1)
COMPANY = (
    IN_ORDER.where(jobs.c.batch_key.in_(sa.bindparam("keys", expanding=True)), jobs.c.id != sa.bindparam("head"))
    .where(jobs.c.attempts == 0)
    .where(sa.or_(jobs.c.turn <= sa.bindparam("latest"), jobs.c.priority > sa.bindparam("lane")))
    .limit(sa.bindparam("more", type_=sa.Integer))
)
TAKE = (
    jobs.update()
    .where(jobs.c.id.in_(sa.bindparam("ids", expanding=True)))
    .values(
        status="running",
        stage="staged",
        owner=sa.bindparam("owner"),
        token=sa.bindparam("token"),
        lease_until=NOW + sa.bindparam("lease", type_=sa.Double),
        attempts=jobs.c.attempts + 1,
        started_at=sa.func.coalesce(jobs.c.started_at, NOW),
    )
    .returning(*(jobs.c[name] for name in ClaimedJob.__dataclass_fields__))
)


# ── keep ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


async def heartbeat(tx: AsyncConnection, held: Mapping[str, str], *, lease: float) -> set[str]:
    """Renew the lease of the jobs in `held` (id → token) and return those that are still ours."""
    if not held:
        return set()
    mine = sa.select(jobs.c.id).where(*still_held(held)).order_by(jobs.c.id).with_for_update()
    renewed = await tx.execute(
        jobs.update().where(jobs.c.id.in_(mine)).values(lease_until=NOW + lease).returning(jobs.c.id, jobs.c.token)
    )
    return {row.id for row in renewed if held[row.id] == row.token}


async def still_ours(tx: AsyncConnection, held: Mapping[str, str]) -> set[str]:
    """Which of the jobs in `held` (id → token) are still ours; renews nothing."""
    rows = await tx.execute(sa.select(jobs.c.id, jobs.c.token).where(*still_held(held)))
    return {row.id for row in rows if held[row.id] == row.token}


def still_held(held: Mapping[str, str]) -> tuple[sa.ColumnElement[bool], ...]:
    return running, jobs.c.id.in_(held), jobs.c.token.in_(set(held.values()))


@dataclass(frozen=True)
class Requeued:
    """A job that waits again."""

    id: str
    pool: str
    attempts: int


async def requeue_expired(tx: AsyncConnection) -> list[Requeued]:
    """Put the jobs of silent workers back in line, but for those that have had all their attempts."""
    return await requeue(tx, jobs.c.lease_until < NOW, jobs.c.attempts < jobs.c.max_attempts)


async def requeue_owned(tx: AsyncConnection, worker_id: str) -> list[Requeued]:
    """Put the jobs of a worker that is known to be dead back in line at once."""
    return await requeue(tx, jobs.c.owner == worker_id, jobs.c.attempts < jobs.c.max_attempts)


async def give_back(
    tx: AsyncConnection, held: Mapping[str, str], *, delay: float = 0, is_attempt: bool
) -> list[Requeued]:
    """Put our own jobs (id → token) back in line. It costs an attempt only where the job itself may be to blame."""
    if not held:
        return []
    spent = 0 if is_attempt else 1
    conditions = [*still_held(held)]
    if is_attempt:
        conditions.append(jobs.c.attempts < jobs.c.max_attempts)
    # Whoever is writing to them is waited for: nobody would look at them again before their leases run out.
    values = {"run_after": NOW + delay, "attempts": jobs.c.attempts - spent}
    return await requeue(tx, *conditions, skip_locked=False, **values)


async def requeue(
    tx: AsyncConnection, *conditions: sa.ColumnElement[bool], skip_locked: bool = True, **values: Any
) -> list[Requeued]:
    # Rows that someone is finishing this moment are skipped: they are not abandoned.
    mine = sa.select(jobs.c.id).where(running, *conditions).order_by(jobs.c.id)
    found = mine.with_for_update(skip_locked=skip_locked)
    rows = await tx.execute(
        jobs.update()
        .where(jobs.c.id.in_(found), running)
        .values(status="queued", stage="staged", owner=None, token=None, lease_until=None, **values)
        .returning(jobs.c.id, jobs.c.pool, jobs.c.attempts)
    )
    return [Requeued(row.id, row.pool, row.attempts) for row in rows]


@dataclass(frozen=True)
class Lapsed:
    """An open job whose time, or whose attempts, are up. `token` is None when nobody runs it."""

    id: str
    account_id: int
    token: str | None
    attempts: int


async def has_lapsed(tx: AsyncConnection) -> bool:
    """Whether there is anything to requeue or to fail: a cheap look before a write."""
    clock = NOW
    silent = sa.exists().where(running, jobs.c.lease_until < clock)
    late = sa.exists().where(jobs.c.ended_at.is_(None), jobs.c.deadline_at < clock)
    return bool((await tx.execute(sa.select(sa.or_(silent, late)))).scalar_one())


async def worn_out(tx: AsyncConnection, *, worker_id: str | None = None, limit: int = 100) -> list[Lapsed]:
    """Jobs without attempts left whose lease has run out, or whose worker `worker_id` is known to be dead."""
    gone = jobs.c.lease_until < NOW if worker_id is None else jobs.c.owner == worker_id
    return await lapsed(tx, running, gone, jobs.c.attempts >= jobs.c.max_attempts, limit=limit)


async def overdue(tx: AsyncConnection, *, limit: int = 100) -> list[Lapsed]:
    """Open jobs past their deadline, whether they run or wait."""
    return await lapsed(tx, jobs.c.ended_at.is_(None), jobs.c.deadline_at < NOW, limit=limit)


async def lapsed(tx: AsyncConnection, *conditions: sa.ColumnElement[bool], limit: int) -> list[Lapsed]:
    rows = await tx.execute(
        sa.select(jobs.c.id, jobs.c.account_id, jobs.c.token, jobs.c.attempts)
        .where(*conditions)
        .order_by(jobs.c.id)
        .limit(limit)
    )
    return [Lapsed(*row) for row in rows]


async def let_go(tx: AsyncConnection, worker_id: str, job_ids: Collection[str] | None = None) -> None:
    """Say that this worker no longer works on jobs that were ended from outside: its parent need not step in."""
    ours = jobs.update().where(jobs.c.owner == worker_id, jobs.c.ended_at.is_not(None))
    await tx.execute((ours if job_ids is None else ours.where(jobs.c.id.in_(job_ids))).values(owner=None))


async def ignored_stops(tx: AsyncConnection, worker_ids: Collection[str], *, seconds: float) -> set[str]:
    """Workers that still hold a job which was ended from outside more than `seconds` ago."""
    rows = await tx.execute(
        sa.select(jobs.c.owner)
        .distinct()
        .where(jobs.c.owner.in_(worker_ids), jobs.c.ended_at.is_not(None), jobs.c.ended_at < NOW - seconds)
    )
    return set(rows.scalars())
