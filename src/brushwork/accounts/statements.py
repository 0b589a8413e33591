"""A statement: every move of an account's points in a period, and what the account had after each of them.

Each row of the ledger moves points from one place to another: to what is available, from there to what jobs hold, from
there to what is spent or back. So the amounts before a period, plus its moves, are the amounts after it, at every
instant. The statement of a key has the moves that its jobs made, and nothing that came or expired.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from brushwork.database.tables import ledger, packs

MAX_LINES = 10_000


class Amounts(NamedTuple):
    """Where an account's points are: can be spent, set aside for open jobs, spent, expired."""

    available: int = 0
    held: int = 0
    spent: int = 0
    expired: int = 0

    def after(self, kind: str, amount: int) -> "Amounts":
        """These amounts once a row of the ledger has moved its own."""
        return Amounts(*(had + sign * amount for had, sign in zip(self, MOVES[kind], strict=True)))


MOVES: Mapping[str, Amounts] = {
    "grant": Amounts(available=1),
    "hold": Amounts(available=-1, held=1),
    "capture": Amounts(held=-1, spent=1),
    "release": Amounts(available=1, held=-1),
    "expire": Amounts(available=-1, expired=1),
}
"""What a row of each kind does to each amount; but for a grant, which comes from outside, they sum to nothing."""


@dataclass(frozen=True)
class Line:
    """One move, and where the account's points were after it."""

    id: int
    at: float
    kind: str
    amount: int
    job_id: str | None
    task: str | None
    key_id: int | None
    pack_id: int
    description: str
    """Of the pack."""
    after: Amounts


@dataclass(frozen=True)
class Statement:
    """The lines of a period, oldest first, with the amounts before the first and after the last of them."""

    opening: Amounts
    lines: Sequence[Line]
    closing: Amounts
    next_after: int | None
    """The id of the last line when there are more; None when these are all."""


async def statement_of(
    tx: AsyncConnection,
    account_id: int,
    *,
    since: float,
    until: float,
    key_id: int | None = None,
    after: int | None = None,
    limit: int = MAX_LINES,
) -> Statement:
    """The moves from `since` up to, not including, `until`; those behind line `after` when there were too many."""
    own = [ledger.c.account_id == account_id]
    if key_id is not None:
        own.append(ledger.c.api_key_id == key_id)
    place = sa.tuple_(ledger.c.created_at, ledger.c.id)
    start = await place_of(tx, account_id, after)
    is_before = ledger.c.created_at < since if start is None else place <= start
    opening = await amounts(tx, *own, is_before)
    query = (
        sa.select(ledger, packs.c.description)
        .join(packs, packs.c.id == ledger.c.pack_id)
        .where(*own, sa.not_(is_before), ledger.c.created_at < until)
        .order_by(ledger.c.created_at, ledger.c.id)
        .limit(limit + 1)
    )
    rows = (await tx.execute(query)).all()
    lines: list[Line] = []
    now_at = opening
    for row in rows[:limit]:
        now_at = now_at.after(row.kind, row.amount)
        lines.append(line_of(row, now_at))
    return Statement(opening, lines, now_at, lines[-1].id if len(rows) > limit else None)


async def place_of(tx: AsyncConnection, account_id: int, line: int | None) -> sa.Tuple | None:
    """Where a line stands in the order of lines; None for no line, or one that is not this account's."""
    query = sa.select(ledger.c.created_at).where(ledger.c.id == line, ledger.c.account_id == account_id)
    at = None if line is None else (await tx.execute(query)).scalar()
    return None if at is None else sa.tuple_(sa.literal(at, sa.Double), sa.literal(line, sa.BigInteger))


async def amounts(tx: AsyncConnection, *wanted: sa.ColumnElement[bool]) -> Amounts:
    """What the rows of the ledger that are wanted add up to."""
    total = sa.func.sum(ledger.c.amount)
    found = Amounts()
    for kind, amount in await tx.execute(sa.select(ledger.c.kind, total).where(*wanted).group_by(ledger.c.kind)):
        found = found.after(kind, int(amount))
    return found


def line_of(row: sa.Row[Any], after: Amounts) -> Line:
    return Line(
        id=row.id,
        at=row.created_at,
        kind=row.kind,
        amount=row.amount,
        job_id=row.job_id,
        task=row.task,
        key_id=row.api_key_id,
        pack_id=row.pack_id,
        description=row.description,
        after=after,
    )
