"""The canvas of a repainting: the source in its place, what is unknown, and where in it there is room.

Knows no Scene.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image

from brushwork.engines.base import Place, Row
from brushwork.engines.diorama.follow.pixels import mask_field
from brushwork.engines.diorama.noise import Field
from brushwork.engines.diorama.rows import source_of

COARSE = 64
"""Room is looked for on a grid of so many cells a side."""
LEAST = 0.006
"""Share of the canvas from which a repainted part of the source is where new things stand."""


@dataclass(frozen=True)
class Canvas:
    """What a repainting begins with."""

    colours: "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]"
    """(H, W, 3), black where nothing is known."""
    hole: Field
    """(H, W): 1 is painted, 0 is kept."""
    inside: Field
    """(H, W): 1 where the source lies."""
    place: Place

    @property
    def picture(self) -> Field:
        """The colours as floats; made anew with each call, for they take room."""
        return np.asarray(self.colours, np.float32) / np.float32(255)

    @property
    def within(self) -> Field:
        """What is repainted of the source itself."""
        return np.asarray(self.hole * self.inside, np.float32)


def laid(row: Row) -> Canvas:
    """The row's source on its canvas. Nothing outside the source can be kept."""
    source = source_of(row).image
    place = row.place or Place(0, 0, row.width, row.height)
    opaque = source.getchannel("A") if source.mode == "RGBA" else Image.new("L", source.size, 255)
    if source.size != (place.width, place.height):
        source = source.resize((place.width, place.height), Image.Resampling.LANCZOS)
        opaque = opaque.resize((place.width, place.height), Image.Resampling.BOX)
    colours = np.zeros((row.height, row.width, 3), np.uint8)
    inside = np.zeros((row.height, row.width), np.float32)
    x0, x1 = max(place.left, 0), min(place.left + place.width, row.width)
    y0, y1 = max(place.top, 0), min(place.top + place.height, row.height)
    if x1 > x0 and y1 > y0:
        part = (slice(y0 - place.top, y1 - place.top), slice(x0 - place.left, x1 - place.left))
        colours[y0:y1, x0:x1] = np.asarray(source.convert("RGB"))[part]
        inside[y0:y1, x0:x1] = np.asarray(opaque, np.float32)[part] > 127
    asked = mask_field(row.mask, row.width, row.height) if row.mask else np.zeros_like(inside)
    hole = np.maximum(asked, 1 - inside)
    colours[hole > 0] = 0
    return Canvas(colours, hole, inside, place)


def stage(canvas: Canvas, index: int) -> Place:
    """Where something new is to stand: in what is repainted of the source where that was asked for, else beside it, in
    each picture of a grid on another side.
    """
    within = largest_part(canvas.within)
    return room(within if within.mean() > LEAST else largest_part(canvas.hole, other=index), other=index)


def largest_part(hole: Field, *, other: int = 0) -> Field:
    """The hole without all but its largest connected part, or in turn one that is nearly as large."""
    count, labels, facts, _ = cv2.connectedComponentsWithStats((hole > 0.5).astype(np.uint8), connectivity=4)
    if count <= 2:
        return hole
    areas = facts[1:, cv2.CC_STAT_AREA]
    large = [int(part) for part in np.argsort(-areas, kind="stable") if areas[part] > 0.6 * areas.max()]
    return np.asarray(labels == 1 + large[other % len(large)], np.float32)


def room(hole: Field, *, other: int = 0) -> Place:
    """Where in the hole a thing fits best: its bounding box where that is mostly hole, else the largest rectangle; with
    an odd `other` the second one, if it is nearly as large; of no size where there is none.
    """
    height, width = hole.shape
    rows, columns = np.flatnonzero(hole.any(1)), np.flatnonzero(hole.any(0))
    if not rows.size:
        return Place(0, 0, 0, 0)
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    high, wide = (bottom - top) // 4, (right - left) // 4
    middle = hole[top + high : bottom - high, left + wide : right - wide]
    if hole[top:bottom, left:right].mean() > 0.6 and middle.mean() > 0.9:
        return Place(int(left), int(top), int(right - left), int(bottom - top))
    coarse = cv2.resize(hole, (COARSE, COARSE), interpolation=cv2.INTER_AREA)
    free = coarse > (0.97 if coarse.max() > 0.97 else 0.6)
    x, y, w, h = largest_rectangle(free)
    if other % 2:
        free[y : y + h, x : x + w] = False
        second = largest_rectangle(free)
        x, y, w, h = second if min(second[2:]) > 0.7 * min(w, h) else (x, y, w, h)
    across, down = width / COARSE, height / COARSE
    return Place(round(x * across), round(y * down), round(w * across), round(h * down))


def largest_rectangle(free: "np.ndarray[tuple[int, ...], np.dtype[np.bool_]]") -> tuple[int, int, int, int]:
    """(left, top, width, height) in cells; nearly square ones count more than thin ones of the same area."""
    best, most = (0, 0, 0, 0), 0.0
    heights = np.zeros(free.shape[1], int)
    for row in range(free.shape[0]):
        heights = np.where(free[row], heights + 1, 0)
        for left in range(free.shape[1]):
            lowest = free.shape[0]
            for right in range(left, free.shape[1]):
                lowest = min(lowest, int(heights[right]))
                if lowest == 0:
                    break
                wide = right - left + 1
                score = wide * lowest * (min(wide, lowest) / max(wide, lowest)) ** 0.3
                if score > most:
                    best, most = (left, row - lowest + 1, wide, lowest), score
    return best
