"""Accepting a job: check → pictures → plan → price → hold the credits → queued; the answer comes after the commit.

The pictures are gathered first, with no transaction open; a task that wants none goes straight on. All else is one
transaction.

The account's row is locked by the hold, so its limits are decided here, at the door: beyond `max_inflight` a job is
`held` until another one ends. Claiming then needs no count and cannot overshoot.
"""

import secrets
import time
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from brushwork.accounts.account import Account
from brushwork.accounts.credits import HoldResult, hold
from brushwork.accounts.directory import account_by_id
from brushwork.database.session import Database
from brushwork.database.tables import accounts, jobs
from brushwork.database.tables import held as is_held
from brushwork.errors import BrushworkError, Conflict, InsufficientCredits, PlanRequired, TooManyRequests
from brushwork.jobs.events import record
from brushwork.jobs.given import plain
from brushwork.jobs.job import Job
from brushwork.jobs.queue import JOBS_CHANNEL, notify
from brushwork.jobs.rows import job_of
from brushwork.jobs.rules import JobRules
from brushwork.jobs.sources import Sources, kept_input
from brushwork.jobs.webhooks.outbox import tell_low_balance
from brushwork.tasks.base import Speed, Task
from brushwork.tasks.sources import FromUrl, Given, Wanted

POOL = "default"
PRIORITY: Mapping[Speed, int] = {"turbo": 10, "fast": 20, "draft": 30}
"""Smaller is sooner."""
RETRY_AFTER = 10
"""Seconds after which a client that has too many open jobs may look whether one has ended."""


async def submit(
    database: Database,
    rules: JobRules,
    account: Account,
    task: Task,
    *,
    idempotency_key: str | None,
    key_id: int | None = None,
    sources: Sources | None = None,
) -> Job:
    """Accept one job, or raise what the client should read; then nothing has changed."""
    task.check()
    wanted = task.wanted()
    if wanted:
        if sources is None:
            raise LookupError("these jobs were opened without a way to pictures")
        return await submit_with(sources, wanted, rules, account, task, idempotency_key=idempotency_key, key_id=key_id)
    row = new_row(account, task, task.model_dump(mode="json"), (), idempotency_key, rules) | {"api_key_id": key_id}
    return await accept(database, rules, account, row, sources)


async def submit_with(
    sources: Sources,
    wanted: Sequence[Wanted],
    rules: JobRules,
    account: Account,
    task: Task,
    *,
    idempotency_key: str | None,
    key_id: int | None,
) -> Job:
    """Accept a job that works on pictures. What was gathered for a job that is not accepted is removed again."""
    fields = kept_input(task)
    if idempotency_key is not None:  # a request that is sent again fetches nothing again
        async with sources.database.read() as tx:
            earlier = await find_earlier(tx, account.id, idempotency_key)
        if earlier is not None:
            return same_request(earlier, {"task": task.name, "input": fields}, sources)
    if any(isinstance(one, FromUrl) for one in wanted):
        await refuse_penniless(sources.database, account.id, task)
    job_id = str(uuid.uuid4())
    try:
        given = await sources.gather(account.id, type(task), wanted, job_id=job_id, now=time.time())
        task.check_given(given)
        row = new_row(account, task, fields, given, idempotency_key, rules) | {"id": job_id, "api_key_id": key_id}
    except BaseException:
        await sources.forget(job_id)
        raise
    try:
        job = await accept(sources.database, rules, account, row, sources)
    except BrushworkError:  # anything else may have been committed all the same: then the job needs its pictures
        await sources.forget(job_id)
        raise
    if job.id != job_id:  # an equal request was quicker
        await sources.forget(job_id)
    return job


async def refuse_penniless(database: Database, account_id: int, task: Task) -> None:
    """Open no URL for an account that has nothing left. Whether it has enough is decided when the price is held."""
    async with database.read() as tx:
        account = await account_by_id(tx, account_id)
    if account.available <= 0:
        raise InsufficientCredits(needed=task.price(), available=account.available)


async def accept(
    database: Database, rules: JobRules, account: Account, row: dict[str, Any], sources: Sources | None
) -> Job:
    """Hold the credits and let the job in, in one transaction."""
    now, key = row["created_at"], row["idempotency_key"]
    async with database.write() as tx:
        if key is not None:
            earlier = await find_earlier(tx, account.id, key, lock=True)
            if earlier is not None:
                return same_request(earlier, row, sources)
        holding = await hold(tx, account.id, row["id"], row["cost"], now, task=row["task"])
        row["usage_type"] = holding.usage_type
        if holding.fell_below is not None:
            low = {"available": holding.available, "threshold": holding.fell_below}
            await tell_low_balance(tx, account.id, **low, now=now)
        row["status"] = await admit(tx, account.id, holding, rules)
        await tx.execute(INSERT, row)
        await record(tx, [(row["id"], "status", {"status": "pending"})], now)
        if row["status"] == "queued":
            await notify(tx, [(JOBS_CHANNEL, POOL)])
    return job_of(row)


def new_row(
    account: Account,
    task: Task,
    fields: Mapping[str, Any],
    given: Sequence[Given],
    idempotency_key: str | None,
    rules: JobRules,
) -> dict[str, Any]:
    settled = task.settled(given)
    if settled.plan == "pro" and account.plan != "pro":
        raise PlanRequired("This needs the pro plan; the account is on the free one.", plan=settled.plan)
    now, seed = time.time(), task.seed()
    return {
        "id": str(uuid.uuid4()),
        "account_id": account.id,
        "idempotency_key": idempotency_key,
        "task": task.name,
        "input": fields,
        "sources": plain(given),
        "seed": secrets.randbelow(2**32) if seed is None else seed,
        "callback": task.callback,
        "warnings": task.warnings() or None,
        "pool": POOL,
        "batch_key": settled.batch_key(),
        "priority": PRIORITY[settled.speed],
        "seq": now,
        "deadline_at": now + rules.deadline_seconds,
        "max_attempts": rules.max_attempts,
        "cost": settled.price(),
        "created_at": now,
    }


INSERT = jobs.insert()
ONE_MORE = accounts.update().where(accounts.c.id == sa.bindparam("account")).values(inflight=accounts.c.inflight + 1)


async def find_earlier(tx: AsyncConnection, account_id: int, idempotency_key: str, *, lock: bool = False) -> Any:
    """The job made with this key, if any. A lock on the account keeps two equal requests from both missing it."""
    if lock:
        await tx.execute(sa.select(accounts.c.id).where(accounts.c.id == account_id).with_for_update())
    same_key = sa.and_(jobs.c.account_id == account_id, jobs.c.idempotency_key == idempotency_key)
    return (await tx.execute(jobs.select().where(same_key))).first()


def same_request(earlier: Any, row: Mapping[str, Any], sources: Sources | None) -> Job:
    """The job of an equal earlier request. Raises Conflict when the key was used for a different one."""
    before, after = (earlier.task, earlier.input), (row["task"], row["input"])
    if before != after and sources is not None:  # a link to the same file may have been signed anew
        before, after = sources.without_signatures(list(before)), sources.without_signatures(list(after))
    if before != after:
        raise Conflict("This idempotency key was used for a different request.")
    return job_of(earlier._mapping)


async def admit(tx: AsyncConnection, account_id: int, holding: HoldResult, rules: JobRules) -> str:
    """Whether the account may have one more job in the queue now, or must wait, or has asked for too much."""
    if holding.inflight < min(holding.max_inflight, rules.max_waiting):
        await tx.execute(ONE_MORE, {"account": account_id})
        return "queued"
    # Only a full account has held jobs, so only a full account pays for counting them.
    some = sa.select(jobs.c.id).where(is_held, jobs.c.account_id == account_id).limit(rules.max_waiting).subquery()
    waiting = (await tx.execute(sa.select(sa.func.count()).select_from(some))).scalar_one()
    if holding.inflight + waiting >= rules.max_waiting:
        raise TooManyRequests(
            f"The account has {holding.inflight + waiting} open jobs, as many as it may.", retry_after=RETRY_AFTER
        )
    return "held"
