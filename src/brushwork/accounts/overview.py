"""All there is to say of an account at once, for dashboards: its wallet, its packs, its keys, its webhook."""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from brushwork.accounts.account import Account
from brushwork.accounts.directory import account_by_id
from brushwork.accounts.keys import ApiKey, list_keys
from brushwork.accounts.wallet import Pack, Wallet, packs_of, wallet_of
from brushwork.database.tables import endpoints


@dataclass(frozen=True)
class Overview:
    account: Account
    wallet: Wallet
    credit_packs: Sequence[Pack]
    keys: Sequence[ApiKey]
    hook: str
    """Where its events are sent; "" when nowhere."""
    seen_at: float


async def overview_of(tx: AsyncConnection, account_id: int, *, now: float) -> Overview:
    """Look at one account. Raises NotFound."""
    account = await account_by_id(tx, account_id)
    is_on = sa.and_(endpoints.c.account_id == account_id, endpoints.c.disabled_at.is_(None))
    hook = (await tx.execute(sa.select(endpoints.c.url).where(is_on).order_by(endpoints.c.id).limit(1))).scalar()
    return Overview(
        account,
        await wallet_of(tx, account_id, now=now),
        await packs_of(tx, account_id, kind="credit"),
        await list_keys(tx, account_id=account_id),
        hook or "",
        now,
    )
