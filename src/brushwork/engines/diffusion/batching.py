"""Which rows are stepped next, and together: the batch key, and fair turns. Knows no tensors.

Rows share a forward pass when one computation can serve them: same model, same LoRAs, same shape. Everything else about
them may differ. Between keys turns are taken step by step; between models only when there is nothing left to do, or
when others have waited long, since switching models costs more than a step.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from brushwork.engines.diffusion.facts import Facts
from brushwork.engines.diffusion.plan import Plan
from brushwork.engines.diffusion.state import Work

Key = tuple[Any, ...]

PATIENCE = 15.0
"""Seconds after which a model makes room for another that has rows."""
HOME = 2
"""The first fields of a key, that cost something to change: model and LoRAs."""


def key_of(plan: Plan, facts: Facts) -> Key:
    """Plans with equal keys can share a forward pass."""
    control = (plan.control.adapter, plan.control.kind) if plan.control else None
    seen = tuple((one.how, one.role, one.image.size) for one in plan.seen)
    size = () if facts.ragged and not plan.panes else (min(plan.width, span(plan)), min(plan.height, span(plan)))
    return (plan.model, plan.adapters, size, seen, control, plan.tile)


def span(plan: Plan) -> int:
    """The longest side that one call sees."""
    return plan.panes or max(plan.width, plan.height)


def text_of(key: Key) -> str:
    """A key for those who only compare it."""
    return "|".join(str(part) for part in key)


@dataclass
class Turns:
    """Whose turn it is."""

    batch: int
    patience: float = PATIENCE
    home: Key | None = None
    since: float = 0.0
    """When the turn of this model began."""
    last: dict[Key, int] = field(default_factory=dict)
    """Key → number of its last turn."""
    count: int = 0

    def next(self, works: Sequence[Work], now: float) -> list[Work]:
        """The rows that are stepped next, oldest first; `works` is in order of arrival and not empty."""
        by_home: dict[Key, list[Work]] = {}
        for work in works:
            by_home.setdefault(work.key[:HOME], []).append(work)
        self.stay_or_move(by_home, now)
        assert self.home is not None
        by_key: dict[Key, list[Work]] = {}
        for work in by_home[self.home]:
            by_key.setdefault(work.key, []).append(work)
        key = self.whose_turn(by_key)
        self.count += 1
        waiting = {work.key for work in works}
        self.last = {known: turn for known, turn in self.last.items() if known in waiting} | {key: self.count}
        return by_key[key][: self.batch]

    def stay_or_move(self, by_home: Mapping[Key, Sequence[Work]], now: float) -> None:
        others = [home for home in by_home if home != self.home]
        is_patient = now - self.since <= self.patience
        if self.home in by_home and (not others or is_patient):
            return
        self.home = min(others, key=lambda home: (self.last_of(home), by_home[home][0].arrived))
        self.since = now

    def last_of(self, home: Key) -> int:
        return max((turn for key, turn in self.last.items() if key[:HOME] == home), default=0)

    def whose_turn(self, by_key: Mapping[Key, Sequence[Work]]) -> Key:
        """The key that has waited longest."""
        return min(by_key, key=lambda key: (self.last.get(key, 0), by_key[key][0].arrived))
