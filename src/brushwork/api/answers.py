"""How a view or an error becomes an answer: JSON, with headers, trimmed for the one client that needs it."""

from collections.abc import Mapping
from typing import Any

from fastapi.exceptions import RequestValidationError
from pydantic_core import to_json
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from brushwork.api.bodies import invalid_field
from brushwork.api.java import Shape, is_java, trim_job
from brushwork.api.views import ErrorView, View
from brushwork.errors import (
    BadRequest,
    BrushworkError,
    MethodNotAllowed,
    PayloadTooLarge,
    RequestTimeout,
    RouteNotFound,
    ServerError,
    StillAnswering,
    TooManyRequests,
    Unavailable,
)

RETRY_AFTER_OUTAGE = 5


class JsonBytes(Response):
    """JSON that is already written."""

    media_type = "application/json"


class ShownOnce(JsonBytes):
    """An answer that holds a secret: it is kept nowhere, so it cannot be given again."""


def json_answer(view: View) -> Response:
    return JsonBytes(view.json_bytes())


def job_answer(view: View, request: Request, shape: Shape) -> Response:
    """A job, in the shape this client can read."""
    if is_java(request.headers.get("user-agent", "")):
        return JsonBytes(to_json(trim_job(view.plain(), shape)))
    return json_answer(view)


def error_answer(error: BrushworkError) -> Response:
    return JsonBytes(ErrorView.of(error).json_bytes(), status_code=error.status, headers=headers_of(error))


def headers_of(error: BrushworkError) -> dict[str, str]:
    if isinstance(error, TooManyRequests | StillAnswering):
        return {"retry-after": str(error.detail["retry_after"])}
    if isinstance(error, PayloadTooLarge | RequestTimeout):
        return {"connection": "close"}  # the rest of the body may still be on its way
    if isinstance(error, Unavailable):
        return {"retry-after": str(RETRY_AFTER_OUTAGE)}
    return {}


async def on_brushwork_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, BrushworkError)
    return error_answer(error)


async def on_http_exception(request: Request, error: Exception) -> Response:
    """The framework's own 404 and 405, in our shape."""
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        return error_answer(RouteNotFound(f"There is no endpoint {printable(request.url.path)}; see /openapi.json."))
    if error.status_code == 405:
        answer = error_answer(MethodNotAllowed(f"{printable(request.method)} is not offered here."))
        answer.headers["allow"] = ", ".join(sorted(methods_here(request, error)))
        return answer
    if error.status_code < 500:
        return error_answer(BadRequest(str(error.detail)))
    return error_answer(ServerError())


def methods_here(request: Request, error: HTTPException) -> set[str]:
    """What this path offers. The framework names the methods of one route only, though a path may have several."""
    route = request.scope["route"]
    described = request.app.openapi()["paths"].get(getattr(route, "path_format", route.path), {})
    return {method.upper() for method in described} | {*(error.headers or {}).get("Allow", "").split(", ")} - {""}


async def on_invalid_parameters(_request: Request, error: Exception) -> Response:
    """A query parameter or header that cannot be read: 400, never the framework's 422."""
    assert isinstance(error, RequestValidationError)
    problems: list[Any] = [{**problem, "loc": problem["loc"][1:]} for problem in error.errors()]
    return error_answer(invalid_field(problems, spelling={}))


async def on_outage(_request: Request, _error: Exception) -> Response:
    return error_answer(Unavailable("The database cannot be reached right now; try again in a few seconds."))


async def on_disconnect(_request: Request, _error: Exception) -> Response:
    """The client left while it was still sending; nobody reads this."""
    return error_answer(BadRequest("The body ended early."))


def printable(text: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in text[:200])


HANDLERS: Mapping[Any, Any] = {
    BrushworkError: on_brushwork_error,
    HTTPException: on_http_exception,
    RequestValidationError: on_invalid_parameters,
    OperationalError: on_outage,
    InterfaceError: on_outage,
    PoolTimeout: on_outage,
    ClientDisconnect: on_disconnect,
}
