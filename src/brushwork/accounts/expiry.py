"""The end of packs: what is left in one whose time is up is taken off the balance. Tells nobody, but says whom to tell.

What open jobs hold of a pack stays theirs until they end; then the rest of it expires in turn.
"""

from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from brushwork.accounts.credits import AVAILABLE
from brushwork.database.tables import accounts, ledger, packs


@dataclass(frozen=True)
class Low:
    """An account that has just fallen below its alert threshold, and has not been told of it before."""

    account_id: int
    available: int
    threshold: int


@dataclass(frozen=True)
class Expired:
    """What ended with the packs whose time was up."""

    points: int
    low: tuple[Low, ...]
    """Whoever expires the packs has to tell them."""


async def expire_packs(tx: AsyncConnection, now: float) -> Expired:
    """Take what is left in expired packs off the balances; what is held stays until settled."""
    due = sa.and_(packs.c.expires_at <= now, AVAILABLE > 0)
    owners = sa.select(packs.c.account_id).where(due)
    locked = (
        await tx.execute(
            sa.select(accounts.c.id).where(accounts.c.id.in_(owners)).order_by(accounts.c.id).with_for_update()
        )
    ).scalars()
    left = sa.select(packs.c.id, packs.c.account_id, AVAILABLE.label("left")).order_by(packs.c.id)
    expired = (await tx.execute(left.where(due, packs.c.account_id.in_(locked.all())))).all()
    if not expired:
        return Expired(0, ())
    await tx.execute(
        accounts.update()
        .where(accounts.c.id == sa.bindparam("account"))
        .values(balance=accounts.c.balance - sa.bindparam("left"), updated_at=now),
        [{"account": pack.account_id, "left": pack.left} for pack in sorted(expired, key=lambda pack: pack.account_id)],
    )
    await tx.execute(
        packs.update().where(packs.c.id == sa.bindparam("pack")).values(expired=packs.c.expired + sa.bindparam("left")),
        [{"pack": pack.id, "left": pack.left} for pack in expired],
    )
    await tx.execute(
        ledger.insert(),
        [
            {
                "account_id": pack.account_id,
                "pack_id": pack.id,
                "kind": "expire",
                "amount": pack.left,
                "created_at": now,
            }
            for pack in expired
        ],
    )
    low = await alert(tx, {pack.account_id for pack in expired}, now=now)
    return Expired(sum(pack.left for pack in expired), low)


async def alert(tx: AsyncConnection, account_ids: Collection[int], *, now: float) -> tuple[Low, ...]:
    """Note of which of these accounts, which are locked, it is time to say that their balance is low."""
    available = accounts.c.balance - accounts.c.frozen
    is_news = sa.and_(available < accounts.c.alert_threshold, accounts.c.alerted_at.is_(None))
    fallen = accounts.update().where(accounts.c.id.in_(account_ids), is_news).values(alerted_at=now)
    rows = await tx.execute(fallen.returning(accounts.c.id, available.label("left"), accounts.c.alert_threshold))
    return tuple(sorted((Low(row.id, row.left, row.alert_threshold) for row in rows), key=lambda low: low.account_id))
