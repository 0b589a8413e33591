"""An account as dashboards of the hosted service and the older description of the API read it: both sets of keys."""

from typing import Any, Literal

from pydantic import Field

from brushwork.accounts.account import Account
from brushwork.accounts.plans import PLANS
from brushwork.accounts.wallet import Purse, Wallet
from brushwork.api.views import POINTS_PER_USD, View, moment


class WalletView(View):
    id: int
    account_id: int
    point_remain: int = Field(description="Points that are left, held ones included")
    point_frozen: int
    point_used: int
    auto_recharge_enabled: bool
    auto_recharge_threshold_credit: int
    auto_recharge_target_credit: int
    last_auto_recharge_triggered_at: str | None
    credit_packs: list[dict[str, Any]]


class CreditPackInfo(View):
    credit_packs_count: int
    total_credits: int
    frozen_credits: int
    used_credits: int
    expired_credits: int
    inactive_credits: int
    available_credits: int


class Quota(View):
    monthly_limit: int | None = Field(description="Null: nothing but the balance limits an account")
    remaining: int
    reset_at: str | None


class AccountInfo(View):
    id: int
    account_id: int
    name: str
    email: str
    plan: str = Field(description="hobbyist (free) or developer (pro)")
    type: str
    account_group: str
    account_tags: list[str]
    is_enable: bool
    status: Literal["active"]
    balance: int = Field(description="Points and credits that can be spent now")
    used: int
    equivalent_in_usd: float
    quota: Quota
    wallet: WalletView
    credit_pack_info: CreditPackInfo
    max_concurrent_task_count: int
    relax_task_capacity: int
    relax_task_capacity_usage: int
    input_failure_capacity: int
    input_failure_capacity_usage: int
    api_keys: list[dict[str, Any]] = Field(description="Always empty: a key cannot list keys")
    notification_hook_url: str
    created_at: str = Field(json_schema_extra={"format": "date-time"})
    updated_at: str = Field(json_schema_extra={"format": "date-time"})
    deleted_at: str | None


class AccountView(View):
    code: int
    message: str
    data: AccountInfo

    @classmethod
    def of(cls, account: Account, wallet: Wallet) -> "AccountView":
        return cls(code=200, message="success", data=info_of(account, wallet))


def info_of(account: Account, wallet: Wallet) -> AccountInfo:
    return AccountInfo(
        id=account.id,
        account_id=account.id,
        name=account.name,
        email="",
        plan=PLANS[account.plan].client_name,
        type="ppu",
        account_group="user",
        account_tags=[],
        is_enable=True,
        status="active",
        balance=wallet.available,
        used=wallet.points.used + wallet.credits.used,
        equivalent_in_usd=wallet.available / POINTS_PER_USD,
        quota=Quota(monthly_limit=None, remaining=wallet.available, reset_at=None),
        wallet=wallet_view(account.id, wallet.points),
        credit_pack_info=credit_packs(wallet.credits),
        max_concurrent_task_count=account.max_inflight,
        relax_task_capacity=0,
        relax_task_capacity_usage=0,
        input_failure_capacity=0,
        input_failure_capacity_usage=0,
        api_keys=[],
        notification_hook_url="",
        created_at=moment(account.created_at),
        updated_at=moment(account.updated_at),
        deleted_at=None,
    )


def wallet_view(account_id: int, points: Purse) -> WalletView:
    return WalletView(
        id=account_id,
        account_id=account_id,
        point_remain=points.available + points.frozen,
        point_frozen=points.frozen,
        point_used=points.used,
        auto_recharge_enabled=False,
        auto_recharge_threshold_credit=0,
        auto_recharge_target_credit=0,
        last_auto_recharge_triggered_at=None,
        credit_packs=[],
    )


def credit_packs(purse: Purse) -> CreditPackInfo:
    return CreditPackInfo(
        credit_packs_count=purse.packs,
        total_credits=purse.total,
        frozen_credits=purse.frozen,
        used_credits=purse.used,
        expired_credits=purse.expired,
        inactive_credits=0,
        available_credits=purse.available,
    )
