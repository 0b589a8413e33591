"""The plans an account can be on, what each includes, and the pack a new account starts with. Change them here."""

from collections.abc import Mapping
from dataclasses import dataclass

from brushwork.accounts.account import PlanName


@dataclass(frozen=True)
class WelcomePack:
    """Points that come with a new account."""

    points: int
    days: float
    description: str


@dataclass(frozen=True)
class Plan:
    name: PlanName
    client_name: str
    """What dashboards of the hosted service compare with."""
    rank: int
    """A plan includes all that plans of a lower rank include."""
    summary: str
    welcome: WelcomePack | None
    """Given once, when an account is opened on this plan; None for nothing. Moving to a plan gives nothing."""


PLANS: Mapping[PlanName, Plan] = {
    plan.name: plan
    for plan in (
        Plan(
            "free",
            "hobbyist",
            0,
            "All image versions up to v7 and niji 6, fast and turbo.",
            WelcomePack(200, 31, "Welcome pack"),
        ),
        Plan("pro", "developer", 1, "Everything in free, and v8 and v8.1.", WelcomePack(33_000, 31, "Monthly pack")),
    )
}
PLAN_NAMES: Mapping[str, PlanName] = {
    spelling: plan.name for plan in PLANS.values() for spelling in (plan.name, plan.client_name)
}
"""Every spelling of a plan → our name of it."""


def plan_includes(plan: PlanName, needed: PlanName) -> bool:
    return PLANS[plan].rank >= PLANS[needed].rank
