"""Packs whose time is up: taken off the balances, and those told who have little left."""

from sqlalchemy.ext.asyncio import AsyncConnection

from brushwork.accounts.expiry import expire_packs
from brushwork.jobs.webhooks.outbox import tell_low_balance


async def end_packs(tx: AsyncConnection, *, now: float) -> int:
    """Of all accounts, which it locks in their order; returns how many points ended."""
    expired = await expire_packs(tx, now)
    for low in expired.low:
        await tell_low_balance(tx, low.account_id, available=low.available, threshold=low.threshold, now=now)
    return expired.points
