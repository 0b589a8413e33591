"""Whether a guidance scale needs a second prediction, by family: as their own pipelines in diffusers decide it."""

from collections.abc import Mapping

OFF: Mapping[str, float] = {"zimage": 0.0}
"""Up to this scale there is none; the other families count from 1, where the second one would weigh nothing."""


def off_of(family: str) -> float:
    return OFF.get(family, 1.0)


def is_guided(family: str, guidance: float) -> bool:
    return guidance > off_of(family)
