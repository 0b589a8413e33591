"""One unit of work is one transaction: the only place that opens and commits one.

    async with database.write() as tx: ...   # BEGIN IMMEDIATE on SQLite; commits at the end, or rolls back
    async with database.read() as tx: ...    # changes nothing

`tx` is a SQLAlchemy `AsyncConnection`; statements are built from `tables/`.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, closing
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from brushwork.database.inline_sqlite import connector

RESTED_SECONDS = 1.0

COURTESY_SECONDS = 0.006
"""Longer than another process waits between two tries to get SQLite's write lock."""

QUIET: Mapping[str, Any] = {"hide_parameters": True}
"""A failing statement is logged without its values: there are prompts among them."""


class Database:
    """Owns the connections to one database, SQLite or PostgreSQL, by URL."""

    def __init__(self, url: str, *, pool_size: int = 8, durable: bool = True, courteous: bool = False) -> None:
        self.url = async_url(url)
        self.is_sqlite = self.url.startswith("sqlite")
        if self.is_sqlite:
            self.reading = sqlite_engine(self.url, durable=durable)
            self.writing = self.reading.execution_options(brushwork_write=True)
        else:
            self.reading = postgres_engine(self.url, pool_size, only_reads=True)
            self.writing = postgres_engine(self.url, pool_size)
        # SQLite has one writer: waiting here is fair and instant, waiting inside SQLite is a polled sleep.
        self._writer = asyncio.Lock() if self.is_sqlite else None
        # Whoever writes again at once always finds the lock free; other processes, which ask now and then, never do.
        self._pause = COURTESY_SECONDS if courteous else 0.0
        self._wrote_at = 0.0

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that commits when the block ends without an exception."""
        if self._writer is None:
            async with self.writing.begin() as tx:
                yield tx
            return
        async with self._writer:
            if (pause := self._wrote_at + self._pause - time.monotonic()) > 0:
                await asyncio.sleep(pause)
            try:
                async with self.writing.begin() as tx:
                    yield tx
            finally:
                self._wrote_at = time.monotonic()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A view of what is committed: on SQLite of one moment, on PostgreSQL of each statement's own."""
        async with self.reading.connect() as connection:
            yield connection

    async def close(self) -> None:
        await self.reading.dispose()
        await self.writing.dispose()


def async_url(url: str) -> str:
    """The URL with our async driver in it: `postgresql://` → `postgresql+psycopg://`, `sqlite://` → `sqlite+aiosqlite://`."""
    scheme, separator, rest = url.partition("://")
    if not separator:
        raise ValueError(f"{url!r} is not a database URL; use sqlite:///file.db or postgresql://user@host/name")
    drivers = {"postgres": "postgresql+psycopg", "postgresql": "postgresql+psycopg", "sqlite": "sqlite+aiosqlite"}
    scheme = drivers.get(scheme, scheme)
    if scheme not in drivers.values():
        raise ValueError(f"{scheme}:// is not supported; use sqlite:///file.db or postgresql://user@host/name")
    return f"{scheme}://{rest}"


def place_of(url: str) -> str:
    """Where the database is, for people: without the user, the password and what else the URL asks for."""
    asked = sa.make_url(async_url(url))
    if asked.get_backend_name() == "sqlite":
        return f"sqlite:///{asked.database or ''}"
    # The host of a URL may also be said after the question mark; there it may be the folder of a socket.
    said = {name: value if isinstance(value, str) else ",".join(value) for name, value in asked.query.items()}
    host, port = asked.host or said.get("host", ""), asked.port or said.get("port", "")
    at = f"{host or 'this machine'}{f':{port}' if port else ''}"
    return f"PostgreSQL, {asked.database or said.get('dbname', '') or 'the database of its user'} at {at}"


def sqlite_engine(url: str, *, durable: bool) -> AsyncEngine:
    path = sa.make_url(url).database or ""
    if path in ("", ":memory:"):
        raise ValueError("a SQLite database must be a file, for several processes share it; use sqlite:///file.db")
    engine = create_async_engine(url, async_creator=connector(path), pool_size=8, max_overflow=24, **QUIET)

    @sa.event.listens_for(engine.sync_engine, "connect")
    def on_connect(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        # FULL survives a power cut, NORMAL a killed process only.
        cursor.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
        cursor.execute("PRAGMA foreign_keys=ON")
        # What is deleted is overwritten: a prompt must not be found in the file once its job was erased.
        cursor.execute("PRAGMA secure_delete=ON")
        cursor.close()

    @sa.event.listens_for(engine.sync_engine, "begin")
    def on_begin(connection: sa.Connection) -> None:
        # A transaction that reads first and writes later can fail half-way with SQLITE_BUSY;
        # taking the lock at the start cannot.
        is_write = connection.get_execution_options().get("brushwork_write", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if is_write else "BEGIN")

    return engine


def postgres_engine(url: str, pool_size: int, *, only_reads: bool = False) -> AsyncEngine:
    # Each statement sees what is committed by then, in a transaction or not (read committed). So reads do without one:
    # BEGIN and ROLLBACK would be two of their three round trips.
    way: dict[str, Any] = {"isolation_level": "AUTOCOMMIT"} if only_reads else {}
    engine = create_async_engine(url, pool_size=pool_size, max_overflow=0, **way, **QUIET)

    @sa.event.listens_for(engine.sync_engine, "connect")
    def on_connect(connection: Any, _record: Any) -> None:
        if only_reads:
            with closing(connection.cursor()) as cursor:
                cursor.execute("SET default_transaction_read_only = on")

    # A connection that has rested may have lost its server. One that was used a moment ago is not asked: the question
    # would cost every transaction a round trip.
    @sa.event.listens_for(engine.sync_engine, "checkin")
    def on_checkin(_connection: Any, record: Any) -> None:
        record.info["rests_since"] = time.monotonic()

    @sa.event.listens_for(engine.sync_engine, "checkout")
    def on_checkout(connection: Any, record: Any, _proxy: Any) -> None:
        if time.monotonic() - record.info.get("rests_since", time.monotonic()) < RESTED_SECONDS:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise sa.exc.DisconnectionError from error  # the pool tries another one

    return engine
