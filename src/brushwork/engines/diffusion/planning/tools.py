"""What planning asks of other tools: a larger picture, and how near its pixels are. Given in, so better ones can be."""

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from PIL import Image

from brushwork.engines.base import Ask, always_wanted

ENOUGH = 1.1
"""Up to this factor resampling does as well as a network."""
FACTORS: tuple[Literal[2, 4], ...] = (2, 4)


class Tools(Protocol):
    """Networks that are no diffusion models."""

    def enlarge(self, image: Image.Image, width: int, height: int) -> Image.Image:
        """The RGB picture at exactly that size, by super-resolution as far as it is larger."""

    def depth(self, image: Image.Image) -> Image.Image:
        """A picture of mode L: near is bright."""


@dataclass(frozen=True)
class BuiltIn:
    """The small networks that ship with Brushwork. They run on the CPU and are loaded when they are first used."""

    ask: Ask = always_wanted
    """What it raises ends the work."""

    def enlarge(self, image: Image.Image, width: int, height: int) -> Image.Image:
        from brushwork.engines.tools.super_resolution import upscale

        while (missing := max(width / image.width, height / image.height)) > ENOUGH:
            factor = next((factor for factor in FACTORS if missing <= factor * ENOUGH), FACTORS[-1])
            image = upscale(image, factor=factor, on_tile=lambda _tile, _tiles: self.ask())
        return image.resize((width, height), Image.Resampling.LANCZOS)

    def depth(self, image: Image.Image) -> Image.Image:
        from brushwork.engines.tools.depth import nearness

        return Image.fromarray(np.asarray(np.rint(nearness(image) * 255), np.uint8), "L")


BUILT_IN = BuiltIn()
