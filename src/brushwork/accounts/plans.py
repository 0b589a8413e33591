"""The plans an account can be on, and what each includes."""

from collections.abc import Mapping
from dataclasses import dataclass

from brushwork.accounts.account import PlanName


@dataclass(frozen=True)
class Plan:
    name: PlanName
    client_name: str
    """What dashboards of the hosted service compare with."""
    rank: int
    """A plan includes all that plans of a lower rank include."""
    summary: str


PLANS: Mapping[PlanName, Plan] = {
    plan.name: plan
    for plan in (
        Plan("free", "hobbyist", 0, "All image versions up to v7 and niji 6, fast and turbo."),
        Plan("pro", "developer", 1, "Everything in free, and v8 and v8.1."),
    )
}


def plan_includes(plan: PlanName, needed: PlanName) -> bool:
    return PLANS[plan].rank >= PLANS[needed].rank
