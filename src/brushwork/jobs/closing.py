"""Erasing a whole account: it is closed in one transaction, and then emptied in small steps, however much it has.

    closed ──▶ jobs, a hundred at a time ──▶ uploads ──▶ deliveries, messages, answers … ──▶ the receipt

Each step commits by itself and counts what it removed, so that whoever is killed can be followed by anybody: the
command line, an operator's second request, or the regular work. What a request that was under way at the closing leaves
behind is looked for once more, for an hour.
"""

import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from typing import Any

import sqlalchemy as sa
import structlog
from obstore.exceptions import BaseError
from sqlalchemy.ext.asyncio import AsyncConnection

from brushwork.accounts.audits import note_change
from brushwork.accounts.directory import account_by_id
from brushwork.accounts.tombstones import (
    balance_of,
    bury,
    end_own_packs,
    expired_since,
    forget_audits,
    forget_notifications,
)
from brushwork.database.session import Database
from brushwork.database.tables import answers, attempts, batches, deliveries, endpoints, erasures, follows, jobs
from brushwork.database.tables import files as files_table
from brushwork.errors import NotFound
from brushwork.files.store import Files
from brushwork.jobs.audits import audit
from brushwork.jobs.erasure import away, clear, forget_pages
from brushwork.jobs.expiry import end_packs
from brushwork.jobs.lineage import CONDEMNED, count_elsewhere
from brushwork.jobs.receipts import AccountReceipt, Removed, shown
from brushwork.jobs.removal import condemn, forget, lock_account, sizes_of, stop
from brushwork.jobs.rules import JobRules

log = structlog.get_logger(__name__)

JOBS_AT_ONCE = 100
ROWS_AT_ONCE = 1000
LATE_SECONDS = 3600.0
"""Requests that were under way when the account was closed are long over by then."""


class Closing:
    """Erases the accounts of one database and its store."""

    def __init__(self, database: Database, files: Files, rules: JobRules) -> None:
        self.database = database
        self.files = files
        self.rules = rules

    async def erase(self, account_id: int, *, key_id: int | None, now: float, seconds: float) -> AccountReceipt:
        """Close the account, if it is not closed yet, and empty it for up to `seconds`. Raises NotFound.

        Unavailable when the store is away; then nothing is lost, and asking again goes on.
        """
        async with self.database.write() as tx:
            await begin(tx, account_id, key_id=key_id, now=now)
        await self.go_on(account_id, seconds=seconds)
        return await self.receipt(account_id)

    async def go_on(self, account_id: int, *, seconds: float) -> None:
        """Empty a closed account, as far as that takes no longer than `seconds`."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if not await self.step(account_id):
                break
        await forget_pages(self.database)

    async def receipt(self, account_id: int) -> AccountReceipt:
        async with self.database.read() as tx:
            return receipt_of((await tx.execute(erasures.select().where(erasures.c.account_id == account_id))).first())

    async def pending(self, *, now: float) -> Sequence[int]:
        """Accounts that are being emptied, or may have been written to after that."""
        is_due = sa.or_(erasures.c.ended_at.is_(None), erasures.c.ended_at > now - LATE_SECONDS)
        async with self.database.read() as tx:
            return (await tx.execute(sa.select(erasures.c.account_id).where(is_due))).scalars().all()

    async def step(self, account_id: int) -> bool:
        """Remove some of what is left. False when there is nothing more to do."""
        if await self.some_jobs(account_id) or await self.some_uploads(account_id):
            return True
        async with self.database.write() as tx:
            await lock_account(tx, account_id)
            for name, remove_some in ROWS.items():
                if count := await remove_some(tx, account_id):
                    await add(tx, account_id, {name: count})
                    return True
            await end_own_packs(tx, account_id, now=time.time())  # a grant may have been under way
            balance = await balance_of(tx, account_id)
        if balance:
            async with self.database.write() as tx:
                # In a transaction of its own: it locks every account that has something expired, in their order.
                if await end_packs(tx, now=time.time()):
                    return True
        async with self.database.write() as tx:
            return await finish(tx, account_id, now=time.time())

    async def some_jobs(self, account_id: int) -> bool:
        async with self.database.write() as tx:
            await lock_account(tx, account_id)
            own = sa.select(jobs.c.id, jobs.c.expires_at).where(jobs.c.account_id == account_id)
            rows = (await tx.execute(own.order_by(jobs.c.id).limit(JOBS_AT_ONCE))).all()
            ids = [row.id for row in rows]
            # Those that were condemned before have been counted, or were past their time.
            fresh = [row.id for row in rows if row.expires_at != CONDEMNED]
            sizes = asdict(await sizes_of(tx, fresh))
            stopped = await stop(tx, self.rules, account_id, ids, now=time.time())
            await condemn(tx, ids)
            elsewhere = await count_elsewhere(tx, account_id, fresh)
            more = {"jobs": len(fresh), "cancelled": stopped, "kept_elsewhere": elsewhere}
            await add(tx, account_id, sizes | more)
        if not ids:
            return False
        await clear(self.files, ids)
        async with self.database.write() as tx:
            await lock_account(tx, account_id)
            await forget(tx, ids, is_whole_account=True)
        await clear(self.files, ids)  # a worker may just have stored a picture
        return True

    async def some_uploads(self, account_id: int) -> bool:
        async with self.database.write() as tx:
            await lock_account(tx, account_id)
            # Of its jobs, too, should there be any that no job has.
            own = sa.select(files_table).where(files_table.c.account_id == account_id)
            rows = (await tx.execute(own.order_by(files_table.c.id).limit(JOBS_AT_ONCE))).all()
            ids = [row.id for row in rows]
            fresh = [row for row in rows if row.expires_at != CONDEMNED]
            await tx.execute(files_table.update().where(files_table.c.id.in_(ids)).values(expires_at=CONDEMNED))
            elsewhere = await count_elsewhere(tx, account_id, [row.id for row in fresh])
            sizes = {"files": len(fresh), "bytes": sum(row.size for row in fresh)}
            await add(tx, account_id, {"uploads": len(fresh), "kept_elsewhere": elsewhere, **sizes})
        if not ids:
            return False
        try:
            await self.files.delete([row.path for row in rows])
        except (BaseError, OSError) as error:
            raise away() from error
        async with self.database.write() as tx:
            await tx.execute(files_table.delete().where(files_table.c.id.in_(ids)))
            await tx.execute(follows.delete().where(follows.c.parent_id.in_(ids)))
        return True


async def begin(tx: AsyncConnection, account_id: int, *, key_id: int | None, now: float) -> None:
    """Close an account for good. Doing so twice is fine: the first time stands. Raises NotFound."""
    await account_by_id(tx, account_id, lock=True)
    if await is_closed(tx, account_id):
        return
    erasure_id = uuid.uuid4().hex
    listeners = sa.select(sa.func.count()).select_from(endpoints).where(endpoints.c.account_id == account_id)
    counts = {"endpoints": int((await tx.execute(listeners)).scalar_one())}
    values = {"id": erasure_id, "account_id": account_id, "api_key_id": key_id, "began_at": now}
    await tx.execute(erasures.insert().values(**values, counts=counts))
    keys = await bury(tx, account_id, erasure_id, now=now)
    # None of these is sent any more: without the secrets nobody could believe them.
    waiting = sa.and_(deliveries.c.account_id == account_id, deliveries.c.status == "pending")
    told = await forget_deliveries(tx, waiting)
    await add(tx, account_id, {"keys": keys, "deliveries": told})
    await note_change(tx, "account.erase", account_id=account_id, key_id=key_id, now=now, facts={})
    log.info("account.closed", account_id=account_id, receipt=erasure_id)


async def is_closed(tx: AsyncConnection, account_id: int) -> bool:
    """Whether the account is erased, or being erased."""
    return (await tx.execute(sa.select(erasures.c.id).where(erasures.c.account_id == account_id))).first() is not None


async def finish(tx: AsyncConnection, account_id: int, *, now: float) -> bool:
    """Write the receipt, unless there is one or something has come meanwhile. Whether there is more to do."""
    await lock_account(tx, account_id)
    for table in (jobs, files_table, deliveries):
        if (await tx.execute(sa.select(table.c.id).where(table.c.account_id == account_id).limit(1))).first():
            return True
    row = (await tx.execute(erasures.select().where(erasures.c.account_id == account_id))).one()
    if row.ended_at is not None:
        return False
    await add(tx, account_id, {"points_expired": await expired_since(tx, account_id, row.began_at)})
    ended = erasures.update().where(erasures.c.account_id == account_id).values(ended_at=now)
    row = (await tx.execute(ended.returning(erasures))).one()
    data = shown(receipt_of(row))
    await tx.execute(audit(account_id, "erase", data, now=now, key_id=row.api_key_id, audit_id=row.id))
    log.info("account.erased", account_id=account_id, receipt=row.id, jobs=data["jobs"])
    return False


async def add(tx: AsyncConnection, account_id: int, more: dict[str, int]) -> None:
    """Count what was removed; what comes after the receipt is not in it. The account must be locked."""
    own = erasures.c.account_id == account_id
    row = (await tx.execute(sa.select(erasures.c.counts, erasures.c.ended_at).where(own))).one()
    if row.ended_at is None and any(more.values()):
        counts = row.counts | {name: row.counts.get(name, 0) + count for name, count in more.items()}
        await tx.execute(erasures.update().where(own).values(counts=counts))


def receipt_of(row: Any) -> AccountReceipt:
    if row is None:
        raise NotFound("This account has not been erased.")
    return AccountReceipt(
        id=row.id,
        account_id=row.account_id,
        state="erasing" if row.ended_at is None else "erased",
        counts=Removed(**row.counts),
        began_at=row.began_at,
        erased_at=row.ended_at,
    )


# ── what is only rows ──


async def forget_deliveries(tx: AsyncConnection, which: sa.ColumnElement[bool], *, limit: int | None = None) -> int:
    some = sa.select(deliveries.c.id).where(which).limit(limit)
    await tx.execute(attempts.delete().where(attempts.c.delivery_id.in_(some)))
    return (await tx.execute(deliveries.delete().where(deliveries.c.id.in_(some)))).rowcount


async def some_deliveries(tx: AsyncConnection, account_id: int) -> int:
    return await forget_deliveries(tx, deliveries.c.account_id == account_id, limit=ROWS_AT_ONCE)


async def some_answers(tx: AsyncConnection, account_id: int) -> int:
    own = sa.select(answers.c.key).where(answers.c.account_id == account_id).limit(ROWS_AT_ONCE)
    some = sa.and_(answers.c.account_id == account_id, answers.c.key.in_(own))
    return (await tx.execute(answers.delete().where(some))).rowcount


async def some_batches(tx: AsyncConnection, account_id: int) -> int:
    own = sa.select(batches.c.id).where(batches.c.account_id == account_id).limit(ROWS_AT_ONCE)
    return (await tx.execute(batches.delete().where(batches.c.id.in_(own)))).rowcount


async def some_endpoints(tx: AsyncConnection, account_id: int) -> int:
    """Of a request that was under way when the account was closed."""
    return (await tx.execute(endpoints.delete().where(endpoints.c.account_id == account_id))).rowcount


ROWS: dict[str, Callable[[AsyncConnection, int], Awaitable[int]]] = {
    "deliveries": some_deliveries,
    "batches": some_batches,
    "endpoints": some_endpoints,
    "notifications": forget_notifications,
    "answers": some_answers,
    "audits": forget_audits,
}
"""Name in the receipt → what removes some of them and says how many."""
