"""How long jobs are kept, and erasing them, and uploads, for good."""

import re
import time
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from brushwork.accounts.keys import Caller
from brushwork.api.answers import job_answer, json_answer
from brushwork.api.bodies import read_fields
from brushwork.api.dependencies import CurrentServices, Generating, JobId, Services
from brushwork.api.java import JOB
from brushwork.api.job_view import JobView
from brushwork.api.once import Once
from brushwork.api.openapi import json_body, refusals
from brushwork.api.views import View
from brushwork.errors import FileNotFound, InvalidField
from brushwork.jobs.erasure import Asked, erase_job, erase_upload
from brushwork.jobs.keeping import keep
from brushwork.jobs.receipts import Receipt, shown

router = APIRouter(prefix="/v1", tags=["jobs"], route_class=Once)

MAX_DAYS = 36_500
FILE_ID = re.compile(r"[0-9a-f]{1,64}")
"""What cannot be the id of a file is answered like one that is unknown, and never reaches the database."""


class KeepBody(BaseModel):
    """How long a job should be kept."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    pinned: Annotated[bool | None, Field(description="Keep it, and let it be followed up, until it is unpinned")] = None
    ttl_days: Annotated[
        float | None, Field(gt=0, le=MAX_DAYS, description="Days from its end to its removal; at most the server's own")
    ] = None


class EraseBody(BaseModel):
    """What should go with the job."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    descendants: Annotated[bool, Field(description="Whether all jobs that came of it are erased too")] = False


class ReceiptView(View):
    """What was erased. The receipt is kept; it holds no prompt and no picture."""

    id: str
    jobs: list[str]
    uploads: list[str]
    files: int
    bytes: int
    events: int
    deliveries: int = Field(description="Of webhooks, with their attempts")
    kept: list[str] = Field(description="Jobs that came of what was erased; they have pictures and words of their own")
    kept_elsewhere: int = Field(
        description="Jobs of other accounts that took a picture of it by a link they were given; they keep a copy"
    )
    erased_at: str = Field(json_schema_extra={"format": "date-time"})
    sha256: str = Field(description="Of the other fields, as JSON with sorted names and no spaces")

    @classmethod
    def of(cls, receipt: Receipt) -> "ReceiptView":
        return cls(**shown(receipt))


@router.patch(
    "/job/{job_id}",
    operation_id="keep_job",
    response_model=JobView,
    responses=refusals(400, 401, 403, 404, 408, 409, 413, 500, 503),
    openapi_extra=json_body(KeepBody, {"pinned": True}),
)
async def keep_job(request: Request, caller: Generating, services: CurrentServices, job_id: JobId) -> Response:
    """Pin a job, unpin it, or set how many days after its end it is removed."""
    body = await read_fields(request, KeepBody, limit=services.max_body_bytes)
    if body.pinned is None and body.ttl_days is None:
        raise InvalidField("pinned", "or ttl_days is required")
    job = await keep(
        services.database,
        services.jobs.rules,
        caller.account.id,
        job_id,
        pinned=body.pinned,
        ttl_days=body.ttl_days,
        now=time.time(),
    )
    return job_answer(services.view(job), request, JOB)


@router.post(
    "/job/{job_id}/erase",
    operation_id="erase_job",
    response_model=ReceiptView,
    responses=refusals(400, 401, 403, 404, 408, 413, 500, 503),
    openapi_extra=json_body(EraseBody, {"descendants": False}, required=False),
)
async def post_erase(request: Request, caller: Generating, services: CurrentServices, job_id: JobId) -> Response:
    """Erase a job for good: files, previews, prompt, inputs, events. An open one is cancelled first."""
    body = await read_fields(request, EraseBody, limit=services.max_body_bytes, may_be_empty=True)
    return json_answer(ReceiptView.of(await erased(services, caller, job_id, with_descendants=body.descendants)))


@router.delete(
    "/files/{file_id}",
    operation_id="erase_upload",
    response_model=ReceiptView,
    responses=refusals(400, 401, 403, 404, 500, 503),
)
async def delete_upload(
    caller: Generating,
    services: CurrentServices,
    file_id: Annotated[str, Path(description="The id that uploading answered with")],
    descendants: Annotated[bool, Query(description="Whether all jobs that came of it are erased too")] = False,
) -> Response:
    """Erase a picture that you uploaded. Jobs that were made of it have a copy: `descendants=1` erases them as well."""
    if not FILE_ID.fullmatch(file_id):
        raise FileNotFound("There is no upload with this id.")
    asked = Asked(caller.account.id, caller.key_id, with_descendants=descendants, now=time.time())
    receipt = await erase_upload(services.database, services.files, services.jobs.rules, file_id, asked)
    return json_answer(ReceiptView.of(receipt))


async def erased(services: Services, caller: Caller, job_id: str, *, with_descendants: bool = False) -> Receipt:
    asked = Asked(caller.account.id, caller.key_id, with_descendants=with_descendants, now=time.time())
    return await erase_job(services.database, services.files, services.jobs.rules, job_id, asked)
