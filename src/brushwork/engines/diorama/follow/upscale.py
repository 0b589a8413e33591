"""Larger: a picture with a Scene is painted again at the larger size, which brings detail that was too fine to see;
any other goes through the super-resolution network. What was seen stays: the larger picture, shrunk, is the smaller.

`strength` 0 is faithful; above, materials grow richer and finer than the source knew.
"""

from dataclasses import replace

import cv2
import numpy as np
from PIL import Image

from brushwork.engines.base import Row
from brushwork.engines.diorama.drawing import as_colours, paint_shot, resized
from brushwork.engines.diorama.follow import pixels
from brushwork.engines.diorama.looks import brushes
from brushwork.engines.diorama.looks.brushes import luma
from brushwork.engines.diorama.noise import Field
from brushwork.engines.diorama.recipe import Shot, recipe_of, shot_hinted, shot_of, without_scene
from brushwork.engines.diorama.rows import Made, OnPass, lasting_words, source_of
from brushwork.engines.tools.super_resolution import upscale

Painted = tuple[Field, Field]
MOST_PAINTED = 2048 * 2048
"""Pixels up to which the Scene is painted again: more would need more memory than the painter promises."""
FAINT = 0.005
"""Detail that is not made crisper."""
STRAYS = 0.05
"""Difference from the source, after a blur, from which the painted detail is not trusted at that spot."""


def upscaled(row: Row, tell: OnPass) -> Made:
    """The source at the row's size."""
    source = source_of(row)
    small = as_colours(source.image)
    shot = shot_hinted(source.recipe)
    painted: Painted | None = None
    if shot is not None and row.width * row.height <= MOST_PAINTED:
        painted = painted_finer(richer(resized(shot, row.width, row.height), row.strength), small, tell)
    tell("enlarge")
    large = enlarged(row, small, tell)
    if painted is not None:
        large = pixels.mixed(large, *painted)
        del painted
    large = pixels.as_floats(large)
    if row.strength > 0:
        tell("detail")
        large = textured(large, row.strength, seed=row.seed + row.index)
    large = true_to(large, small, 0.8 if row.strength == 0 else 0.5)
    recipe = without_scene(row.width, row.height, words=lasting_words(row))
    if shot is not None:
        is_reworked = bool((source.recipe or {}).get("pixels")) or row.strength > 0
        recipe = recipe_of(resized(shot, row.width, row.height), words=lasting_words(row), pixels=is_reworked)
    return Made(large, recipe)


def enlarged(row: Row, small: Field, tell: OnPass) -> Field:
    """By the network in whole factors, then to the row's exact size; as bytes, for it waits for what is painted."""
    factor = max(row.width / small.shape[1], row.height / small.shape[0])
    if factor <= 1.05:
        return pixels.as_bytes(pixels.sized(small, row.width, row.height))
    image = source_of(row).image.convert("RGB")
    large = upscale(image, factor=2 if factor <= 2.05 else 4, threads=1, on_tile=lambda _tile, _tiles: tell("enlarge"))
    if large.size != (row.width, row.height):
        large = large.resize((row.width, row.height), Image.Resampling.LANCZOS)
    return np.asarray(large)


def richer(shot: Shot, strength: float) -> Shot:
    """More octaves of everything."""
    if strength <= 0:
        return shot
    return replace(shot, scene=replace(shot.scene, detail=min(shot.scene.detail * (1 + strength), 4.0)))


def painted_finer(shot: Shot, small: Field, tell: OnPass) -> Painted:
    """The Scene painted large with the source's broad light; and (H, W) 0..1, where it shows what the source shows."""
    painted = paint_shot(shot, on_pass=tell)
    sigma = 1.2
    error = small - pixels.sized(painted, small.shape[1], small.shape[0])
    soft = np.asarray(cv2.GaussianBlur(error, (0, 0), sigma), np.float32)
    stray = cv2.GaussianBlur(np.abs(soft).mean(2), (0, 0), 2 * sigma)
    trust = 1 - pixels.ramp(0.4 * STRAYS, STRAYS, np.asarray(stray, np.float32))
    size = (painted.shape[1], painted.shape[0])
    painted += cv2.resize(soft, size, interpolation=cv2.INTER_LINEAR)
    share = np.asarray(cv2.resize(trust, size, interpolation=cv2.INTER_LINEAR), np.float32)
    return pixels.as_bytes(painted), share


def true_to(large: Field, small: Field, share: float) -> Field:
    """Nearer to what shrinks to the source. Changes `large`."""
    error = small - pixels.sized(large, small.shape[1], small.shape[0])
    error *= np.float32(share)
    large += cv2.resize(error, (large.shape[1], large.shape[0]), interpolation=cv2.INTER_CUBIC)
    return np.clip(large, 0, 1, out=large)


def textured(picture: Field, strength: float, *, seed: int) -> Field:
    """Invented detail: crisper materials, and finer strokes along the forms where there is texture already."""
    unit = max(brushes.unit_of(picture) / 2, 0.5)  # lengths of the source's pixels
    amount = texture_of(luma(picture), unit) * np.float32(0.5 + strength)
    fibre = brushes.noise(amount.shape, seed % 2**31, max(0.7 * unit, 0.5))
    tangent = brushes.flow(picture, sigma=4 * unit)
    strokes = brushes.along(fibre, tangent, reach=5 * unit, samples=3) * np.float32(1.8)
    strokes *= amount
    del tangent, fibre, amount
    out = picture.copy()
    for sigma, share in ((1.6 * unit, 0.9 * strength), (14 * unit, 0.2 * strength)):
        detail = picture - brushes.blurred(picture, sigma)
        detail -= np.clip(detail, -FAINT, FAINT)  # not the traces of resampling
        detail *= np.float32(share)
        np.clip(detail, -0.09, 0.09, out=detail)
        out += detail
        del detail
    within_range(out, picture, max(1, round(1.2 * unit)))
    out += strokes[..., None]
    del strokes
    return brushes.saturated(np.clip(out, 0, 1, out=out), 1 + 0.12 * strength)


def within_range(out: Field, picture: Field, radius: int) -> None:
    """Hold sharpened colours between the lightest and darkest ones near by: contours get no bright or dark lines."""
    near = np.ones((2 * radius + 1, 2 * radius + 1), np.uint8)
    for top in range(0, out.shape[0], pixels.BAND):
        first, last = max(top - radius, 0), min(top + pixels.BAND + radius, out.shape[0])
        part = picture[first:last]
        rows = slice(top - first, min(top + pixels.BAND, out.shape[0]) - first)
        low, high = cv2.erode(part, near)[rows], cv2.dilate(part, near)[rows]
        band = out[top : top + pixels.BAND]
        np.clip(band, low - np.float32(0.01), high + np.float32(0.01), out=band)


def texture_of(grey: Field, unit: float) -> Field:
    """0-0.05: how much fine variation there is. A contour between smooth parts is none."""
    local = np.abs(grey - cv2.GaussianBlur(grey, (0, 0), 3 * unit))
    side = 2 * round(3 * unit) + 1
    contour = cv2.dilate(local, np.ones((side, side), np.uint8))
    calm = 1 - pixels.ramp(0.07, 0.18, np.asarray(cv2.GaussianBlur(contour, (0, 0), 2 * unit), np.float32))
    busy = pixels.ramp(0.004, 0.018, pixels.broad(np.minimum(local, np.float32(0.03)), 10 * unit))
    return np.asarray(busy * np.maximum(calm, busy) * np.float32(0.05), np.float32)


def enhanced(row: Row, tell: OnPass) -> Made:
    """The finished picture of a draft: the same Scene at full size and detail."""
    shot = shot_of(source_of(row).recipe)
    if shot is None:
        return upscaled(row, tell)
    shot = replace(resized(shot, row.width, row.height), detail=1.0)
    return Made(paint_shot(shot, on_pass=tell), recipe_of(shot, words=lasting_words(row)))
