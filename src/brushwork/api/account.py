"""What an account has, and what it is busy with."""

import time

from fastapi import APIRouter
from starlette.responses import Response

from brushwork.accounts.wallet import Wallet, wallet_of
from brushwork.api.account_view import AccountView
from brushwork.api.answers import json_answer
from brushwork.api.dependencies import CurrentAccount, CurrentServices, Services
from brushwork.api.openapi import refusals
from brushwork.api.views import ActiveTasksView, BalanceView

router = APIRouter(prefix="/account", tags=["account"])
REFUSALS = refusals(401, 500, 503)


@router.get("/balance", operation_id="get_balance", response_model=BalanceView, responses=REFUSALS)
async def get_balance(account: CurrentAccount, services: CurrentServices) -> Response:
    """What can be spent, in points, credits and dollars. What open jobs hold is not in it."""
    return json_answer(BalanceView.of(account, await wallet(services, account.id)))


@router.get("/info", operation_id="get_account", response_model=AccountView, responses=REFUSALS)
async def get_info(account: CurrentAccount, services: CurrentServices) -> Response:
    """The account: its plan, its limits, its wallet."""
    return json_answer(AccountView.of(account, await wallet(services, account.id)))


@router.get("/active_tasks", operation_id="get_active_tasks", response_model=ActiveTasksView, responses=REFUSALS)
async def get_active_tasks(account: CurrentAccount, services: CurrentServices) -> Response:
    """The jobs that have not ended."""
    return json_answer(ActiveTasksView.of(account, await services.jobs.active(account.id), now=time.time()))


async def wallet(services: Services, account_id: int) -> Wallet:
    async with services.database.read() as tx:
        return await wallet_of(tx, account_id, now=time.time())
