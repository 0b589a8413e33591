"""A receiver of webhooks on loopback, as good or as bad as a test wants it, and deliveries to send to it."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from brushwork.database.session import Database
from brushwork.database.tables import deliveries
from brushwork.files.addresses import Allowed
from brushwork.jobs.job import Job
from brushwork.jobs.jobs import Jobs
from brushwork.jobs.lifecycle import Ending, end, start
from brushwork.jobs.webhooks.endpoints import Endpoint, add_endpoint
from brushwork.jobs.webhooks.event import CHOICES, EventName
from brushwork.jobs.webhooks.sender import Sender
from brushwork.jobs.webhooks.sending import SendRules
from tests.jobs.conftest import Doodle

LOOPBACK = SendRules(allowed=Allowed.parse("127.0.0.0/8"), seconds=5.0)

Behave = Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass(frozen=True)
class Received:
    """One request, as it came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]


@dataclass
class Receiver:
    """Takes everything with `status`, unless it is told to behave in another way."""

    port: int = 0
    status: str = "200 OK"
    headers: str = ""
    behave: Behave | None = None
    received: list[Received] = field(default_factory=list)

    def url(self, path: str = "/hook", host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
            headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
            body = await reader.readexactly(int(headers["content-length"]))
            self.received.append(Received(first.split()[1], headers, body))
            if self.behave is not None:
                await self.behave(writer)
            else:
                head = f"HTTP/1.1 {self.status}\r\n{self.headers}content-length: 6\r\n\r\n"
                writer.write(head.encode() + b"thanks")
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def receiving(**how: Any) -> AsyncIterator[Receiver]:
    receiver = Receiver(**how)
    server = await asyncio.start_server(receiver.handle, "127.0.0.1", 0)
    receiver.port = server.sockets[0].getsockname()[1]
    async with server:
        yield receiver


@dataclass
class Clock:
    """A time that moves when it is told to."""

    now: float = field(default_factory=time.time)

    def __call__(self) -> float:
        return self.now


def render(job: Job) -> dict[str, Any]:
    return {"job_id": job.id, "status": job.client_status, "detail": job.detail, "input": dict(job.input)}


def sender_for(database: Database, clock: Callable[[], float] = time.time, **how: Any) -> Sender:
    return Sender(database, render, how.pop("rules", LOOPBACK), clock=clock, **how)


async def send_due(sender: Sender) -> None:
    """Everything that is due now, to the end."""
    for _ in range(100):
        await sender.look()
        if not sender.sending:
            return
        await asyncio.wait(list(sender.sending))
    raise AssertionError("there is always more to send")


async def add(
    database: Database, account_id: int, url: str, *, events: Sequence[EventName] = CHOICES, now: float | None = None
) -> Endpoint:
    async with database.write() as tx:
        now = time.time() if now is None else now
        return await add_endpoint(tx, account_id, url, events=events, description="", now=now)


async def finished_job(
    jobs: Jobs, account: Any, *, callback: str | None = None, now: float | None = None, status: str = "done"
) -> str:
    """A job that was accepted, claimed and ended."""
    job = await jobs.submit(account, Doodle(callback=callback))
    await end_job(jobs, job, now=now, status=status)
    return job.id


async def end_job(jobs: Jobs, job: Job, *, now: float | None = None, status: Any = "done") -> None:
    async with jobs.database.write() as tx:
        await start(tx, "worker", pools=["default"], limit=1, rules=jobs.rules)
    async with jobs.database.write() as tx:
        ending = Ending(job.id, job.account_id, status)
        await end(tx, [ending], rules=jobs.rules, now=time.time() if now is None else now)


async def rows(database: Database, table: sa.Table) -> list[Any]:
    """All rows of a table, in the order of their ids."""
    async with database.read() as tx:
        return list((await tx.execute(table.select().order_by(table.c.id))).all())


async def delivery(database: Database) -> Any:
    (row,) = await rows(database, deliveries)
    return row
