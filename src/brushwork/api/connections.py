"""One client's connection: what uvicorn leaves to a proxy in front of it, for those who have none.

A head that grows without end or never comes, and a client that does not take its answer, would each hold memory and a
file descriptor for as long as the client likes; none of them needs a key. And what is no HTTP at all is told so in the
same shape as every other error. Knows no endpoint.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from brushwork.api.views import ErrorView
from brushwork.errors import BadRequest, BrushworkError, PayloadTooLarge

HEAD_BYTES = 65_536
"""More than this of a request line and headers is refused, give or take what the socket handed over at once."""
HEAD_SECONDS = 20.0
"""A request's head must be here so soon after its connection, or after its first byte on an old one."""
STALL_SECONDS = 60.0
"""A client that takes none of what waits for it for so long is cut off."""


class Connection(HttpToolsProtocol):
    """Uvicorn's own, with limits. Use as `uvicorn.Config(http=Connection)`."""

    head_bytes = HEAD_BYTES
    head_seconds = HEAD_SECONDS
    stall_seconds = STALL_SECONDS

    is_head_due = True
    has_turned = False
    """Whether a request began or ended in what was received last."""
    received = 0
    head_timer: asyncio.TimerHandle | None = None
    stall_timer: asyncio.TimerHandle | None = None

    # ── the head ──

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self.expect_head()

    def data_received(self, data: bytes) -> None:
        self.has_turned = False
        super().data_received(data)
        if not self.is_head_due or self.transport.is_closing():
            return
        if not self.has_turned:  # else most of it may have been the body of the request before
            self.received += len(data)
        if self.received > self.head_bytes:
            self.refuse(PayloadTooLarge(f"The headers are larger than {self.head_bytes} bytes.", limit=self.head_bytes))
        elif self.head_timer is None:
            self.expect_head()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.has_turned = True
        self.received = 0

    def on_headers_complete(self) -> None:
        self.is_head_due = False
        self.stop_timers("head_timer")
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self.is_head_due = True
        self.has_turned = True
        super().on_message_complete()

    def expect_head(self) -> None:
        self.head_timer = self.loop.call_later(self.head_seconds, self.on_no_head)

    def on_no_head(self) -> None:
        self.head_timer = None
        is_answering = self.cycle is not None and not self.cycle.response_complete
        if self.is_head_due and not is_answering:
            self.transport.close()

    # ── the answer ──

    def pause_writing(self) -> None:
        super().pause_writing()
        self.stall_timer = self.loop.call_later(self.stall_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        self.stop_timers("stall_timer")
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self.stop_timers("head_timer", "stall_timer")
        super().connection_lost(exc)

    def stop_timers(self, *names: str) -> None:
        for name in names:
            timer: Any = getattr(self, name)
            if timer is not None:
                timer.cancel()
                setattr(self, name, None)

    # ── errors before there is a request ──

    def send_400_response(self, msg: str) -> None:
        self.refuse(BadRequest(msg))

    def refuse(self, error: BrushworkError) -> None:
        """Answer what cannot reach an endpoint, and hang up."""
        self.stop_timers("head_timer")
        body = ErrorView.of(error).json_bytes()
        head = (
            f"HTTP/1.1 {error.status} Refused\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"
            "access-control-allow-origin: *\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()
