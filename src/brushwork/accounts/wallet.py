"""What an account has, in points and in credits: read from its packs, for balances and dashboards."""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from brushwork.accounts.credits import PackKind
from brushwork.database.tables import packs

MAX_PACKS = 1000
"""Of one account in one answer, newest first."""


@dataclass(frozen=True)
class Purse:
    """All packs of one kind. `total` is what was ever granted; the other parts and `available` add up to it."""

    packs: int = 0
    total: int = 0
    frozen: int = 0
    used: int = 0
    expired: int = 0

    @property
    def available(self) -> int:
        return self.total - self.frozen - self.used - self.expired


@dataclass(frozen=True)
class Wallet:
    points: Purse
    credits: Purse

    @property
    def available(self) -> int:
        return self.points.available + self.credits.available


@dataclass(frozen=True)
class Pack:
    """Points or credits that came together, and end together."""

    id: int
    account_id: int
    kind: PackKind
    amount: int
    frozen: int
    used: int
    expired: int
    description: str
    created_at: float
    expires_at: float | None

    def is_active(self, now: float) -> bool:
        return self.expires_at is None or self.expires_at > now


async def wallet_of(tx: AsyncConnection, account_id: int, *, now: float) -> Wallet:
    """Both purses. What is left in a pack past its time counts as expired, whether or not it was swept yet."""
    left = packs.c.amount - packs.c.frozen - packs.c.used - packs.c.expired
    is_past = sa.and_(packs.c.expires_at.is_not(None), packs.c.expires_at <= now)
    rows = await tx.execute(
        sa.select(
            packs.c.kind,
            sa.func.count(),
            sa.func.sum(packs.c.amount),
            sa.func.sum(packs.c.frozen),
            sa.func.sum(packs.c.used),
            sa.func.sum(packs.c.expired + sa.case((is_past, left), else_=0)),
        )
        .where(packs.c.account_id == account_id)
        .group_by(packs.c.kind)
    )
    purses = {row[0]: Purse(*(int(part) for part in row[1:])) for row in rows}
    return Wallet(points=purses.get("point", Purse()), credits=purses.get("credit", Purse()))


async def packs_of(tx: AsyncConnection, account_id: int, *, kind: PackKind) -> list[Pack]:
    """The packs of one kind, newest first."""
    columns = [packs.c[field] for field in Pack.__dataclass_fields__]
    query = sa.select(*columns).where(packs.c.account_id == account_id, packs.c.kind == kind)
    return packs_in((await tx.execute(query.order_by(packs.c.id.desc()).limit(MAX_PACKS))).all())


async def pack_by_id(tx: AsyncConnection, pack_id: int) -> Pack:
    columns = [packs.c[field] for field in Pack.__dataclass_fields__]
    return packs_in((await tx.execute(sa.select(*columns).where(packs.c.id == pack_id))).all())[0]


def packs_in(rows: Sequence[sa.Row[tuple[object, ...]]]) -> list[Pack]:
    return [Pack(**row._mapping) for row in rows]
