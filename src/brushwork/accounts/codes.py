"""Redeem codes: each gives points or credits, to an account once, and so many times in all.

A code is kept in lower case and compared in lower case. Codes that operators make up can be short, so guessing is slow:
after a few failures an account has to wait. Lock order: the account's row, then the code's.
"""

import math
import secrets
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from brushwork.accounts.audits import times_of
from brushwork.accounts.credits import PackKind, grant
from brushwork.accounts.labels import unseen_in
from brushwork.database.tables import accounts, codes, redemptions
from brushwork.errors import Conflict, InvalidField, NotFound, TooManyRequests

ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
"""Without 0 and o, 1, i and l: people copy codes by hand."""
LENGTH = 16
"""Characters of a code that we make: 79 bits, so nobody guesses one."""
SHORTEST = 6
GUESSES, GUESS_SECONDS = 10, 600.0
"""So many failures of one account in so much time, and no more: 1440 guesses a day, at 2 billion codes of six."""
DAY = 86400.0


@dataclass(frozen=True)
class Code:
    """What a code gives, and how often it still does."""

    id: int
    code: str
    kind: PackKind
    amount: int
    description: str
    pack_days: float | None
    """How long what it gives lasts; None for ever."""
    max_uses: int
    uses: int
    created_at: float
    expires_at: float | None
    withdrawn_at: float | None
    """When an operator ended it before its time."""


def new_code() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def spelled(code: str) -> str:
    """As it is kept."""
    return code.strip().lower()


async def create_code(
    tx: AsyncConnection,
    code: str,
    *,
    amount: int,
    kind: PackKind = "credit",
    description: str = "",
    pack_days: float | None = None,
    max_uses: int = 1,
    expires_at: float | None = None,
    now: float,
) -> Code:
    """Make a code. Raises Conflict when there is one like it; then the transaction is over."""
    kept = spelled(code)
    if len(kept) < SHORTEST or unseen_in(kept) is not None:
        raise InvalidField("code", f"must have at least {SHORTEST} printable characters, so that nobody guesses it")
    values = {"code": kept, "kind": kind, "amount": amount, "description": description, "pack_days": pack_days}
    limits = {"max_uses": max_uses, "created_at": now, "expires_at": expires_at}
    try:
        made = await tx.execute(sa.insert(codes).values(**values, **limits).returning(codes))
    except IntegrityError:
        raise Conflict("There is a code like this already.") from None
    return code_of(made.one())


async def list_codes(tx: AsyncConnection, *, limit: int = 1000) -> list[Code]:
    """The newest codes, newest first."""
    return [code_of(row) for row in await tx.execute(sa.select(codes).order_by(codes.c.id.desc()).limit(limit))]


async def refuse_guesses(tx: AsyncConnection, account_id: int, *, now: float) -> None:
    """Raise TooManyRequests when the account has failed too often of late. Leaves its row locked: one try at a time."""
    await tx.execute(sa.select(accounts.c.id).where(accounts.c.id == account_id).with_for_update(key_share=True))
    recent = await times_of(tx, account_id, "redeem", since=now - GUESS_SECONDS, limit=GUESSES)
    if len(recent) >= GUESSES:
        raise TooManyRequests(
            f"{GUESSES} codes were tried in vain within {GUESS_SECONDS / 60:g} minutes; try again later.",
            retry_after=max(1, math.ceil(recent[-1] + GUESS_SECONDS - now)),
            limit=GUESSES,
        )


async def redeem(tx: AsyncConnection, account_id: int, code: str, *, now: float) -> int:
    """Give the account what the code is for, and return the pack's id. Exact however many try at once.

    What it raises has changed nothing, so that the transaction can go on.
    """
    # Dashboards of the hosted service look for "record not found", "already used" and "expired" in these sentences.
    # Whoever comes at the same moment waits here, and then sees what we did.
    same = sa.select(codes).where(codes.c.code == spelled(code)).with_for_update()
    found = (await tx.execute(same)).first()
    if found is None:
        raise NotFound("record not found: there is no such code.")
    # That it is withdrawn holds by itself: the clock of this server may be behind that of the one that withdrew it.
    if found.withdrawn_at is not None or (found.expires_at is not None and found.expires_at <= now):
        raise Conflict("This code has expired.")
    mine = sa.select(redemptions.c.pack_id).where(
        redemptions.c.code_id == found.id, redemptions.c.account_id == account_id
    )
    if (await tx.execute(mine)).first() is not None:
        raise Conflict("This code was already used by this account.")
    if found.uses >= found.max_uses:
        raise Conflict("This code was already used as often as it may be.")
    await tx.execute(sa.update(codes).where(codes.c.id == found.id).values(uses=codes.c.uses + 1))
    until = None if found.pack_days is None else now + found.pack_days * DAY
    text = found.description or "Redeemed code"
    pack = await grant(tx, account_id, found.amount, kind=found.kind, description=text, expires_at=until, now=now)
    redeemed = {"code_id": found.id, "account_id": account_id, "pack_id": pack, "created_at": now}
    await tx.execute(sa.insert(redemptions).values(**redeemed))
    return pack


async def withdraw_code(tx: AsyncConnection, code: int | str, *, now: float) -> tuple[Code, bool]:
    """End a code, by its id or as it is spelled; what it gave stays given. Also returns whether it was not ended yet.

    Waits for whoever redeems it at this moment; nobody does afterwards.
    """
    same = codes.c.id == code if isinstance(code, int) else codes.c.code == spelled(code)
    found = (await tx.execute(sa.select(codes).where(same).with_for_update())).first()
    if found is None:
        raise NotFound("There is no such code.")
    if found.withdrawn_at is not None:
        return code_of(found), False
    ended = sa.update(codes).where(codes.c.id == found.id).values(withdrawn_at=now).returning(codes)
    return code_of((await tx.execute(ended)).one()), True


def code_of(row: sa.Row[Any]) -> Code:
    return Code(**row._mapping)
