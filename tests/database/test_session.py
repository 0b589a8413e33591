"""One unit of work: it commits whole, or not at all, whoever else is writing."""

import asyncio
import contextlib
import time
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from brushwork.database import inline_sqlite
from brushwork.database.session import Database, async_url, place_of
from brushwork.database.tables import ticks
from tests.conftest import NewDatabase

ADD = ticks.update().values(next_run=ticks.c.next_run + 1)


async def count(database: Database) -> float:
    async with database.read() as tx:
        return float((await tx.execute(sa.select(ticks.c.next_run))).scalar_one())


async def new_counter(database: Database) -> None:
    async with database.write() as tx:
        await tx.execute(ticks.insert(), {"name": "count", "next_run": 0.0})


async def test_an_exception_undoes_everything(database: Database) -> None:
    await new_counter(database)

    async def fail_half_way() -> None:
        async with database.write() as tx:
            await tx.execute(ADD)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail_half_way()

    assert await count(database) == 0


async def test_what_is_written_through_a_read_does_not_stay(database: Database) -> None:
    """SQLite takes it back, PostgreSQL refuses it."""
    await new_counter(database)

    with contextlib.nullcontext() if database.is_sqlite else pytest.raises(sa.exc.InternalError, match="read-only"):
        async with database.read() as tx:
            await tx.execute(ADD)

    assert await count(database) == 0


async def test_parallel_writers_of_two_pools_lose_no_update(database: Database, database_url: str) -> None:
    await new_counter(database)
    other = Database(database_url, durable=False)  # as another process would

    async def add(to: Database) -> None:
        for _ in range(25):
            async with to.write() as tx:
                await tx.execute(ADD)
                await asyncio.sleep(0)

    await asyncio.gather(*(add(to) for to in (database, other) for _ in range(3)))
    await other.close()

    assert await count(database) == 150


async def test_a_cancelled_writer_leaves_the_connection_usable(database: Database) -> None:
    await new_counter(database)

    async def write_slowly() -> None:
        async with database.write() as tx:
            await tx.execute(ADD)
            await asyncio.sleep(10)

    for _ in range(12):  # more than the pool holds
        writing = asyncio.create_task(write_slowly())
        await asyncio.sleep(0.005)
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)

    async with database.write() as tx:
        await tx.execute(ADD)
    assert await count(database) == 1


async def test_commits_to_a_slow_disk_are_given_to_a_thread(
    new_sqlite: NewDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inline_sqlite, "SLOW_SECONDS", -1.0)
    database = Database(new_sqlite())
    await new_counter(database)

    async def write_and_give_up() -> None:
        async with database.write() as tx:
            await tx.execute(ADD)

    for patience in (0.0, 0.001, 0.002, 1.0):
        writing = asyncio.create_task(write_and_give_up())
        await asyncio.wait([writing], timeout=patience)
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)

    assert 1 <= await count(database) <= 4
    await database.close()


async def test_a_writer_gives_up_when_the_lock_is_never_free(
    new_sqlite: NewDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = new_sqlite()
    database, other = Database(url), Database(url)
    monkeypatch.setattr(inline_sqlite, "BUSY_SECONDS", 0.2)
    began = time.monotonic()

    async with database.write():
        with pytest.raises(sa.exc.OperationalError, match="locked"):
            async with other.write():
                pass

    assert 0.2 <= time.monotonic() - began < 2
    await database.close()
    await other.close()


@pytest.mark.slow
async def test_a_rested_pool_survives_a_restart_of_the_server(new_postgres: NewDatabase, postgres: Any) -> None:
    database = Database(new_postgres())
    await new_counter(database)
    await asyncio.to_thread(postgres.stop)
    await asyncio.to_thread(postgres.ensure_postgres_running)
    await asyncio.sleep(1.1)

    assert await count(database) == 0
    await database.close()


@pytest.mark.parametrize(
    ("url", "driven"),
    [
        ("sqlite:///a.db", "sqlite+aiosqlite:///a.db"),
        ("postgres://u@h/n", "postgresql+psycopg://u@h/n"),
        ("postgresql://u@h/n", "postgresql+psycopg://u@h/n"),
        ("postgresql+psycopg://u@h/n", "postgresql+psycopg://u@h/n"),
    ],
)
def test_urls_are_given_our_drivers(url: str, driven: str) -> None:
    assert async_url(url) == driven


@pytest.mark.parametrize("url", ["mysql://h/n", "brushwork.db"])
def test_other_urls_are_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"use sqlite:///file\.db or postgresql"):
        async_url(url)


@pytest.mark.parametrize("replace", [True, False])
async def test_a_database_file_that_was_removed_is_not_written_to_unseen(
    new_sqlite: NewDatabase, replace: bool
) -> None:
    database = Database(new_sqlite(), durable=False)
    await new_counter(database)
    path = Path(sa.make_url(database.url).database or "")
    kept = path.read_bytes()
    path.unlink()
    if replace:
        path.write_bytes(kept)

    with pytest.raises(sa.exc.OperationalError, match="removed or replaced"):
        async with database.write() as tx:
            await tx.execute(ADD)
    await database.close()


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("sqlite:////data/brushwork.db", "sqlite:////data/brushwork.db"),
        ("sqlite:///C:/data/b@1.db", "sqlite:///C:/data/b@1.db"),
        ("postgresql://me:secret@db.example.com/brushwork", "PostgreSQL, brushwork at db.example.com"),
        ("postgres://me:se%40cret@db:5433/brushwork?sslmode=require", "PostgreSQL, brushwork at db:5433"),
        ("postgresql://me:secret@/brushwork?host=/run/postgresql", "PostgreSQL, brushwork at /run/postgresql"),
        ("postgresql:///b?host=/run&port=5433&password=secret", "PostgreSQL, b at /run:5433"),
        ("postgresql:///?user=me&password=secret", "PostgreSQL, the database of its user at this machine"),
        ("postgresql:///b?host=one&host=two", "PostgreSQL, b at one,two"),
    ],
)
def test_people_are_told_where_the_database_is_and_no_password(url: str, place: str) -> None:
    assert place_of(url) == place
