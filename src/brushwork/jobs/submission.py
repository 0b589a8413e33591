"""Accepting a job: check → plan → price → hold the credits → queued, in one transaction; the answer comes after it.

The account's row is locked by the hold, so its limits are decided here, at the door: beyond `max_inflight` a job is
`held` until another one ends. Claiming then needs no count and cannot overshoot.
"""

import secrets
import time
import uuid
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from brushwork.accounts.account import Account
from brushwork.accounts.credits import HoldResult, hold
from brushwork.database.session import Database
from brushwork.database.tables import accounts, jobs
from brushwork.database.tables import held as is_held
from brushwork.errors import Conflict, PlanRequired, TooManyRequests
from brushwork.jobs.events import record
from brushwork.jobs.job import Job
from brushwork.jobs.queue import JOBS_CHANNEL, notify
from brushwork.jobs.rows import job_of
from brushwork.jobs.rules import JobRules
from brushwork.tasks.base import Speed, Task

POOL = "default"
PRIORITY: Mapping[Speed, int] = {"turbo": 10, "fast": 20, "draft": 30}
"""Smaller is sooner."""
RETRY_AFTER = 10
"""Seconds after which a client that has too many open jobs may look whether one has ended."""


async def submit(
    database: Database, rules: JobRules, account: Account, task: Task, *, idempotency_key: str | None
) -> Job:
    """Accept one job, or raise what the client should read; then nothing has changed."""
    task.check()
    if task.plan == "pro" and account.plan != "pro":
        raise PlanRequired("This needs the pro plan; the account is on the free one.", plan=task.plan)
    now = time.time()
    row = new_row(account.id, task, idempotency_key, rules, now)
    async with database.write() as tx:
        if idempotency_key is not None:
            earlier = await find_earlier(tx, account.id, idempotency_key)
            if earlier is not None:
                return same_request(earlier, row)
        holding = await hold(tx, account.id, row["id"], row["cost"], now)
        row["usage_type"] = holding.usage_type
        row["status"] = await admit(tx, account.id, holding, rules)
        await tx.execute(INSERT, row)
        await record(tx, [(row["id"], "status", {"status": "pending"})], now)
        if row["status"] == "queued":
            await notify(tx, [(JOBS_CHANNEL, POOL)])
    return job_of(row)


def new_row(account_id: int, task: Task, idempotency_key: str | None, rules: JobRules, now: float) -> dict[str, Any]:
    seed = task.seed()
    return {
        "id": str(uuid.uuid4()),
        "account_id": account_id,
        "idempotency_key": idempotency_key,
        "task": task.name,
        "input": task.model_dump(mode="json"),
        "seed": secrets.randbelow(2**32) if seed is None else seed,
        "callback": task.callback,
        "warnings": task.warnings() or None,
        "pool": POOL,
        "batch_key": task.batch_key(),
        "priority": PRIORITY[task.speed],
        "seq": now,
        "deadline_at": now + rules.deadline_seconds,
        "max_attempts": rules.max_attempts,
        "cost": task.price(),
        "created_at": now,
    }


INSERT = jobs.insert()
ONE_MORE = accounts.update().where(accounts.c.id == sa.bindparam("account")).values(inflight=accounts.c.inflight + 1)


async def find_earlier(tx: AsyncConnection, account_id: int, idempotency_key: str) -> Any:
    """The job made with this key, if any. Locks the account, so that two equal requests cannot both miss it."""
    await tx.execute(sa.select(accounts.c.id).where(accounts.c.id == account_id).with_for_update())
    same_key = sa.and_(jobs.c.account_id == account_id, jobs.c.idempotency_key == idempotency_key)
    return (await tx.execute(jobs.select().where(same_key))).first()


def same_request(earlier: Any, row: Mapping[str, Any]) -> Job:
    """The job of an equal earlier request. Raises Conflict when the key was used for a different one."""
    if (earlier.task, earlier.input) != (row["task"], row["input"]):
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
