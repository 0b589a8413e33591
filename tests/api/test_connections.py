"""Clients that never finish what they began, on real sockets."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from brushwork.api.connections import Connection

Connect = Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]

HEAD = b"GET / HTTP/1.1\r\nHost: brushwork.test\r\n"
GONE = b""
GONE_CLIENTS = asyncio.Event()


class Hasty(Connection):
    head_bytes = 10_000
    head_seconds = 0.3
    stall_seconds = 0.3


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """`/slow` takes longer than any limit, `/much` sends until the client is gone, all else is quick."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    if scope["path"] == "/slow":
        await asyncio.sleep(0.8)
    if scope["path"] == "/much":
        sending = asyncio.create_task(send_for_ever(send))
        await receive()  # its empty body
        assert (await receive())["type"] == "http.disconnect"
        sending.cancel()
        GONE_CLIENTS.set()
        return
    await send({"type": "http.response.body", "body": b"fine"})


async def send_for_ever(send: Send) -> None:
    while True:
        await send({"type": "http.response.body", "body": b"x" * 100_000, "more_body": True})


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(app, http=Hasty, log_config=None, lifespan="off"))
    serving = asyncio.create_task(server._serve(sockets=[listener]))
    yield lambda: asyncio.open_connection("127.0.0.1", port)
    server.should_exit = True
    await serving


@pytest.mark.parametrize("piece", [b"a: b\r\n", b"cookie" * 8])
async def test_a_head_without_end_is_refused_in_the_shape_of_every_error(connect: Connect, piece: bytes) -> None:
    reader, writer = await connect()
    for part in (HEAD + b"x: ", b"y", piece * 1000, piece * 1000):  # the last one is one too many
        writer.write(part)
        await asyncio.sleep(0.05)
    status, body = split(await asyncio.wait_for(reader.read(), 5))
    writer.close()

    assert status == 413
    assert body["code"] == body["error"]["code"] == 413


async def test_what_is_no_http_is_told_so_in_the_shape_of_every_error(connect: Connect) -> None:
    reader, writer = await connect()
    writer.write(b"FOO bar\r\n\r\n")
    status, body = split(await asyncio.wait_for(reader.read(), 5))
    writer.close()

    assert status == 400
    assert body["code"] == body["error"]["code"] == 400
    assert body["message"] == body["error"]["message"]


@pytest.mark.parametrize("beginning", [b"", b"\r\n", b"GET / HT", HEAD, HEAD + b"cookie: x"])
async def test_a_head_that_never_comes_is_not_waited_for(connect: Connect, beginning: bytes) -> None:
    reader, writer = await connect()
    writer.write(beginning)

    assert await asyncio.wait_for(reader.read(), 5) == GONE
    writer.close()


async def test_a_second_head_that_never_ends_is_not_waited_for(connect: Connect) -> None:
    reader, writer = await connect()
    writer.write(HEAD + b"\r\n")
    await reader.readuntil(b"fine")
    writer.write(HEAD)

    rest = await asyncio.wait_for(reader.read(), 4)  # uvicorn's own patience with an idle connection is 5 s
    writer.close()
    assert b"200" not in rest


async def test_an_answer_that_takes_long_is_waited_for_whatever_the_client_sends_meanwhile(connect: Connect) -> None:
    reader, writer = await connect()
    writer.write(HEAD.replace(b"/ ", b"/slow ", 1) + b"\r\n")
    writer.write(b"\r\n")

    assert b"fine" in await asyncio.wait_for(reader.readuntil(b"fine"), 5)
    writer.close()


async def test_a_client_that_takes_nothing_is_cut_off(connect: Connect) -> None:
    _reader, writer = await connect()
    writer.transport.pause_reading()  # type: ignore[attr-defined]  # a transport of a socket can
    writer.write(HEAD.replace(b"/ ", b"/much ", 1) + b"\r\n")

    await asyncio.wait_for(GONE_CLIENTS.wait(), 10)
    writer.close()


async def test_a_long_body_is_no_head(connect: Connect) -> None:
    reader, writer = await connect()
    writer.write(HEAD.replace(b"GET", b"POST") + b"Content-Length: 50000\r\n\r\n" + b"x" * 50_000 + HEAD + b"\r\n")
    await reader.readuntil(b"fine")

    assert b"fine" in await asyncio.wait_for(reader.readuntil(b"fine"), 5)
    writer.close()


async def test_the_end_of_a_long_body_is_no_head_either(connect: Connect) -> None:
    reader, writer = await connect()
    writer.write(HEAD.replace(b"GET / ", b"POST /slow ", 1) + b"Content-Length: 50000\r\n\r\n")
    await asyncio.sleep(0.05)
    writer.write(b"x" * 50_000)  # the rest of the request, more than a head may have
    await asyncio.sleep(0.05)
    writer.write(HEAD + b"\r\n")

    assert b"200 OK" in await asyncio.wait_for(reader.readuntil(b"fine"), 5)
    assert b"200 OK" in await asyncio.wait_for(reader.readuntil(b"fine"), 5)
    writer.close()


def split(answer: bytes) -> tuple[int, dict[str, Any]]:
    """The status and the JSON of an answer."""
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)
