"""A clip, resolved for one model: every number that drawing it needs. Values only, no torch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from PIL.Image import Image

from brushwork.engines.base import Row
from brushwork.engines.diffusion.video.timing import Timing


@dataclass(frozen=True)
class FilmPlan:
    """One clip to be drawn."""

    row: Row
    model: str
    """Name in the catalog."""
    family: str
    text: str
    negative: str
    width: int
    """Of the drawn frames, multiples of the family's."""
    height: int
    inner: tuple[int, int]
    """(width, height) of the part of a drawn frame that is the row's; what is beyond, right and below, is cut off."""
    steps: int
    guidance: float
    shift: float
    """Of the schedule: larger gives more of the steps to where things are and how they move. 0 is the checkpoint's."""
    seed: int
    """Of the first noise."""
    timing: Timing
    head: Sequence[Image] = ()
    """What there is before the first new frame, at the model's rate: the first frame alone, or the end of a clip."""
    last: Image | None = None
    applied: Mapping[str, str] = field(default_factory=dict)
    degraded: tuple[str, ...] = ()
    notes: Mapping[str, Any] = field(default_factory=dict)
