"""The money of any account, for operators: its wallet, its packs, a new pack."""

import time
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from brushwork.accounts.audits import change_noted, note_change, note_for
from brushwork.accounts.credits import grant
from brushwork.accounts.directory import account_by_id
from brushwork.accounts.keys import Caller
from brushwork.accounts.wallet import pack_by_id, packs_of, wallet_of
from brushwork.api.account_view import CreditPackInfo, CreditPackView, WalletAnswer
from brushwork.api.answers import json_answer
from brushwork.api.bodies import read_fields
from brushwork.api.dependencies import CurrentServices
from brushwork.api.labels import Description
from brushwork.api.manager.operator import CHANGING, LOOKING, MAX_POINTS, TAG, AccountId, Operator, blank_is_none
from brushwork.api.openapi import json_body
from brushwork.api.periods import in_future
from brushwork.api.tasks import IdempotencyKey
from brushwork.api.views import View
from brushwork.errors import Conflict

router = APIRouter(prefix="/account/{account_id}/wallet", tags=[TAG])


class NewPackBody(BaseModel):
    """Credits to add to an account."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    capacity: Annotated[int, Field(ge=1, le=MAX_POINTS, description="How many; 1000 are a dollar")]
    description: Annotated[Description, Field(description="Shown beside the amount")] = ""
    expired_at: Annotated[datetime | None, Field(description="RFC 3339; else never")] = None
    kind: Annotated[Literal["point", "credit"], Field(description="Points are spent before credits")] = "credit"


class PackAnswer(View):
    code: int
    message: str
    data: CreditPackView


class PacksView(CreditPackInfo):
    credit_packs: list[CreditPackView] = Field(description="Newest first")


class PacksAnswer(View):
    code: int
    message: str
    data: PacksView


@router.get("", operation_id="get_wallet", response_model=WalletAnswer, responses=LOOKING)
async def get_wallet(account_id: AccountId, services: CurrentServices) -> Response:
    """The points and the credit packs of an account."""
    now = time.time()
    async with services.database.read() as tx:
        await account_by_id(tx, account_id)
        purses, packs = await wallet_of(tx, account_id, now=now), await packs_of(tx, account_id, kind="credit")
    return json_answer(WalletAnswer.of(account_id, purses, packs, now=now))


@router.get("/credit_packs", operation_id="list_credit_packs", response_model=PacksAnswer, responses=LOOKING)
async def get_packs(account_id: AccountId, services: CurrentServices) -> Response:
    """The credit packs of an account, and what they add up to."""
    now = time.time()
    async with services.database.read() as tx:
        await account_by_id(tx, account_id)
        purses, packs = await wallet_of(tx, account_id, now=now), await packs_of(tx, account_id, kind="credit")
    totals = CreditPackInfo.of(purses.credits).plain()
    data = PacksView(**totals, credit_packs=[CreditPackView.of(pack, now=now) for pack in packs])
    return json_answer(PacksAnswer(code=200, message="success", data=data))


@router.post(
    "/credit_pack",
    operation_id="add_credit_pack",
    response_model=PackAnswer | WalletAnswer,
    responses=CHANGING,
    openapi_extra=json_body(
        NewPackBody, {"capacity": 5000, "description": "Top-up", "expired_at": "2126-01-31T00:00:00Z"}
    ),
)
async def post_pack(
    request: Request,
    operator: Operator,
    account_id: AccountId,
    services: CurrentServices,
    return_credit_pack: Annotated[
        bool | None, blank_is_none, Query(description="Answer with the pack, not with the wallet")
    ] = None,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Add a pack of credits to an account. With an `Idempotency-Key`, a request that is sent again adds no second."""
    body = await read_fields(request, NewPackBody, limit=services.max_body_bytes)
    now = time.time()
    expires_at = in_future("expired_at", body.expired_at, now=now)
    async with services.database.write() as tx:
        pack_id = await add_pack(tx, operator, account_id, body, expires_at, idempotency_key=idempotency_key, now=now)
        pack = await pack_by_id(tx, pack_id)
        purses, packs = await wallet_of(tx, account_id, now=now), await packs_of(tx, account_id, kind="credit")
    services.callers.forget()
    if return_credit_pack:
        return json_answer(PackAnswer(code=200, message="success", data=CreditPackView.of(pack, now=now)))
    return json_answer(WalletAnswer.of(account_id, purses, packs, now=now))


async def add_pack(
    tx: AsyncConnection,
    operator: Caller,
    account_id: int,
    body: NewPackBody,
    expires_at: float | None,
    *,
    idempotency_key: str | None,
    now: float,
) -> int:
    """The id of the new pack, or of the one that an equal request with this key has added before."""
    await account_by_id(tx, account_id, lock=True)  # so that two equal requests do not both miss the other's note
    given: dict[str, Any] = {"kind": body.kind, "description": body.description, "expires_at": expires_at}
    note_id = note_for(account_id, operator.account.id, idempotency_key) if idempotency_key else None
    earlier = None if note_id is None else await change_noted(tx, note_id)
    if earlier is not None:
        if any(earlier.get(name) != value for name, value in {"amount": body.capacity, **given}.items()):
            raise Conflict("This idempotency key was used for a different request.")
        return int(earlier["pack"])
    pack_id = await grant(tx, account_id, body.capacity, **given, now=now)
    facts = {"pack": pack_id, "amount": body.capacity, **given}
    by = operator.key_id
    await note_change(tx, "credits.add", account_id=account_id, key_id=by, now=now, note_id=note_id, facts=facts)
    return pack_id
