"""Tell the subject from its background, softly where hair and glass are, and cut it out in its own colours.

The network looks twice: at a small copy for what the subject is, and at a larger one for where its edge lies. The
picture's own edges make that sharp; and where a pixel shows both, the subject's part of its colour is worked out from
what is near.
"""

from typing import Protocol

import cv2
import numpy as np
from PIL import Image

from brushwork.engines.base import Ask, always_wanted
from brushwork.engines.tools.guided import enlarged
from brushwork.engines.tools.matting_depth import ALPHA, Bytes, looked_at, opaque
from brushwork.engines.tools.network import Floats
from brushwork.engines.tools.tiles import tiles

CLOSE_SIDE = 448
"""Of the second look."""
EDGE = 13
"""Width of the stripe along the first look's edge in which the second one counts; what is unsure elsewhere stays."""
REACH, SMOOTHNESS = 2, 4e-4
CERTAIN = 0.03
"""So near to nothing or to everything, it is meant."""
FAR_SIDE, FAR = 512, 45
"""Colours from far away: the longer side of the picture they are gathered in, and how far, pixels."""
NEAR = 6
"""And from close by, in pixels of the picture itself."""
TILE = 512


class Matting(Protocol):
    """A way to tell a subject from its background."""

    def __call__(self, colours: Bytes, *, ask: Ask = always_wanted) -> Floats:
        """(H, W, 3) colours to (H, W) 0..1: how much of each pixel the subject covers."""


def matte(image: Image.Image, *, threads: int | None = None) -> Floats:
    """(H, W) 0..1: how much of each pixel the subject covers. Never more than the picture's own alpha."""
    colours, own = opaque(image)
    alpha = matte_of(colours, threads=threads)
    return alpha if own is None else np.minimum(alpha, own)


def matte_of(colours: Bytes, *, threads: int | None) -> Floats:
    _, first = looked_at(colours, threads=threads)
    small, second = looked_at(colours, side=CLOSE_SIDE, threads=threads)
    both = joined(first[ALPHA], second[ALPHA])
    alpha = enlarged(both, small, colours, reach=REACH, smoothness=SMOOTHNESS)
    alpha -= np.float32(CERTAIN)
    alpha /= np.float32(1 - 2 * CERTAIN)
    return np.clip(alpha, 0, 1, out=alpha)


def joined(coarse: Floats, fine: Floats) -> Floats:
    """The first look, with the second one's edges. (h, w) of the second."""
    size = (fine.shape[1], fine.shape[0])
    whole = np.asarray(cv2.resize(coarse, size, interpolation=cv2.INTER_LINEAR), np.float32)
    inside = (whole > 0.5).astype(np.float32)
    stripe = cv2.morphologyEx(inside, cv2.MORPH_GRADIENT, np.ones((EDGE, EDGE), np.uint8))
    share = cv2.GaussianBlur(stripe, (0, 0), 2)
    return np.asarray(whole + (fine - whole) * share, np.float32)


def cut_out(
    image: Image.Image, *, threads: int | None = None, matting: Matting | None = None, ask: Ask = always_wanted
) -> Image.Image:
    """The subject alone, RGBA: at soft edges in its own colours, without those of what was behind it.

    `matting` is another way to tell the subject than the network that ships. Raises what `ask` raises.
    """
    colours, own = opaque(image)
    ask()
    alpha = matting(colours, ask=ask) if matting else matte_of(colours, threads=threads)
    picture = np.dstack([subject_colours(colours, alpha, ask=ask), np.zeros(alpha.shape, np.uint8)])
    seen = alpha if own is None else np.minimum(alpha, own)
    picture[..., 3] = np.asarray(seen * 255 + 0.5, np.uint8)
    return Image.fromarray(picture, "RGBA")


# ---------------------------------------------------------------- colours at soft edges


def subject_colours(colours: Bytes, alpha: Floats, *, ask: Ask = always_wanted) -> Bytes:
    """(H, W, 3): the subject's colours, also where the background shines through. Tile by tile, without a seam.

    After Forte's blur fusion (2021): subject and background are first guessed by weighted means from far away, then
    corrected by what the pixel itself shows, and once more from close by.
    """
    far_subject, far_ground = far_colours(colours, alpha)
    height, width = alpha.shape
    result = colours.copy()
    for tile in tiles(width, height, side=TILE):
        ask()
        top, left = max(tile.top - NEAR, 0), max(tile.left - NEAR, 0)
        box = np.s_[top : tile.bottom + NEAR, left : tile.right + NEAR]
        inner = np.s_[tile.top - top : tile.bottom - top, tile.left - left : tile.right - left]
        cover = alpha[box][..., None]
        if float(cover.min()) >= 1 or float(cover.max()) <= 0:
            continue
        window = (left, top, cover.shape[1], cover.shape[0])
        guesses = (part_of(far, window, (width, height)) for far in (far_subject, far_ground))
        seen = colours[box].astype(np.float32)
        subject, _ = corrected(seen, cover, *guesses, reach=NEAR)
        kept = np.where(cover < 1, subject, seen)[inner]
        result[tile.top : tile.bottom, tile.left : tile.right] = np.asarray(kept.clip(0, 255) + 0.5, np.uint8)
    return result


def far_colours(colours: Bytes, alpha: Floats) -> tuple[Floats, Floats]:
    """The same guess in a small picture."""
    scale = min(1.0, FAR_SIDE / max(alpha.shape))
    size = (max(1, round(alpha.shape[1] * scale)), max(1, round(alpha.shape[0] * scale)))
    seen = cv2.resize(colours, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    cover = np.asarray(cv2.resize(alpha, size, interpolation=cv2.INTER_AREA), np.float32)[..., None]
    return corrected(seen, cover, seen, seen, reach=FAR)


def corrected(seen: Floats, cover: Floats, subject: Floats, ground: Floats, *, reach: int) -> tuple[Floats, Floats]:
    """Better guesses of both: means of what lies around, each pixel weighted by how much it shows of it."""
    subject, ground = carried(subject, cover, reach), carried(ground, 1 - cover, reach)
    missed = seen - cover * subject - (1 - cover) * ground
    return np.clip(subject + cover * missed, 0, 255), ground


def carried(colours: Floats, weight: Floats, reach: int) -> Floats:
    side = (2 * reach + 1, 2 * reach + 1)
    amount = cv2.blur(weight[..., 0], side)[..., None]
    sums = cv2.blur(colours * weight, side)
    return np.where(amount > 1e-4, sums / np.maximum(amount, 1e-4), colours)


def part_of(small: Floats, window: tuple[int, int, int, int], size: tuple[int, int]) -> Floats:
    """A window of the small picture enlarged to `size`, without enlarging the rest."""
    left, top, width, height = window
    across, down = small.shape[1] / size[0], small.shape[0] / size[1]
    matrix = np.array(
        [[across, 0, (left + 0.5) * across - 0.5], [0, down, (top + 0.5) * down - 0.5]], np.float32
    )  # from the window's pixels to the small picture's
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    window_of = cv2.warpAffine(small, matrix, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(window_of, np.float32)
