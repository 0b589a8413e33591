"""Jobs, once they are accepted: look at one, cancel one, list them, watch one live."""

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Header, Query, Request
from pydantic import BeforeValidator, StringConstraints
from starlette.responses import Response

from brushwork.api.answers import job_answer, json_answer
from brushwork.api.callers import Callers, key_in
from brushwork.api.dependencies import CurrentAccount, CurrentServices, Generating, JobId
from brushwork.api.events import EventStream
from brushwork.api.java import JOB
from brushwork.api.job_view import JobsView, JobView
from brushwork.api.keeping import ReceiptView, erased
from brushwork.api.openapi import EVENT_STREAM, refusals
from brushwork.jobs.job import ClientStatus

router = APIRouter(prefix="/v1", tags=["jobs"])

Sent = TypeVar("Sent")

TaskType = Annotated[str, StringConstraints(max_length=64, pattern=r"^[a-z_-]*$")]
Cursor = Annotated[str, StringConstraints(max_length=256)]
blank_is_absent = BeforeValidator(lambda value: None if value == "" else value)
REFUSALS: dict[int | str, dict[str, Any]] = refusals(401, 404, 500, 503)


@router.get("/job/{job_id}", operation_id="get_job", response_model=JobView, responses=REFUSALS)
async def get_job(request: Request, account: CurrentAccount, services: CurrentServices, job_id: JobId) -> Response:
    """Look at a job: how far it is, and when it has ended, what it made or why it failed."""
    job = await services.jobs.get(account.id, job_id)
    return job_answer(services.view(job), request, JOB)


@router.post("/job/{job_id}/cancel", operation_id="cancel_job", response_model=JobView, responses=REFUSALS)
async def cancel_job(request: Request, caller: Generating, services: CurrentServices, job_id: JobId) -> Response:
    """Cancel a job that has not ended: it fails with code 499 and costs nothing. An ended job is answered as it is."""
    job = await services.jobs.cancel(caller.account.id, job_id)
    return job_answer(services.view(job), request, JOB)


@router.delete(
    "/job/{job_id}",
    operation_id="delete_job",
    response_model=JobView | ReceiptView,
    responses=refusals(400, 401, 403, 404, 500, 503),
)
async def delete_job(
    request: Request,
    caller: Generating,
    services: CurrentServices,
    job_id: JobId,
    erase: Annotated[bool, Query(description="Erase it for good, as POST …/erase does")] = False,
) -> Response:
    """Cancel a job like POST …/cancel. With `erase=1` nothing is left of it, and the answer is a receipt."""
    if not erase:
        return await cancel_job(request, caller, services, job_id)
    return json_answer(ReceiptView.of(await erased(services, caller, job_id)))


@router.get("/jobs", operation_id="list_jobs", response_model=JobsView, responses=refusals(400, 401, 500, 503))
async def list_jobs(
    account: CurrentAccount,
    services: CurrentServices,
    status: Annotated[ClientStatus | None, blank_is_absent, Query()] = None,
    task_type: Annotated[TaskType | None, blank_is_absent, Query()] = None,
    created_after: Annotated[datetime | None, blank_is_absent, Query(description="RFC 3339, or Unix seconds")] = None,
    created_before: Annotated[datetime | None, blank_is_absent, Query(description="RFC 3339, or Unix seconds")] = None,
    cursor: Annotated[Cursor | None, blank_is_absent, Query(description="`next_cursor` of a page")] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> Response:
    """List jobs, newest first, a page at a time."""
    page = await services.jobs.list(
        account.id,
        status=status,
        task=task_type.replace("_", "-") if task_type else None,
        created_after=seconds(created_after),
        created_before=seconds(created_before),
        cursor=cursor,
        limit=limit,
    )
    views = [services.view(job) for job in page.jobs]
    return json_answer(JobsView(data=views, next_cursor=page.next_cursor, has_more=page.next_cursor is not None))


@router.get(
    "/job/{job_id}/events",
    operation_id="watch_job",
    response_class=Response,
    responses={**EVENT_STREAM, **refusals(400, 401, 404, 500, 503)},
)
async def watch_job(
    request: Request,
    account: CurrentAccount,
    services: CurrentServices,
    job_id: JobId,
    last_event_id: Annotated[str, Header(pattern=r"^[0-9]{0,18}$", description="Go on after this event")] = "",
) -> Response:
    """Watch a job live: server-sent events named status, progress and preview, until it has ended."""
    await services.jobs.get(account.id, job_id)  # an unknown job is a 404, not a stream
    events = services.jobs.events(account.id, job_id, after=int(last_event_id or 0))
    return EventStream(
        while_key_is_good(events, services.callers, key_in(request)), heartbeat_seconds=services.heartbeat_seconds
    )


async def while_key_is_good(events: AsyncIterator[Sent], callers: Callers, key: str) -> AsyncIterator[Sent]:
    """The events, up to the moment at which the key is revoked."""
    async with contextlib.AsyncExitStack() as stack:
        if isinstance(events, AsyncGenerator):
            await stack.enter_async_context(contextlib.aclosing(events))
        async for event in events:
            await callers.caller(key)
            yield event


def seconds(moment: datetime | None) -> float | None:
    """A moment without a zone is taken as UTC."""
    if moment is None:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
