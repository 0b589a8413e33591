"""`route_class=Once`: a POST with an `Idempotency-Key` is done once, and answered the same for a day.

For endpoints that change something and have no way of their own to know a repetition. What is asked for is told by
path, query and body; the same JSON may be written in other words, and a form may have another boundary.
"""

import asyncio
import hashlib
import time
from collections.abc import Callable, Coroutine
from json import dumps
from typing import Any

import structlog
from fastapi.routing import APIRoute
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive

from brushwork.accounts.keys import Caller
from brushwork.api.answers import JsonBytes, ShownOnce
from brushwork.api.bodies import read_bytes, read_json_object
from brushwork.api.callers import key_in
from brushwork.api.dependencies import Services
from brushwork.api.openapi import refusals
from brushwork.errors import BadRequest, Conflict, InvalidField, StillAnswering
from brushwork.jobs.idempotency import Claim, claim, look, release, settle

log = structlog.get_logger(__name__)

HEADER = "Idempotency-Key"
LONGEST_KEY = 255
PARAMETER = {
    "name": HEADER.lower(),
    "in": "header",
    "required": False,
    "schema": {"type": "string", "maxLength": LONGEST_KEY, "title": HEADER},
    "description": "A request that is sent again with the same key is not done again, and is answered the same",
}
"""For /openapi.json."""

REFUSALS = refusals(400, 401, 408, 409, 413)
WAIT_SECONDS = 10.0
"""A repetition waits so long for the answer to the first request."""
LOOK_SECONDS = 0.1

Handle = Callable[[Request], Coroutine[Any, Any, Response]]


class Once(APIRoute):
    """A route whose POST heeds idempotency keys."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        if options.get("methods") == ["POST"]:
            options["openapi_extra"] = {**(options.get("openapi_extra") or {}), "parameters": [PARAMETER]}
            options["responses"] = {**REFUSALS, **(options.get("responses") or {})}
        super().__init__(path, endpoint, **options)

    def get_route_handler(self) -> Handle:
        handle = super().get_route_handler()
        if self.methods != {"POST"}:
            return handle

        async def handle_once(request: Request) -> Response:
            key = request.headers.get(HEADER, "")
            return await answer_once(request, key, handle) if key else await handle(request)

        return handle_once


async def answer_once(request: Request, key: str, handle: Handle) -> Response:
    """The answer to this request, or the one that was given to it before."""
    if len(key) > LONGEST_KEY:
        raise InvalidField(HEADER, f"must have at most {LONGEST_KEY} characters")
    services: Services = request.app.state.services
    caller = await services.callers.caller(key_in(request))
    body = await read_bytes(request, limit=services.max_body_bytes)
    asked = hash_of(request, caller, body)
    until = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < until:
        wanted = Claim(caller.account.id, key, asked, at=time.time())
        earlier = await claim(services.database, wanted)
        if earlier is None:
            return await answer(services, wanted, handle, with_body(request, body))
        while earlier is not None and earlier.status is None and time.monotonic() < until:
            await asyncio.sleep(LOOK_SECONDS)
            earlier = await look(services.database, wanted)
        if earlier is None:  # it failed: this one is to be answered instead
            continue
        if earlier.status is not None:
            return again(earlier.status, earlier.body)
    raise StillAnswering


async def answer(services: Services, claimed: Claim, handle: Handle, request: Request) -> Response:
    """Do it, and keep what is answered. What fails is forgotten, so that it may be tried again.

    What is done is answered even when the answer cannot be kept: the client learns it, and need not ask again.
    """
    try:
        response = await handle(request)
    except BaseException:
        await asyncio.shield(release(services.database, claimed))
        raise
    body = None if isinstance(response, ShownOnce) else bytes(response.body)
    try:
        await asyncio.shield(settle(services.database, claimed, response.status_code, body))
    except SQLAlchemyError as error:
        log.warning("answer.not_kept", error=type(error).__name__)
    return response


def again(status: int, body: bytes | None) -> Response:
    if body is None:
        raise Conflict("This was done already, and its answer held a secret that is shown only once.")
    return JsonBytes(body, status_code=status)


def hash_of(request: Request, caller: Caller, body: bytes) -> str:
    """What is asked for. A key that may do less is another request: it must not be told what it may not ask."""
    asked = [request.method, request.scope["path"], sorted(request.query_params.multi_items()), sorted(caller.scopes)]
    return hashlib.sha256(dumps(asked).encode() + b"\n" + meaning_of(request, body)).hexdigest()


def meaning_of(request: Request, body: bytes) -> bytes:
    """A body without what differs each time it is written."""
    kind = request.headers.get("content-type", "")
    if kind.lower().startswith("multipart/form-data"):
        boundary = kind.partition("boundary=")[2].partition(";")[0].strip().strip('"')
        return body.replace(b"--" + boundary.encode(), b"--") if boundary else body
    try:
        return dumps(read_json_object(body), sort_keys=True).encode()
    except BadRequest:  # a picture, nothing, or what the endpoint will refuse
        return body


def with_body(request: Request, body: bytes) -> Request:
    """The request as if its body had not been read."""
    return Request(request.scope, receiving(body, request.receive))


def receiving(body: bytes, then: Receive) -> Receive:
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        return waiting.pop() if waiting else await then()

    return receive
