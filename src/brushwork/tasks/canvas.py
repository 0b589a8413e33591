"""Where a source lies on a canvas, what of it is repainted, and how the repainted and the kept are put together.

Sizes
    pan         the side in its direction is `scale` times as long, to the nearest even number; the other stays
    outpaint    both sides are `scale` times as long, to the nearest even number; the source lies in the middle
    edit        as the client says, to the pixel

A mask covers whole pixels: those whose middle lies in a polygon, or where a mask picture is more white than black.
Pixels that are not covered are the source's own, byte for byte. Plain pixels: knows no job, no engine, no URL.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from brushwork.engines.base import Place

Share = npt.NDArray[np.float32]
"""(H, W): 0-1."""
Covered = npt.NDArray[np.bool_]
"""(H, W): where something is."""

WHITE = 128
"""From this grey on, a mask picture says repaint."""
FEATHER = 12
"""At most so many pixels inside the mask are a mixture of the old and the new."""
FEATHER_SHARE = 1 / 96
"""Of the canvas's shorter side."""

GROWS: Sequence[tuple[bool, bool]] = ((False, False), (True, False), (False, True), (True, True))
"""By pan direction, down right up left: whether it is the width that grows, and whether the source moves with it."""


@dataclass(frozen=True)
class Laid:
    """A source on its canvas."""

    pixels: npt.NDArray[np.uint8]
    """(H, W, 3); black where it is not."""
    alpha: npt.NDArray[np.uint8]
    """(H, W); 0 where it is not, or is transparent."""
    place: Place


def pan_layout(size: tuple[int, int], *, direction: int, scale: float) -> tuple[tuple[int, int], Place]:
    """Size of the canvas, and the place of the source, for one side more."""
    width, height = size
    in_width, at_end = GROWS[direction]
    canvas = (longer(width, scale), height) if in_width else (width, longer(height, scale))
    left, top = (canvas[0] - width, canvas[1] - height) if at_end else (0, 0)
    return canvas, Place(left, top, width, height)


def outpaint_layout(size: tuple[int, int], *, scale: float) -> tuple[tuple[int, int], Place]:
    """Likewise, with new pixels all round."""
    width, height = size
    canvas = (longer(width, scale), longer(height, scale))
    return canvas, Place((canvas[0] - width) // 2, (canvas[1] - height) // 2, width, height)


def longer(side: int, scale: float) -> int:
    """An even number of pixels, and more than before."""
    return max(2 * round(side * scale / 2), 2 * (side // 2 + 1))


def lay(source: Image.Image, canvas: tuple[int, int], place: Place) -> Laid:
    """Put a picture at its place, resized only when its size is another."""
    width, height = canvas
    left, top = max(place.left, 0), max(place.top, 0)
    right, bottom = min(place.left + place.width, width), min(place.top + place.height, height)
    picture = source if source.mode in ("RGB", "RGBA") else source.convert("RGBA")
    box = (left - place.left, top - place.top, right - place.left, bottom - place.top)
    if picture.size == (place.width, place.height):
        visible = picture.crop(box)
    else:
        across, down = picture.width / place.width, picture.height / place.height
        part = (box[0] * across, box[1] * down, box[2] * across, box[3] * down)
        visible = picture.resize((right - left, bottom - top), Image.Resampling.LANCZOS, box=part)
    pixels = np.zeros((height, width, 3), np.uint8)
    alpha = np.zeros((height, width), np.uint8)
    pixels[top:bottom, left:right] = np.asarray(visible.convert("RGB"))
    alpha[top:bottom, left:right] = np.asarray(visible.getchannel("A")) if visible.mode == "RGBA" else 255
    return Laid(pixels, alpha, place)


def fill(points: Sequence[int], space: tuple[int, int], canvas: tuple[int, int], place: Place) -> Covered:
    """What a polygon covers of the canvas. Its space is stretched over the place of the source, and ends with it.

    Where it crosses itself, all that it goes round is covered, however often (the nonzero rule).
    """
    width, height = canvas
    corners = np.array(points, np.float64).reshape(-1, 2)
    corners = corners * (place.width / space[0], place.height / space[1]) + (place.left, place.top)
    turns = np.zeros((height, width + 1), np.int32)
    for (x0, y0), (x1, y1) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        top, bottom, way = (y0, y1, 1) if y0 < y1 else (y1, y0, -1)
        rows = np.arange(max(math.ceil(top - 0.5), 0), min(math.ceil(bottom - 0.5), height))
        if len(rows):
            crossing = x0 + (rows + 0.5 - y0) * (x1 - x0) / (y1 - y0)
            turns[rows, np.clip(np.ceil(crossing - 0.5), 0, width).astype(int)] += way
    np.cumsum(turns, axis=1, out=turns)
    around: Covered = turns[:, :width] != 0
    return inside(place, canvas) & around


def white(mask: Image.Image, canvas: tuple[int, int], place: Place) -> Covered:
    """Where a mask picture, stretched over the place of the source, is white. Transparent is not white."""
    if "A" in mask.getbands() or "transparency" in mask.info:
        grey = mask.convert("RGBA")
        ground = Image.new("RGBA", grey.size, "black")
        mask = Image.alpha_composite(ground, grey)
    laid = lay(mask.convert("L").convert("RGB"), canvas, place)
    return (laid.pixels[..., 0] >= WHITE) & inside(place, canvas)


def inside(place: Place, canvas: tuple[int, int]) -> Covered:
    """Where the source is."""
    covered = np.zeros((canvas[1], canvas[0]), bool)
    covered[
        max(place.top, 0) : max(place.top + place.height, 0), max(place.left, 0) : max(place.left + place.width, 0)
    ] = True
    return covered


def can_cover(points: Sequence[int], space: tuple[int, int]) -> bool:
    """Whether a polygon has any area inside its space, as far as can be said without drawing it."""
    corners = np.array(points, np.int64).reshape(-1, 2)
    low, high = corners.min(axis=0), corners.max(axis=0)
    if (high <= 0).any() or (low >= space).any():
        return False
    ways = corners - corners[0]
    farthest = ways[np.abs(ways).sum(axis=1).argmax()]
    return bool((ways[:, 0] * farthest[1] != ways[:, 1] * farthest[0]).any())


def as_mask(repainted: Covered) -> Image.Image:
    """As engines take it: 255 is repainted."""
    return Image.fromarray(repainted.astype(np.uint8) * 255, "L")


def old_share(laid: Laid, repainted: Covered) -> Share:
    """How much of each pixel is the source's: 1 outside the mask where the source is opaque, less and less inside."""
    height, width = repainted.shape
    depth = cv2.distanceTransform(repainted.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)  # pixels to the edge
    feather = min(FEATHER, FEATHER_SHARE * min(width, height), float(depth.max()) / 2)
    share = np.clip(1 - depth / max(feather, 1.0), 0, 1).astype(np.float32)
    return np.asarray(share * (laid.alpha / np.float32(255)), np.float32)


def put_together(laid: Laid, painted: Image.Image, kept: Share) -> Image.Image:
    """The new picture with as much of the source as is kept of each pixel: all of it, nothing, or a mixture."""
    height, width = kept.shape
    new = painted.convert("RGB")
    pixels = np.array(new if new.size == (width, height) else new.resize((width, height)))
    mixed = (kept > 0) & (kept < 1)
    share = kept[mixed][:, None]
    pixels[mixed] = np.rint(laid.pixels[mixed] * share + pixels[mixed] * (1 - share)).astype(np.uint8)
    np.copyto(pixels, laid.pixels, where=(kept == 1)[..., None])
    return Image.fromarray(pixels, "RGB")
