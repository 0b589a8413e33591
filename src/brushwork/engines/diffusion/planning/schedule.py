"""How many steps a picture takes, and at which of them drawing begins and ends."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from brushwork.engines.diffusion.planning.case import Case

FEW = 12
"""Models that usually take no more steps than this cannot be asked for a quarter of them."""
QUALITY: Mapping[bool, Mapping[float, float]] = {
    False: {0.25: 0.25, 0.5: 0.5, 1: 1, 2: 2, 4: 4},
    True: {0.25: 0.5, 0.5: 0.75, 1: 1, 2: 1.5, 4: 2},
}
"""Whether it is such a model → `--quality` → times as many steps."""
LEAST_DRAWN = 4
"""Where only the end of a schedule is drawn, it is made finer until so many steps are: with one or two of them the
noise level at which drawing begins would miss what the strength asks for."""
FINEST = 60


@dataclass(frozen=True)
class Schedule:
    """Which steps of how many."""

    steps: int
    start: int = 0
    stop: int = 0
    """0 is the last."""

    @property
    def end(self) -> int:
        return self.stop or self.steps

    @property
    def drawn(self) -> int:
        return self.end - self.start


def usual_steps(case: Case) -> int:
    profile = case.profile
    if case.is_on("draft"):
        return profile.draft_steps or max(1, round(profile.steps / 2))
    return profile.steps


def steps_of(case: Case) -> int:
    """Of a whole schedule."""
    usual = usual_steps(case)
    factor = QUALITY[is_few(case)].get(case.number("quality"), case.number("quality"))
    if factor == 1:
        return usual
    least, most = min(usual, round(case.model.steps.least)), max(usual, round(case.model.steps.most))
    return max(1, least, min(most, round(usual * factor)))


def is_few(case: Case) -> bool:
    return case.model.distilled or case.profile.steps <= FEW


def schedule_of(steps: int, *, strength: float = 1.0, stop: float = 100.0) -> Schedule:
    """Begin where `strength` 0-1 says, 1 is pure noise and 0 nothing; end after `stop` percent of what is drawn."""
    if strength <= 0:
        return Schedule(steps, start=steps)
    start = 0
    if strength < 1:
        least = min(steps, LEAST_DRAWN)
        if round(steps * strength) < least:
            steps = max(steps, min(FINEST, math.ceil(least / strength)))
        start = steps - max(1, round(steps * strength))
    end = start + max(1, math.ceil((steps - start) * stop / 100 - 1e-9))
    return Schedule(steps, start, end if end < steps else 0)
