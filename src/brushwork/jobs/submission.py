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
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from brushwork.accounts.account import Account
from brushwork.accounts.credits import HoldResult, hold
from brushwork.accounts.directory import account_by_id
from brushwork.accounts.limits import refuse as refuse_key
from brushwork.database.session import Database
from brushwork.database.tables import accounts, jobs
from brushwork.database.tables import held as is_held
from brushwork.database.together import Writes
from brushwork.errors import BrushworkError, InsufficientCredits, PlanRequired, TooManyRequests
from brushwork.jobs.events import record
from brushwork.jobs.forecast import Forecasts, Outlook, forecast
from brushwork.jobs.given import plain
from brushwork.jobs.idempotency import REPLAYED_SECONDS, other_request, refuse_other_use
from brushwork.jobs.job import Job
from brushwork.jobs.lineage import tie
from brushwork.jobs.positions import place_of
from brushwork.jobs.queue import JOBS_CHANNEL, notify
from brushwork.jobs.rows import NEW, job_of
from brushwork.jobs.rules import JobRules
from brushwork.jobs.sources import Sources, kept_input
from brushwork.jobs.webhooks.outbox import tell_low_balance
from brushwork.tasks.base import Speed, Task
from brushwork.tasks.sources import FromUrl, Given, Wanted
from brushwork.tracing import current

POOL = "default"
PRIORITY: Mapping[Speed, int] = {"turbo": 10, "fast": 20, "draft": 30}
"""Smaller is sooner."""
RETRY_AFTER = 10
"""Seconds after which a client that has too many open jobs may look whether one has ended."""


@dataclass(frozen=True)
class Asking:
    """What comes with a task: who asks, and how."""

    account: Account
    key_id: int | None = None
    idempotency_key: str | None = None
    deadline_seconds: float | None = None
    """The client's own, if it is shorter than the server's."""
    seed: int | None = None
    """Of the job that is to be drawn again; None leaves it to the task."""
    batch_id: str | None = None
    warnings: Sequence[Mapping[str, Any]] = ()
    """Beside those of the task."""
    expected: Mapping[str, Any] | None = None
    """What a recipe from elsewhere says was made of it, as `jobs/replay.py` compares it."""


@dataclass(frozen=True)
class Door:
    """What stands at the entrance of one database."""

    database: Database
    rules: JobRules
    forecasts: Forecasts
    sources: Sources | None = None


async def submit(door: Door, asking: Asking, task: Task) -> Job:
    """Accept one job, or raise what the client should read; then nothing has changed."""
    task.check()
    wanted = task.wanted()
    if wanted:
        if door.sources is None:
            raise LookupError("these jobs were opened without a way to pictures")
        return await submit_with(door, door.sources, wanted, asking, task)
    return await accept(door, asking, new_row(door.rules, asking, task, task.model_dump(mode="json"), ()))


async def submit_with(door: Door, sources: Sources, wanted: Sequence[Wanted], asking: Asking, task: Task) -> Job:
    """Accept a job that works on pictures. What was gathered for a job that is not accepted is removed again."""
    fields, account_id = kept_input(task), asking.account.id
    if asking.idempotency_key is not None:  # a request that is sent again fetches nothing again
        async with door.database.read() as tx:
            earlier = await find_earlier(tx, account_id, asking.idempotency_key)
        if earlier is not None and earlier.created_at > time.time() - REPLAYED_SECONDS:
            return same_request(earlier, {"task": task.name, "input": fields}, sources, seed=asking.seed)
    if any(isinstance(one, FromUrl) for one in wanted):
        await refuse_penniless(door.database, asking, task)
    job_id = str(uuid.uuid4())
    try:
        given = await sources.gather(account_id, type(task), wanted, job_id=job_id, now=time.time())
        task.check_given(given)
        row = new_row(door.rules, asking, task, fields, given) | {"id": job_id}
    except BaseException:
        await sources.forget(job_id)
        raise
    try:
        job = await accept(door, asking, row)
    except BrushworkError:  # anything else may have been committed all the same: then the job needs its pictures
        await sources.forget(job_id)
        raise
    if job.id != job_id:  # an equal request was quicker
        await sources.forget(job_id)
    return job


async def refuse_penniless(database: Database, asking: Asking, task: Task) -> None:
    """Open no URL for an account or a key that has nothing left. What it has is decided when the price is held."""
    async with database.read() as tx:
        account = await account_by_id(tx, asking.account.id)
        if account.available <= 0:
            raise InsufficientCredits(needed=task.price(), available=account.available)
        if asking.key_id is not None:
            await refuse_key(tx, asking.key_id, 1, now=time.time())


async def accept(door: Door, asking: Asking, row: dict[str, Any]) -> Job:
    """Hold the credits, find the job's place and let it in, in one transaction."""
    now, key, account_id = row["created_at"], asking.idempotency_key, asking.account.id
    outlook = await door.forecasts.outlook(row["pool"], row["timing"])
    async with door.database.write() as tx:
        if key is not None:
            earlier = await find_earlier(tx, account_id, key, lock=True)
            if earlier is not None and earlier.created_at > now - REPLAYED_SECONDS:
                return same_request(earlier, row, door.sources, seed=asking.seed)
            if earlier is not None:
                await tx.execute(FREE_KEY, {"job": earlier.id})
            await refuse_other_use(tx, account_id, key, now=now, but=jobs)
        await enter(tx, door.rules, asking, row, outlook)
    return accepted(row)


async def enter(tx: AsyncConnection, rules: JobRules, asking: Asking, row: dict[str, Any], outlook: Outlook) -> None:
    """One job through the door, in a transaction that others may share."""
    now, account_id = row["created_at"], asking.account.id
    writes = Writes()
    holding = await hold(
        tx, account_id, row["id"], row["cost"], now, task=row["task"], key_id=asking.key_id, writes=writes
    )
    row["usage_type"] = holding.usage_type
    if holding.fell_below is not None:
        low = {"available": holding.available, "threshold": holding.fell_below}
        await tell_low_balance(tx, account_id, **low, now=now)
    await find_place(tx, row, holding, rules, outlook)
    is_queued = row["status"] == "queued"
    if is_queued:
        writes.add(ONE_MORE, {"account": account_id})
    writes.add(INSERT, {f"new_{name}": row.get(name) for name in WRITTEN})
    record(writes, [(row["id"], "status", {"status": "pending"})], now)
    await notify(tx, [(JOBS_CHANNEL, row["pool"])] if is_queued else [], writes=writes)
    await tie(tx, row)


async def find_place(
    tx: AsyncConnection, row: dict[str, Any], holding: HoldResult, rules: JobRules, outlook: Outlook
) -> None:
    """Fill in where a job stands: in the line or before it, at which turn, and when it should be done."""
    is_full = await admit(tx, row["account_id"], holding, rules)
    there = await place_of(tx, row, held=is_full)
    expected = forecast(outlook, there.ahead)
    row["status"], row["turn"] = "held" if is_full else "queued", there.turn
    row["forecast"] = {"ahead": there.ahead} | ({} if expected is None else {"p50": expected.p50, "p90": expected.p90})


def accepted(row: Mapping[str, Any]) -> Job:
    """A job as it was when it was accepted: the answer to its request, however late it is asked for again."""
    before = dict.fromkeys(("started_at", "ended_at", "followup_until", "expires_at", "output", "detail", "error"))
    told = row.get("forecast") or {}
    status = "held" if row["status"] == "held" else "queued"
    return job_of({**row, **before, **NEW, "status": status}, queue_position=told.get("ahead"), eta=told)


def new_row(
    rules: JobRules, asking: Asking, task: Task, fields: Mapping[str, Any], given: Sequence[Given]
) -> dict[str, Any]:
    settled = task.settled(given)
    if settled.plan == "pro" and asking.account.plan != "pro":
        raise PlanRequired("This needs the pro plan; the account is on the free one.", plan=settled.plan)
    now, seed = time.time(), task.seed() if asking.seed is None else asking.seed
    return {
        "id": str(uuid.uuid4()),
        "account_id": asking.account.id,
        "api_key_id": asking.key_id,
        "batch_id": asking.batch_id,
        "idempotency_key": asking.idempotency_key,
        "task": task.name,
        "input": fields,
        "sources": plain(given),
        "seed": secrets.randbelow(2**32) if seed is None else seed,
        "callback": task.callback,
        "warnings": [*task.warnings(), *asking.warnings] or None,
        "pool": POOL,
        "batch_key": settled.batch_key(),
        "timing": timing_of(task, settled),
        "priority": PRIORITY[settled.speed],
        "seq": now,
        "deadline_at": now + min(rules.deadline_seconds, asking.deadline_seconds or rules.deadline_seconds),
        "max_attempts": rules.max_attempts,
        "cost": settled.price(),
        "created_at": now,
        "trace": current.get(),
        "expected": asking.expected,
    }


def timing_of(task: Task, settled: Task) -> str:
    """Jobs with the same key take about as long: the same task, and whatever else they are drawn together by."""
    lane = "draft" if settled.speed == "draft" else ""
    return " ".join(filter(None, dict.fromkeys((task.name, settled.batch_key(), lane))))


# Built once: putting these together takes longer than running them.
FILLED_IN = (
    "id account_id api_key_id batch_id idempotency_key task input sources seed callback warnings pool batch_key timing "
    "priority turn seq deadline_at max_attempts cost usage_type created_at status forecast trace expected"
)
WRITTEN = tuple(FILLED_IN.split())
INSERT = jobs.insert().values({name: sa.bindparam(f"new_{name}", type_=jobs.c[name].type) for name in WRITTEN})
ONE_MORE = accounts.update().where(accounts.c.id == sa.bindparam("account")).values(inflight=accounts.c.inflight + 1)
FREE_KEY = jobs.update().where(jobs.c.id == sa.bindparam("job")).values(idempotency_key=None)
"""A key that is old enough may be used for something new."""


async def find_earlier(tx: AsyncConnection, account_id: int, idempotency_key: str, *, lock: bool = False) -> Any:
    """The job made with this key, however old. A lock on the account keeps two equal requests from both missing it."""
    if lock:
        await tx.execute(LOCK, {"account": account_id})
    return (await tx.execute(EARLIER, {"account": account_id, "key": idempotency_key})).first()


LOCK = sa.select(accounts.c.id).where(accounts.c.id == sa.bindparam("account")).with_for_update()
EARLIER = jobs.select().where(
    jobs.c.account_id == sa.bindparam("account"), jobs.c.idempotency_key == sa.bindparam("key")
)


def same_request(earlier: Any, row: Mapping[str, Any], sources: Sources | None, *, seed: int | None) -> Job:
    """The job of an equal earlier request. Raises Conflict when the key was used for a different one.

    `seed` is that of a recipe: two recipes that differ in nothing else are two requests.
    """
    before, after = (earlier.task, earlier.input), (row["task"], row["input"])
    if before != after and sources is not None:  # a link to the same file may have been signed anew
        before, after = sources.without_signatures(list(before)), sources.without_signatures(list(after))
    if before != after or seed not in (None, earlier.seed):
        raise other_request()
    return accepted(earlier._mapping)


async def admit(tx: AsyncConnection, account_id: int, holding: HoldResult, rules: JobRules) -> bool:
    """Whether the account is full, so that one more job waits to be let in.

    Raises TooManyRequests when it has asked for too much.
    """
    if holding.inflight < min(holding.max_inflight, rules.max_waiting):
        return False
    # Only a full account has held jobs, so only a full account pays for counting them.
    waiting = int((await tx.execute(WAITING, {"account": account_id, "most": rules.max_waiting})).scalar_one())
    if holding.inflight + waiting >= rules.max_waiting:
        raise TooManyRequests(
            f"The account has {holding.inflight + waiting} open jobs, as many as it may.", retry_after=RETRY_AFTER
        )
    return True


HELD_JOBS = sa.select(jobs.c.id).where(is_held, jobs.c.account_id == sa.bindparam("account"))
WAITING = sa.select(sa.func.count()).select_from(HELD_JOBS.limit(sa.bindparam("most", type_=sa.Integer)).subquery())
