"""Finding, making and changing accounts. Knows nothing of their keys and their money."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from brushwork.accounts.account import Account, PlanName
from brushwork.accounts.tombstones import refuse_erased
from brushwork.database.tables import accounts
from brushwork.errors import NotFound


@dataclass(frozen=True)
class AccountPage:
    """Some of the accounts, oldest first, and how many there are in all."""

    accounts: Sequence[Account]
    total: int


async def create_account(tx: AsyncConnection, name: str, *, plan: PlanName, max_inflight: int, now: float) -> Account:
    """Make an account without credits. The name must be new."""
    made = await tx.execute(
        sa.insert(accounts)
        .values(name=name, plan=plan, max_inflight=max_inflight, created_at=now, updated_at=now)
        .returning(accounts)
    )
    return account_of(made.one())


async def account_by_id(tx: AsyncConnection, account_id: int, *, lock: bool = False) -> Account:
    """Raises NotFound. With `lock`, nobody else changes it before the transaction ends."""
    query = sa.select(accounts).where(accounts.c.id == account_id)
    found = (await tx.execute(query.with_for_update() if lock else query)).first()
    if found is None:
        raise NotFound("There is no account with this id.")
    return account_of(found)


async def account_by_name(tx: AsyncConnection, name: str) -> Account | None:
    found = (await tx.execute(sa.select(accounts).where(accounts.c.name == name))).first()
    return account_of(found) if found else None


async def has_accounts(tx: AsyncConnection) -> bool:
    return (await tx.execute(sa.select(accounts.c.id).limit(1))).first() is not None


async def page_of_accounts(tx: AsyncConnection, *, page: int, size: int) -> AccountPage:
    """Accounts number `(page - 1) * size` and on, oldest first."""
    total = (await tx.execute(sa.select(sa.func.count()).select_from(accounts))).scalar_one()
    rows = await tx.execute(sa.select(accounts).order_by(accounts.c.id).offset((page - 1) * size).limit(size))
    return AccountPage([account_of(row) for row in rows], int(total))


async def change_account(
    tx: AsyncConnection, account_id: int, changes: Mapping[str, Any], *, now: float
) -> tuple[Account, Account]:
    """Change columns of an account; it before and after. Raises NotFound."""
    before = await account_by_id(tx, account_id)
    await refuse_erased(tx, account_id)
    values = dict(changes)
    if values.get("alert_threshold", before.alert_threshold) != before.alert_threshold:
        values["alerted_at"] = None  # whoever wants to be told of another limit is told of it anew
    changed = sa.update(accounts).where(accounts.c.id == account_id).values(**values, updated_at=now)
    after = (await tx.execute(changed.returning(accounts))).one()
    return before, account_of(after)


async def set_plan(tx: AsyncConnection, account_id: int, plan: PlanName, *, now: float) -> None:
    await tx.execute(sa.update(accounts).where(accounts.c.id == account_id).values(plan=plan, updated_at=now))


def account_of(row: sa.Row[Any]) -> Account:
    """The value of a row of `accounts`."""
    return Account(**{field: row._mapping[field] for field in Account.__dataclass_fields__})
