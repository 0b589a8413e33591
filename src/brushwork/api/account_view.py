"""An account as dashboards of the hosted service and the older description of the API read it: both sets of keys."""

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from brushwork.accounts.keys import ApiKey
from brushwork.accounts.overview import Overview
from brushwork.accounts.plans import PLANS
from brushwork.accounts.wallet import Pack, Purse, Wallet
from brushwork.api.views import POINTS_PER_USD, View, When, moment


class CreditPackView(View):
    id: int
    wallet_id: int
    account_id: int
    active: bool = Field(description="Whether it has not expired")
    capacity: int
    frozen: int = Field(description="Held for jobs that have not ended")
    used: int
    effective_at: When
    expired_at: str | None = Field(description="Null: never")
    description: str
    kind: Literal["point", "credit"]

    @classmethod
    def of(cls, pack: Pack, *, now: float) -> "CreditPackView":
        return cls(
            id=pack.id,
            wallet_id=pack.account_id,
            account_id=pack.account_id,
            active=pack.is_active(now),
            capacity=pack.amount,
            frozen=pack.frozen,
            used=pack.used,
            effective_at=moment(pack.created_at),
            expired_at=None if pack.expires_at is None else moment(pack.expires_at),
            description=pack.description,
            kind=pack.kind,
        )


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
    credit_packs: list[CreditPackView] = Field(description="Newest first")

    @classmethod
    def of(cls, account_id: int, wallet: Wallet, packs: Sequence[Pack], *, now: float) -> "WalletView":
        points = wallet.points
        return cls(
            id=account_id,
            account_id=account_id,
            point_remain=points.available + points.frozen,
            point_frozen=points.frozen,
            point_used=points.used,
            auto_recharge_enabled=False,
            auto_recharge_threshold_credit=0,
            auto_recharge_target_credit=0,
            last_auto_recharge_triggered_at=None,
            credit_packs=[CreditPackView.of(pack, now=now) for pack in packs],
        )


class CreditPackInfo(View):
    credit_packs_count: int
    total_credits: int
    frozen_credits: int
    used_credits: int
    expired_credits: int
    inactive_credits: int
    available_credits: int

    @classmethod
    def of(cls, purse: Purse) -> "CreditPackInfo":
        return cls(
            credit_packs_count=purse.packs,
            total_credits=purse.total,
            frozen_credits=purse.frozen,
            used_credits=purse.used,
            expired_credits=purse.expired,
            inactive_credits=0,
            available_credits=purse.available,
        )


class KeyView(View):
    id: int
    account_id: int
    name: str
    value: str = Field(description="The key itself in the answer that makes it, later its beginning and an ellipsis")
    revoked: bool
    scopes: list[Literal["read", "generate", "admin"]]
    expires_at: str | None = Field(description="Null: never")
    last_used_at: str | None = Field(description="To the minute; null: never")
    budget: int | None = Field(description="Points it may spend in all; null: no limit but the account's")
    spent: int
    frozen: int = Field(description="Held for its jobs that have not ended")
    per_minute: int | None = Field(description="Jobs it may ask for in a minute; null: any number")
    created_at: When
    updated_at: When
    deleted_at: str | None

    @classmethod
    def of(cls, key: ApiKey, *, secret: str = "") -> "KeyView":
        return cls(
            id=key.id,
            account_id=key.account_id,
            name=key.name,
            value=secret or f"{key.prefix}…",
            revoked=not key.is_active,
            scopes=key.scopes.split(),
            expires_at=moment_or_none(key.expires_at),
            last_used_at=moment_or_none(key.last_used_at),
            budget=key.budget,
            spent=key.spent,
            frozen=key.frozen,
            per_minute=key.per_minute,
            created_at=moment(key.created_at),
            updated_at=moment(key.revoked_at or key.created_at),
            deleted_at=None,
        )


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
    status: Literal["active", "disabled"]
    balance: int = Field(description="Points and credits that can be spent now")
    used: int
    equivalent_in_usd: float
    quota: Quota
    wallet: WalletView
    credit_pack_info: CreditPackInfo
    max_concurrent_task_count: int
    share: float = Field(description="Of the workers, beside that of other accounts")
    alert_threshold: int = Field(description="In points; 0: nobody is told of a low balance")
    relax_task_capacity: int
    relax_task_capacity_usage: int
    input_failure_capacity: int
    input_failure_capacity_usage: int
    api_keys: list[KeyView] = Field(description="Oldest first; never the keys themselves, but for a new account's")
    notification_hook_url: str = Field(description="The first webhook of the account; empty when it has none")
    created_at: When
    updated_at: When
    deleted_at: str | None

    @classmethod
    def of(cls, seen: Overview, *, first_secret: str = "") -> "AccountInfo":
        """`first_secret` is the first key of an account that was just opened."""
        account, wallet = seen.account, seen.wallet
        return cls(
            id=account.id,
            account_id=account.id,
            name=account.name,
            email="",
            plan=PLANS[account.plan].client_name,
            type="ppu",
            account_group="user",
            account_tags=[],
            is_enable=account.is_enabled,
            status="active" if account.is_enabled else "disabled",
            balance=wallet.available,
            used=wallet.points.used + wallet.credits.used,
            equivalent_in_usd=wallet.available / POINTS_PER_USD,
            quota=Quota(monthly_limit=None, remaining=wallet.available, reset_at=None),
            wallet=WalletView.of(account.id, wallet, seen.credit_packs, now=seen.seen_at),
            credit_pack_info=CreditPackInfo.of(wallet.credits),
            max_concurrent_task_count=account.max_inflight,
            share=account.share,
            alert_threshold=account.alert_threshold,
            relax_task_capacity=0,
            relax_task_capacity_usage=0,
            input_failure_capacity=0,
            input_failure_capacity_usage=0,
            api_keys=[KeyView.of(key, secret=first_secret) for key in seen.keys],
            notification_hook_url=seen.hook,
            created_at=moment(account.created_at),
            updated_at=moment(account.updated_at),
            deleted_at=None,
        )


class AccountView(View):
    code: int
    message: str
    data: AccountInfo

    @classmethod
    def of(cls, seen: Overview, *, first_secret: str = "") -> "AccountView":
        return cls(code=200, message="success", data=AccountInfo.of(seen, first_secret=first_secret))


class WalletAnswer(View):
    code: int
    message: str
    data: WalletView

    @classmethod
    def of(cls, account_id: int, wallet: Wallet, packs: Sequence[Pack], *, now: float) -> "WalletAnswer":
        return cls(code=200, message="success", data=WalletView.of(account_id, wallet, packs, now=now))


def moment_or_none(seconds: float | None) -> str | None:
    return None if seconds is None else moment(seconds)
