"""What a piece of work costs, whatever else the machine does: CPU time here, and what is asked of the database."""

import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from statistics import fmean
from typing import Any

import sqlalchemy as sa

from brushwork.database.session import Database

WARM_UP = 20
"""The first ones prepare statements and fill caches, and are not counted."""


@dataclass(frozen=True)
class Cost:
    """What one item of work used."""

    cpu_ms: float
    """CPU time of this process, all threads, of the quickest tenth: a busy neighbour only adds to it."""
    statements: float
    """What the database was asked, BEGIN and COMMIT apart: the mean."""


async def cost_of(database: Database, work: Callable[[Any], Awaitable[object]], items: Iterable[Any]) -> Cost:
    """Do the work for one item after the other."""
    asked = 0

    def on_statement(*args: Any) -> None:
        nonlocal asked
        asked += not args[2].startswith("BEGIN")

    pools = {id(one.pool): one.sync_engine for one in (database.writing, database.reading)}  # SQLite has one for both
    seconds, statements = [], []
    for pool in pools.values():
        sa.event.listen(pool, "before_cursor_execute", on_statement)
    try:
        for item in items:
            began, asked = time.process_time(), 0
            await work(item)
            seconds.append(time.process_time() - began)
            statements.append(asked)
    finally:
        for pool in pools.values():
            sa.event.remove(pool, "before_cursor_execute", on_statement)
    counted = sorted(seconds[WARM_UP:])
    return Cost(cpu_ms=1000 * counted[len(counted) // 10], statements=fmean(statements[WARM_UP:]))
