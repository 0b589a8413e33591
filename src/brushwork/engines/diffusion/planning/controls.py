"""Pictures whose structure a ControlNet follows, and which of a model's adapters does."""

import cv2
import numpy as np
from PIL import Image

from brushwork.engines.catalog.model import Adapter, Model
from brushwork.engines.diffusion.facts import FAMILIES
from brushwork.engines.diffusion.plan import Control
from brushwork.engines.diffusion.planning.tools import Tools

SOFT = 1.4
"""Blur before edges are looked for, in pixels: film grain has none."""
SHARE = 0.33
"""How far below and above the median brightness the thresholds lie."""


def adapter_for(model: Model, *kinds: str) -> tuple[Adapter, str] | None:
    """The first of those kinds of structure that a ControlNet of this model follows, and that ControlNet."""
    if not FAMILIES[model.family].controls:
        return None
    nets = [adapter for adapter in model.adapters.values() if adapter.kind == "controlnet"]
    return next(((net, kind) for kind in kinds for net in nets if kind in net.controls), None)


def control_of(
    model: Model, image: Image.Image, *kinds: str, tools: Tools, scale: float = 1.0, until: float = 1.0
) -> Control | None:
    """What follows the picture, which has the size that is drawn; None when no adapter can."""
    found = adapter_for(model, *kinds)
    if found is None:
        return None
    adapter, kind = found
    scale *= adapter.weight
    if kind == "tile":
        return Control(image, "tile", adapter.name, scale, until)
    if kind == "depth":
        return Control(tools.depth(image).convert("RGB"), "depth", adapter.name, scale, until)
    return Control(edges(image), "canny", adapter.name, scale, until)


def edges(image: Image.Image) -> Image.Image:
    """White lines on black."""
    grey = cv2.GaussianBlur(np.asarray(image.convert("L")), (0, 0), SOFT)
    usual = float(np.median(grey))
    low, high = max(10.0, (1 - SHARE) * usual), min(255.0, max(40.0, (1 + SHARE) * usual))
    return Image.fromarray(np.asarray(cv2.Canny(grey, low, high), np.uint8)).convert("RGB")
