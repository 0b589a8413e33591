"""What an operation decides about a picture, before the numbers of the prompt come on top."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from PIL.Image import Image

from brushwork.engines.base import Place
from brushwork.engines.diffusion.plan import Control, Noise, Seen
from brushwork.engines.diffusion.planning.sizes import Size


@dataclass(frozen=True)
class Drawing:
    """Pictures, where drawing begins, and what is said besides the prompt."""

    size: Size
    strength: float = 1.0
    """0-1: 1 begins with pure noise, 0 draws nothing."""
    init: Image | None = None
    mask: Image | None = None
    part: Place | None = None
    noise: Noise | None = None
    """None: the row's own."""
    seen: tuple[Seen, ...] = ()
    control: Control | None = None
    before: str = ""
    """Said before the prompt: an instruction to a model that edits."""
    after: tuple[str, ...] = ()
    """Said after it."""
    applied: Mapping[str, str] = field(default_factory=dict)
    unmet: tuple[str, ...] = ()
    """Parameters of the prompt that this could not honour."""
    degraded: tuple[str, ...] = ()
    notes: Mapping[str, Any] = field(default_factory=dict)
