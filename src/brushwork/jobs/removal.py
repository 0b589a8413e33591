"""Taking jobs away in three steps, so that nobody can come between them:

    condemned ──▶ files out of the store ──▶ rows out of the database

A condemned job cannot be pinned, followed or drawn again, and its links open nothing. It stays condemned: a crash
leaves rows without files, never the reverse, and whoever comes next goes on from there. The ledger is not touched.
"""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from brushwork.database.tables import accounts, attempts, batches, deliveries, events, follows, jobs
from brushwork.database.tables import files as files_table
from brushwork.errors import JobCancelled
from brushwork.files.store import Files
from brushwork.jobs.job import OPEN
from brushwork.jobs.lifecycle import Ending, end
from brushwork.jobs.lineage import CONDEMNED, portions, tie_over
from brushwork.jobs.rules import JobRules

AT_ONCE = 8
"""Folders removed at the same time: a store in another house answers slowly, but to many."""
HAS_JOBS = sa.exists().where(jobs.c.batch_id == batches.c.id)
"""Whether any job of a row of `batches` is still kept."""


@dataclass(frozen=True)
class Sizes:
    """How much there is of some jobs."""

    files: int = 0
    bytes: int = 0
    events: int = 0
    deliveries: int = 0


async def lock_account(tx: AsyncConnection, account_id: int) -> None:
    """Nobody else begins, ends or removes a job of this account before the transaction is over."""
    await tx.execute(sa.select(accounts.c.id).where(accounts.c.id == account_id).with_for_update())


async def sizes_of(tx: AsyncConnection, job_ids: Collection[str]) -> Sizes:
    """What the database knows of these jobs."""
    files = total = said = told = 0
    for some in portions(job_ids):
        size = sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(files_table.c.size), 0))
        count, amount = (await tx.execute(size.where(files_table.c.job_id.in_(some)))).one()
        files, total = files + count, total + int(amount)
        said += await count_of(tx, events, some)
        told += await count_of(tx, deliveries, some)
    return Sizes(files, total, said, told)


async def count_of(tx: AsyncConnection, table: sa.Table, job_ids: Sequence[str]) -> int:
    query = sa.select(sa.func.count()).select_from(table).where(table.c.job_id.in_(job_ids))
    return int((await tx.execute(query)).scalar_one())


async def stop(tx: AsyncConnection, rules: JobRules, account_id: int, job_ids: Collection[str], *, now: float) -> int:
    """Cancel those of these jobs that are open, tell nobody, and return how many. The account must be locked."""
    stopped = 0
    for some in portions(job_ids):
        is_open = sa.and_(jobs.c.id.in_(some), jobs.c.status.in_(OPEN))
        found = (await tx.execute(sa.select(jobs.c.id).where(is_open))).scalars().all()
        endings = [Ending(job_id, account_id, "cancelled", error=JobCancelled()) for job_id in found]
        if endings:
            stopped += len(await end(tx, endings, rules=rules, now=now))
        told = sa.select(deliveries.c.id).where(deliveries.c.job_id.in_(some))
        await tx.execute(attempts.delete().where(attempts.c.delivery_id.in_(told)))
        await tx.execute(deliveries.delete().where(deliveries.c.job_id.in_(some)))
    return stopped


async def condemn(tx: AsyncConnection, job_ids: Collection[str]) -> None:
    """From the commit on, nobody can reach these jobs' files or make anything of them. They must have ended."""
    nothing = {"expires_at": CONDEMNED, "followup_until": None, "pinned": False}
    for some in portions(sorted(job_ids)):
        await tx.execute(jobs.update().where(jobs.c.id.in_(some)).values(**nothing))
        await tx.execute(files_table.update().where(files_table.c.job_id.in_(some)).values(expires_at=CONDEMNED))


async def empty(files: Files, job_ids: Collection[str]) -> None:
    """Remove all that the store has of these jobs, with what workers wrote for them and never published."""
    turns = asyncio.Semaphore(AT_ONCE)

    async def remove(job_id: str) -> None:
        async with turns:
            await files.delete_folder(f"jobs/{job_id}")

    results = await asyncio.gather(*map(remove, job_ids), return_exceptions=True)
    if failed := next((one for one in results if isinstance(one, BaseException)), None):
        raise failed


async def forget(tx: AsyncConnection, job_ids: Collection[str], *, is_whole_account: bool = False) -> None:
    """Remove the rows of condemned jobs; what came of them is tied to what they came of."""
    for some in portions(job_ids):
        if not is_whole_account:
            await tie_over(tx, some)
        for table, column in ((files_table, files_table.c.job_id), (events, events.c.job_id), (jobs, jobs.c.id)):
            await tx.execute(table.delete().where(column.in_(some)))
        await tx.execute(follows.delete().where(sa.or_(follows.c.job_id.in_(some), follows.c.parent_id.in_(some))))


async def batches_of(tx: AsyncConnection, job_ids: Collection[str]) -> list[str]:
    """The batches that these jobs are of."""
    found: dict[str, None] = {}
    for some in portions(job_ids):
        query = sa.select(jobs.c.batch_id).where(jobs.c.id.in_(some), jobs.c.batch_id.is_not(None)).distinct()
        found |= dict.fromkeys((await tx.execute(query)).scalars())
    return list(found)
