"""Erasing whole accounts, for operators: begun at once, done in the time that takes, never undone."""

import time
from typing import Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from brushwork.accounts.directory import account_by_id
from brushwork.api.answers import json_answer
from brushwork.api.bodies import read_fields
from brushwork.api.dependencies import CurrentServices, Services
from brushwork.api.manager.operator import CHANGING, LOOKING, TAG, AccountId, Operator
from brushwork.api.once import Once
from brushwork.api.openapi import json_body
from brushwork.api.views import View, When
from brushwork.errors import Conflict
from brushwork.jobs.closing import Closing, is_closed
from brushwork.jobs.receipts import AccountReceipt, shown

router = APIRouter(prefix="/account/{account_id}", tags=[TAG], route_class=Once)

PATIENCE_SECONDS = 20.0
"""Clients stop waiting after a minute; the regular work does the rest."""


class EraseAccountBody(BaseModel):
    """Which account is meant."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str = Field(max_length=100, description="Its name, as a check: a wrong number would erase somebody else")


class AccountReceiptView(View):
    """What was erased. The receipt is kept; it names nothing of the account but its number."""

    id: str
    account_id: int
    state: Literal["erasing", "erased"] = Field(description="The counts grow until it is erased")
    jobs: int
    cancelled: int = Field(description="Of the jobs: they had not ended, and nothing was charged for them")
    uploads: int
    files: int = Field(description="Of jobs and uploads together")
    bytes: int
    events: int
    deliveries: int = Field(description="Of webhooks, with their attempts")
    endpoints: int = Field(description="Of webhooks")
    keys: int = Field(description="What is left of them is a number, for the books")
    batches: int
    notifications: int
    answers: int = Field(description="To requests with an idempotency key")
    audits: int = Field(description="Refusals and appeals; and entries of the record that have lost their details")
    points_expired: int = Field(description="What was left in its packs")
    kept_elsewhere: int = Field(
        description="Jobs of other accounts that took a picture by a link they were given; they keep a copy"
    )
    began_at: When
    erased_at: str | None = Field(json_schema_extra={"format": "date-time"})
    sha256: str = Field(description="Of the other fields, as JSON with sorted names and no spaces")


@router.post(
    "/erase",
    operation_id="erase_account",
    response_model=AccountReceiptView,
    responses=CHANGING,
    openapi_extra=json_body(EraseAccountBody, {"name": "studio"}),
)
async def post_erase(
    request: Request, operator: Operator, account_id: AccountId, services: CurrentServices
) -> Response:
    """Erase an account and all that it has, for good. From now on its keys and links are refused.

    A large one takes longer than a request may: then `state` is `erasing`, the server goes on by itself, and asking
    again tells how far it is.
    """
    body = await read_fields(request, EraseAccountBody, limit=services.max_body_bytes)
    if account_id == operator.account.id:
        raise Conflict("This is the account of your own key; `brushwork accounts erase` can erase it.")
    async with services.database.read() as tx:
        account = await account_by_id(tx, account_id)
        if account.name != body.name and not await is_closed(tx, account_id):
            raise Conflict("The account with this id has another name.")
    closing = closing_of(services)
    receipt = await closing.erase(account_id, key_id=operator.key_id, now=time.time(), seconds=PATIENCE_SECONDS)
    services.callers.forget()
    return json_answer(view_of(receipt))


@router.get("/erasure", operation_id="look_at_erasure", response_model=AccountReceiptView, responses=LOOKING)
async def get_erasure(account_id: AccountId, services: CurrentServices) -> Response:
    """How far the erasing of an account is, and its receipt in the end."""
    return json_answer(view_of(await closing_of(services).receipt(account_id)))


def closing_of(services: Services) -> Closing:
    return Closing(services.database, services.files, services.jobs.rules)


def view_of(receipt: AccountReceipt) -> AccountReceiptView:
    return AccountReceiptView(**shown(receipt))
