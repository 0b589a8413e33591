"""Make any picture two or four times larger, sharper than resampling can and without inventing anything.

A compact convolutional network, trained by `training/super_resolution`, looks at eight pixels around each pixel.
What it is and how well it does: models/README.md. Knows no task and no engine.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal, Protocol

import cv2
import numpy as np
from PIL import Image

from brushwork.engines.base import Ask, always_wanted
from brushwork.engines.tools.network import Network, run
from brushwork.engines.tools.tiles import Tile, tiles

Bytes = np.ndarray[tuple[int, ...], np.dtype[np.uint8]]
OnTile = Callable[[int, int], None]
"""Told (tile, tiles) after each tile, and again within one that takes long. What it raises stops the work."""

SUPER_RESOLUTION: Mapping[int, Network] = {
    2: Network(
        name="brushwork-sr-x2",
        file="super_resolution_x2.onnx",
        purpose="super-resolution, twice as large",
        licence="Apache-2.0",
        origin="training/super_resolution",
        parameters=132_480,
        sha256="51cc2cde3509839e6074be288feafae826d7b94677fa792de264000ddd878859",
    ),
    4: Network(
        name="brushwork-sr-x4",
        file="super_resolution_x4.onnx",
        purpose="super-resolution, four times as large",
        licence="Apache-2.0",
        origin="training/super_resolution",
        parameters=150_768,
        sha256="15be32c491a0664f3cc3165876073b19f8d2f2ae5089252fc46229ae5579a9c8",
    ),
}
"""Factor → the network that does it."""
MARGIN = 8
"""How far from a pixel the network looks; tests compare tiles with the whole."""
SIDE = 256
"""Of a tile, before enlarging: about 80 MB at work."""
BLEED = 4.0
"""Standard deviation, in pixels, of the blur that carries colour under what is transparent."""


class Enlarger(Protocol):
    """A network, or several, that make pictures larger."""

    @property
    def name(self) -> str:
        """For the recipe."""

    @property
    def margin(self) -> int:
        """How far from a pixel it looks."""

    @property
    def factors(self) -> tuple[int, ...]:
        """How many times larger it can make a picture in one step, the least first."""

    def __call__(self, window: Bytes, factor: int, *, ask: Ask = always_wanted) -> Bytes:
        """(h, w, 3), made larger, margins and all. May be called from any thread; one that is slow asks meanwhile."""


@dataclass(frozen=True)
class ShippedEnlarger:
    """The networks that ship with Brushwork."""

    threads: int | None = None
    name: str = "brushwork-sr"
    margin: int = MARGIN
    factors: tuple[int, ...] = tuple(SUPER_RESOLUTION)

    def __call__(self, window: Bytes, factor: int, *, ask: Ask = always_wanted) -> Bytes:  # noqa: ARG002  # it is quick
        batch = np.ascontiguousarray(window.transpose(2, 0, 1)[None], np.float32) / np.float32(255)
        result = run(SUPER_RESOLUTION[factor], batch, threads=self.threads)[0]
        return np.asarray(result.transpose(1, 2, 0).clip(0, 1) * 255 + 0.5, np.uint8)


SHIPPED = ShippedEnlarger()


def upscale(
    image: Image.Image, *, factor: Literal[2, 4], on_tile: OnTile | None = None, threads: int | None = None
) -> Image.Image:
    """An RGB picture, or RGBA where the given one has transparency. Same picture, same bytes."""
    return upscaled(image, factor, enlarger=ShippedEnlarger(threads), on_tile=on_tile)


def upscaled(image: Image.Image, factor: int, *, enlarger: Enlarger, on_tile: OnTile | None = None) -> Image.Image:
    """The same with any enlarger that has this factor."""
    if not image.has_transparency_data:
        return Image.fromarray(enlarge(np.asarray(image.convert("RGB")), factor, enlarger, on_tile))
    picture = np.asarray(image.convert("RGBA"))
    alpha = Image.fromarray(picture[..., 3])
    size = (image.width * factor, image.height * factor)
    large = Image.fromarray(enlarge(bled(picture), factor, enlarger, on_tile))
    large.putalpha(alpha.resize(size, Image.Resampling.BICUBIC))  # keeps opaque opaque, and edges soft
    return large


def enlarge(colours: Bytes, factor: int, enlarger: Enlarger, on_tile: OnTile | None) -> Bytes:
    """(H, W, 3) to (factor H, factor W, 3), tile by tile."""
    height, width, _ = colours.shape
    padded = with_margin(colours, enlarger)
    large = np.empty((height * factor, width * factor, 3), np.uint8)
    parts = tiles(width, height, side=SIDE)
    for number, tile in enumerate(parts, 1):
        place = large[tile.top * factor : tile.bottom * factor, tile.left * factor : tile.right * factor]
        ask = partial(on_tile, number - 1, len(parts)) if on_tile else always_wanted
        place[:] = enlarged_tile(padded, tile, factor, enlarger, ask)
        if on_tile:
            on_tile(number, len(parts))
    return large


def with_margin(colours: Bytes, enlarger: Enlarger) -> Bytes:
    """With its edges repeated as far as the enlarger looks."""
    around = (enlarger.margin, enlarger.margin)
    return np.pad(colours, (around, around, (0, 0)), mode="edge")


def enlarged_tile(padded: Bytes, tile: Tile, factor: int, enlarger: Enlarger, ask: Ask) -> Bytes:
    """A tile of a picture that has its margin."""
    margin = enlarger.margin
    window = padded[tile.top : tile.bottom + 2 * margin, tile.left : tile.right + 2 * margin]
    result = enlarger(window, factor, ask=ask)
    edge = margin * factor
    return result[edge : result.shape[0] - edge, edge : result.shape[1] - edge]


def bled(picture: Bytes) -> Bytes:
    """(H, W, 4) to (H, W, 3): what cannot be seen takes the colour of what is near, or it would stain the edge."""
    colours, alpha = picture[..., :3], picture[..., 3:]
    weight = alpha.astype(np.float32) / 255
    near = cv2.GaussianBlur(colours * weight, (0, 0), BLEED)
    amount = cv2.GaussianBlur(weight, (0, 0), BLEED)[..., None]
    carried = near / np.maximum(amount, 1e-6)
    return np.where(alpha > 0, colours, np.asarray((carried + 0.5).clip(0, 255), np.uint8))
