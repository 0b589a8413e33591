"""Finding and making accounts."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from brushwork.accounts.account import Account, PlanName
from brushwork.database.tables import accounts
from brushwork.errors import NotFound


async def create_account(tx: AsyncConnection, name: str, *, plan: PlanName, max_inflight: int, now: float) -> Account:
    """Make an account without credits. The name must be new."""
    made = await tx.execute(
        sa.insert(accounts)
        .values(name=name, plan=plan, max_inflight=max_inflight, created_at=now, updated_at=now)
        .returning(accounts)
    )
    return account_of(made.one())


async def account_by_id(tx: AsyncConnection, account_id: int) -> Account:
    found = (await tx.execute(sa.select(accounts).where(accounts.c.id == account_id))).first()
    if found is None:
        raise NotFound(f"There is no account {account_id}.")
    return account_of(found)


async def account_by_name(tx: AsyncConnection, name: str) -> Account | None:
    found = (await tx.execute(sa.select(accounts).where(accounts.c.name == name))).first()
    return account_of(found) if found else None


async def has_accounts(tx: AsyncConnection) -> bool:
    return (await tx.execute(sa.select(accounts.c.id).limit(1))).first() is not None


async def set_plan(tx: AsyncConnection, account_id: int, plan: PlanName, *, now: float) -> None:
    await tx.execute(sa.update(accounts).where(accounts.c.id == account_id).values(plan=plan, updated_at=now))


def account_of(row: sa.Row[Any]) -> Account:
    """The value of a row of `accounts`."""
    return Account(**{field: row._mapping[field] for field in Account.__dataclass_fields__})
