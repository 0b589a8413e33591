"""Who is calling: the account behind the key in a request. Knows no endpoint."""

import time

from starlette.requests import Request

from brushwork.accounts.account import Account
from brushwork.accounts.keys import USED_RESOLUTION, authenticate, key_hash, mark_used
from brushwork.database.session import Database

REMEMBERED_KEYS = 10_000


class Callers:
    """Looks keys up, and remembers when each was last marked as used, so that few requests have to write."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.marked: dict[str, float] = {}

    async def account(self, key: str) -> Account:
        """The account of a key. Raises Unauthorized; a revoked key is refused from the next request on."""
        async with self.database.read() as tx:
            account = await authenticate(tx, key)
        await self.mark(key)
        return account

    async def mark(self, key: str) -> None:
        """Note in the database that the key is in use, at most once a minute."""
        now = time.time()
        hashed = key_hash(key)
        if now - self.marked.get(hashed, 0.0) < USED_RESOLUTION:
            return
        if len(self.marked) >= REMEMBERED_KEYS:
            self.marked.clear()
        self.marked[hashed] = now
        async with self.database.write() as tx:
            await mark_used(tx, key, now=now)


def key_in(request: Request) -> str:
    """The key a request carries: `x-api-key`, or `Authorization: Bearer`; "" without one."""
    key = request.headers.get("x-api-key", "").strip()
    if key:
        return key
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
