"""What was refused of an account, by which rule, and an appeal for whoever looks after the policy."""

import time
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from brushwork.api.answers import json_answer
from brushwork.api.bodies import read_fields
from brushwork.api.dependencies import CurrentAccount, CurrentServices, Generating
from brushwork.api.labels import Note
from brushwork.api.once import Once
from brushwork.api.openapi import json_body, refusals
from brushwork.api.views import View, moment
from brushwork.errors import Conflict
from brushwork.jobs.audits import Audit, audit, entries, entry

router = APIRouter(prefix="/v1/moderation", tags=["moderation"], route_class=Once)

MAX_APPEALS = 100
"""Of one account, among its latest entries: a log is no letter box."""


class RefusalView(View):
    """One refusal. The prompt is not kept, and so not shown."""

    id: str
    created_at: str = Field(json_schema_extra={"format": "date-time"})
    category: str
    policy: str = Field(description="Version of the policy; empty where a finished picture was refused")
    rule: str = Field(description="The words of the policy that matched")
    task: str
    field: str
    job_id: str = Field(description="Of the job whose picture was refused; empty where a prompt was")
    appeal: str | None = Field(description="What was said against it")


class LogView(View):
    """What was refused, newest first."""

    data: list[RefusalView]


class AppealBody(BaseModel):
    """Why a refusal was wrong."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    note: Annotated[Note, Field(description="For the operator; it is kept as it is")]


@router.get("/log", operation_id="moderation_log", response_model=LogView, responses=refusals(400, 401, 403, 500, 503))
async def moderation_log(
    account: CurrentAccount, services: CurrentServices, limit: Annotated[int, Query(ge=1, le=100)] = 50
) -> Response:
    """List what was refused of this account, newest first. Nothing was charged for any of it."""
    async with services.database.read() as tx:
        refused = await entries(tx, account.id, ["moderation"], limit=limit)
        appeals = await entries(tx, account.id, ["appeal"], limit=MAX_APPEALS)
    notes = {str(appeal.data["of"]): str(appeal.data["note"]) for appeal in appeals}
    return json_answer(LogView(data=[view_of(one, notes) for one in refused]))


@router.post(
    "/{refusal_id}/appeal",
    operation_id="appeal",
    response_model=RefusalView,
    responses=refusals(400, 401, 403, 404, 408, 409, 413, 500, 503),
    openapi_extra=json_body(AppealBody, {"note": "Gore is the name of a village in this story."}),
)
async def post_appeal(
    request: Request,
    caller: Generating,
    services: CurrentServices,
    refusal_id: Annotated[str, Path(max_length=64, description="From the log")],
) -> Response:
    """Say once why a refusal was wrong. The operator reads it; the prompt may be sent again when the policy changes."""
    body = await read_fields(request, AppealBody, limit=services.max_body_bytes)
    async with services.database.write() as tx:
        refused = await entry(tx, caller.account.id, refusal_id, "moderation")
        appeals = await entries(tx, caller.account.id, ["appeal"], limit=MAX_APPEALS)
        if len(appeals) >= MAX_APPEALS or any(appeal.data["of"] == refused.id for appeal in appeals):
            raise Conflict("There is an appeal already, or too many of this account.")
        # With the refusal beside it, whoever reads the record sees at once what it is about.
        said = {**refused.data, "of": refused.id, "note": body.note}
        await tx.execute(audit(caller.account.id, "appeal", said, now=time.time(), key_id=caller.key_id))
    return json_answer(view_of(refused, {refused.id: body.note}))


def view_of(refused: Audit, notes: dict[str, Any]) -> RefusalView:
    said = {name: str(refused.data.get(name, "")) for name in ("category", "policy", "rule", "task", "field", "job_id")}
    return RefusalView(id=refused.id, created_at=moment(refused.created_at), appeal=notes.get(refused.id), **said)
