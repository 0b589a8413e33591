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
    share: float = 1.0
    """Of the workers, beside that of others who wait too; 2.0 is twice as much as usual."""
    is_enabled: bool = True
    alert_threshold: int = 0
    """What must be available, or somebody is told; 0 tells nobody."""

    @property
    def available(self) -> int:
        return self.balance - self.frozen
