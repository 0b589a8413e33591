"""What stays of an erased account: its number, a name that says what became of it, and the amounts of the books.

The rows of the account, its keys and its packs stay, because the ledger counts on them and numbers must not be given
out again; all words in them go.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from brushwork.database.tables import accounts, api_keys, audits, endpoints, erasures, ledger, notifications, packs
from brushwork.errors import Conflict

KEPT_OF_NOTES = ("action", "by")
"""What an operator did, not to what."""
AT_ONCE = 1000


async def refuse_erased(tx: AsyncConnection, account_id: int) -> None:
    """Raise Conflict when the account is erased, or being erased: nothing new may begin under its number."""
    if (await tx.execute(sa.select(erasures.c.id).where(erasures.c.account_id == account_id))).first():
        raise Conflict("This account has been erased.")


async def bury(tx: AsyncConnection, account_id: int, erasure_id: str, *, now: float) -> int:
    """From the commit on nobody can use the account, or read its name; returns how many keys it had."""
    name = f"erased-{account_id}"
    if (await tx.execute(sa.select(accounts.c.id).where(accounts.c.name == name))).first():
        name = f"{name}-{erasure_id[:8]}"  # somebody called a living one so
    nothing = {"webhook_secret": None, "webhook_secret_before": None, "webhook_secret_until": None, "alerted_at": None}
    plain = {"name": name, "is_enabled": False, "alert_threshold": 0, "share": 1.0, "updated_at": now}
    await tx.execute(accounts.update().where(accounts.c.id == account_id).values(**plain, **nothing))
    await tx.execute(endpoints.delete().where(endpoints.c.account_id == account_id))
    await end_own_packs(tx, account_id, now=now)
    keys = api_keys.update().where(api_keys.c.account_id == account_id)
    blank: dict[str, Any] = {"name": "", "prefix": "", "scopes": "", "last_used_at": None, "expires_at": None}
    gone = {"hash": sa.literal("erased-") + sa.cast(api_keys.c.id, sa.Text)}
    revoked = {"revoked_at": sa.func.coalesce(api_keys.c.revoked_at, now)}
    return (await tx.execute(keys.values(**blank, **gone, **revoked))).rowcount


async def end_own_packs(tx: AsyncConnection, account_id: int, *, now: float) -> None:
    """No job can be paid for any more. The regular work takes what is left off the books."""
    is_good = sa.or_(packs.c.expires_at.is_(None), packs.c.expires_at > now)
    own = packs.update().where(packs.c.account_id == account_id, sa.or_(is_good, packs.c.description != ""))
    await tx.execute(own.values(description="", expires_at=sa.case((is_good, now), else_=packs.c.expires_at)))


async def forget_notifications(tx: AsyncConnection, account_id: int) -> int:
    some = sa.select(notifications.c.id).where(notifications.c.account_id == account_id).limit(AT_ONCE)
    return (await tx.execute(notifications.delete().where(notifications.c.id.in_(some)))).rowcount


async def forget_audits(tx: AsyncConnection, account_id: int) -> int:
    """Remove what was refused and said against it; of what operators did, keep that they did it. Receipts stay."""
    own = sa.and_(audits.c.account_id == account_id, audits.c.kind != "erase")
    some = sa.select(audits.c.id).where(own, audits.c.kind != "operator").limit(AT_ONCE)
    if removed := (await tx.execute(audits.delete().where(audits.c.id.in_(some)))).rowcount:
        return removed
    rows = (await tx.execute(sa.select(audits.c.id, audits.c.data).where(own))).all()
    wordy = [row for row in rows if not set(row.data) <= set(KEPT_OF_NOTES)]
    for row in wordy[:AT_ONCE]:
        short = {name: row.data[name] for name in KEPT_OF_NOTES if name in row.data}
        await tx.execute(audits.update().where(audits.c.id == row.id).values(data=short))
    return len(wordy[:AT_ONCE])


async def balance_of(tx: AsyncConnection, account_id: int) -> int:
    """What the books still owe it."""
    return int((await tx.execute(sa.select(accounts.c.balance).where(accounts.c.id == account_id))).scalar_one())


async def expired_since(tx: AsyncConnection, account_id: int, since: float) -> int:
    own = sa.and_(ledger.c.account_id == account_id, ledger.c.kind == "expire", ledger.c.created_at >= since)
    return int((await tx.execute(sa.select(sa.func.coalesce(sa.func.sum(ledger.c.amount), 0)).where(own))).scalar_one())
