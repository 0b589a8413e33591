"""The jobs of an account as an operator's dashboard lists them: numbered pages, newest first. Changes nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from brushwork.database.tables import jobs

EndedAs = Literal["finished", "failed", "processing"]
ENDED_AS: Mapping[str, EndedAs] = {"done": "finished", "failed": "failed", "cancelled": "failed"}
PROMPTS = ("text", "prompt", "remix_prompt")
"""Fields of tasks that hold what was asked for, whichever a task has."""
NUMBERS = ("image_no", "video_no")


@dataclass(frozen=True)
class Entry:
    """A job in a line of a list."""

    job_id: str
    account_id: int
    key_id: int | None
    task: str
    prompt: str
    origin_id: str
    """The job that it followed up, or ""."""
    index: int | None
    """Of the picture or clip in that job."""
    usage_type: Literal["point", "credit"]
    usage: int
    """What it cost, or what is held for it; 0 when it failed."""
    status: EndedAs
    problem: str
    created_at: float
    updated_at: float


@dataclass(frozen=True)
class HistoryPage:
    entries: Sequence[Entry]
    total: int


async def page_of_history(tx: AsyncConnection, account_id: int, *, page: int, size: int) -> HistoryPage:
    """Jobs number `(page - 1) * size` and on."""
    own = jobs.c.account_id == account_id
    total = (await tx.execute(sa.select(sa.func.count()).select_from(jobs).where(own))).scalar_one()
    query = sa.select(jobs).where(own).order_by(jobs.c.created_at.desc(), jobs.c.id.desc())
    rows = await tx.execute(query.offset((page - 1) * size).limit(size))
    return HistoryPage([entry_of(row) for row in rows], int(total))


def entry_of(row: sa.Row[Any]) -> Entry:
    given = row.input or {}
    status = ENDED_AS.get(row.status, "processing")
    return Entry(
        job_id=row.id,
        account_id=row.account_id,
        key_id=row.api_key_id,
        task=row.task,
        prompt=next((str(given[name]) for name in PROMPTS if given.get(name)), ""),
        origin_id=str(given.get("job_id") or ""),
        index=next((given[name] for name in NUMBERS if isinstance(given.get(name), int)), None),
        usage_type=row.usage_type,
        usage=0 if status == "failed" else row.cost,
        status=status,
        problem=(row.error or {}).get("message", ""),
        created_at=row.created_at,
        updated_at=row.ended_at or row.started_at or row.created_at,
    )
