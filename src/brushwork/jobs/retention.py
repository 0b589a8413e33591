"""Removing what is past its time: files first, then the rows that name them, in small batches.

A crash half-way leaves rows whose files are gone, never files that nobody remembers; the next run goes on from there.
The ledger is not touched: it outlives the jobs.
"""

import time

import sqlalchemy as sa

from brushwork.database.session import Database
from brushwork.database.tables import events, jobs
from brushwork.database.tables import files as files_table
from brushwork.files.store import Files

BATCH = 100


async def remove_expired(database: Database, files: Files, *, now: float | None = None) -> int:
    """Remove expired files and expired jobs; returns how many. Safe to call twice, and by two processes at once."""
    now = time.time() if now is None else now
    removed = 0
    for remove_some in (remove_some_files, remove_some_jobs):
        while count := await remove_some(database, files, now):
            removed += count
    return removed


async def remove_some_files(database: Database, files: Files, now: float) -> int:
    query = sa.select(files_table.c.id, files_table.c.path).where(files_table.c.expires_at < now).limit(BATCH)
    async with database.read() as tx:
        expired = (await tx.execute(query)).all()
    if not expired:
        return 0
    await files.delete([file.path for file in expired])
    async with database.write() as tx:
        await tx.execute(files_table.delete().where(files_table.c.id.in_([file.id for file in expired])))
    return len(expired)


async def remove_some_jobs(database: Database, files: Files, now: float) -> int:
    query = sa.select(jobs.c.id).where(jobs.c.expires_at < now).limit(BATCH)
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
    return len(expired)
