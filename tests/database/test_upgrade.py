"""The migrations make exactly what tables.py says."""

import asyncio
import itertools
import re
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from brushwork.database.session import Database
from brushwork.database.tables import endpoints, jobs, ledger, metadata
from brushwork.database.upgrade import configuration, current_revision, head_revision, upgrade


async def test_alembic_finds_no_difference_between_migrations_and_tables(database: Database) -> None:
    def differences(connection: sa.Connection) -> list[Any]:
        # Alembic misreads a default of '' on SQLite; the next test compares those.
        options = {"compare_type": True, "compare_server_default": not database.is_sqlite}
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), metadata))

    async with database.read() as tx:
        assert await tx.run_sync(differences) == []


async def test_sqlite_says_the_same_of_both_word_for_word(new_sqlite: Any, tmp_path: Any) -> None:
    migrated, created = Database(new_sqlite()), Database(f"sqlite:///{tmp_path}/created.db")
    async with created.write() as tx:
        await tx.run_sync(metadata.create_all)

    async def schema(database: Database) -> dict[str, set[str]]:
        query = sa.text("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'alembic%'")
        async with database.read() as tx:
            rows = (await tx.execute(query)).all()
        # The clauses of a table may come in any order, and a column that was added later on another one's line.
        return {name: {part.strip(" ()\t") for part in re.split(r"[,\n]", sql)} - {""} for name, sql in rows}

    before, after = await schema(created), await schema(migrated)
    await created.close()
    await migrated.close()
    assert before == after


async def test_an_upgrade_can_be_repeated_and_raced(database: Database) -> None:
    revisions = await asyncio.gather(*(upgrade(database) for _ in range(4)))

    assert set(revisions) == {head_revision()}
    assert await current_revision(database) == head_revision()


NUMBERS = itertools.count()


@pytest.fixture(params=["sqlite", "postgres"])
async def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """A database with nothing in it."""
    if request.param == "sqlite":
        database = Database(f"sqlite:///{tmp_path}/old.db", durable=False)
    else:
        server, name = request.getfixturevalue("postgres"), f"old_{next(NUMBERS)}"
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        database = Database(server.get_uri(name), durable=False)
    yield database
    await database.close()


def old_version(connection: sa.Connection, revision: str) -> None:
    config = configuration()
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


async def test_a_database_of_the_first_version_is_brought_up_to_date_with_its_jobs(empty: Database) -> None:
    async with empty.write() as tx:
        await tx.run_sync(old_version, "0001")
        await tx.execute(sa.text("INSERT INTO accounts (id, name, created_at, updated_at) VALUES (1, 'a', 0, 0)"))
        await tx.execute(
            sa.text(
                "INSERT INTO jobs (id, account_id, task, input, seed, batch_key, priority, seq, deadline_at, status,"
                " max_attempts, cost, created_at)"
                " VALUES ('j', 1, 'diffusion', '{}', 7, 'b', 20, 0, 9, 'done', 3, 80, 0)"
            )
        )

    await upgrade(empty)

    async with empty.read() as tx:
        (kept,) = (await tx.execute(jobs.select())).all()
    assert (kept.id, kept.seed, kept.sources) == ("j", 7, None)
    assert await current_revision(empty) == head_revision()


async def test_the_number_of_a_removed_endpoint_is_never_given_again(empty: Database) -> None:
    async with empty.write() as tx:
        await tx.run_sync(old_version, "0003")
        await tx.execute(sa.text("INSERT INTO accounts (id, name, created_at, updated_at) VALUES (1, 'a', 0, 0)"))
        kept = "INSERT INTO endpoints (account_id, url, events, created_at) VALUES (1, 'https://a.example', 'all', 0)"
        await tx.execute(sa.text(kept))
        if empty.is_sqlite:  # deliveries of one that was removed
            await tx.execute(
                sa.text(
                    "INSERT INTO deliveries"
                    " (id, account_id, endpoint_id, url, host, event, status, next_at, created_at)"
                    " VALUES ('msg_1', 1, 7, '', '', 'job.completed', 'failed', 0, 0)"
                )
            )

    await upgrade(empty)

    async with empty.write() as tx:
        assert (await tx.execute(sa.select(endpoints.c.id, endpoints.c.url))).all() == [(1, "https://a.example")]
        made = await tx.execute(endpoints.insert().values(account_id=1, url="", events="", created_at=0))
        assert made.inserted_primary_key == (8 if empty.is_sqlite else 2,)


async def test_an_empty_database_has_no_revision(tmp_path: Any) -> None:
    database = Database(f"sqlite:///{tmp_path}/empty.db")
    assert await current_revision(database) is None
    await database.close()


@pytest.mark.parametrize("change", [ledger.update().values(amount=1), ledger.delete()], ids=["update", "delete"])
async def test_the_ledger_refuses_changes(database: Database, change: Any) -> None:
    async with database.write() as tx:
        await tx.execute(sa.text("INSERT INTO accounts (id, name, created_at, updated_at) VALUES (1, 'a', 0, 0)"))
        await tx.execute(
            sa.text("INSERT INTO packs (id, account_id, kind, amount, created_at) VALUES (1, 1, 'point', 5, 0)")
        )
        await tx.execute(
            ledger.insert(), {"account_id": 1, "pack_id": 1, "kind": "grant", "amount": 5, "created_at": 0.0}
        )

    with pytest.raises(sa.exc.DBAPIError, match="the ledger only grows"):
        async with database.write() as tx:
            await tx.execute(change)
