"""Redeem codes, for operators: make them, list them, withdraw them."""

import time
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from brushwork.accounts.audits import note_change
from brushwork.accounts.codes import Code, create_code, list_codes, new_code, withdraw_code
from brushwork.api.account_view import moment_or_none
from brushwork.api.answers import json_answer
from brushwork.api.bodies import read_fields
from brushwork.api.dependencies import CurrentServices
from brushwork.api.labels import Description
from brushwork.api.manager.operator import CHANGING, LOOKING, MAX_POINTS, TAG, CodeId, Operator
from brushwork.api.once import Once
from brushwork.api.openapi import json_body
from brushwork.api.periods import in_future
from brushwork.api.views import View, When, moment

router = APIRouter(prefix="/v1/codes", tags=[TAG], route_class=Once)


class NewCodeBody(BaseModel):
    """A code to make."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    amount: Annotated[int, Field(ge=1, le=MAX_POINTS, description="What it gives")]
    kind: Annotated[Literal["point", "credit"], Field(description="Points are spent before credits")] = "credit"
    code: Annotated[
        str | None, Field(min_length=6, max_length=100, description="At least 6 characters; else one is made")
    ] = None
    description: Annotated[Description, Field(description="Shown beside the amount")] = ""
    pack_days: Annotated[
        float | None, Field(gt=0, le=36_500, description="How long what it gives lasts; else for ever")
    ] = None
    max_uses: Annotated[int, Field(ge=1, le=1_000_000_000, description="Accounts that may redeem it")] = 1
    expires_at: Annotated[datetime | None, Field(description="RFC 3339; else it never ends")] = None


class CodeView(View):
    id: int
    code: str
    kind: Literal["point", "credit"]
    amount: int
    description: str
    pack_days: float | None
    max_uses: int
    uses: int
    created_at: When
    expires_at: str | None
    withdrawn_at: str | None

    @classmethod
    def of(cls, code: Code) -> "CodeView":
        ends = {name: moment_or_none(getattr(code, name)) for name in ("expires_at", "withdrawn_at")}
        return cls(**{**vars(code), **ends, "created_at": moment(code.created_at)})


class CodeAnswer(View):
    code: int
    message: str
    data: CodeView


class CodesAnswer(View):
    code: int
    message: str
    data: list[CodeView]


@router.post(
    "",
    operation_id="create_code",
    response_model=CodeAnswer,
    responses=CHANGING,
    openapi_extra=json_body(NewCodeBody, {"amount": 1000, "max_uses": 50, "pack_days": 31}),
)
async def post_code(request: Request, operator: Operator, services: CurrentServices) -> Response:
    """Make a code that accounts redeem for points or credits, each of them once."""
    body = await read_fields(request, NewCodeBody, limit=services.max_body_bytes)
    now = time.time()
    expires_at = in_future("expires_at", body.expires_at, now=now)
    async with services.database.write() as tx:
        code = await create_code(
            tx,
            body.code or new_code(),
            amount=body.amount,
            kind=body.kind,
            description=body.description,
            pack_days=body.pack_days,
            max_uses=body.max_uses,
            expires_at=expires_at,
            now=now,
        )
        # Whoever may read the record need not be able to redeem the code.
        facts = {"code": code.id, "amount": code.amount, "kind": code.kind, "max_uses": code.max_uses}
        await note_change(tx, "code.create", account_id=None, key_id=operator.key_id, now=now, facts=facts)
    return json_answer(CodeAnswer(code=200, message="success", data=CodeView.of(code)))


@router.get("", operation_id="list_codes", response_model=CodesAnswer, responses=LOOKING)
async def get_codes(operator: Operator, services: CurrentServices) -> Response:  # noqa: ARG001  # who may
    """The newest thousand codes, newest first, and how often each was redeemed."""
    async with services.database.read() as tx:
        found = await list_codes(tx)
    return json_answer(CodesAnswer(code=200, message="success", data=[CodeView.of(code) for code in found]))


@router.post("/{code_id}/withdraw", operation_id="withdraw_code", response_model=CodeAnswer, responses=CHANGING)
async def post_withdrawal(code_id: CodeId, operator: Operator, services: CurrentServices) -> Response:
    """End a code for good, as when it has leaked. Who redeemed it before keeps what it gave."""
    now = time.time()
    async with services.database.write() as tx:
        code, is_new = await withdraw_code(tx, code_id, now=now)
        if is_new:
            facts = {"code": code.id, "uses": code.uses, "max_uses": code.max_uses}
            await note_change(tx, "code.withdraw", account_id=None, key_id=operator.key_id, now=now, facts=facts)
    return json_answer(CodeAnswer(code=200, message="success", data=CodeView.of(code)))
