"""Looking at jobs: one, the open ones, all of them page by page. Changes nothing.

Every query names the account, so that another account's job is simply not there.
"""

import base64
import binascii
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from brushwork.database.tables import jobs
from brushwork.errors import InvalidField, JobNotFound
from brushwork.jobs.job import ClientStatus, Job
from brushwork.jobs.positions import POSITION, positions
from brushwork.jobs.rows import job_of

MAX_PAGE = 100

MATCHES: Mapping[ClientStatus, sa.ColumnElement[bool]] = {
    "pending": jobs.c.status.in_(["held", "queued"]),
    "staged": sa.and_(jobs.c.status == "running", jobs.c.stage == "staged"),
    "processing": sa.and_(jobs.c.status == "running", jobs.c.stage == "processing"),
    "completed": jobs.c.status == "done",
    "failed": jobs.c.status.in_(["failed", "cancelled"]),
}


@dataclass(frozen=True)
class JobPage:
    """A page of jobs, newest first. `next_cursor` is None on the last one."""

    jobs: tuple[Job, ...]
    next_cursor: str | None


async def get(tx: AsyncConnection, account_id: int, job_id: str) -> Job:
    """The account's job, with its place in the line. Raises JobNotFound for unknown and foreign ones alike."""
    row = (await tx.execute(ONE, {"job": job_id, "account": account_id})).first()
    if row is None:
        raise JobNotFound
    return job_of(row._mapping, queue_position=row.position)


ONE = (
    jobs.select()
    .add_columns(POSITION)
    .where(jobs.c.id == sa.bindparam("job"), jobs.c.account_id == sa.bindparam("account"))
)


async def active(tx: AsyncConnection, account_id: int) -> tuple[Job, ...]:
    """The account's open jobs, oldest first."""
    open_jobs = jobs.select().where(jobs.c.account_id == account_id, jobs.c.ended_at.is_(None))
    return await with_places(tx, (await tx.execute(open_jobs.order_by(jobs.c.created_at, jobs.c.id))).all())


async def with_places(tx: AsyncConnection, rows: Sequence[Any]) -> tuple[Job, ...]:
    places = await positions(tx, rows)
    return tuple(job_of(row._mapping, queue_position=places.get(row.id)) for row in rows)


async def page(
    tx: AsyncConnection,
    account_id: int,
    *,
    status: ClientStatus | None,
    task: str | None,
    created_after: float | None,
    created_before: float | None,
    cursor: str | None,
    limit: int,
) -> JobPage:
    """The account's jobs, newest first, `limit` at a time."""
    limit = max(1, min(limit, MAX_PAGE))
    conditions: list[sa.ColumnElement[bool]] = [jobs.c.account_id == account_id]
    if status is not None:
        conditions.append(MATCHES[status])
    if task is not None:
        conditions.append(jobs.c.task == task)
    if created_after is not None:
        conditions.append(jobs.c.created_at >= created_after)
    if created_before is not None:
        conditions.append(jobs.c.created_at < created_before)
    if cursor is not None:
        created_at, job_id = read_cursor(cursor)
        place = sa.tuple_(sa.literal(created_at, sa.Double), sa.literal(job_id))
        conditions.append(sa.tuple_(jobs.c.created_at, jobs.c.id) < place)
    newest_first = jobs.select().where(*conditions).order_by(jobs.c.created_at.desc(), jobs.c.id.desc())
    rows = (await tx.execute(newest_first.limit(limit + 1))).all()
    return JobPage(
        jobs=await with_places(tx, rows[:limit]),
        next_cursor=write_cursor(rows[:limit]) if len(rows) > limit else None,
    )


def write_cursor(rows: Sequence[Any]) -> str:
    last = rows[-1]
    return base64.urlsafe_b64encode(json.dumps([last.created_at, last.id]).encode()).decode().rstrip("=")


def read_cursor(cursor: str) -> tuple[float, str]:
    try:
        created_at, job_id = json.loads(
            base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        )
        return float(created_at), str(uuid.UUID(job_id))
    except (binascii.Error, ValueError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise InvalidField("cursor", "is not one that this server gave out.") from error
