"""Writes that are sent together: to PostgreSQL as one statement, in one round trip; to SQLite one after another.

    writes = Writes()
    writes.add(UPDATE_THIS, {...})
    writes.add(INSERT_THAT, {...})
    await writes.send(tx)

None of them may depend on what another one of them changes: PostgreSQL shows all of them the database as it was before
the first. They are put together from constants of the modules, so that each combination is built once.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

Write = sa.Insert | sa.Update | sa.Delete


class Writes:
    """Writes of one transaction that wait until everything is decided."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Write, Mapping[str, Any]]] = []

    def add(self, write: Write, values: Mapping[str, Any]) -> None:
        """Leave this for later. Statements that are sent together share their parameters: equal names, equal values."""
        self.waiting.append((write, values))

    async def send(self, tx: AsyncConnection, last: sa.Select[Any] | None = None, **values: Any) -> None:
        """Do all of it now. `last`, with `values`, is asked of PostgreSQL alone."""
        waiting, self.waiting = self.waiting, []
        if tx.dialect.name != "postgresql":
            for write, own in waiting:
                await tx.execute(write, own)
            return
        writes: list[Write] = []
        together: dict[str, Any] = {}
        for write, own in waiting:
            if write in writes:  # the same one again, with other values
                await tx.execute(one_statement(tuple(writes), None), together)
                writes, together = [], {}
            writes.append(write)
            together |= own
        await tx.execute(one_statement(tuple(writes), last), together | values)


@lru_cache(maxsize=64)
def one_statement(writes: tuple[Write, ...], last: sa.Select[Any] | None) -> sa.Select[Any]:
    """WITH write_0 AS (UPDATE …), write_1 AS (INSERT …) SELECT …"""
    end = sa.select(sa.literal_column("1")) if last is None else last
    return end.add_cte(*(write.cte(f"write_{number}") for number, write in enumerate(writes)))
