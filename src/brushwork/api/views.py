"""The JSON we promise for errors and accounts, and what all answers have in common. A job has its own chapter."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from brushwork.accounts.account import Account
from brushwork.accounts.wallet import Wallet
from brushwork.errors import BrushworkError
from brushwork.jobs.job import ClientStatus, Job

ZERO_TIME = "0001-01-01T00:00:00Z"
"""How a moment that has not come is written. Clients fail on "" and on null."""

POINTS_PER_USD = 1000
When = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
"""A moment as it is written: RFC 3339 in UTC."""

ALERT_USD = 10
"""Below it a balance is called low where the account has set no limit of its own."""


class View(BaseModel):
    """Base of all answers. Only what was set is sent."""

    model_config = ConfigDict(frozen=True)

    def json_bytes(self) -> bytes:
        return self.model_dump_json(exclude_unset=True).encode()

    def plain(self) -> dict[str, Any]:
        return self.model_dump(mode="json", exclude_unset=True)


class ErrorDetails(View):
    """What went wrong. `code` is 0 when nothing did, else the HTTP status, or 499 for a cancelled job."""

    code: int
    message: str
    raw_message: str
    detail: dict[str, Any] | None


class ErrorView(ErrorDetails):
    """The body of every answer that is not 200: flat for those who read it so, and again inside `error`."""

    error: ErrorDetails

    @classmethod
    def of(cls, error: BrushworkError) -> "ErrorView":
        detail = {"code": error.code, **error.detail}
        flat = {"code": error.status, "message": error.message, "raw_message": "", "detail": detail}
        return cls(**flat, error=ErrorDetails(**flat))


class Balance(View):
    account_id: int
    balance_usd: float
    available_credits: int
    available_points: int
    alert_threshold: int = Field(description="In US dollars, rounded up")
    low_balance_alert: bool
    updated_at: str = Field(json_schema_extra={"format": "date-time"})


class BalanceView(View):
    code: int
    message: str
    data: Balance

    @classmethod
    def of(cls, account: Account, wallet: Wallet) -> "BalanceView":
        usd = wallet.available / POINTS_PER_USD
        threshold = account.alert_threshold or ALERT_USD * POINTS_PER_USD
        balance = Balance(
            account_id=account.id,
            balance_usd=usd,
            available_credits=wallet.credits.available,
            available_points=wallet.points.available,
            alert_threshold=-(-threshold // POINTS_PER_USD),
            low_balance_alert=wallet.available < threshold,
            updated_at=moment(account.updated_at),
        )
        return cls(code=200, message="success", data=balance)


class Alert(View):
    threshold: int = Field(description="In points; 0: nobody is told")
    available: int
    is_low: bool = Field(description="Whether less than the threshold is available")


class AlertView(View):
    code: int
    message: str
    data: Alert

    @classmethod
    def of(cls, account: Account) -> "AlertView":
        threshold, available = account.alert_threshold, account.available
        alert = Alert(threshold=threshold, available=available, is_low=available < threshold)
        return cls(code=200, message="success", data=alert)


class ActiveTask(View):
    job_id: str
    task_type: str
    status: ClientStatus
    created_at: str = Field(json_schema_extra={"format": "date-time"})
    progress: int
    estimated_time: int | None = Field(description="Seconds until it should have ended; null when nobody knows")


class ActiveTasksView(View):
    """The jobs of an account that have not ended."""

    account_id: int
    total_active: int
    concurrent_limit: int
    tasks: list[ActiveTask]
    updated_at: str = Field(json_schema_extra={"format": "date-time"})

    @classmethod
    def of(cls, account: Account, jobs: Sequence[Job], *, now: float) -> "ActiveTasksView":
        return cls(
            account_id=account.id,
            total_active=len(jobs),
            concurrent_limit=account.max_inflight,
            tasks=[
                ActiveTask(
                    job_id=job.id,
                    task_type=job.task.replace("-", "_"),
                    status=job.client_status,
                    created_at=moment(job.created_at),
                    progress=job.progress,
                    estimated_time=None if job.eta is None else round(job.eta.p50),
                )
                for job in jobs
            ],
            updated_at=moment(now),
        )


def moment(seconds: float | None) -> str:
    """Seconds since 1970 → RFC 3339 in UTC, to the second."""
    if seconds is None:
        return ZERO_TIME
    return datetime.fromtimestamp(int(seconds), UTC).isoformat().replace("+00:00", "Z")
