"""The canvas of a repainting: the source at its place, what is to be painted, and which part of it is looked at.

What is unknown is filled with a smooth continuation of what is around it, so that colours run on; the model paints over
it. Pixels only.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from brushwork.engines.base import Place, Row

Floats = npt.NDArray[np.float32]
Bytes = npt.NDArray[np.uint8]

OPAQUE = 128
GRAIN = 0.05
"""Standard deviation of the noise on a filling: a perfectly smooth ground would be drawn as one."""
CONTEXT = 0.5
"""Of the repainted box's longer side, looked at all round."""
WORTH_IT = 0.6
"""Above this share of the canvas, all of it is drawn."""
CLOSEST = 0.5
"""Of the model's side: no part is looked at from nearer."""
LONGEST = 2.0
"""Shape of a part, at most."""


@dataclass(frozen=True)
class Canvas:
    """What a repainting begins with, in bytes: canvases may be large."""

    colours: Bytes
    """(H, W, 3); black where nothing is known."""
    hole: Bytes
    """(H, W): 1 is painted, 0 is kept."""

    @property
    def reach(self) -> int:
        """Pixels by which more is drawn than was asked for."""
        return int(np.clip(min(self.hole.shape) / 128, 4, 8))

    def part(self, place: Place) -> "Canvas":
        rows, columns = slice(place.top, place.top + place.height), slice(place.left, place.left + place.width)
        return Canvas(self.colours[rows, columns], self.hole[rows, columns])


def laid(row: Row) -> Canvas:
    """The row's source on its canvas. What it does not show is painted, whatever the mask says."""
    assert row.source is not None  # an INPAINT row has one
    source, place = row.source.image, row.place or Place(0, 0, row.width, row.height)
    picture = source.convert("RGBA")
    if picture.size != (place.width, place.height):
        picture = picture.resize((place.width, place.height), Image.Resampling.LANCZOS)
    canvas = Image.new("RGBA", (row.width, row.height))
    canvas.paste(picture, (place.left, place.top))
    pixels = np.asarray(canvas)
    hole = pixels[..., 3] < OPAQUE
    if row.mask is not None:
        mask = row.mask.convert("L")
        if mask.size != canvas.size:
            mask = mask.resize(canvas.size, Image.Resampling.NEAREST)
        hole |= np.asarray(mask) >= OPAQUE
    colours = pixels[..., :3].copy()
    colours[hole] = 0
    return Canvas(colours, hole.astype(np.uint8))


def part_of(hole: Bytes, *, side: int) -> Place | None:
    """The part of the canvas that is worth drawing alone, so that details get all of the model's pixels; None: all."""
    height, width = hole.shape
    rows, columns = np.flatnonzero(hole.any(axis=1)), np.flatnonzero(hole.any(axis=0))
    if not rows.size:
        return None
    spans = [(int(columns[0]), int(columns[-1]) + 1), (int(rows[0]), int(rows[-1]) + 1)]
    around = round(CONTEXT * max(last - first for first, last in spans))
    wide, high = (last - first + 2 * around for first, last in spans)
    least = side * CLOSEST
    across, down = max(wide, high / LONGEST, least), max(high, wide / LONGEST, least)
    left, right = grown(spans[0], round(across), width)
    top, bottom = grown(spans[1], round(down), height)
    if (right - left) * (bottom - top) > WORTH_IT * width * height:
        return None
    return Place(left, top, right - left, bottom - top)


def grown(span: tuple[int, int], length: int, limit: int) -> tuple[int, int]:
    """The span, made that long about its middle and moved into 0..limit."""
    length = min(limit, length)
    first = (span[0] + span[1] - length) // 2
    first = max(0, min(first, limit - length))
    return first, first + length


def filled(canvas: Canvas, size: tuple[int, int], *, seed: int) -> Image.Image:
    """The canvas at that size, with a smooth and slightly grainy continuation in its hole."""
    colours, known = canvas.colours.astype(np.float32) / np.float32(255), 1 - canvas.hole.astype(np.float32)
    if size[0] * size[1] < known.size:
        colours, known = resized(colours, size), resized(known, size)
    if known.any():
        smooth = continued(colours, known)
        hole = (known < 1).astype(np.float32)[..., None]
    else:
        smooth, hole = np.full_like(colours, 0.5), np.ones((*known.shape, 1), np.float32)
    grain = np.random.default_rng([seed & 0xFFFFFFFF, seed >> 32]).standard_normal(known.shape, np.float32)
    image = as_image(np.clip(smooth + GRAIN * grain[..., None] * hole, 0, 1))
    return image if image.size == size else image.resize(size, Image.Resampling.LANCZOS)


def resized(field: Floats, size: tuple[int, int]) -> Floats:
    return np.asarray(cv2.resize(field, size, interpolation=cv2.INTER_AREA), np.float32)


def continued(colours: Floats, known: Floats) -> Floats:
    """Weighted colours (H, W, 3) and their weights: averages of ever larger surroundings, wherever nearer ones know
    nothing.
    """
    height, width = known.shape
    own = colours / np.maximum(known, 1e-6)[..., None]
    if max(height, width) <= 1 or known.min() > 0:
        return np.asarray(own, np.float32)
    half = (max(1, (width + 1) // 2), max(1, (height + 1) // 2))
    far = cv2.resize(continued(resized(colours, half), resized(known, half)), (width, height))
    share = np.minimum(known, 1)[..., None]
    return np.asarray(own * share + far * (1 - share), np.float32)


def softened(hole: Bytes, reach: int) -> Floats:
    """The hole, wider by `reach` and with a soft edge: what is drawn, and how much of it is shown."""
    around = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    wide = cv2.dilate(hole, around).astype(np.float32)
    soft = cv2.GaussianBlur(wide, (0, 0), reach / 2, borderType=cv2.BORDER_REPLICATE)
    return np.maximum(hole.astype(np.float32), np.asarray(soft, np.float32))


def as_image(field: Floats) -> Image.Image:
    """0-1 as a picture: RGB with three channels, else L."""
    return Image.fromarray(np.asarray(np.rint(field * 255), np.uint8))
