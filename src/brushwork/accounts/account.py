"""An account as everyone outside this package sees it: a value."""

from dataclasses import dataclass
from typing import Literal

PlanName = Literal["free", "pro"]


@dataclass(frozen=True)
class Account:
    """Who pays. Amounts are points; `balance` includes what is `frozen` by open jobs."""

    id: int
    name: str
    plan: PlanName
    balance: int
    frozen: int
    inflight: int
    max_inflight: int
    created_at: float
    updated_at: float

    @property
    def available(self) -> int:
        return self.balance - self.frozen
