"""At which size a picture is drawn: as many pixels as the model was taught, in about the shape that is wanted.

The finished picture is cut from the middle of what is drawn, or scaled: `finishing.py` does that. Pixels only.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from brushwork.engines.catalog.model import Model
from brushwork.engines.diffusion.facts import FAMILIES

BUCKETS: Mapping[str, int] = {"sd": 64, "sdxl": 64}
"""Multiples of a family's training sizes, where they are coarser than what it can draw."""
DRAFT_SIDE = 0.625
"""Of the usual side: the least at which models still compose well."""
WIDE = 2.5
"""Longer shapes than this are drawn in panes: at the model's own area they would be too low to hold anything."""
LOWEST_PANE = 0.5
"""Of the model's side: the shorter side of such a picture."""
LONGEST = 14
"""Sides of the model, of such a picture's longer one."""
MOST_PIXELS = 4096 * 4096
"""What is refined in panes at most; larger pictures are enlarged from that."""


@dataclass(frozen=True)
class Size:
    """Of what is drawn, in pixels."""

    width: int
    height: int
    panes: int = 0
    """Side of the squares that each step is computed in; 0: the picture as a whole."""


def multiple_of(model: Model) -> int:
    return FAMILIES[model.family].multiple


def drawn_size(width: int, height: int, *, model: Model, draft: bool = False, most: float = 1.0) -> Size:
    """For a picture of that size: the nearest of the model's buckets, or a row of panes where it is very long.

    A larger one is drawn with up to `most` times the pixels that the model is used to.
    """
    ratio = width / height
    side = model.side * (DRAFT_SIDE if draft else 1.0)
    side = max(side, min(math.sqrt(width * height), side * math.sqrt(most)))
    if max(ratio, 1 / ratio) > WIDE and has_panes(model):
        return panorama(ratio, side=side, model=model)
    longest = side * math.sqrt(max(ratio, 1 / ratio))
    side *= min(1.0, model.max_side / longest)
    step = max(multiple_of(model), BUCKETS.get(model.family, 1))
    if side < 4 * step:  # a model so small has no buckets
        step = multiple_of(model)
    return Size(*nearest(side * side, ratio, step, most=model.max_side))


def has_panes(model: Model) -> bool:
    """The generic pipeline draws a picture as a whole, whatever its shape."""
    return model.family != "pipe"


def nearest(area: float, ratio: float, step: int, *, most: int = 0) -> tuple[int, int]:
    """Multiples of `step` of about that area, as near to the ratio as they come."""
    exact = math.sqrt(area * ratio), math.sqrt(area / ratio)
    widths, heights = (
        {max(step, math.floor(length / step) * step), max(step, math.ceil(length / step) * step)} for length in exact
    )
    fitting = [(w, h) for w in widths for h in heights if not most or max(w, h) <= most]

    def off(size: tuple[int, int]) -> tuple[float, int, int]:
        w, h = size
        return abs(math.log(w / h / ratio)) + 0.5 * abs(math.log(w * h / area)), w, h

    return min(fitting or [(min(widths), min(heights))], key=off)


def panorama(ratio: float, *, side: float, model: Model) -> Size:
    """So high that a pane holds something, and as long as its shape wants."""
    step = multiple_of(model)
    longer = max(ratio, 1 / ratio)
    short = up(max(side / math.sqrt(longer), side * LOWEST_PANE), step)
    long = up(min(short * longer, model.side * LONGEST), step)
    return Size(long, short, short) if ratio > 1 else Size(short, long, short)


def whole_size(width: int, height: int, *, model: Model) -> Size:
    """For a picture that is redrawn at its own size, in panes where it is larger than the model's."""
    step = multiple_of(model)
    scale = min(1.0, math.sqrt(MOST_PIXELS / (width * height)))
    across, down = up(width * scale, step), up(height * scale, step)
    if not has_panes(model):
        scale = min(1.0, model.max_side / max(across, down))
        return Size(up(width * scale, step), up(height * scale, step))
    is_large = across * down > 1.25 * model.side**2 or max(across, down) > model.max_side
    pane = min(up(model.side, step), across, down)
    return Size(across, down, pane if is_large else 0)


def up(length: float, step: int) -> int:
    """The next multiple."""
    return max(step, math.ceil(length / step - 1e-9) * step)
