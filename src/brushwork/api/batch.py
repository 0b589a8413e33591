"""POST /v1/batch: up to a hundred jobs at once, under a cap, all of them or none."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from brushwork.api.answers import json_answer
from brushwork.api.bodies import fields_of, read_fields
from brushwork.api.dependencies import JOB_ID, CurrentAccount, CurrentServices, Generating, Services
from brushwork.api.openapi import json_body, refusals
from brushwork.api.tasks import IdempotencyKey, refuse_dry_run
from brushwork.api.views import View, moment
from brushwork.errors import BatchNotFound, InvalidField
from brushwork.jobs.batches import MOST, Batch, cancel_batch, find_batch, naming, submit_batch
from brushwork.jobs.job import ClientStatus
from brushwork.jobs.submission import Asking
from brushwork.prompts.permutations import permutations
from brushwork.tasks.base import PROMPT_FIELDS, Task

router = APIRouter(prefix="/v1", tags=["batch"])


class BatchBody(BaseModel):
    """Requests, and what they may cost together."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    requests: Annotated[
        list[dict[str, Any]],
        Field(min_length=1, max_length=MOST, description="Bodies of tasks, each with its `task`, such as diffusion"),
    ]
    cap: Annotated[int, Field(ge=0, le=10**12, description="Points that all of them may cost; beyond it none starts")]
    permutations: Annotated[
        bool, Field(description="Whether {red, blue} in a prompt stands for two requests; at most 100 come of it")
    ] = False


class BatchJobView(View):
    job_id: str
    task_type: str
    status: ClientStatus
    progress: int
    cost: int


class BatchView(View):
    """How far a batch is."""

    batch_id: str
    created_at: str = Field(json_schema_extra={"format": "date-time"})
    cap: int
    cost: int = Field(description="Held when it was accepted")
    charged: int = Field(description="For jobs that have completed")
    count: int
    counts: dict[str, int] = Field(description="Status → jobs")
    progress: int = Field(description="0 to 100, over all of its jobs")
    is_finished: bool
    jobs: list[BatchJobView] = Field(description="In the order of the request; those not kept any more are missing")

    @classmethod
    def of(cls, batch: Batch) -> "BatchView":
        counts = Counter(job.client_status for job in batch.jobs)
        done = sum(100 if job.is_finished else job.progress for job in batch.jobs)
        return cls(
            batch_id=batch.id,
            created_at=moment(batch.created_at),
            cap=batch.cap,
            cost=batch.cost,
            charged=sum(job.cost for job in batch.jobs if job.status == "done"),
            count=batch.count,
            counts={str(status): number for status, number in sorted(counts.items())},
            progress=(done + 100 * (batch.count - len(batch.jobs))) // batch.count,
            is_finished=all(job.is_finished for job in batch.jobs),
            jobs=[
                BatchJobView(
                    job_id=job.id,
                    task_type=job.task.replace("-", "_"),
                    status=job.client_status,
                    progress=job.progress,
                    cost=job.cost,
                )
                for job in batch.jobs
            ],
        )


async def well_formed(batch_id: Annotated[str, Path(description="The id that submitting answered with")]) -> str:
    if not JOB_ID.fullmatch(batch_id):
        raise BatchNotFound
    return batch_id


BatchId = Annotated[str, Depends(well_formed)]

EXAMPLE = {
    "requests": [
        {"task": "diffusion", "text": "a {red, blue} fox in the snow --ar 3:2"},
        {"task": "shorten", "prompt": "please could you draw a very nice quiet harbour"},
    ],
    "cap": 200,
    "permutations": True,
}


@router.post(
    "/batch",
    operation_id="submit_batch",
    dependencies=[Depends(refuse_dry_run)],
    response_model=BatchView,
    responses=refusals(400, 401, 402, 403, 404, 408, 409, 413, 422, 429, 500, 503),
    openapi_extra=json_body(BatchBody, EXAMPLE),
)
async def post_batch(
    request: Request, caller: Generating, services: CurrentServices, idempotency_key: IdempotencyKey = None
) -> Response:
    """Ask for up to 100 jobs at once. All are checked and priced first; all of them are accepted, or none."""
    body = await read_fields(request, BatchBody, limit=services.max_body_bytes)
    tasks = await asyncio.to_thread(tasks_of, body, services.tasks)  # a hundred long prompts take a while
    await let_pass(services, caller.account.id, caller.key_id, tasks)
    asking = Asking(caller.account, caller.key_id, idempotency_key or None)
    return json_answer(BatchView.of(await submit_batch(services.jobs.door, asking, tasks, cap=body.cap)))


@router.get(
    "/batch/{batch_id}", operation_id="get_batch", response_model=BatchView, responses=refusals(401, 403, 404, 500, 503)
)
async def get_batch(account: CurrentAccount, services: CurrentServices, batch_id: BatchId) -> Response:
    """Look at a batch: how many of its jobs have ended, and what they cost."""
    return json_answer(BatchView.of(await find_batch(services.database, account.id, batch_id)))


@router.post(
    "/batch/{batch_id}/cancel",
    operation_id="cancel_batch",
    response_model=BatchView,
    responses=refusals(401, 403, 404, 500, 503),
)
async def post_cancel(caller: Generating, services: CurrentServices, batch_id: BatchId) -> Response:
    """Cancel what has not ended of a batch; nothing is charged for it."""
    rules = services.jobs.rules
    return json_answer(BatchView.of(await cancel_batch(services.database, rules, caller.account.id, batch_id)))


def tasks_of(body: BatchBody, kinds: Mapping[str, type[Task]]) -> list[Task]:
    """The tasks of all requests, checked. Errors name the request; numbers count what the client sent."""
    tasks: list[Task] = []
    for index, given in enumerate(body.requests):
        with naming(index):
            name = str(given.get("task") or "").replace("_", "-")
            if name not in kinds:
                raise InvalidField("task", f"must be one of {', '.join(sorted(kinds))}")
            kind = kinds[name]
            bodies = expanded(given, kind, most=MOST - len(tasks)) if body.permutations else [given]
            for one in bodies:
                task = fields_of({key: value for key, value in one.items() if key != "task"}, kind)
                task.check()
                tasks.append(task)
            if len(tasks) > MOST:
                raise InvalidField("requests", f"hold more than {MOST} jobs together")
    return tasks


def expanded(given: Mapping[str, Any], kind: type[Task], *, most: int) -> list[dict[str, Any]]:
    """One body for each permutation of the prompt. `{` in other fields means nothing."""
    spellings = [
        spelling
        for name, field in kind.model_fields.items()
        if name in PROMPT_FIELDS
        for spelling in dict.fromkeys((name, field.alias or name))
        if isinstance(given.get(spelling), str)
    ]
    bodies = [dict(given)]
    for spelling in spellings:
        texts = permutations(given[spelling], most=max(1, most))
        if len(bodies) * len(texts) > MOST:
            raise InvalidField(spelling, f"makes more than {MOST} jobs together with the other prompts")
        bodies = [{**one, spelling: text} for one in bodies for text in texts]
    return bodies


async def let_pass(services: Services, account_id: int, key_id: int | None, tasks: Sequence[Task]) -> None:
    """Hold all of them against the policy and the rules for callbacks, before anything is fetched."""
    for index, task in enumerate(tasks):
        with naming(index):
            await services.jobs.examine(task, account_id=account_id, key_id=key_id)
        if index % 10 == 9:
            await asyncio.sleep(0)  # others want to be served as well
