"""Somebody else's server that takes webhooks: a little HTTP/1.1 on a socket, that writes down what came."""

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

ANSWERS = {200: b"HTTP/1.1 200 OK", 503: b"HTTP/1.1 503 Service Unavailable"}


@dataclass
class Receiver:
    """What came. Every `refuses`-th new delivery is refused once, so that retries are a part of the journey."""

    refuses: int = 0
    port: int = 0
    posts: int = 0
    taken: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """Job id → the webhook-id of each delivery that was answered with 200."""
    bodies: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Job id → the last body."""
    headers: dict[str, Mapping[str, str]] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    came: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    def take(self, headers: Mapping[str, str], body: bytes) -> int:
        """The status of the answer."""
        self.posts += 1
        delivery = headers["webhook-id"]
        if self.refuses and delivery not in self.refused and hash(delivery) % self.refuses == 0:
            self.refused.add(delivery)
            return 503
        told = json.loads(body)
        self.taken[told["job_id"]].append(delivery)
        self.bodies[told["job_id"]] = told
        self.headers[told["job_id"]] = headers
        self.came.set()
        return 200

    async def until_told_of(self, job_id: str, *, seconds: float = 30) -> None:
        async with asyncio.timeout(seconds):
            while job_id not in self.taken:
                self.came.clear()
                await self.came.wait()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lines = head.decode("latin-1").split("\r\n")[1:-2]
                headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                writer.write(ANSWERS[self.take(headers, body)] + b"\r\ncontent-length: 0\r\n\r\n")
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # whoever posted is gone
        finally:
            writer.close()


@asynccontextmanager
async def receiving(*, refuses: int = 0) -> AsyncIterator[Receiver]:
    """A receiver on a free port of this machine."""
    receiver = Receiver(refuses=refuses)
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()
