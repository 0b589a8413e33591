"""Accounts as operators see them: open one, look, change its plan and its limits, switch it off and on."""

import time
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from brushwork.accounts.account import Account
from brushwork.accounts.audits import note_change
from brushwork.accounts.directory import change_account, page_of_accounts
from brushwork.accounts.keys import Caller
from brushwork.accounts.opening import open_account
from brushwork.accounts.overview import overview_of
from brushwork.accounts.plans import PLAN_NAMES
from brushwork.api.account_view import AccountInfo, AccountView
from brushwork.api.answers import ShownOnce, json_answer
from brushwork.api.bodies import read_fields
from brushwork.api.dependencies import CurrentServices, Services
from brushwork.api.labels import Name
from brushwork.api.manager.operator import (
    CHANGING,
    LOOKING,
    MAX_POINTS,
    TAG,
    AccountId,
    Operator,
    PageNumber,
    PageSize,
)
from brushwork.api.once import Once
from brushwork.api.openapi import json_body
from brushwork.api.views import View
from brushwork.errors import Conflict

router = APIRouter(prefix="/account", tags=[TAG], route_class=Once)

PlanSpelling = Annotated[
    Literal["hobbyist", "developer", "free", "pro"], Field(description="hobbyist is free, developer is pro")
]


class NewAccountBody(BaseModel):
    """An account to open."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: Name
    plan: PlanSpelling = "hobbyist"
    account_group: Annotated[Literal["user"], Field(description="The only group there is")] = "user"
    type: Annotated[Literal["ppu"], Field(description="Paid by use: the only type there is")] = "ppu"


class PlanBody(BaseModel):
    """The plan to move an account to."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    plan: PlanSpelling


class AccountChangesBody(BaseModel):
    """What to change; the rest stays as it is."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    is_enable: Annotated[bool | None, Field(description="false: its keys are refused with 403")] = None
    max_concurrent_task_count: Annotated[
        int | None, Field(ge=1, le=1_000_000, description="Jobs that may be queued or running at once; others wait")
    ] = None
    share: Annotated[
        float | None,
        Field(ge=0.01, le=1000, description="Of the workers, beside others who wait; 1 is usual"),
    ] = None
    alert_threshold: Annotated[
        int | None, Field(ge=0, le=MAX_POINTS, description="Points below which the account is told; 0: never")
    ] = None


class AccountsPage(View):
    page: int
    size: int
    total: int
    data: list[AccountInfo]


class AccountsView(View):
    code: int
    message: str
    data: AccountsPage


COLUMNS: Mapping[str, str] = {
    "is_enable": "is_enabled",
    "max_concurrent_task_count": "max_inflight",
    "share": "share",
    "alert_threshold": "alert_threshold",
}
"""Field of the body → field of the account."""


@router.post(
    "",
    operation_id="open_account",
    response_model=AccountView,
    responses=CHANGING,
    openapi_extra=json_body(
        NewAccountBody, {"name": "studio", "account_group": "user", "plan": "developer", "type": "ppu"}
    ),
)
async def post_account(request: Request, operator: Operator, services: CurrentServices) -> Response:
    """Open an account, with the first pack of its plan and a first key, whose value is in this answer only."""
    body = await read_fields(request, NewAccountBody, limit=services.max_body_bytes)
    now, plan = time.time(), PLAN_NAMES[body.plan]
    async with services.database.write() as tx:
        opened = await open_account(tx, body.name, plan=plan, max_inflight=services.max_concurrent_jobs, now=now)
        facts = {"name": body.name, "plan": plan}
        account_id = opened.account.id
        await note_change(tx, "account.open", account_id=account_id, key_id=operator.key_id, now=now, facts=facts)
        seen = await overview_of(tx, account_id, now=now)
    return ShownOnce(AccountView.of(seen, first_secret=opened.key).json_bytes())


@router.get("", operation_id="list_accounts", response_model=AccountsView, responses=LOOKING)
async def get_accounts(
    operator: Operator,  # noqa: ARG001  # who may
    services: CurrentServices,
    page: PageNumber = None,
    page_size: PageSize = None,
) -> Response:
    """List all accounts, oldest first, a page at a time."""
    number, size = page or 1, page_size or 10
    async with services.database.read() as tx:
        found = await page_of_accounts(tx, page=number, size=size)
        seen = [await overview_of(tx, account.id, now=time.time()) for account in found.accounts]
    data = AccountsPage(page=number, size=size, total=found.total, data=[AccountInfo.of(one) for one in seen])
    return json_answer(AccountsView(code=200, message="success", data=data))


@router.get("/{account_id:digits}", operation_id="look_at_account", response_model=AccountView, responses=LOOKING)
async def get_account(account_id: AccountId, services: CurrentServices) -> Response:
    """Look at an account: its plan, its limits, its wallet, its keys as far as they may be shown."""
    async with services.database.read() as tx:
        return json_answer(AccountView.of(await overview_of(tx, account_id, now=time.time())))


@router.patch(
    "/{account_id}/plan",
    operation_id="change_plan",
    response_model=AccountView,
    responses=CHANGING,
    openapi_extra=json_body(PlanBody, {"plan": "developer"}),
)
async def patch_plan(
    request: Request, operator: Operator, account_id: AccountId, services: CurrentServices
) -> Response:
    """Move an account to another plan. It changes what the account may do; points come from credit packs."""
    body = await read_fields(request, PlanBody, limit=services.max_body_bytes)
    return await change(services, operator, account_id, {"plan": PLAN_NAMES[body.plan]})


@router.patch(
    "/{account_id:digits}",
    operation_id="change_account",
    response_model=AccountView,
    responses=CHANGING,
    openapi_extra=json_body(AccountChangesBody, {"is_enable": True, "max_concurrent_task_count": 12, "share": 2.0}),
)
async def patch_account(
    request: Request, operator: Operator, account_id: AccountId, services: CurrentServices
) -> Response:
    """Switch an account off or on, and change its limits. Jobs that it has go on; a disabled one can ask for none."""
    body = await read_fields(request, AccountChangesBody, limit=services.max_body_bytes)
    changes = {COLUMNS[name]: value for name, value in body.model_dump(exclude_none=True).items()}
    if changes.get("is_enabled") is False and account_id == operator.account.id:
        raise Conflict("This is the account of your own key: nobody might be left to enable it again.")
    return await change(services, operator, account_id, changes)


async def change(services: Services, operator: Caller, account_id: int, changes: Mapping[str, Any]) -> Response:
    """Change an account, write down what it was before and after, and answer with it."""
    now = time.time()
    async with services.database.write() as tx:
        before, after = await change_account(tx, account_id, changes, now=now)
        facts = {"before": facts_of(before, changes), "after": facts_of(after, changes)}
        await note_change(tx, "account.change", account_id=account_id, key_id=operator.key_id, now=now, facts=facts)
        seen = await overview_of(tx, account_id, now=now)
    services.callers.forget()
    return json_answer(AccountView.of(seen))


def facts_of(account: Account, names: Mapping[str, Any]) -> dict[str, Any]:
    return {name: getattr(account, name) for name in names}
