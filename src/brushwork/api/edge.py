"""The outermost layer: what is the same for every request, whatever its endpoint.

Paths as clients spell them, a request id, CORS, security headers, one line in the log, one count in the metrics; and an
unforeseen exception becomes a 500 in our shape, its text logged and never shown. Knows no endpoint. Never logs a
header, a query or a body: keys, links and prompts are in there.
"""

import re
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from uuid import uuid4

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from brushwork.api.answers import error_answer
from brushwork.errors import ServerError
from brushwork.tracing import Open, span

log = structlog.get_logger("brushwork.api")

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
SLASHES = re.compile(r"/{2,}")
HEADER_NAMES = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~, -]{1,1000}")

CORS = {
    "access-control-allow-origin": "*",
    "access-control-expose-headers": (
        "retry-after, x-request-id, x-next-after, content-range, content-disposition, etag"
    ),
}
PREFLIGHT = {
    "access-control-allow-methods": "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS",
    "access-control-max-age": "86400",
}
ASKED_HEADERS = "x-api-key, api-key, content-type, authorization, idempotency-key, last-event-id, x-request-id"
SECURITY = {"x-content-type-options": "nosniff", "referrer-policy": "no-referrer"}

Observe = Callable[[str, str, int, float], None]
"""Told (route, method, status, seconds) after each request."""


class Edge:
    """ASGI middleware; see the chapter's head."""

    def __init__(self, app: ASGIApp, *, observe: Observe) -> None:
        self.app = app
        self.observe = observe

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        scope["path"] = canonical_path(scope["path"])
        request_id = request_id_of(headers)
        state = scope.setdefault("state", {})
        state["request_id"] = request_id
        started = time.perf_counter()
        status = 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                dress(MutableHeaders(scope=message), request_id)
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id), span_of(headers) as told:
            try:
                if is_preflight(scope, headers):
                    await answer_preflight(headers, send_with_headers)
                else:
                    await self.app(scope, receive, send_with_headers)
            except Exception:
                log.exception("unforeseen error", method=scope["method"], route=route_of(scope))
                if not status:
                    await error_answer(ServerError())(scope, receive, send_with_headers)
            finally:
                seconds = time.perf_counter() - started
                self.observe(route_of(scope), scope["method"], status, seconds)
                describe(told, scope, status)
                log.info(
                    "request",
                    method=scope["method"],
                    route=route_of(scope),
                    status=status,
                    ms=round(seconds * 1000, 1),
                    account_id=state.get("account_id"),
                )


def span_of(headers: Headers) -> AbstractContextManager[Open]:
    """The request as a part of whatever the client is tracing."""
    return span("request", parent=headers.get("traceparent"))


def describe(told: Open, scope: Scope, status: int) -> None:
    route, state = route_of(scope), scope["state"]
    told.name = f"{scope['method']} {route}"
    told.attributes |= {
        "http.request.method": scope["method"],
        "http.route": route,
        "http.response.status_code": status,
    }
    told.attributes |= {"request_id": state["request_id"], "account_id": state.get("account_id")}
    told.attributes["error.type"] = str(status) if status >= 500 else None


def canonical_path(path: str) -> str:
    """`/api/api/v1/x/` → `/v1/x`: clients put the prefix once, twice or not at all, and some add slashes."""
    path = SLASHES.sub("/", path)
    for _ in range(2):
        if path == "/api" or path.startswith("/api/"):
            path = path[len("/api") :]
    return path.rstrip("/") or "/"


def request_id_of(headers: Headers) -> str:
    """The client's own id when it is fit for a log line, else a new one."""
    given = headers.get("x-request-id", "")
    return given if REQUEST_ID.fullmatch(given) else uuid4().hex


def dress(headers: MutableHeaders, request_id: str) -> None:
    """Add what every answer carries."""
    headers["x-request-id"] = request_id
    for name, value in (CORS | SECURITY).items():
        headers.setdefault(name, value)
    headers.setdefault("cache-control", "no-store")


def is_preflight(scope: Scope, headers: Headers) -> bool:
    return scope["method"] == "OPTIONS" and "access-control-request-method" in headers


async def answer_preflight(headers: Headers, send: Send) -> None:
    """Any origin may ask for anything: no browser sends a key on its own, so there is nothing to protect here."""
    asked = headers.get("access-control-request-headers", "")
    allowed = asked if HEADER_NAMES.fullmatch(asked) else ASKED_HEADERS
    answer = {**PREFLIGHT, "access-control-allow-headers": allowed, "content-length": "0"}
    raw = [(name.encode(), value.encode()) for name, value in answer.items()]
    await send({"type": "http.response.start", "status": 200, "headers": raw})
    await send({"type": "http.response.body", "body": b""})


def route_of(scope: Scope) -> str:
    """The endpoint's own path, with `{job_id}` in it; "unmatched" when there is none, so that labels stay few."""
    route = scope.get("route")
    return str(getattr(route, "path_format", getattr(route, "path", "unmatched")))
