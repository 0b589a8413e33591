"""A job's events as server-sent events: each sent as soon as it happens, a comment in the silence, and nothing left
running when the client goes away. Knows no job, only an iterator of events.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from typing import Any, Protocol

import structlog
from pydantic_core import to_json
from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from brushwork.errors import BrushworkError

log = structlog.get_logger("brushwork.api")

HEARTBEAT = b": still here\n\n"


class Event(Protocol):
    """Whatever can be sent."""

    @property
    def id(self) -> int: ...

    @property
    def kind(self) -> str: ...

    @property
    def data(self) -> Mapping[str, Any]: ...


class EventStream(Response):
    """An answer that lasts as long as its events, or its client, whichever ends first."""

    media_type = "text/event-stream"

    def __init__(self, events: AsyncIterator[Event], *, heartbeat_seconds: float) -> None:
        super().__init__()
        self.events = events
        self.heartbeat_seconds = heartbeat_seconds
        # no-transform and x-accel-buffering: proxies must pass each event on at once
        self.headers["cache-control"] = "no-store, no-transform"
        self.headers["x-accel-buffering"] = "no"
        del self.headers["content-length"]

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        sender = asyncio.create_task(self.send_all(send))
        watcher = asyncio.create_task(wait_for_disconnect(receive))
        try:
            await asyncio.wait((sender, watcher), return_when=asyncio.FIRST_COMPLETED)
        finally:
            await stop(watcher)
            with contextlib.suppress(OSError):  # the client left while we were sending
                await stop(sender)

    async def send_all(self, send: Send) -> None:
        try:
            async with contextlib.aclosing(with_heartbeats(self.events, self.heartbeat_seconds)) as chunks:
                async for chunk in chunks:
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
        except (BrushworkError, SQLAlchemyError) as error:  # the client asks again, and is told why
            log.warning("events.ended", error=type(error).__name__)
        await send({"type": "http.response.body", "body": b""})


async def with_heartbeats(events: AsyncIterator[Event], seconds: float) -> AsyncGenerator[bytes, None]:
    """Events as bytes; a comment whenever `seconds` pass without one."""
    yield HEARTBEAT  # opens the stream at once, also through proxies that wait for the first byte
    upcoming = asyncio.ensure_future(anext(events, None))
    try:
        while True:
            await asyncio.wait((upcoming,), timeout=seconds)
            if not upcoming.done():
                yield HEARTBEAT
                continue
            event = upcoming.result()
            if event is None:
                return
            yield in_wire_format(event)
            upcoming = asyncio.ensure_future(anext(events, None))
    finally:
        await stop(upcoming)
        if isinstance(events, AsyncGenerator):
            await events.aclose()


def in_wire_format(event: Event) -> bytes:
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (event.id, event.kind.encode(), to_json(event.data))


async def wait_for_disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def stop(task: "asyncio.Future[Any]") -> None:
    """Cancel a task and wait until it is gone; its own error, if it had one, is raised here."""
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError, StopAsyncIteration):
        await task
