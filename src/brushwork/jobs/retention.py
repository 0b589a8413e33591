"""Removing what is past its time: files first, then the rows that name them, in small batches.

A crash half-way leaves rows whose files are gone, never files that nobody remembers; the next run goes on from there.
Files come before their job only while its pictures are gathered; what a crash leaves then is swept a day later.
The ledger is not touched: it outlives the jobs.
"""

import time
from collections.abc import Sequence

import sqlalchemy as sa

from brushwork.database.session import Database
from brushwork.database.tables import batches, events, follows, jobs
from brushwork.database.tables import files as files_table
from brushwork.files.store import Files
from brushwork.jobs.idempotency import REPLAYED_SECONDS

BATCH = 100
HAS_JOBS = sa.exists().where(jobs.c.batch_id == batches.c.id)
"""Whether any job of a row of `batches` is still kept."""
STRAY_SECONDS = 86_400.0
"""No job is accepted so long after its pictures came."""


async def remove_expired(database: Database, files: Files, *, now: float | None = None) -> int:
    """Remove expired files and expired jobs; returns how many. Safe to call twice, and by two processes at once."""
    now = time.time() if now is None else now
    removed = 0
    for remove_some in (remove_some_files, remove_some_jobs, remove_some_batches):
        while count := await remove_some(database, files, now):
            removed += count
    return removed


async def remove_some_files(database: Database, files: Files, now: float) -> int:
    is_pinned = sa.exists().where(jobs.c.id == files_table.c.job_id, jobs.c.pinned.is_(True))
    past = sa.and_(files_table.c.expires_at < now, ~is_pinned)
    query = sa.select(files_table.c.id, files_table.c.path).where(past).limit(BATCH)
    async with database.read() as tx:
        expired = (await tx.execute(query)).all()
    if not expired:
        return 0
    await files.delete([file.path for file in expired])
    async with database.write() as tx:
        await tx.execute(files_table.delete().where(files_table.c.id.in_([file.id for file in expired])))
    return len(expired)


async def remove_some_jobs(database: Database, files: Files, now: float) -> int:
    query = sa.select(jobs.c.id).where(jobs.c.expires_at < now, jobs.c.pinned.is_(False)).limit(BATCH)
    async with database.read() as tx:
        expired = (await tx.execute(query)).scalars().all()
    if not expired:
        return 0
    for job_id in expired:
        # With all that workers wrote for it and never published.
        await files.delete_folder(f"jobs/{job_id}")
    async with database.write() as tx:
        for table, job_id_column in ((files_table, files_table.c.job_id), (events, events.c.job_id), (jobs, jobs.c.id)):
            await tx.execute(table.delete().where(job_id_column.in_(expired)))
        is_of_them = sa.or_(follows.c.job_id.in_(expired), follows.c.parent_id.in_(expired))
        await tx.execute(follows.delete().where(is_of_them))
    return len(expired)


async def remove_some_batches(database: Database, _: Files, now: float) -> int:
    """A batch goes with the last of its jobs, but not before its idempotency key has stood for a day."""
    is_over = sa.and_(batches.c.created_at < now - REPLAYED_SECONDS, ~HAS_JOBS)
    async with database.write() as tx:
        some = sa.select(batches.c.id).where(is_over).limit(BATCH)
        return (await tx.execute(batches.delete().where(batches.c.id.in_(some)))).rowcount


async def remove_strays(database: Database, files: Files, *, now: float | None = None) -> int:
    """Remove the folders of jobs that do not exist, once they are a day old; returns how many."""
    before = (time.time() if now is None else now) - STRAY_SECONDS
    folders = await files.folders("jobs")
    removed = 0
    for at in range(0, len(folders), BATCH):
        for job_id in await without_rows(database, folders[at : at + BATCH]):
            if await files.newest(f"jobs/{job_id}") < before:
                await files.delete_folder(f"jobs/{job_id}")
                removed += 1
    return removed


async def without_rows(database: Database, job_ids: Sequence[str]) -> list[str]:
    async with database.read() as tx:
        known = set((await tx.execute(sa.select(jobs.c.id).where(jobs.c.id.in_(job_ids)))).scalars())
    return [job_id for job_id in job_ids if job_id not in known]
