"""POST /v1/<task>: every task type is submitted the same way."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request
from starlette.responses import Response

from brushwork.api.answers import job_answer, json_answer
from brushwork.api.bodies import read_task
from brushwork.api.dependencies import CurrentServices, Generating
from brushwork.api.java import SUBMITTED
from brushwork.api.job_view import JobView
from brushwork.api.openapi import refusals
from brushwork.api.quote_view import QuoteView
from brushwork.errors import InvalidField
from brushwork.tasks.base import Task

IdempotencyKey = Annotated[
    str | None,
    Header(max_length=255, description="A request that is sent again with the same key gets the job of the first"),
]

Deadline = Annotated[
    float | None,
    Header(
        alias="Brushwork-Deadline",
        gt=0,
        le=31_536_000,
        description="Seconds after which the job fails unpaid, when the server's own limit is not sooner",
    ),
]
DryRun = Annotated[bool, Query(description="Say what it would cost and when it would be done; nothing is stored")]


async def refuse_dry_run(dry_run: Annotated[bool, Query(include_in_schema=False)] = False) -> None:
    """For what asks for jobs and gives no quotes: who believes to ask for a quote should not be charged."""
    if dry_run:
        raise InvalidField("dry_run", "is only for the endpoint of each task; nothing was asked for")


def task_routes(tasks: Mapping[str, type[Task]]) -> APIRouter:
    """One endpoint a task type; its fields are the body."""
    router = APIRouter(prefix="/v1", tags=["tasks"])
    for name, kind in tasks.items():
        router.post(
            f"/{name}",
            operation_id=name.replace("-", "_"),
            summary=kind.__doc__,
            response_model=JobView | QuoteView,
            responses=refusals(400, 401, 402, 403, 404, 408, 409, 413, 422, 429, 500, 503),
            openapi_extra=request_body(kind),
        )(submit(kind))
    return router


def submit(kind: type[Task]) -> Callable[..., Awaitable[Response]]:
    async def endpoint(
        request: Request,
        caller: Generating,
        services: CurrentServices,
        idempotency_key: IdempotencyKey = None,
        deadline: Deadline = None,
        dry_run: DryRun = False,
    ) -> Response:
        task = await read_task(request, kind, limit=services.max_body_bytes)
        if dry_run:
            told = await services.jobs.quote(caller.account, task, key_id=caller.key_id)
            return json_answer(QuoteView.of(told, kind))
        job = await services.jobs.submit(
            caller.account,
            task,
            idempotency_key=idempotency_key or None,
            key_id=caller.key_id,
            deadline_seconds=deadline,
        )
        return job_answer(services.view(job), request, SUBMITTED)

    return endpoint


def request_body(kind: type[Task]) -> dict[str, Any]:
    """What OpenAPI says of the body. The endpoint reads it itself, because clients send it in more ways than this."""
    schema = {"$ref": f"#/components/schemas/{kind.__name__}"}
    content = {"application/json": {"schema": schema, "example": kind.example}}
    return {"requestBody": {"required": True, "content": content}}
