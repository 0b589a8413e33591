"""What an account has, what it is busy with, and the little it may change of itself."""

import time
from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from brushwork.accounts.audits import note_failure
from brushwork.accounts.codes import redeem, refuse_guesses
from brushwork.accounts.directory import account_by_id, change_account
from brushwork.accounts.overview import overview_of
from brushwork.accounts.wallet import Wallet, packs_of, wallet_of
from brushwork.api.account_view import AccountView, WalletAnswer
from brushwork.api.answers import json_answer
from brushwork.api.bodies import read_fields
from brushwork.api.dependencies import CurrentAccount, CurrentServices, Generating, Services
from brushwork.api.once import Once
from brushwork.api.openapi import json_body, refusals
from brushwork.api.views import ActiveTasksView, AlertView, BalanceView
from brushwork.errors import Conflict, NotFound

router = APIRouter(prefix="/account", tags=["account"], route_class=Once)
REFUSALS = refusals(401, 403, 500, 503)
CHANGE_REFUSALS = refusals(400, 401, 403, 408, 413, 500, 503)
REDEEM_REFUSALS = refusals(400, 401, 403, 404, 408, 409, 413, 429, 500, 503)

MAX_POINTS = 1_000_000_000_000


class CodeBody(BaseModel):
    """A code to redeem."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    code: Annotated[str, Field(min_length=1, max_length=100, description="In upper or lower case")]


class AlertBody(BaseModel):
    """When to be told that the balance is low."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    threshold: Annotated[int, Field(ge=0, le=MAX_POINTS, description="In points; 0: never")]


@router.get("/balance", operation_id="get_balance", response_model=BalanceView, responses=REFUSALS)
async def get_balance(account: CurrentAccount, services: CurrentServices) -> Response:
    """What can be spent, in points, credits and dollars. What open jobs hold is not in it."""
    return json_answer(BalanceView.of(account, await wallet(services, account.id)))


@router.get("/info", operation_id="get_account", response_model=AccountView, responses=REFUSALS)
async def get_info(account: CurrentAccount, services: CurrentServices) -> Response:
    """The account: its plan, its limits, its wallet, its keys as far as they may be shown."""
    async with services.database.read() as tx:
        return json_answer(AccountView.of(await overview_of(tx, account.id, now=time.time())))


@router.get("/active_tasks", operation_id="get_active_tasks", response_model=ActiveTasksView, responses=REFUSALS)
async def get_active_tasks(account: CurrentAccount, services: CurrentServices) -> Response:
    """The jobs that have not ended."""
    return json_answer(ActiveTasksView.of(account, await services.jobs.active(account.id), now=time.time()))


@router.get("/alert_threshold", operation_id="get_alert_threshold", response_model=AlertView, responses=REFUSALS)
async def get_alert_threshold(account: CurrentAccount, services: CurrentServices) -> Response:
    """The balance below which the account is told, once, by a webhook and a notification."""
    async with services.database.read() as tx:
        return json_answer(AlertView.of(await account_by_id(tx, account.id)))


@router.put(
    "/alert_threshold",
    operation_id="set_alert_threshold",
    response_model=AlertView,
    responses=CHANGE_REFUSALS,
    openapi_extra=json_body(AlertBody, {"threshold": 5000}),
)
async def set_alert_threshold(request: Request, caller: Generating, services: CurrentServices) -> Response:
    """Set the balance below which the account is told; 0 is never."""
    body = await read_fields(request, AlertBody, limit=services.max_body_bytes)
    async with services.database.write() as tx:
        changes = {"alert_threshold": body.threshold}
        _, account = await change_account(tx, caller.account.id, changes, now=time.time())
    services.callers.forget()
    return json_answer(AlertView.of(account))


@router.post(
    "/code/retrieve",
    operation_id="redeem_code",
    response_model=WalletAnswer,
    responses=REDEEM_REFUSALS,
    openapi_extra=json_body(CodeBody, {"code": "autumn-2026"}),
)
async def redeem_code(request: Request, caller: Generating, services: CurrentServices) -> Response:
    """Redeem a code for points or credits: once for each account. Answers with the wallet as it is then.

    Ten failures of an account within ten minutes are answered with 429, whatever the code.
    """
    body = await read_fields(request, CodeBody, limit=services.max_body_bytes)
    account_id, now = caller.account.id, time.time()
    refusal: NotFound | Conflict | None = None
    async with services.database.write() as tx:
        await refuse_guesses(tx, account_id, now=now)
        try:
            await redeem(tx, account_id, body.code, now=now)
        except (NotFound, Conflict) as error:  # raised below: what is written down here must stay
            refusal = error
            problem = {"problem": error.message}
            await note_failure(tx, account_id, "redeem", problem, key_id=caller.key_id, now=now)
        purses, packs = await wallet_of(tx, account_id, now=now), await packs_of(tx, account_id, kind="credit")
    if refusal is not None:
        raise refusal
    services.callers.forget()
    return json_answer(WalletAnswer.of(account_id, purses, packs, now=now))


async def wallet(services: Services, account_id: int) -> Wallet:
    async with services.database.read() as tx:
        return await wallet_of(tx, account_id, now=time.time())
