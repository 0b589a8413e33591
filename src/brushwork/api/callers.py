"""Who is calling: the account behind the key in a request. Knows no endpoint."""

import time
from typing import Any

import structlog
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request

from brushwork.accounts.keys import USED_RESOLUTION, Caller, authenticate, key_hash, mark_used
from brushwork.database.session import Database

log = structlog.get_logger(__name__)

TRUSTED_SECONDS = 1.0
"""A key that was good is not looked up again for so long: a third of what a request costs. Revoking takes that long."""

REMEMBERED_KEYS = 10_000


class Callers:
    """Looks keys up, and remembers for a moment which were good and when each was last marked as used."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.trusted: dict[str, tuple[float, Caller]] = {}
        self.marked: dict[str, float] = {}

    async def caller(self, key: str) -> Caller:
        """Who has this key, with a balance up to a second old. Raises Unauthorized."""
        hashed = key_hash(key)
        until, caller = self.trusted.get(hashed, (0.0, None))
        if caller is not None and time.monotonic() < until:
            return caller
        async with self.database.read() as tx:
            caller = await authenticate(tx, key, now=time.time())
        keep(self.trusted, hashed, (time.monotonic() + TRUSTED_SECONDS, caller))
        await self.mark(key, hashed)
        return caller

    def forget(self) -> None:
        """Look every key up anew: an account or a key was changed in this process. Others hear of it in a second."""
        self.trusted.clear()

    async def mark(self, key: str, hashed: str) -> None:
        """Note in the database that the key is in use, at most once a minute."""
        now = time.time()
        if now - self.marked.get(hashed, 0.0) < USED_RESOLUTION:
            return
        keep(self.marked, hashed, now)
        try:
            async with self.database.write() as tx:
                await mark_used(tx, key, now=now)
        except SQLAlchemyError as error:  # a full disk, say: whoever only reads can still be served
            log.warning("key.not_marked", error=type(error).__name__)


def keep(memory: dict[str, Any], hashed: str, value: object) -> None:
    """Remember, and forget everything rather than grow without end."""
    if len(memory) >= REMEMBERED_KEYS:
        memory.clear()
    memory[hashed] = value


def key_in(request: Request) -> str:
    """The key a request carries: `x-api-key`, `api-key` (so dashboards spell it), or a bearer token; "" without one."""
    key = request.headers.get("x-api-key", "").strip() or request.headers.get("api-key", "").strip()
    if key:
        return key
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
