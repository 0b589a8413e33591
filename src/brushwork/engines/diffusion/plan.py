"""A row, resolved for one model: every number the denoising loop needs, and no prompt syntax. Values only, no torch."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from PIL.Image import Image

from brushwork.engines.base import Place, Row


@dataclass(frozen=True)
class Words:
    """A part of a prompt. A negative weight pushes away."""

    text: str
    weight: float = 1.0


@dataclass(frozen=True)
class Noise:
    """Where a picture's first noise comes from: standard normal, drawn on the CPU, so that seeds are portable."""

    seed: int
    """Of this picture, the grid's seed and its index mixed; 0 to 2**63 - 1."""
    towards: int | None = None
    """Seed of another noise, to which it is turned by `amount` (spherical interpolation)."""
    amount: float = 0.0
    """0 is the first noise, 1 the second."""


@dataclass(frozen=True)
class Seen:
    """A picture that the model looks at beside the prompt."""

    image: Image
    """RGB, sides multiples of the family's."""
    weight: float = 1.0
    role: str = "image"
    how: Literal["reference", "image_prompt"] = "reference"
    """In the model's own sequence, or through an IP-Adapter."""


@dataclass(frozen=True)
class Control:
    """A picture whose structure is followed."""

    image: Image
    """RGB, (width, height) of the plan."""
    kind: Literal["tile", "canny", "depth"]
    adapter: str
    """Name of the ControlNet in the model's catalog entry."""
    scale: float = 1.0
    until: float = 1.0
    """Share of the steps after which it no longer acts."""


@dataclass(frozen=True)
class Plan:
    """One picture to be drawn."""

    row: Row
    model: str
    """Name in the catalog."""
    texts: tuple[Words, ...]
    width: int
    """Drawn size, multiples of the family's; the finished picture is cut from its middle, or scaled."""
    height: int
    steps: int
    """Of the whole schedule."""
    noise: Noise
    start: int = 0
    """First step that is drawn; above 0, `init` is put under noise of that step."""
    stop: int = 0
    """One past the last step; below `steps`, the last step goes straight to the clear picture. 0 means `steps`."""
    guidance: float = 0.0
    """In the convention of the model's own pipeline; what turns it off there turns it off here."""
    guidance_end: int = 0
    """One past the last step that is guided; 0 means `end`."""
    negative: str = ""
    init: Image | None = None
    """RGB, (width, height). Without a step to draw, `start == end`, it is the picture."""
    mask: Image | None = None
    """L, (width, height): 255 is drawn, 0 follows `init` at every step."""
    seen: tuple[Seen, ...] = ()
    control: Control | None = None
    tile: bool = False
    """Whether the picture goes on at its opposite edges."""
    panes: int = 0
    """Above 0, each step is computed in overlapping squares of so many pixels, for pictures larger than the model's."""
    conditioning_noise: float = 0.0
    """Standard deviation of noise on the text embedding in the early steps, relative to its own (`--chaos`)."""
    push: float = 0.0
    """How far the text embedding is pushed from the usual (`--weird`), relative to its deviation."""
    adapters: tuple[tuple[str, float], ...] = ()
    """LoRAs with their weights."""
    part: Place | None = None
    """Which part of the row's picture is drawn, in pixels of the row; None: all of it."""
    applied: Mapping[str, str] = field(default_factory=dict)
    degraded: tuple[str, ...] = ()
    notes: Mapping[str, Any] = field(default_factory=dict)
    """Plain JSON that belongs into the recipe beside the numbers above."""

    @property
    def end(self) -> int:
        return self.stop or self.steps
