"""Removing what is past its time, in small batches: jobs with all their files, uploads, batches that nobody asks for.

What goes is condemned first (`removal.py`), so that whoever pins a job at this moment either keeps it or is told that
it is gone. Files come before their job only while its pictures are gathered; what a crash leaves then is swept a day
later. The ledger is not touched: it outlives the jobs.
"""

import time
from collections.abc import Sequence
from pathlib import PurePosixPath

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from brushwork.database.session import Database
from brushwork.database.tables import batches, follows, jobs
from brushwork.database.tables import files as files_table
from brushwork.files.store import Files
from brushwork.jobs.idempotency import REPLAYED_SECONDS
from brushwork.jobs.lineage import portions
from brushwork.jobs.removal import HAS_JOBS, condemn, empty, forget

BATCH = 100
STRAY_SECONDS = 86_400.0
"""No job is accepted so long after its pictures came."""


async def remove_expired(database: Database, files: Files, *, now: float | None = None) -> int:
    """Remove expired uploads and expired jobs; returns how many. Safe to call twice, and by two processes at once."""
    now = time.time() if now is None else now
    removed = 0
    for remove_some in (remove_some_uploads, remove_some_jobs, remove_some_batches):
        while count := await remove_some(database, files, now):
            removed += count
    return removed


async def remove_some_uploads(database: Database, files: Files, now: float) -> int:
    """Files of jobs go with their jobs, which may be pinned; nobody pins an upload."""
    past = sa.and_(files_table.c.expires_at < now, files_table.c.job_id.is_(None))
    async with database.read() as tx:
        query = sa.select(files_table.c.id, files_table.c.path).where(past).limit(BATCH)
        expired = (await tx.execute(query)).all()
    if not expired:
        return 0
    await files.delete([file.path for file in expired])
    ids = [file.id for file in expired]
    async with database.write() as tx:
        await tx.execute(files_table.delete().where(files_table.c.id.in_(ids)))
        await tx.execute(follows.delete().where(follows.c.parent_id.in_(ids)))
    return len(expired)


async def remove_some_jobs(database: Database, files: Files, now: float) -> int:
    async with database.read() as tx:  # as a rule there is nothing, and SQLite's lock is for those who write
        if (await tx.execute(sa.select(jobs.c.id).where(*is_past(now)).limit(1))).first() is None:
            return 0
    async with database.write() as tx:
        expired = await condemn_expired(tx, now)
    await empty(files, expired)
    async with database.write() as tx:
        await forget(tx, expired)
    return len(expired)


async def condemn_expired(tx: AsyncConnection, now: float) -> Sequence[str]:
    """Condemn some jobs that nobody pins, also those that were condemned before a crash. Locked ones come next time."""
    some = sa.select(jobs.c.id).where(*is_past(now)).order_by(jobs.c.id).limit(BATCH)
    expired = (await tx.execute(some.with_for_update(skip_locked=True))).scalars().all()
    await condemn(tx, expired)
    return expired


def is_past(now: float) -> tuple[sa.ColumnElement[bool], ...]:
    return jobs.c.expires_at < now, jobs.c.pinned.is_(False)


async def remove_some_batches(database: Database, _: Files, now: float) -> int:
    """A batch goes with the last of its jobs, but not before its idempotency key has stood for a day."""
    is_over = sa.and_(batches.c.created_at < now - REPLAYED_SECONDS, ~HAS_JOBS)
    async with database.write() as tx:
        some = sa.select(batches.c.id).where(is_over).limit(BATCH)
        return (await tx.execute(batches.delete().where(batches.c.id.in_(some)))).rowcount


async def remove_strays(database: Database, files: Files, *, now: float | None = None) -> int:
    """Remove the folders of jobs that do not exist, and such uploads, once they are a day old; returns how many."""
    before = (time.time() if now is None else now) - STRAY_SECONDS
    folders = await files.folders("jobs")
    removed = 0
    for at in range(0, len(folders), BATCH):
        for job_id in await without_rows(database, folders[at : at + BATCH]):
            if await files.newest(f"jobs/{job_id}") < before:
                await files.delete_folder(f"jobs/{job_id}")
                removed += 1
    async for paths in files.older("uploads", before):
        ids = {PurePosixPath(path).stem: path for path in paths}
        strays = [ids[one] for one in await without_rows(database, list(ids), files_table)]
        await files.delete(strays)
        removed += len(strays)
    return removed


async def without_rows(database: Database, ids: Sequence[str], table: sa.Table = jobs) -> list[str]:
    """Those of the ids that the table does not have."""
    known: set[str] = set()
    async with database.read() as tx:
        for some in portions(ids):
            known |= set((await tx.execute(sa.select(table.c.id).where(table.c.id.in_(some)))).scalars())
    return [one for one in ids if one not in known]
