"""Erasing for good: a job with all that it was given, made and told, or an upload. What remains is a receipt.

    cancelled and condemned ──▶ files out of the store ──▶ rows out of the database, and the receipt into it

From the first commit on nothing can be made of it and no link opens it: what came of it until then is in the receipt,
and whoever asks later is refused. The ledger keeps its amounts and the job's id, as accounts must. Jobs that came of an
erased one have pictures and words of their own (ADR 0021): they stay, and are named, unless they are to go with it.
Erasing again goes on after a crash.
"""

import asyncio
import contextlib
import sqlite3
import uuid
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass

import sqlalchemy as sa
import structlog
from obstore.exceptions import BaseError
from sqlalchemy.ext.asyncio import AsyncConnection

from brushwork.database.session import Database
from brushwork.database.tables import batches, follows
from brushwork.database.tables import files as files_table
from brushwork.errors import FileNotFound, JobNotFound, Unavailable
from brushwork.files.store import Files
from brushwork.jobs.audits import audit
from brushwork.jobs.lineage import CONDEMNED, count_elsewhere, descendants, own_jobs, portions
from brushwork.jobs.receipts import Receipt, shown
from brushwork.jobs.removal import HAS_JOBS, Sizes, batches_of, condemn, empty, forget, lock_account, sizes_of, stop
from brushwork.jobs.rules import JobRules

log = structlog.get_logger(__name__)

CHECKPOINT_SECONDS = 5.0
"""How long SQLite waits for those who read; what it cannot clear then goes with the next checkpoint."""


@dataclass(frozen=True)
class Asked:
    """Who erases, and when."""

    account_id: int
    key_id: int | None
    with_descendants: bool
    """Whether all jobs that came of it go too."""
    now: float


@dataclass(frozen=True)
class Doomed:
    """What is condemned, and what stays of its family."""

    jobs: tuple[str, ...]
    sizes: Sizes
    kept: tuple[str, ...]
    elsewhere: int


async def erase_job(database: Database, files: Files, rules: JobRules, job_id: str, asked: Asked) -> Receipt:
    """Erase a job; an open one is cancelled first. Raises JobNotFound, or Unavailable when the store is away."""
    async with database.write() as tx:
        await lock_account(tx, asked.account_id)
        if not await own_jobs(tx, asked.account_id, [job_id]):
            raise JobNotFound
        doomed = await doom(tx, rules, [job_id], job_id, asked)
    await clear(files, doomed.jobs)
    async with database.write() as tx:
        receipt = await finish(tx, doomed, asked)
    # A worker that was just storing a picture has put it where it was: it is looked for once more.
    await clear(files, doomed.jobs)
    await forget_pages(database)
    return receipt


async def erase_upload(database: Database, files: Files, rules: JobRules, file_id: str, asked: Asked) -> Receipt:
    """Erase a picture that the account uploaded. Raises FileNotFound for unknown and foreign ones alike."""
    upload = sa.and_(files_table.c.id == file_id, files_table.c.job_id.is_(None))
    own = sa.and_(upload, files_table.c.account_id == asked.account_id)
    async with database.write() as tx:
        await lock_account(tx, asked.account_id)
        condemned = files_table.update().where(own).values(expires_at=CONDEMNED)
        row = (await tx.execute(condemned.returning(files_table.c.path, files_table.c.size))).first()
        if row is None:
            raise FileNotFound("There is no upload with this id.")
        doomed = await doom(tx, rules, [], file_id, asked)
    try:
        await files.delete([row.path])
    except (BaseError, OSError) as error:
        raise away() from error
    await clear(files, doomed.jobs)
    async with database.write() as tx:
        await tx.execute(files_table.delete().where(own))
        await tx.execute(follows.delete().where(follows.c.parent_id == file_id))
        receipt = await finish(tx, doomed, asked, upload=(file_id, row.size))
    await clear(files, doomed.jobs)
    await forget_pages(database)
    return receipt


async def doom(tx: AsyncConnection, rules: JobRules, job_ids: Sequence[str], origin: str, asked: Asked) -> Doomed:
    """Cancel and condemn these jobs, and all that came of `origin` if that is wished. The account must be locked."""
    later = await descendants(tx, asked.account_id, origin)
    going = [*job_ids, *later] if asked.with_descendants else list(job_ids)
    sizes = await sizes_of(tx, going)
    await stop(tx, rules, asked.account_id, going, now=asked.now)
    await condemn(tx, going)
    elsewhere = await count_elsewhere(tx, asked.account_id, [*going, origin])
    return Doomed(tuple(going), sizes, () if asked.with_descendants else tuple(later), elsewhere)


async def clear(files: Files, job_ids: Collection[str]) -> None:
    try:
        await empty(files, job_ids)
    except (BaseError, OSError) as error:
        raise away() from error


def away() -> Unavailable:
    return Unavailable("The store of files does not answer as it should; ask again to go on erasing.")


async def finish(
    tx: AsyncConnection, doomed: Doomed, asked: Asked, *, upload: tuple[str, int] | None = None
) -> Receipt:
    """Remove the rows and write the receipt."""
    await lock_account(tx, asked.account_id)
    of_batches = await batches_of(tx, doomed.jobs)
    await forget(tx, doomed.jobs)
    for some in portions(of_batches):  # the last job takes its batch along, with the client's idempotency key
        await tx.execute(batches.delete().where(batches.c.id.in_(some), ~HAS_JOBS))
    sizes = asdict(doomed.sizes)
    if upload is not None:
        sizes = sizes | {"files": doomed.sizes.files + 1, "bytes": doomed.sizes.bytes + upload[1]}
    receipt = Receipt(
        id=uuid.uuid4().hex,
        jobs=doomed.jobs,
        uploads=() if upload is None else (upload[0],),
        **sizes,
        kept=doomed.kept,
        kept_elsewhere=doomed.elsewhere,
        erased_at=asked.now,
    )
    data = shown(receipt)
    await tx.execute(audit(asked.account_id, "erase", data, now=asked.now, key_id=asked.key_id, audit_id=receipt.id))
    log.info("job.erased", jobs=len(doomed.jobs), account_id=asked.account_id, receipt=receipt.id)
    return receipt


async def forget_pages(database: Database) -> None:
    """SQLite keeps what was written in its log until the next checkpoint, which is now, unless somebody reads."""
    path = sa.make_url(database.url).database
    if database.is_sqlite and path:  # PostgreSQL drops dead rows when it vacuums
        await asyncio.to_thread(checkpoint, path)


def checkpoint(path: str) -> None:
    with contextlib.closing(sqlite3.connect(path, timeout=CHECKPOINT_SECONDS)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
