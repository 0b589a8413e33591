"""A courteous process leaves room between two writes, so that another process gets SQLite's only write lock."""

import time
from pathlib import Path

import sqlalchemy as sa

from brushwork.database.session import COURTESY_SECONDS, Database


async def written_in(database: Database, times: int) -> float:
    """Seconds that so many empty transactions take."""
    began = time.monotonic()
    for _ in range(times):
        async with database.write() as tx:
            await tx.execute(sa.text("SELECT 1"))
    return time.monotonic() - began


async def test_a_courteous_process_pauses_between_its_own_writes(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/brushwork.db", durable=False, courteous=True)

    seconds = await written_in(database, 11)
    await database.close()

    assert seconds >= 10 * COURTESY_SECONDS
