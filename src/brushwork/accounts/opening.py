"""Opening an account: the account, its first key, and the pack that its plan begins with."""

from dataclasses import dataclass

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from brushwork.accounts.account import Account, PlanName
from brushwork.accounts.credits import grant
from brushwork.accounts.directory import account_by_id, create_account
from brushwork.accounts.keys import create_key
from brushwork.accounts.plans import PLANS
from brushwork.errors import Conflict

FIRST_KEY = "default"
DAY = 86400.0


@dataclass(frozen=True)
class Opened:
    """A new account and its first key, which is readable only now."""

    account: Account
    key_id: int
    key: str


async def open_account(
    tx: AsyncConnection, name: str, *, plan: PlanName, max_inflight: int, now: float, is_welcome: bool = True
) -> Opened:
    """Open an account under a new name. Raises Conflict when somebody has it; then the transaction is over."""
    try:
        made = await create_account(tx, name, plan=plan, max_inflight=max_inflight, now=now)
    except IntegrityError:
        raise Conflict(f"There is an account named {name!r} already.") from None
    key_id, key = await create_key(tx, made.id, name=FIRST_KEY, now=now)
    pack = PLANS[plan].welcome
    if is_welcome and pack is not None:
        until = now + pack.days * DAY
        await grant(tx, made.id, pack.points, description=pack.description, expires_at=until, now=now)
    return Opened(await account_by_id(tx, made.id), key_id, key)
