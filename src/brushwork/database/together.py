"""Writes that are sent together: to PostgreSQL as one statement, in one round trip; to SQLite one after another.

    writes = Writes()
    writes.add(UPDATE_THIS, {...})
    writes.add(INSERT_THESE, {...}, {...})
    await writes.send(tx)

None of them may depend on what another one of them changes, and no two may change the same row: PostgreSQL shows all of
them the database as it was before the first. They are put together from constants of the modules, so that each
combination is built once.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.visitors import iterate

Write = sa.Insert | sa.Update | sa.Delete


class Writes:
    """Writes of one transaction that wait until everything is decided."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Write, Sequence[Mapping[str, Any]]]] = []

    def add(self, write: Write, *rows: Mapping[str, Any]) -> None:
        """Leave this for later, once for each row; what is for several rows goes by itself, in one round trip too.

        Statements that are sent together share their parameters: equal names, equal values.
        """
        if rows:
            self.waiting.append((write, rows))

    async def send(self, tx: AsyncConnection, last: sa.Select[Any] | None = None, **values: Any) -> None:
        """Do all of it now. `last`, with `values`, is asked of PostgreSQL alone."""
        waiting, self.waiting = self.waiting, []
        is_together = tx.dialect.name == "postgresql"
        writes: list[Write] = []
        for write, rows in waiting:
            if len(rows) > 1:
                await tx.execute(write, rows)
            elif is_together:
                writes.append(write)
                values = {**values, **rows[0]}
            else:
                await tx.execute(write, rows[0])
        if is_together and (writes or last is not None):
            await tx.execute(one_statement(tuple(writes), last), values)


@lru_cache(maxsize=64)
def one_statement(writes: tuple[Write, ...], last: sa.Select[Any] | None) -> sa.Select[Any]:
    """WITH write_0 AS (UPDATE …), write_1 AS (INSERT …) SELECT …"""
    columns = {column.name for write in writes for column in write.table.c}
    parameters = {part.key for write in writes for part in iterate(write) if isinstance(part, sa.BindParameter)}
    if both := columns & parameters:  # SQLAlchemy would write such a parameter to every column of its name
        raise ValueError(f"parameters must not have the names of columns: {', '.join(sorted(both))}")
    end = sa.select(sa.literal_column("1")) if last is None else last
    return end.add_cte(*(write.cte(f"write_{number}") for number, write in enumerate(writes)))
