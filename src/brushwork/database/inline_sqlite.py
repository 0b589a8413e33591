"""SQLite inside the event loop: no thread between us and a statement that takes twenty microseconds.

The usual driver hands every step of every statement to a thread and back, some thirty times a transaction: most of what
a small transaction costs, and far more on a busy machine. Here statements run where they are, and only what may wait
does not: a transaction that finds the file locked sleeps in the loop, and where commits turn out to be slow, because
they must reach a slow disk, they are given to a thread.

`connect` returns what SQLAlchemy's aiosqlite dialect expects of a connection (`async_creator`), and nothing more.
"""

import asyncio
import random
import sqlite3
import time
from collections.abc import Awaitable, Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

BUSY_SECONDS = 30.0
RETRY_SECONDS = (0.0005, 0.003)
"""Between these, at random, lies the pause before another try to get the write lock."""

SLOW_SECONDS = 0.004
"""A commit that takes longer should not hold up the loop; handing it to a thread costs a millisecond itself."""
COMMITS = ThreadPoolExecutor(max_workers=4, thread_name_prefix="sqlite-commit")
"""One thread would do for one database: it has one writer."""


def connector(path: str) -> Callable[[], Awaitable["Connection"]]:
    """A function that opens a connection, for `create_async_engine(async_creator=…)`."""

    async def connect() -> Connection:
        return Connection(path)

    return connect


class Connection:
    """A connection used by one task at a time; transactions are begun by statement only."""

    isolation_level = None

    def __init__(self, path: str) -> None:
        self.raw = sqlite3.connect(
            path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False, cached_statements=256
        )
        self.path = path
        self.identity = identity_of(path)
        self._connection: sqlite3.Connection | None = self.raw  # SQLAlchemy looks here to see whether it is open
        self.is_writing = False
        self.commit_seconds = 0.0  # a running mean

    def cursor(self) -> "Cursor":
        return Cursor(self)

    async def create_function(self, *args: Any, **options: Any) -> None:
        self.raw.create_function(*args, **options)

    async def begin_immediate(self) -> None:
        """Take the write lock, waiting for it in the loop."""
        if identity_of(self.path) != self.identity:
            # SQLite would go on writing to the deleted file, and lose it all with the process.
            raise sqlite3.OperationalError(f"the database file {self.path} was removed or replaced")
        until = time.monotonic() + BUSY_SECONDS
        self.raw.execute("PRAGMA busy_timeout = 0")
        try:
            while not self.is_writing:
                try:
                    self.raw.execute("BEGIN IMMEDIATE")
                    self.is_writing = True
                except sqlite3.OperationalError as error:
                    is_busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
                    if not is_busy or time.monotonic() > until:
                        raise
                    await asyncio.sleep(random.uniform(*RETRY_SECONDS))
        finally:
            self.raw.execute(f"PRAGMA busy_timeout = {int(BUSY_SECONDS * 1000)}")

    async def commit(self) -> None:
        if not self.is_writing:
            self.raw.commit()
            return
        self.is_writing = False
        if self.commit_seconds < SLOW_SECONDS:
            self.timed_commit()
            return
        committing = asyncio.get_running_loop().run_in_executor(COMMITS, self.timed_commit)
        try:
            await asyncio.shield(committing)
        except asyncio.CancelledError:
            await asyncio.wait([committing])  # nobody may touch the connection before the thread is done with it
            raise

    def timed_commit(self) -> None:
        began = time.monotonic()
        self.raw.commit()
        self.commit_seconds += (time.monotonic() - began - self.commit_seconds) / 8

    async def rollback(self) -> None:
        self.is_writing = False
        self.raw.rollback()

    async def close(self) -> None:
        self.stop()

    def stop(self) -> None:
        self._connection = None
        self.raw.close()


def identity_of(path: str) -> tuple[int, int] | None:
    """Which file this is, whatever its name; None when there is none."""
    try:
        found = Path(path).stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


class Cursor:
    """A cursor whose methods are asynchronous in name only."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.raw = connection.raw.cursor()

    async def __aenter__(self) -> "Cursor":
        return self

    def __await__(self) -> Generator[Any, None, "Cursor"]:
        return self.__aenter__().__await__()

    @property
    def description(self) -> Any:
        return self.raw.description

    @property
    def rowcount(self) -> int:
        return self.raw.rowcount

    @property
    def lastrowid(self) -> int | None:
        return self.raw.lastrowid

    @property
    def arraysize(self) -> int:
        return self.raw.arraysize

    async def execute(self, statement: str, parameters: Sequence[Any] = ()) -> "Cursor":
        if statement == "BEGIN IMMEDIATE":
            await self.connection.begin_immediate()
        else:
            self.raw.execute(statement, parameters)
        return self

    async def executemany(self, statement: str, parameters: Sequence[Sequence[Any]]) -> "Cursor":
        self.raw.executemany(statement, parameters)
        return self

    async def fetchall(self) -> list[Any]:
        return self.raw.fetchall()

    async def fetchone(self) -> Any:
        return self.raw.fetchone()

    async def fetchmany(self, size: int = 100) -> list[Any]:
        return self.raw.fetchmany(size)

    async def close(self) -> None:
        self.raw.close()
