"""Erasing for good: a job with all that it was given, made and told, or an upload. What remains is a receipt.

    cancel ──▶ files out of the store ──▶ rows out of the database, and the receipt into it, in one transaction

The ledger keeps its amounts and the job's id, as accounts must. Jobs that came of an erased one have pictures and words
of their own (ADR 0021): they stay, and are named in the receipt, unless they are to be erased with it. A crash on the
way leaves rows without files, never the reverse: erasing again goes on from there.
"""

import asyncio
import contextlib
import sqlite3
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
import structlog
from obstore.exceptions import BaseError
from sqlalchemy.ext.asyncio import AsyncConnection

from brushwork.database.session import Database
from brushwork.database.tables import attempts, batches, deliveries, events, follows, jobs
from brushwork.database.tables import files as files_table
from brushwork.errors import FileNotFound, JobNotFound, Unavailable
from brushwork.files.store import Files
from brushwork.jobs.audits import audit
from brushwork.jobs.lifecycle import cancel
from brushwork.jobs.lineage import descendants
from brushwork.jobs.retention import HAS_JOBS
from brushwork.jobs.rules import JobRules

log = structlog.get_logger(__name__)

CHECKPOINT_SECONDS = 5.0
"""How long SQLite waits for those who read; what it cannot clear then goes with the next checkpoint."""


@dataclass(frozen=True)
class Receipt:
    """What was erased, and what was not."""

    id: str
    jobs: tuple[str, ...]
    uploads: tuple[str, ...]
    files: int
    bytes: int
    events: int
    deliveries: int
    kept: tuple[str, ...]
    """Jobs that came of what was erased, and stay."""
    erased_at: float


async def erase_job(
    database: Database,
    files: Files,
    rules: JobRules,
    account_id: int,
    job_id: str,
    *,
    with_descendants: bool,
    key_id: int | None,
    now: float,
) -> Receipt:
    """Erase a job; an open one is cancelled first. Raises JobNotFound, or Unavailable when the store is away."""
    async with database.read() as tx:
        later = await descendants(tx, account_id, job_id)
    erased = [job_id, *later] if with_descendants else [job_id]
    await cancel(database, rules, account_id, job_id)
    for one in erased[1:]:
        with contextlib.suppress(JobNotFound):  # somebody else is erasing it
            await cancel(database, rules, account_id, one)
    await empty(files, [f"jobs/{one}" for one in erased])
    async with database.write() as tx:
        counts = await remove_rows(tx, erased)
        receipt = Receipt(
            id=uuid.uuid4().hex,
            jobs=tuple(erased),
            uploads=(),
            **counts,
            kept=() if with_descendants else tuple(later),
            erased_at=now,
        )
        await tx.execute(receipt_row(receipt, account_id, key_id))
    # A worker that was just storing a picture has put it where it was: it is looked for once more.
    await empty(files, [f"jobs/{one}" for one in erased])
    await forget_pages(database)
    log.info("job.erased", job_ids=erased, account_id=account_id, receipt=receipt.id)
    return receipt


async def erase_upload(
    database: Database, files: Files, account_id: int, file_id: str, *, key_id: int | None, now: float
) -> Receipt:
    """Erase a picture that the account uploaded. Raises FileNotFound for unknown and foreign ones alike."""
    own = sa.and_(files_table.c.id == file_id, files_table.c.account_id == account_id, files_table.c.job_id.is_(None))
    async with database.read() as tx:
        row = (await tx.execute(sa.select(files_table).where(own))).first()
    if row is None:
        raise FileNotFound("There is no upload with this id.")
    try:
        await files.delete([row.path])
    except (BaseError, OSError) as error:
        raise away() from error
    receipt = Receipt(uuid.uuid4().hex, (), (file_id,), 1, row.size, 0, 0, (), now)
    async with database.write() as tx:
        await tx.execute(files_table.delete().where(own))
        await tx.execute(receipt_row(receipt, account_id, key_id))
    await forget_pages(database)
    return receipt


async def empty(files: Files, folders: Sequence[str]) -> None:
    try:
        for folder in folders:
            await files.delete_folder(folder)
    except (BaseError, OSError) as error:
        raise away() from error


def away() -> Unavailable:
    return Unavailable("The store of files does not answer as it should; ask again to go on erasing.")


async def remove_rows(tx: AsyncConnection, job_ids: Sequence[str]) -> dict[str, int]:
    """All that the database holds of these jobs, but for the ledger. Returns how much it was."""
    size = sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(files_table.c.size), 0))
    count, total = (await tx.execute(size.where(files_table.c.job_id.in_(job_ids)))).one()
    told = sa.select(deliveries.c.id).where(deliveries.c.job_id.in_(job_ids))
    await tx.execute(attempts.delete().where(attempts.c.delivery_id.in_(told)))
    removed: dict[str, Any] = {}
    for table in (events, deliveries, files_table):
        removed[table.name] = (await tx.execute(table.delete().where(table.c.job_id.in_(job_ids)))).rowcount
    is_of_them = sa.or_(follows.c.job_id.in_(job_ids), follows.c.parent_id.in_(job_ids))
    await tx.execute(follows.delete().where(is_of_them))
    of_batches = sa.select(jobs.c.batch_id).where(jobs.c.id.in_(job_ids), jobs.c.batch_id.is_not(None)).distinct()
    batch_ids = (await tx.execute(of_batches)).scalars().all()
    await tx.execute(jobs.delete().where(jobs.c.id.in_(job_ids)))
    if batch_ids:  # the last job takes its batch along, with the client's idempotency key
        await tx.execute(batches.delete().where(batches.c.id.in_(batch_ids), ~HAS_JOBS))
    return {"files": count, "bytes": int(total), "events": removed["events"], "deliveries": removed["deliveries"]}


def receipt_row(receipt: Receipt, account_id: int, key_id: int | None) -> sa.Insert:
    data = {name: list(value) if isinstance(value, tuple) else value for name, value in vars(receipt).items()}
    return audit(account_id, "erase", data, now=receipt.erased_at, key_id=key_id, audit_id=receipt.id)


async def forget_pages(database: Database) -> None:
    """SQLite keeps what was written in its log until the next checkpoint, which is now, unless somebody reads."""
    path = sa.make_url(database.url).database
    if database.is_sqlite and path:  # PostgreSQL drops dead rows when it vacuums
        await asyncio.to_thread(checkpoint, path)


def checkpoint(path: str) -> None:
    with contextlib.closing(sqlite3.connect(path, timeout=CHECKPOINT_SECONDS)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
