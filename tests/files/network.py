"""A web server of our own on loopback, and an eye on every connection that this process opens to anywhere."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

Answer = bytes | Callable[[asyncio.StreamWriter], Awaitable[None]]

connections: list[list[Any]] = []
"""The lists that are being filled; see `watched`."""


def look(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.connect" and connections and isinstance(arguments[1], tuple):  # a Unix socket has a path
        for seen in connections:
            seen.append(arguments[1])


sys.addaudithook(look)  # Python calls it in `socket.connect` itself; it cannot be taken away again


@contextmanager
def watched() -> Iterator[list[Any]]:
    """The addresses of all IP connections that are tried inside the block, by whatever code."""
    seen: list[Any] = []
    connections.append(seen)
    try:
        yield seen
    finally:
        connections.remove(seen)


@dataclass
class Web:
    """What the server at `url` is asked, and what it answers by path."""

    port: int
    answers: Mapping[str, Answer]
    requests: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def answer(body: bytes = b"", *, status: str = "200 OK", **headers: str) -> bytes:
    lines = {"content-length": str(len(body))} | {name.replace("_", "-"): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items() if value)
    return f"HTTP/1.1 {status}\r\n{head}\r\n".encode() + body


def redirect(location: str, status: str = "302 Found") -> bytes:
    return answer(status=status, location=location)


@asynccontextmanager
async def serving(answers: Mapping[str, Answer]) -> AsyncIterator[Web]:
    """A server that answers each path as told, once a connection, and remembers what it was asked."""
    web = Web(0, answers)

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            web.requests.append(head)
            given = web.answers.get(head.split()[1], answer(status="404 Not Found"))
            if callable(given):
                await given(writer)
            else:
                writer.write(given)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    web.port = server.sockets[0].getsockname()[1]
    async with server:
        yield web


@dataclass
class Names:
    """A name server: each name has its answers, one after another, the last one for ever."""

    answers: Mapping[str, Sequence[Sequence[str]]]
    asked: list[str] = field(default_factory=list)

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        if host not in self.answers:
            raise OSError("unknown")
        given = self.answers[host]
        return given[min(self.asked.count(host), len(given)) - 1]
