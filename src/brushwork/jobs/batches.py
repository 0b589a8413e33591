"""Many jobs asked for together: all of them are accepted, or none, and never for more than the cap they came with.

    read ──▶ checked and priced ──▶ pictures gathered ──▶ priced for good, against the cap ──▶ held and queued, at once

Prices of jobs that inherit from others are known only when their pictures are there, so the sum is looked at twice;
nothing is held before both have passed. The row of a batch holds no prompt: what was asked is known by its hash.
"""

import asyncio
import hashlib
import json
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from brushwork.accounts.limits import refuse_many
from brushwork.database.session import Database
from brushwork.database.tables import accounts, batches, jobs
from brushwork.errors import (
    BatchNotFound,
    BrushworkError,
    BudgetExceeded,
    CostCapExceeded,
    InsufficientCredits,
    InvalidField,
    JobCancelled,
    UnreachablePicture,
)
from brushwork.jobs import lifecycle
from brushwork.jobs.idempotency import REPLAYED_SECONDS, other_request, refuse_other_use
from brushwork.jobs.job import OPEN, Job
from brushwork.jobs.lifecycle import Ending
from brushwork.jobs.rows import job_of
from brushwork.jobs.rules import JobRules
from brushwork.jobs.sources import kept_input
from brushwork.jobs.submission import Asking, Door, accepted, enter, new_row, refuse_penniless
from brushwork.tasks.base import Task

MOST = 100
"""Jobs of one batch."""
GATHERED_AT_ONCE = 6
GATHER_SECONDS = 45.0
"""For all pictures of a batch: clients stop waiting after a minute."""


@dataclass(frozen=True)
class Batch:
    """Jobs that were asked for together, in the order of the request. Jobs that are not kept any more are missing."""

    id: str
    cap: int
    cost: int
    count: int
    """As many as there were."""
    created_at: float
    jobs: tuple[Job, ...]


async def submit_batch(door: Door, asking: Asking, tasks: Sequence[Task], *, cap: int) -> Batch:
    """Accept all of the tasks, which have been checked, or raise what the client should read and change nothing."""
    batch_id, request = str(uuid.uuid4()), hash_of(tasks, cap)
    if asking.idempotency_key is not None:
        async with door.database.read() as tx:
            earlier = await find_earlier(tx, asking, request)
        if earlier is not None:
            return earlier
    await refuse_crowd(door, asking, len(tasks))
    refuse_above(cap, sum(task.price() for task in tasks if not task.wanted()))
    own = replace(asking, idempotency_key=None, batch_id=batch_id)
    rows: list[dict[str, Any]] = []
    try:
        rows = await rows_of(door, own, tasks)
        refuse_above(cap, sum(row["cost"] for row in rows))
        return await accept_all(door, own, rows, asking.idempotency_key, cap=cap, request=request)
    except AlreadyThere as found:
        await forget(door, rows)
        return found.batch
    except BrushworkError:  # anything else may have been committed all the same: then the jobs need their pictures
        await forget(door, rows)
        raise


class AlreadyThere(Exception):
    """An equal request was quicker."""

    def __init__(self, batch: Batch) -> None:
        super().__init__(batch.id)
        self.batch = batch


def hash_of(tasks: Sequence[Task], cap: int) -> str:
    """What was asked for, told from everything else."""
    asked = [[task.name, task.model_dump(mode="json")] for task in tasks]
    return hashlib.sha256(json.dumps([asked, cap], sort_keys=True).encode()).hexdigest()


async def refuse_crowd(door: Door, asking: Asking, count: int) -> None:
    """Fetch no picture for more jobs than may be asked for at once. What may be now is decided when they are held."""
    if count > door.rules.max_waiting:
        most = door.rules.max_waiting
        raise InvalidField("requests", f"hold {count} jobs, but an account may have {most} open", limit=most)
    if asking.key_id is not None:
        async with door.database.read() as tx:
            await refuse_many(tx, asking.key_id, count, field="requests", now=time.time())


def refuse_above(cap: int, cost: int) -> None:
    if cost > cap:
        raise CostCapExceeded(cost, cap)


# ── pictures ──


async def rows_of(door: Door, asking: Asking, tasks: Sequence[Task]) -> list[dict[str, Any]]:
    """The rows of all jobs, with their pictures in the store. What one of them lacks is the end of all."""
    needing = next((task for task in tasks if task.wanted()), None)
    if needing is not None:
        await refuse_penniless(door.database, asking, needing)
    turns = asyncio.Semaphore(GATHERED_AT_ONCE)
    ids = [str(uuid.uuid4()) for _ in tasks]
    working = [
        asyncio.create_task(row_of(door, asking, task, job_id, index, turns))
        for index, (task, job_id) in enumerate(zip(tasks, ids, strict=True))
    ]
    try:
        async with asyncio.timeout(GATHER_SECONDS):
            return list(await asyncio.gather(*working))
    except BaseException as error:
        for one in working:
            one.cancel()
        await asyncio.gather(*working, return_exceptions=True)
        await forget(door, [{"id": job_id, "sources": task.wanted()} for job_id, task in zip(ids, tasks, strict=True)])
        if isinstance(error, TimeoutError):
            raise UnreachablePicture("requests", f"pictures did not all arrive within {GATHER_SECONDS:g} s") from None
        raise


async def row_of(
    door: Door, asking: Asking, task: Task, job_id: str, index: int, turns: asyncio.Semaphore
) -> dict[str, Any]:
    """The row of one job."""
    wanted = task.wanted()
    with naming(index):
        if not wanted:
            return new_row(door.rules, asking, task, task.model_dump(mode="json"), ()) | {"id": job_id}
        if door.sources is None:
            raise LookupError("these jobs were opened without a way to pictures")
        async with turns:
            given = await door.sources.gather(asking.account.id, type(task), wanted, job_id=job_id, now=time.time())
        task.check_given(given)
        return new_row(door.rules, asking, task, kept_input(task), given) | {"id": job_id}


@contextmanager
def naming(index: int) -> Iterator[None]:
    """What goes wrong inside says which request of the batch it was."""
    try:
        yield
    except BrushworkError as error:
        error.message = f"requests[{index}]: {error.message}"
        error.detail["request"] = index
        raise


async def forget(door: Door, rows: Sequence[Mapping[str, Any]]) -> None:
    for row in rows:
        if row["sources"] and door.sources is not None:
            await door.sources.forget(row["id"])


# ── the door ──


async def accept_all(
    door: Door,
    asking: Asking,
    rows: Sequence[dict[str, Any]],
    idempotency_key: str | None,
    *,
    cap: int,
    request: str,
) -> Batch:
    """Hold what all of them cost and let them in, in one transaction."""
    now, total = time.time(), sum(row["cost"] for row in rows)
    outlooks = {(row["pool"], row["timing"]): None for row in rows}
    looked = {key: await door.forecasts.outlook(*key) for key in outlooks}
    async with door.database.write() as tx:
        await tx.execute(sa.select(accounts.c.id).where(accounts.c.id == asking.account.id).with_for_update())
        if idempotency_key is not None:
            earlier = await find_earlier(tx, replace(asking, idempotency_key=idempotency_key), request, free=True)
            if earlier is not None:
                raise AlreadyThere(earlier)
            await refuse_other_use(tx, asking.account.id, idempotency_key, now=now, but=batches)
        if asking.key_id is not None:  # once more, now that nobody else asks: all of them have to wait, or none
            await refuse_many(tx, asking.key_id, len(rows), field="requests", now=now)
        await tx.execute(
            batches.insert().values(
                id=asking.batch_id,
                account_id=asking.account.id,
                idempotency_key=idempotency_key,
                input={"sha256": request, "count": len(rows)},
                cap=cap,
                cost=total,
                created_at=now,
            )
        )
        for index, row in enumerate(rows):
            row["created_at"] = now + index * 1e-6  # the order of the request is the order of the list
            try:
                await enter(tx, door.rules, asking, row, looked[row["pool"], row["timing"]])
            except InsufficientCredits as error:
                left = error.detail.get("available", 0) + sum(earlier["cost"] for earlier in rows[:index])
                where = "left in the budget of this key" if isinstance(error, BudgetExceeded) else "available"
                error.message = f"This batch costs {total} points, but {left} are {where}."
                error.detail.update(needed=total, available=left)
                raise
        return await found(tx, asking.account.id, str(asking.batch_id))


async def find_earlier(tx: AsyncConnection, asking: Asking, request: str, *, free: bool = False) -> Batch | None:
    """The batch made with this key, as it was when it was accepted. Raises Conflict when it was another one.

    `free` frees a key that is old enough.
    """
    same = sa.and_(batches.c.account_id == asking.account.id, batches.c.idempotency_key == asking.idempotency_key)
    row = (await tx.execute(sa.select(batches).where(same))).first()
    if row is None:
        return None
    if row.created_at <= time.time() - REPLAYED_SECONDS:
        if free:
            await tx.execute(batches.update().where(batches.c.id == row.id).values(idempotency_key=None))
        return None
    if row.input["sha256"] != request:
        raise other_request()
    return await found(tx, asking.account.id, row.id, seen=accepted)


# ── afterwards ──


async def find_batch(database: Database, account_id: int, batch_id: str) -> Batch:
    """A batch and how far its jobs are. Raises BatchNotFound for unknown and foreign ones alike."""
    async with database.read() as tx:
        return await found(tx, account_id, batch_id)


async def found(tx: AsyncConnection, account_id: int, batch_id: str, *, seen: Callable[[Any], Job] = job_of) -> Batch:
    own = sa.and_(batches.c.id == batch_id, batches.c.account_id == account_id)
    row = (await tx.execute(sa.select(batches).where(own))).first()
    if row is None:
        raise BatchNotFound
    members = jobs.select().where(jobs.c.batch_id == batch_id).order_by(jobs.c.created_at, jobs.c.id)
    made = tuple(seen(job._mapping) for job in await tx.execute(members))
    return Batch(row.id, row.cap, row.cost, row.input["count"], row.created_at, made)


async def cancel_batch(database: Database, rules: JobRules, account_id: int, batch_id: str) -> Batch:
    """Cancel those of its jobs that have not ended; nothing is charged for them."""
    async with database.write() as tx:
        batch = await found(tx, account_id, batch_id)
        endings = [
            Ending(job.id, account_id, "cancelled", error=JobCancelled()) for job in batch.jobs if job.status in OPEN
        ]
        if endings:
            await lifecycle.end(tx, endings, rules=rules, now=time.time())
        return await found(tx, account_id, batch_id)
