"""Steps that are not computed but extrapolated from the row's own earlier ones, on a schedule fixed beforehand.

Each row has a forecast of its own: its picture does not depend on who shares its batch, nothing is left behind when it
is cancelled, and any family can use it. With "taylorseer" the course of the last two computed predictions goes on
straight (Liu et al., 2025, arXiv 2503.06923, at the denoiser's output: the "lite" variant). With "magcache" the last
prediction is kept and its size alone goes on (after Ma et al., 2025, arXiv 2506.09045, with the ratio taken from the
row's own last two predictions rather than measured on a model beforehand).
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from brushwork.engines.diffusion.options import CachePolicy

FEWEST_STEPS = 16
"""Below, every step is computed."""
SKIPPED = {"taylorseer": 2, "magcache": 1}
"""Steps that are extrapolated after each computed one."""
FIRST_SHARE = 0.2
"""Of the schedule, where the composition is made, is always computed."""
LAST = 1
"""Steps at the end, where the finest detail is made, that are always computed."""


@dataclass(frozen=True)
class Schedule:
    """Which steps of a row are computed."""

    cache: CachePolicy
    computed: tuple[bool, ...]

    @property
    def skips(self) -> int:
        return self.computed.count(False)

    def as_recipe(self) -> dict[str, Any]:
        return {
            "cache": self.cache,
            "skipped": [step for step, is_computed in enumerate(self.computed) if not is_computed],
        }


def schedule(cache: CachePolicy, steps: int, *, start: int = 0, end: int = 0) -> Schedule:
    """The schedule of a row that draws the steps from `start` to before `end` of `steps`."""
    end = end or steps
    computed = [True] * steps
    if cache == "none" or end - start < FEWEST_STEPS:
        return Schedule("none", tuple(computed))
    first = start + max(2, round(FIRST_SHARE * (end - start)))
    period = SKIPPED[cache] + 1
    for step in range(first, end - LAST):
        computed[step] = (step - first) % period == period - 1
    return Schedule(cache, tuple(computed))


class Forecast:
    """The state of one row. Ask `guess` before a step; tell `saw` what was computed when it answers None."""

    def __init__(self, schedule: Schedule) -> None:
        self.schedule = schedule
        self.seen: list[tuple[int, Tensor]] = []

    def guess(self, step: int) -> Tensor | None:
        """What to use instead of the denoiser's prediction, guidance included; None: it has to be computed."""
        if self.schedule.computed[step] or len(self.seen) < 2:
            return None
        (before, older), (last, newer) = self.seen
        if self.schedule.cache == "taylorseer":
            return newer + (newer - older) * ((step - last) / (last - before))
        ratio = float(torch.linalg.vector_norm(newer) / torch.linalg.vector_norm(older).clamp(min=1e-12))
        return newer * ratio ** ((step - last) / (last - before))

    def saw(self, step: int, prediction: Tensor) -> None:
        """A prediction that was computed, guidance included."""
        if self.schedule.skips:
            self.seen = [*self.seen[-1:], (step, prediction)]
