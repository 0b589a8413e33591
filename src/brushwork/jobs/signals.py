"""Waking up when another process changes the queue: LISTEN on PostgreSQL, the file's change counter on SQLite.

A signal is a hint, never a fact: whoever is woken looks at the tables, and whoever sleeps looks once a second anyway.
So a lost connection costs a second, and is opened again.
"""

import asyncio
import contextlib
import sqlite3
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import psycopg
import structlog
from psycopg import sql
from sqlalchemy.engine import make_url

from brushwork.database.session import Database
from brushwork.jobs.queue import EVENTS_CHANNEL

log = structlog.get_logger(__name__)

SQLITE_POLL_SECONDS = 0.01
"""PRAGMA data_version reads a counter in shared memory: microseconds."""
RECONNECT_SECONDS = 0.5

OnSignal = Callable[[str, str], None]
"""Told (channel, payload); both empty when anything may have changed."""


async def listen(
    database: Database, channels: Sequence[str], on_signal: OnSignal, *, poll: float = SQLITE_POLL_SECONDS
) -> None:
    """Report signals until cancelled, whatever happens to the connection. `poll` is how often SQLite is looked at."""
    while True:
        try:
            if database.is_sqlite:
                await watch_sqlite(database, on_signal, poll=poll)
            else:
                await listen_postgres(database, channels, on_signal)
        except (psycopg.Error, sqlite3.Error, OSError) as error:
            log.warning("signals.lost", error=type(error).__name__)
        await asyncio.sleep(RECONNECT_SECONDS)


async def listen_postgres(database: Database, channels: Sequence[str], on_signal: OnSignal) -> None:
    """On a connection of its own: a pooled one would lose its LISTEN."""
    address = make_url(database.url).set(drivername="postgresql").render_as_string(hide_password=False)
    async with await psycopg.AsyncConnection.connect(address, autocommit=True) as connection:
        for channel in channels:
            await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
        on_signal("", "")  # what was sent before we listened
        async for notice in connection.notifies():
            on_signal(notice.channel, notice.payload)


async def watch_sqlite(database: Database, on_signal: OnSignal, *, poll: float) -> None:
    path = Path(make_url(database.url).database or "").absolute()
    with contextlib.closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=0)) as connection:
        seen = None
        while True:
            version = connection.execute("PRAGMA data_version").fetchone()[0]
            if version != seen:
                seen = version
                on_signal("", "")
            await asyncio.sleep(poll)


class Listeners:
    """Shares one listening connection among all who follow a job's events in this process; open while there are any."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.waiting: dict[str, set[asyncio.Event]] = defaultdict(set)
        self.listening: asyncio.Task[None] | None = None

    @contextlib.asynccontextmanager
    async def listen(self, job_id: str) -> AsyncIterator[asyncio.Event]:
        """An event that is set whenever the job may have news."""
        changed = asyncio.Event()
        self.waiting[job_id].add(changed)
        if self.listening is None:
            self.listening = asyncio.create_task(listen(self.database, [EVENTS_CHANNEL], self.tell))
        try:
            yield changed
        finally:
            self.waiting[job_id].discard(changed)
            if not self.waiting[job_id]:
                del self.waiting[job_id]
            if not self.waiting and self.listening is not None:
                self.listening.cancel()
                self.listening = None

    def tell(self, _channel: str, job_id: str) -> None:
        followers = [self.waiting.get(job_id, set())] if job_id else list(self.waiting.values())
        for changed in followers:
            for event in changed:
                event.set()
