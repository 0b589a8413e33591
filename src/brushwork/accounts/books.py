"""The ledger as double entry: each row moves its amount from one book to another, so that all books together hold 0.

| kind | from | to |
| --- | --- | --- |
| grant | issued | available |
| hold | available | held |
| capture | held | spent |
| release | held | available |
| expire | available | expired |

An account has the books *available* and *held*; *issued*, *spent* and *expired* are the other side of the world. The
same rows in their order, with what an account had after each, are its statement (`statements.py`).
"""

from collections import defaultdict
from collections.abc import Mapping

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from brushwork.accounts.credits import check_ledger
from brushwork.database.tables import accounts, api_keys, ledger

BOOKS = ("issued", "available", "held", "spent", "expired")
MOVES: Mapping[str, tuple[str, str]] = {
    "grant": ("issued", "available"),
    "hold": ("available", "held"),
    "capture": ("held", "spent"),
    "release": ("held", "available"),
    "expire": ("available", "expired"),
}
"""Kind of row → the book it takes from, the book it gives to."""


async def trial_balance(tx: AsyncConnection, account_id: int | None = None) -> dict[str, int]:
    """What is in each book, of one account or of all. *issued* is what the others hold together, below zero."""
    query = sa.select(ledger.c.kind, sa.func.sum(ledger.c.amount)).group_by(ledger.c.kind)
    if account_id is not None:
        query = query.where(ledger.c.account_id == account_id)
    books = dict.fromkeys(BOOKS, 0)
    for kind, amount in await tx.execute(query):
        source, target = MOVES[kind]
        books[source] -= int(amount)
        books[target] += int(amount)
    return books


async def check_books(tx: AsyncConnection) -> list[str]:
    """Every broken rule between the ledger, packs, accounts and keys, as a sentence; empty when all is right."""
    unknown = sa.select(ledger.c.kind).distinct().where(ledger.c.kind.not_in(list(MOVES)))
    problems = [f"the ledger has rows of an unknown kind: {kind}" for kind in (await tx.execute(unknown)).scalars()]
    if problems:
        return problems
    if total := sum((await trial_balance(tx)).values()):
        problems.append(f"all books together hold {total}, not 0")
    return problems + await check_ledger(tx) + await accounts_against_books(tx) + await keys_against_books(tx)


async def accounts_against_books(tx: AsyncConnection) -> list[str]:
    """Balances that are not what the rows of the account add up to."""
    query = sa.select(ledger.c.account_id, ledger.c.kind, sa.func.sum(ledger.c.amount))
    books: dict[int, dict[str, int]] = defaultdict(lambda: dict.fromkeys(BOOKS, 0))
    for account_id, kind, amount in await tx.execute(query.group_by(ledger.c.account_id, ledger.c.kind)):
        source, target = MOVES[kind]
        books[account_id][source] -= int(amount)
        books[account_id][target] += int(amount)
    rows = (await tx.execute(sa.select(accounts.c.id, accounts.c.balance, accounts.c.frozen))).all()
    return [
        f"account {row.id}: available {row.balance - row.frozen}, held {row.frozen}; "
        f"its books say {books[row.id]['available']}, {books[row.id]['held']}"
        for row in rows
        if (row.balance - row.frozen, row.frozen) != (books[row.id]["available"], books[row.id]["held"])
    ]


async def keys_against_books(tx: AsyncConnection) -> list[str]:
    """Keys whose own sums are not those of the rows that they caused."""
    query = sa.select(ledger.c.api_key_id, ledger.c.kind, sa.func.sum(ledger.c.amount))
    sums: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    by_key = query.where(ledger.c.api_key_id.is_not(None)).group_by(ledger.c.api_key_id, ledger.c.kind)
    for key_id, kind, amount in await tx.execute(by_key):
        sums[key_id][kind] = int(amount)
    rows = (await tx.execute(sa.select(api_keys.c.id, api_keys.c.spent, api_keys.c.frozen))).all()
    problems = []
    for row in rows:
        moved = sums[row.id]
        held = moved["hold"] - moved["capture"] - moved["release"]
        if (row.spent, row.frozen) != (moved["capture"], held):
            problems.append(
                f"key {row.id}: spent {row.spent}, frozen {row.frozen}; the ledger says {moved['capture']}, {held}"
            )
    return problems
