"""One idempotency key, one request: what was answered to it is kept for a day, and answered again.

Tasks and batches do not need this: a job is found by its key, in the transaction that would have made a second one.
Everything else claims its key first, does its work, and leaves its answer. Knows no endpoint; a request is a hash.
"""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from brushwork.database.session import Database
from brushwork.database.tables import answers, batches, jobs
from brushwork.errors import Conflict

REPLAYED_SECONDS = 86_400.0
"""How long an idempotency key stands for the request it came with."""
LOST_SECONDS = 120.0
"""A request that has no answer after so long died with its server, and may be sent again."""


@dataclass(frozen=True)
class Claim:
    """A request that came with an idempotency key."""

    account_id: int
    key: str
    request: str
    """SHA-256 of all that it asks for, hex."""
    at: float


@dataclass(frozen=True)
class Answer:
    """What was answered to a request, as far as it may be answered again."""

    status: int | None
    """None while the request is being answered."""
    body: bytes | None
    """None when it held a secret that is shown once."""


async def claim(database: Database, wanted: Claim) -> Answer | None:
    """None when the request is the first one with its key and is to be answered now; else what there is already.

    Raises Conflict when the key came with another request, whatever that asked for.
    """
    try:
        async with database.write() as tx:
            await tx.execute(answers.delete().where(of(wanted), is_over(wanted.at)))
            await refuse_other_use(tx, wanted.account_id, wanted.key, now=wanted.at)
            if (earlier := await find(tx, wanted)) is not None:
                return earlier
            await tx.execute(
                answers.insert().values(
                    account_id=wanted.account_id, key=wanted.key, request=wanted.request, created_at=wanted.at
                )
            )
            return None
    except IntegrityError:  # an equal request was quicker
        return await look(database, wanted) or Answer(None, None)


async def look(database: Database, wanted: Claim) -> Answer | None:
    """What there is for this request now; None when it failed meanwhile and may be tried again."""
    async with database.read() as tx:
        return await find(tx, wanted)


async def find(tx: AsyncConnection, wanted: Claim) -> Answer | None:
    row = (await tx.execute(sa.select(answers).where(of(wanted)))).first()
    if row is None:
        return None
    if row.request != wanted.request:
        raise other_request()
    return Answer(row.status, row.body)


async def settle(database: Database, claimed: Claim, status: int, body: bytes | None) -> None:
    """Keep the answer; `body` is None when it holds a secret."""
    async with database.write() as tx:
        await tx.execute(answers.update().where(of(claimed), own(claimed)).values(status=status, body=body))


async def release(database: Database, claimed: Claim) -> None:
    """Forget a request that was refused: nothing was done, and its key may be used for a better one."""
    async with database.write() as tx:
        await tx.execute(answers.delete().where(of(claimed), own(claimed)))


async def forget_answers(tx: AsyncConnection, *, now: float) -> None:
    """Forget what is older than a day."""
    await tx.execute(answers.delete().where(answers.c.created_at < now - REPLAYED_SECONDS))


async def refuse_other_use(
    tx: AsyncConnection, account_id: int, key: str, *, now: float, but: sa.Table = answers
) -> None:
    """Raise Conflict when the key stands for a request that `but` knows nothing of."""
    for table, name in KEYS.items():
        if table is but:
            continue
        recent = sa.and_(table.c[name] == key, table.c.created_at > now - REPLAYED_SECONDS)
        if (await tx.execute(sa.select(sa.literal(1)).where(table.c.account_id == account_id, recent))).first():
            raise other_request()


def other_request() -> Conflict:
    return Conflict("This idempotency key was used for a different request.")


def of(wanted: Claim) -> sa.ColumnElement[bool]:
    return sa.and_(answers.c.account_id == wanted.account_id, answers.c.key == wanted.key)


def own(claimed: Claim) -> sa.ColumnElement[bool]:
    """Not one that another request has begun since, because this one took too long."""
    return sa.and_(answers.c.created_at == claimed.at, answers.c.status.is_(None))


def is_over(now: float) -> sa.ColumnElement[bool]:
    is_lost = sa.and_(answers.c.status.is_(None), answers.c.created_at <= now - LOST_SECONDS)
    return sa.or_(answers.c.created_at <= now - REPLAYED_SECONDS, is_lost)


KEYS = {jobs: "idempotency_key", batches: "idempotency_key", answers: "key"}
"""Where keys are kept, and how the column is called."""
