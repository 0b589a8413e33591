"""What a single API key may do, beside what its account can pay: points in all, and jobs a minute.

`spent` and `frozen` of a key are kept for every key, as its account's are, so that a budget can be set at any time. The
minute is a bucket of tokens that fills evenly: a key may use a minute's worth at once, and then one whenever one has
come. All happens inside the transaction of the hold; the account is locked before the key.
"""

import math
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from brushwork.database.tables import api_keys
from brushwork.errors import BudgetExceeded, InvalidField, TooManyRequests

MINUTE = 60.0

IS_LIMITED = (
    sa.select(sa.or_(api_keys.c.budget.is_not(None), api_keys.c.per_minute.is_not(None)))
    .where(api_keys.c.id == sa.bindparam("key", type_=api_keys.c.id.type))
    .scalar_subquery()
)
"""Whether a key has any limit: asked for along with the account, so that a key without one costs nothing."""


def refilled(now: Any) -> sa.ColumnElement[float]:
    """The tokens of a key's bucket at this moment, as SQL."""
    seconds = sa.case((now > api_keys.c.tokens_at, now - api_keys.c.tokens_at), else_=0.0)
    full = api_keys.c.tokens + seconds * api_keys.c.per_minute / MINUTE
    return sa.case((full > api_keys.c.per_minute, sa.cast(api_keys.c.per_minute, sa.Double)), else_=full)


NOW = sa.bindparam("now", type_=sa.Double)
HAS_TOKEN = sa.or_(api_keys.c.per_minute.is_(None), refilled(NOW) >= 1.0)
LEFT = api_keys.c.budget - api_keys.c.spent - api_keys.c.frozen

HOLD = (
    api_keys.update()
    .where(api_keys.c.id == sa.bindparam("key"))
    .values(frozen=api_keys.c.frozen + sa.bindparam("key_part"))
)
"""For a key without limits."""
TAKE = HOLD.where(sa.or_(api_keys.c.budget.is_(None), sa.bindparam("key_part") <= LEFT), HAS_TOKEN).values(
    tokens=sa.case((api_keys.c.per_minute.is_(None), 0.0), else_=refilled(NOW) - 1.0),
    # never back: requests that waited for the lock come with an earlier now, and would let the same seconds count twice
    tokens_at=sa.case((api_keys.c.tokens_at < NOW, NOW), else_=api_keys.c.tokens_at),
)
LOOK = sa.select(LEFT.label("left"), refilled(NOW).label("tokens"), api_keys.c.per_minute).where(
    api_keys.c.id == sa.bindparam("key")
)


async def take(tx: AsyncConnection, key_id: int, amount: int, *, now: float) -> None:
    """Let a key ask for one more job of this price, or raise what it has run out of."""
    values = {"key": key_id, "key_part": amount, "now": now}
    if (await tx.execute(TAKE, values)).rowcount != 1:
        await refuse(tx, key_id, amount, now=now)


async def refuse(tx: AsyncConnection, key_id: int, amount: int, *, now: float) -> None:
    """Raise what stands against one more job of this price with this key, if anything does. Changes nothing."""
    key = (await tx.execute(LOOK, {"key": key_id, "now": now})).first()
    if key is None:
        return
    refuse_pace(key, 1)
    if key.left is not None and key.left < amount:
        raise BudgetExceeded(needed=amount, available=max(0, key.left))


async def refuse_many(tx: AsyncConnection, key_id: int, count: int, *, field: str, now: float) -> None:
    """Raise what stands against so many jobs at once, whatever they cost: too many for now, or for ever."""
    key = (await tx.execute(LOOK, {"key": key_id, "now": now})).first()
    if key is None or key.per_minute is None:
        return
    if count > key.per_minute:  # no waiting would help
        raise InvalidField(
            field,
            f"hold {count} jobs, but this key may ask for {key.per_minute} a minute",
            count=count,
            limit=key.per_minute,
        )
    refuse_pace(key, count)


def refuse_pace(key: sa.Row[Any], count: int) -> None:
    """Raise TooManyRequests, with the seconds until so many jobs may be asked for."""
    if key.per_minute is None or key.tokens >= count:
        return
    seconds = math.ceil((count - key.tokens) * MINUTE / key.per_minute) if key.per_minute else int(MINUTE)
    message = f"This key may ask for {key.per_minute} jobs a minute."
    raise TooManyRequests(message, retry_after=max(1, seconds), limit=key.per_minute)


THAW = (
    api_keys.update()
    .where(api_keys.c.id == sa.bindparam("key"))
    .values(frozen=api_keys.c.frozen - sa.bindparam("key_held"), spent=api_keys.c.spent + sa.bindparam("key_spent"))
)
"""What became of what a key's jobs held."""
