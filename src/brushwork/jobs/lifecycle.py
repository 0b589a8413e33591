"""The end of a job, and what follows from it: the one place that writes done, failed and cancelled.

    held ──promote──▶ queued ──claim──▶ running ──end──▶ done | failed | cancelled
      └──────────────────┴───────end (cancel, deadline)──────▲

Status, credits, files' rows, the next job's turn and the event change in one transaction, or not at all. Whoever works
on a job ends it with the token of its claim; a cancel or a deadline ends it whoever works on it, and takes the token.
"""

import time
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from brushwork.accounts.credits import Settlement, settle
from brushwork.database.session import Database
from brushwork.database.tables import accounts, jobs
from brushwork.database.tables import held as is_held
from brushwork.database.together import Writes
from brushwork.errors import BrushworkError, JobCancelled, JobNotFound, OutputRefused
from brushwork.jobs import queue
from brushwork.jobs.audits import audit
from brushwork.jobs.events import FORGET_PREVIEWS, EventKind, record
from brushwork.jobs.fairness import start as start_of
from brushwork.jobs.forecast import remember
from brushwork.jobs.job import CLIENT_STATUS, OPEN, Job
from brushwork.jobs.progress import Report
from brushwork.jobs.queue import EVENTS_CHANNEL, JOBS_CHANNEL, STOPS_CHANNEL, ClaimedJob, Notice
from brushwork.jobs.rows import job_of
from brushwork.jobs.rules import JobRules
from brushwork.jobs.webhooks.outbox import HAS_ENDPOINTS, HEARS_BEGINNINGS, Happening, end_of, tell


@dataclass(frozen=True)
class Ending:
    """How a job should end."""

    job_id: str
    account_id: int
    status: Literal["done", "failed", "cancelled"]
    token: str | None = None
    """The claim of whoever worked on it: a stale one ends nothing. None ends the job in any open state."""
    output: Mapping[str, Any] | None = None
    detail: Mapping[str, Any] | None = None
    error: BrushworkError | None = None


async def end(tx: AsyncConnection, endings: Sequence[Ending], *, rules: JobRules, now: float) -> set[str]:
    """End these jobs, settle their credits and let held ones in. Returns the jobs that this call ended."""
    wanted = {ending.job_id: ending for ending in endings}
    listening = await lock_accounts(tx, sorted({ending.account_id for ending in endings}))
    rows = [row for row in await lock_jobs(tx, wanted) if may_end(row, wanted[row.id])]
    if not rows:
        return set()
    ended = {row.id: wanted[row.id] for row in rows}
    done = {job_id: ending.status == "done" for job_id, ending in ended.items()}
    leaving = Counter(row.account_id for row in rows if row.status != "held")

    writes = Writes()
    writes.add(FINISH, *(final_values(ending, rules, now) for ending in ended.values()))
    settlements: Mapping[str, Settlement] = {job_id: "capture" if done[job_id] else "release" for job_id in ended}
    await settle(tx, settlements, now, leaving=leaving, writes=writes)
    remember(writes, [row for row in rows if done[row.id]], now)
    writes.add(FORGET_PREVIEWS, {"jobs": list(ended)})
    record(writes, [final_event(ending) for ending in ended.values()], now)
    await record_refused(tx, ended.values(), now)
    happenings = [end_of(row, wanted[row.id].status) for row in rows]
    notices = await tell(tx, happenings, listening=listening, now=now)
    notices += [(EVENTS_CHANNEL, job_id) for job_id in ended]
    notices += [(STOPS_CHANNEL, row.owner) for row in rows if row.owner and wanted[row.id].token is None]
    if full := sorted({row.account_id for row in rows if row.is_full}):
        await writes.send(tx)  # how many may come follows from how many have left
        notices += await promote(tx, full, now=now)
    await queue.notify(tx, notices, writes=writes)
    return set(ended)


async def start(
    tx: AsyncConnection,
    worker_id: str,
    *,
    pools: Sequence[str],
    limit: int,
    rules: JobRules,
    joining: Collection[str] = (),
) -> list[ClaimedJob]:
    """Claim the next jobs that can be drawn together, and with those of the keys `joining`, and say so."""
    claimed = await queue.claim(tx, worker_id, pools=pools, limit=limit, lease=rules.lease_seconds, joining=joining)
    writes = Writes()
    record(writes, [(job.id, "status", {"status": "staged"}) for job in claimed], time.time())
    await queue.notify(tx, [(EVENTS_CHANNEL, job.id) for job in claimed], writes=writes)
    return claimed


async def advance(tx: AsyncConnection, reports: Mapping[ClaimedJob, Report]) -> None:
    """Write down how far jobs are. A job that was lost meanwhile is left alone."""
    news: list[tuple[str, EventKind, Mapping[str, Any]]] = []
    begun: list[Happening] = []
    for job, report in sorted(reports.items(), key=lambda item: item[0].id):
        ours = {"job": job.id, "claim": job.token, "new_stage": report.stage, "new_progress": report.progress}
        row = (await tx.execute(MOVE, ours)).first()
        if row is None:
            continue
        if row.is_heard and report.is_new_stage and report.stage == "processing":
            begun.append(Happening(job.account_id, "job.processing", job_id=job.id, trace=row.trace))
        state = {"status": report.stage, "progress": report.progress}
        if report.is_new_stage:
            news.append((job.id, "status", state))
        elif report.is_new_progress:
            news.append((job.id, "progress", state))
        news += [(job.id, "preview", {"index": preview.index, "image": preview.image}) for preview in report.previews]
    writes = Writes()
    record(writes, news, time.time())
    notices = await tell(tx, begun, listening={one.account_id for one in begun}, now=time.time()) if begun else []
    await queue.notify(tx, notices + [(EVENTS_CHANNEL, job_id) for job_id, _, _ in news], writes=writes)


MOVE = (
    jobs.update()
    .where(jobs.c.id == sa.bindparam("job"), jobs.c.token == sa.bindparam("claim"), jobs.c.status == "running")
    .values(stage=sa.bindparam("new_stage"), progress=sa.bindparam("new_progress"))
    .returning(jobs.c.trace, HEARS_BEGINNINGS.label("is_heard"))
)


async def lock_accounts(tx: AsyncConnection, account_ids: Sequence[int]) -> set[int]:
    """Lock them in order; returns those that have webhook endpoints."""
    return {row.id for row in await tx.execute(LOCK_ACCOUNTS, {"accounts": account_ids}) if row.listens}


async def lock_jobs(tx: AsyncConnection, job_ids: Iterable[str]) -> Sequence[Any]:
    return (await tx.execute(LOCK_JOBS, {"jobs": list(job_ids)})).all()


LOCK_ACCOUNTS = (
    sa.select(accounts.c.id, HAS_ENDPOINTS.label("listens"))
    .where(accounts.c.id.in_(sa.bindparam("accounts", expanding=True)))
    .order_by(accounts.c.id)
    .with_for_update()
)
OTHER = jobs.alias()
HAS_HELD = sa.exists().where(OTHER.c.status == sa.literal_column("'held'"), OTHER.c.account_id == jobs.c.account_id)
"""Whether the account of a job has some that wait to be let in. Its lock must be taken by an earlier statement."""
LOCK_JOBS = (
    sa.select(jobs.c.id, jobs.c.account_id, jobs.c.status, jobs.c.token, jobs.c.owner, jobs.c.callback, jobs.c.trace)
    .add_columns(jobs.c.timing, jobs.c.forecast, jobs.c.created_at, jobs.c.started_at, HAS_HELD.label("is_full"))
    .where(jobs.c.id.in_(sa.bindparam("jobs", expanding=True)))
    .order_by(jobs.c.id)
    .with_for_update()
)


def may_end(row: Any, ending: Ending) -> bool:
    if ending.token is None:
        return row.status in OPEN
    return row.status == "running" and bool(row.token == ending.token)


FINISH = (
    jobs.update()
    .where(jobs.c.id == sa.bindparam("job"))
    .values(
        status=sa.bindparam("new_status"),
        output=sa.bindparam("new_output"),
        detail=sa.bindparam("new_detail"),
        error=sa.bindparam("new_error"),
        progress=sa.case((sa.bindparam("is_done", type_=sa.Boolean), 100), else_=jobs.c.progress),
        token=None,
        lease_until=None,
        # Ended from outside: the owner stays until it lets go, so that its parent sees whom to stop.
        owner=sa.case((sa.bindparam("by_owner", type_=sa.Boolean), sa.null()), else_=jobs.c.owner),
        cancel_requested=sa.bindparam("cancelled"),
        ended_at=sa.bindparam("now"),
        followup_until=sa.bindparam("new_followup_until"),
        expires_at=sa.bindparam("new_expires_at"),
    )
)


def final_values(ending: Ending, rules: JobRules, now: float) -> dict[str, Any]:
    return {
        "job": ending.job_id,
        "new_status": ending.status,
        "new_output": ending.output,
        "new_detail": ending.detail,
        "new_error": None if ending.error is None else error_of(ending.error),
        "is_done": ending.status == "done",
        "by_owner": ending.token is not None,
        "cancelled": ending.status == "cancelled",
        "now": now,
        "new_followup_until": now + rules.followup_seconds if ending.status == "done" else None,
        "new_expires_at": now + rules.result_seconds,
    }


async def record_refused(tx: AsyncConnection, ended: Iterable[Ending], now: float) -> None:
    """Write down what the check of finished pictures refused."""
    for ending in ended:
        if isinstance(ending.error, OutputRefused):
            data = {"category": ending.error.detail["category"], "job_id": ending.job_id}
            await tx.execute(audit(ending.account_id, "moderation", data, now=now))


def error_of(error: BrushworkError) -> dict[str, Any]:
    """An error as the client of a job sees it."""
    return {
        "code": error.status,
        "message": error.message,
        "raw_message": error.message,
        "detail": {"code": error.code, **error.detail},
    }


def final_event(ending: Ending) -> tuple[str, EventKind, dict[str, Any]]:
    data: dict[str, Any] = {"status": CLIENT_STATUS[ending.status]}
    if ending.error is None:
        data["progress"] = 100
    else:
        data["error"] = error_of(ending.error)
    return ending.job_id, "status", data


ROOM = (
    sa.select(accounts.c.id, accounts.c.share, (accounts.c.max_inflight - accounts.c.inflight).label("free"))
    .where(accounts.c.id.in_(sa.bindparam("accounts", expanding=True)))
    .where(accounts.c.inflight < accounts.c.max_inflight)
    .where(sa.exists().where(is_held, jobs.c.account_id == accounts.c.id))
    .order_by(accounts.c.id)
)
"""Accounts that have held jobs and room for some of them."""


async def promote(tx: AsyncConnection, account_ids: Sequence[int], *, now: float) -> list[Notice]:
    """Let held jobs into the queue as far as their accounts' limits allow. The accounts must be locked."""
    room = (await tx.execute(ROOM, {"accounts": account_ids})).all()
    notices: list[Notice] = []
    for account in room:
        chosen = (await tx.execute(NEXT_IN, {"account": account.id, "free": account.free})).all()
        # They join the line now, and their account's turn is what it is now, whenever they came.
        turns: dict[tuple[str, int], float] = {}
        places = []
        for number, job in enumerate(chosen):
            lane = (job.pool, job.priority)
            turn = turns.get(lane, job.start)
            turns[lane] = turn + job.cost / account.share
            places.append({"job": job.id, "place": now + number * 1e-6, "new_turn": turn})
        await tx.execute(LET_IN, places)
        await tx.execute(
            accounts.update().where(accounts.c.id == account.id).values(inflight=accounts.c.inflight + len(chosen))
        )
        notices += [(JOBS_CHANNEL, job.pool) for job in chosen]
    return notices


NEXT_IN = (
    sa.select(jobs.c.id, jobs.c.pool, jobs.c.priority, jobs.c.cost)
    .add_columns(start_of(jobs.c.account_id, jobs.c.pool, jobs.c.priority).label("start"))
    .where(is_held, jobs.c.account_id == sa.bindparam("account"))
    .order_by(jobs.c.priority, jobs.c.seq)
    .limit(sa.bindparam("free", type_=sa.Integer))
)
LET_IN = (
    jobs.update()
    .where(jobs.c.id == sa.bindparam("job"))
    .values(status="queued", seq=sa.bindparam("place"), turn=sa.bindparam("new_turn"))
)


async def admit_held(tx: AsyncConnection, *, now: float) -> None:
    """Let held jobs in wherever there is room: an account's limit may have been raised since they came."""
    waiting = sa.exists().where(is_held, jobs.c.account_id == accounts.c.id)
    roomy = sa.select(accounts.c.id).where(accounts.c.inflight < accounts.c.max_inflight, waiting)
    account_ids = (await tx.execute(roomy.order_by(accounts.c.id).with_for_update())).scalars().all()
    await queue.notify(tx, await promote(tx, account_ids, now=now))


async def cancel(database: Database, rules: JobRules, account_id: int, job_id: str) -> Job:
    """Cancel one open job and return it; a finished one stays as it ended. Nothing is charged."""
    async with database.write() as tx:
        ending = Ending(job_id, account_id, "cancelled", error=JobCancelled())
        owned = jobs.select().where(jobs.c.id == job_id, jobs.c.account_id == account_id)
        if (await tx.execute(owned)).first() is None:
            raise JobNotFound
        await end(tx, [ending], rules=rules, now=time.time())
        row = (await tx.execute(owned)).first()
        if row is None:  # it was erased while this waited for its account
            raise JobNotFound
        return job_of(row._mapping)
