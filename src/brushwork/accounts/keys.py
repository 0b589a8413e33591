"""API keys: shown once, kept as a hash, revocable.

A key is `bw_` and 40 random letters and digits (238 bits). The table holds the first eleven characters, so that people
can tell their keys apart, and the SHA-256 of the whole. A slow password hash would protect short secrets; these cannot
be guessed.
"""

import hashlib
import secrets
import string
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from brushwork.accounts.account import Account
from brushwork.accounts.directory import account_of
from brushwork.accounts.tombstones import refuse_erased
from brushwork.database.tables import accounts, api_keys
from brushwork.errors import Forbidden, NotFound, Unauthorized

ALPHABET = string.ascii_letters + string.digits
PREFIX = "bw_"
SHOWN = 11
Scope = Literal["read", "generate", "admin"]
"""What a key may do: look at its account's jobs and money; ask for jobs and files; look after all accounts."""
SCOPES: tuple[Scope, ...] = ("read", "generate", "admin")
USUAL_SCOPES: tuple[Scope, ...] = ("read", "generate")
USED_RESOLUTION = 60.0
"""`last_used_at` is written at most once in so many seconds."""


@dataclass(frozen=True)
class ApiKey:
    """A key as it may be shown: never the secret."""

    id: int
    account_id: int
    account_name: str
    name: str
    prefix: str
    created_at: float
    last_used_at: float | None
    revoked_at: float | None
    expires_at: float | None
    scopes: str
    """Separated by spaces."""
    budget: int | None
    """Points it may spend in all; None for no limit but the account's."""
    spent: int
    frozen: int
    per_minute: int | None
    """Jobs it may ask for in a minute; None for no limit."""

    @property
    def is_active(self) -> bool:
        return self.revoked_at is None


@dataclass(frozen=True)
class Caller:
    """Who asks, with which key."""

    account: Account
    key_id: int
    scopes: frozenset[str]


def new_secret() -> str:
    return PREFIX + "".join(secrets.choice(ALPHABET) for _ in range(40))


def is_key(text: str) -> bool:
    """Whether the text has the form of a key; not whether it is one."""
    return text.startswith(PREFIX) and text.isascii() and text.removeprefix(PREFIX).isalnum()


def key_hash(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


async def create_key(
    tx: AsyncConnection,
    account_id: int,
    *,
    name: str,
    now: float,
    scopes: Sequence[Scope] = USUAL_SCOPES,
    expires_at: float | None = None,
    budget: int | None = None,
    per_minute: int | None = None,
) -> tuple[int, str]:
    """Make a key and return (its id, the key itself): the only moment at which the key is readable."""
    await refuse_erased(tx, account_id)
    key = new_secret()
    values = {"account_id": account_id, "name": name, "prefix": key[:SHOWN], "hash": key_hash(key), "created_at": now}
    limits = {"expires_at": expires_at, "budget": budget, "per_minute": per_minute, "scopes": " ".join(scopes)}
    made = await tx.execute(sa.insert(api_keys).values(**values, **limits).returning(api_keys.c.id))
    return made.scalar_one(), key


async def authenticate(tx: AsyncConnection, key: str, *, now: float) -> Caller:
    """Who a key belongs to. Raises Unauthorized when it is missing, unknown, revoked or expired."""
    if not key:
        raise Unauthorized("An API key is needed: send it in the x-api-key header.")
    found = (await tx.execute(FIND, {"hash": key_hash(key)})).first()
    if found is None:
        raise Unauthorized("This API key is unknown or has been revoked.")
    if found.key_expires_at is not None and found.key_expires_at <= now:
        raise Unauthorized("This API key has expired.")
    if not found.is_enabled:
        raise Forbidden("This account has been disabled by the operator.")
    return Caller(account_of(found), found.key_id, frozenset(found.scopes.split()))


FIND = (
    sa.select(accounts, api_keys.c.id.label("key_id"), api_keys.c.expires_at.label("key_expires_at"), api_keys.c.scopes)
    .join(api_keys, api_keys.c.account_id == accounts.c.id)
    .where(api_keys.c.hash == sa.bindparam("hash"), api_keys.c.revoked_at.is_(None))
)


async def mark_used(tx: AsyncConnection, key: str, *, now: float) -> None:
    """Remember that a key was used, to the minute."""
    stale = sa.or_(api_keys.c.last_used_at.is_(None), api_keys.c.last_used_at < now - USED_RESOLUTION)
    await tx.execute(sa.update(api_keys).where(api_keys.c.hash == key_hash(key), stale).values(last_used_at=now))


async def list_keys(tx: AsyncConnection, *, account_id: int | None = None) -> list[ApiKey]:
    """All keys, oldest first; of one account when its id is given."""
    columns = [api_keys.c[field] for field in ApiKey.__dataclass_fields__ if field != "account_name"]
    query = sa.select(*columns, accounts.c.name.label("account_name")).join(accounts).order_by(api_keys.c.id)
    if account_id is not None:
        query = query.where(api_keys.c.account_id == account_id)
    return [key_of(row) for row in await tx.execute(query)]


async def key_by_id(tx: AsyncConnection, account_id: int, key_id: int) -> ApiKey:
    """One key of an account. Raises NotFound, for another account's too."""
    found = next((key for key in await list_keys(tx, account_id=account_id) if key.id == key_id), None)
    if found is None:
        raise NotFound("There is no key with this id.")
    return found


async def revoke_key(tx: AsyncConnection, key_id: int, *, now: float) -> None:
    """Revoke a key at once and for good. Revoking twice is fine; the first time stands."""
    found = await tx.execute(
        sa.update(api_keys)
        .where(api_keys.c.id == key_id)
        .values(revoked_at=sa.func.coalesce(api_keys.c.revoked_at, now))
    )
    if found.rowcount != 1:
        raise NotFound(f"There is no key {key_id}.")


def key_of(row: Any) -> ApiKey:
    return ApiKey(**{field: row._mapping[field] for field in ApiKey.__dataclass_fields__})
