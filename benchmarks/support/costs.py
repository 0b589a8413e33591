"""What a piece of work costs, whatever else the machine does: CPU time here, and what is asked of the database."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import sqlalchemy as sa

from brushwork.database.session import Database


@dataclass
class Cost:
    """What was used while it was counted."""

    cpu_seconds: float = 0.0
    statements: int = 0
    transactions: int = 0

    def each(self, count: int) -> str:
        """Of one of so many."""
        return (
            f"CPU {self.cpu_seconds / count * 1000:6.2f} ms   {self.statements / count:5.1f} statements   "
            f"{self.transactions / count:4.1f} transactions"
        )


@contextmanager
def counting(database: Database) -> Iterator[Cost]:
    """Count all that this process does while the block runs, and the time of all its threads."""
    cost = Cost()

    def on_statement(*_: object) -> None:
        cost.statements += 1

    def on_begin(*_: object) -> None:
        cost.transactions += 1

    pools = {id(one.pool): one.sync_engine for one in (database.writing, database.reading)}  # SQLite has one for both
    told = [(one, "before_cursor_execute", on_statement) for one in pools.values()]
    told += [(one, "begin", on_begin) for one in pools.values()]
    for one in told:
        sa.event.listen(*one)
    began = time.process_time()
    try:
        yield cost
    finally:
        cost.cpu_seconds += time.process_time() - began
        for one in told:
            sa.event.remove(*one)
