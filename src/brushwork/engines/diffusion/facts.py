"""What each family can do, written by hand: diffusers ignores in silence what a pipeline cannot honour.

Knows no torch, so that the API and `doctor` can read it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Facts:
    """One family."""

    multiple: int
    """Sides of a drawn picture are multiples of this, in pixels."""
    solver: Literal["flow", "epsilon"]
    """What the denoiser predicts: a velocity between noise and picture, or the noise."""
    references: int = 0
    """Pictures that can be looked at beside the prompt, in its own sequence."""
    image_prompts: bool = False
    """Whether an IP-Adapter can be added."""
    controls: bool = False
    """Whether a ControlNet can be added."""
    tile: Literal["exact", "approximate", "none"] = "none"
    """How `--tile` is drawn: periodic convolutions, or latents rolled at each step."""
    ragged: bool = False
    """Whether pictures of different sizes can share one forward pass."""
    reads_pictures: bool = False
    """Whether the text encoder looks at the references too: an encoded text belongs to its pictures."""


FAMILIES: Mapping[str, Facts] = {
    "sd": Facts(multiple=8, solver="epsilon", image_prompts=True, controls=True, tile="exact"),
    "sdxl": Facts(multiple=8, solver="epsilon", image_prompts=True, controls=True, tile="exact"),
    "zimage": Facts(multiple=16, solver="flow", controls=True, tile="approximate", ragged=True),
    "flux2": Facts(multiple=16, solver="flow", references=5, tile="approximate"),
    "qwen": Facts(multiple=16, solver="flow", references=3, tile="approximate", reads_pictures=True),
    "pipe": Facts(multiple=16, solver="flow"),
}
