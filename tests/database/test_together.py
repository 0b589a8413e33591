"""Writes that are sent together say the same on both databases."""

import pytest
import sqlalchemy as sa

from brushwork.database.session import Database
from brushwork.database.tables import measures, ticks
from brushwork.database.together import Writes

ADD = ticks.insert().values(name=sa.bindparam("tick"), next_run=sa.bindparam("runs_at"))
MOVE = ticks.update().where(ticks.c.name == sa.bindparam("moved")).values(next_run=sa.bindparam("moved_to"))
COUNT = measures.insert().values(
    name=sa.bindparam("tick"), labels="[]", bucket="", value=sa.bindparam("amount", type_=sa.Double)
)


async def ticks_of(database: Database) -> dict[str, float]:
    async with database.read() as tx:
        return {row.name: row.next_run for row in await tx.execute(sa.select(ticks))}


async def test_all_that_waits_is_written_for_one_row_and_for_several(database: Database) -> None:
    async with database.write() as tx:
        await tx.execute(ADD, {"tick": "old", "runs_at": 1.0})
        writes = Writes()
        writes.add(ADD, {"tick": "new", "runs_at": 2.0}, {"tick": "newer", "runs_at": 3.0})
        writes.add(MOVE, {"moved": "old", "moved_to": 9.0})
        writes.add(COUNT, {"tick": "count", "amount": 1.0})
        writes.add(MOVE)  # for no row at all

        await writes.send(tx)
        await writes.send(tx)  # nothing waits any more

        counted = (await tx.execute(sa.select(measures.c.name, measures.c.value))).all()
    assert await ticks_of(database) == {"old": 9.0, "new": 2.0, "newer": 3.0}
    assert [tuple(row) for row in counted] == [("count", 1.0)]


async def test_a_parameter_with_the_name_of_a_column_is_refused_rather_than_written_to_it(database: Database) -> None:
    writes = Writes()
    writes.add(MOVE, {"moved": "old", "moved_to": 9.0})
    writes.add(ticks.delete().where(ticks.c.name == sa.bindparam("next_run")), {"next_run": "old"})
    if database.is_sqlite:  # there each goes by itself
        return

    with pytest.raises(ValueError, match="next_run"):
        async with database.write() as tx:
            await writes.send(tx)
