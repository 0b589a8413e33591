"""What the API says of itself in /openapi.json: errors, examples, and the bodies that endpoints read by themselves.

Examples are made by the code that makes the answers, so they cannot be out of date.
"""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from brushwork.api.job_view import JobView
from brushwork.api.views import ErrorView
from brushwork.errors import BrushworkError, all_errors
from brushwork.jobs.job import Job, JobFile
from brushwork.tasks.base import Task

Responses = dict[int | str, dict[str, Any]]

SECURITY_SCHEMES = {
    "apiKey": {"type": "apiKey", "in": "header", "name": "x-api-key", "description": "Your API key"},
    "operatorKey": {"type": "apiKey", "in": "header", "name": "api-key", "description": "A key of scope admin"},
    "bearer": {"type": "http", "scheme": "bearer", "description": "The same key, as a bearer token"},
}

METRICS = "/metrics"
"""Asks for a token of its own, and only where the operator has set one."""

DESCRIPTION = """\
Send a prompt to `POST /v1/diffusion`, keep the `job_id`, and ask `GET /v1/job/{job_id}` until `status` is `completed`
or `failed`. Every path works under `/api`, under `/api/api` and without a prefix. Success is always 200.
"""

EVENT = {
    "type": "object",
    "properties": {
        "id": {"type": "string"},
        "event": {"type": "string", "enum": ["status", "progress", "preview"]},
        "data": {"type": "string", "contentMediaType": "application/json"},
    },
}

EVENT_STREAM: Responses = {
    200: {
        "description": "Events named status, progress and preview, each with an id; the last one is a final status.",
        "content": {"text/event-stream": {"schema": EVENT}},
    }
}

FILE: Responses = {
    200: {
        "description": "The file",
        "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in ("image/png", "video/mp4")},
    },
    206: {"description": "The part of the file that was asked for"},
    304: {"description": "The client has it already"},
}

BODIES: set[type[BaseModel]] = set()
"""What endpoints read by themselves, beside tasks."""


def json_body(kind: type[BaseModel], example: Mapping[str, Any], *, required: bool = True) -> dict[str, Any]:
    """`openapi_extra` of an endpoint that reads its body with `read_fields`."""
    BODIES.add(kind)
    schema = {"$ref": f"#/components/schemas/{kind.__name__}"}
    return {
        "requestBody": {"required": required, "content": {"application/json": {"schema": schema, "example": example}}}
    }


EXAMPLE_JOB = Job(
    id="789320d3-4b20-46d3-a804-6165a079176a",
    account_id=1,
    task="",
    input={},
    seed=1904983176,
    callback=None,
    status="queued",
    stage="staged",
    progress=0,
    attempts=0,
    cost=80,
    usage_type="point",
    created_at=1_760_408_524.0,
)


def refusals(*statuses: int) -> Responses:
    """The declared errors of an endpoint, each with the body that every error has."""
    return {status: refusal(status) for status in statuses}


def refusal(status: int) -> dict[str, Any]:
    kinds = [error for error in all_errors()[1:] if error.status == status]
    first = next(error for error in kinds if BrushworkError in error.__bases__)
    example = BrushworkError.__new__(first)
    BrushworkError.__init__(example, first.__doc__ or "")
    return {
        "model": ErrorView,
        "description": " ".join(error.__doc__ or "" for error in kinds),
        "content": {"application/json": {"example": ErrorView.of(example).plain()}},
    }


def describe(app: FastAPI, tasks: Mapping[str, type[Task]]) -> dict[str, Any]:
    """The OpenAPI file of an app with these tasks."""
    schema = get_openapi(
        title=app.title,
        version=app.version,
        summary=app.summary,
        description=DESCRIPTION,
        routes=app.routes,
        servers=[{"url": "/api", "description": "This server"}],
    )
    _, definitions = models_json_schema(
        [(kind, "validation") for kind in (*tasks.values(), *sorted(BODIES, key=lambda kind: kind.__name__))],
        ref_template="#/components/schemas/{model}",
    )
    components = schema["components"]["schemas"]
    components.update(definitions.get("$defs", {}))
    for unused in ("HTTPValidationError", "ValidationError"):
        components.pop(unused, None)
    schema["components"]["securitySchemes"] = SECURITY_SCHEMES
    for path, item in schema["paths"].items():
        for operation in item.values():
            drop_framework_errors(operation)
            if path == METRICS:
                operation["security"] = [{}, {"bearer": []}]
            elif "401" in operation["responses"]:
                is_operators = "operators" in operation.get("tags", ())
                operation["security"] = [{"operatorKey": []}] * is_operators + [{"apiKey": []}, {"bearer": []}]
            add_job_example(path, operation, tasks)
    return schema


def drop_framework_errors(operation: dict[str, Any]) -> None:
    """The framework announces its own 422, which is never sent: a bad parameter is a 400 in our shape."""
    if "HTTPValidationError" in str(operation["responses"].get("422")):
        del operation["responses"]["422"]


def add_job_example(path: str, operation: dict[str, Any], tasks: Mapping[str, type[Task]]) -> None:
    answer = operation["responses"]["200"].get("content", {}).get("application/json", {})
    schema = answer.get("schema", {})
    if schema.get("anyOf", [schema])[0].get("$ref", "").endswith("/JobView"):
        name = path.removeprefix("/v1/")
        answer["example"] = (
            example_job(name, tasks) if name in tasks else example_job(next(iter(tasks)), tasks, ended=True)
        )


def example_job(name: str, tasks: Mapping[str, type[Task]], *, ended: bool = False) -> dict[str, Any]:
    """A job of this type, as submitting answers it or as it looks when it has ended."""
    task = tasks[name].model_validate(tasks[name].example)
    values: dict[str, Any] = {"task": name, "input": tasks[name].example, "cost": task.price()}
    if ended:
        values |= {
            "status": "done",
            "started_at": 1_760_408_526.0,
            "ended_at": 1_760_408_570.0,
            "followup_until": 1_760_667_770.0,
            "files": example_files(),
        }
    job = Job(**{**vars(EXAMPLE_JOB), **values})
    link = "http://127.0.0.1:8080/files/{}.png?expires=1760497200&signature=5f0c7e6d9b1a4c38a2e4d7f60b9c1358"
    view = JobView.of(
        job,
        tasks=tasks,
        link=lambda file_id, _: link.format(file_id),
        now=job.created_at,
        links_expire_at=1_760_497_200.0,
    )
    return view.plain()


def example_files() -> tuple[JobFile, ...]:
    roles = ("grid", "image", "image", "image", "image")
    return tuple(
        JobFile(id=f"{number:032x}", role=role, content_type="image/png", width=1024, height=1024)  # type: ignore[arg-type]  # mypy widens the tuple
        for number, role in enumerate(roles, start=1)
    )
