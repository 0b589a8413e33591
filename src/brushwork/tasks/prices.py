"""What each task type costs, in points, before the prompt's multipliers. One point is a tenth of a cent.

The prompt multiplies: `--turbo` x2, `--draft` x0.5, `--hd`, `--q 4` and `--sv 6` x4 on v8, `--oref` x2
(see `prompts/`). A follow-up has the multipliers of the prompt it inherits, but a draft makes no follow-up cheaper.
"""

from collections.abc import Mapping

PRICES: Mapping[str, int] = {
    "diffusion": 80,
    "variation": 120,
    "upscale": 120,
    "reroll": 80,
    "blend": 80,
    "describe": 20,
    "shorten": 20,
    "pan": 80,
    "outpaint": 80,
    "inpaint": 120,
    "remix": 120,
    "edit": 120,
    "upload-paint": 120,
    "retexture": 120,
    "remove-background": 80,
    "enhance": 80,
    "enhance-upscale": 120,
}

CREATIVE_UPSCALE = 160

VIDEO_PRICES = (480, 1536)
"""Of four clips, or of as many extensions: 480p and 720p. Fewer clips cost their share."""
VIDEO_UPSCALE = 480
"""Of one clip."""

ENHANCE_UPSCALE: Mapping[str, int] = {
    "HD": 120, "FHD": 120, "2K": 120, "4K": 160, "6K": 200, "8K": 300, "12K": 540,
}  # fmt: skip
"""By resolution."""


def price(task: str, multiplier: float = 1.0) -> int:
    """Points of one task. Every product of the tables is whole; half a point would be rounded up."""
    return times(PRICES[task], multiplier)


def times(points: int, multiplier: float) -> int:
    """A price with its multiplier, as whole points."""
    return -int(-points * multiplier // 1)
