"""What all operations on pixels share: sizes, colour statistics, smooth continuation, a measure of likeness.

Pictures are (H, W, 3) float32 display colours 0..1. Knows no Scene.
"""

import cv2
import numpy as np
from PIL import Image

from brushwork.engines.diorama.looks.brushes import luma
from brushwork.engines.diorama.noise import Field
from brushwork.engines.diorama.recipe import Grade

EASED_SIDE = 512
"""Seams are measured on copies whose shorter side has at most so many pixels."""
BAND = 256
"""Rows that are worked on together where a picture may be large."""
LIKENESS_SIDE = 48
"""Pictures are compared at this size."""


def sized(picture: Field, width: int, height: int) -> Field:
    """At another size; sharp when it grows, without moiré when it shrinks."""
    if picture.shape[:2] == (height, width):
        return picture
    shrinks = width * height < picture.shape[0] * picture.shape[1]
    method = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    out = cv2.resize(picture, (width, height), interpolation=method)
    return np.asarray(np.clip(out, 0, 1), np.float32)


def covering(picture: Field, width: int, height: int) -> Field:
    """Scaled to cover the size, its middle kept."""
    rows, columns = picture.shape[:2]
    scale = max(width / columns, height / rows)
    big = sized(picture, max(width, round(columns * scale)), max(height, round(rows * scale)))
    top, left = (big.shape[0] - height) // 2, (big.shape[1] - width) // 2
    return big[top : top + height, left : left + width]


def to_lab(picture: Field) -> Field:
    return np.asarray(cv2.cvtColor(np.asarray(picture, np.float32), cv2.COLOR_RGB2LAB), np.float32)


def from_lab(lab: Field) -> Field:
    out = np.array(lab, np.float32)
    np.clip(out[..., 0], 0, 100, out=out[..., 0])
    return np.asarray(np.clip(cv2.cvtColor(out, cv2.COLOR_LAB2RGB), 0, 1), np.float32)


# ---------------------------------------------------------------- colours of one picture for another


def statistics(picture: Field) -> tuple[Field, Field]:
    """Mean (3,) and covariance (3, 3) of its Lab values, in float64."""
    small = sized(picture, min(picture.shape[1], 256), min(picture.shape[0], 256))
    values = to_lab(small).reshape(-1, 3).astype(np.float64)
    return values.mean(0), np.cov(values.T) + np.eye(3) * 1.0


def grade_towards(own: tuple[Field, Field], other: tuple[Field, Field], share: float) -> Grade:
    """The affine map that gives colours of `own` statistics the mean and spread of `other`; `share` 0-1 of the way.

    The linear Monge-Kantorovich map: of all that do it, the one that moves colours least.
    """
    (mean, cov), (target, wanted) = own, other
    root, inverse = roots(cov)
    middle, _ = roots(root @ wanted @ root)
    matrix = inverse @ middle @ inverse
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    matrix = vectors @ np.diag(np.clip(values, 0.45, 2.2)) @ vectors.T
    matrix = np.eye(3) + (matrix - np.eye(3)) * share
    offset = mean + (target - mean) * share - matrix @ mean
    return tuple(round(float(number), 6) for number in (*matrix.ravel(), *offset))


def regraded(picture: Field, grade: Grade) -> Field:
    """Display colours under an affine map of their Lab values."""
    matrix, offset = np.array(grade[:9], np.float32).reshape(3, 3), np.array(grade[9:], np.float32)
    return from_lab(np.asarray(to_lab(picture) @ matrix.T + offset, np.float32))


def roots(symmetric: Field) -> tuple[Field, Field]:
    """Square root and inverse square root of a positive matrix."""
    values, vectors = np.linalg.eigh(symmetric)
    values = np.sqrt(np.maximum(values, 1e-6))
    return vectors @ np.diag(values) @ vectors.T, vectors @ np.diag(1 / values) @ vectors.T


def in_light_of(picture: Field, guide: Field, share: float, *, sigma: float) -> Field:
    """The picture with the broad forms of light and colour of another of its size."""
    own, other = to_lab(picture), to_lab(guide)
    change = broad(np.asarray(other - own, np.float32), sigma)
    return from_lab(np.asarray(own + change * np.float32(share), np.float32))


def broad(field: Field, sigma: float) -> Field:
    """Blurred widely, on a small copy."""
    height, width = field.shape[:2]
    shrink = max(1, int(sigma / 3))
    small = cv2.resize(field, (max(2, width // shrink), max(2, height // shrink)), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), max(sigma / shrink, 0.5), borderType=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC), np.float32)


# ---------------------------------------------------------------- going on from what is known


def continued(field: Field, known: Field) -> Field:
    """Values where `known` (0..1) says so, carried smoothly into the rest: pull-push over a pyramid."""
    values, weights = [field * known[..., None]], [known]
    while min(weights[-1].shape) > 2:
        size = (max(1, weights[-1].shape[1] // 2), max(1, weights[-1].shape[0] // 2))
        values.append(cv2.resize(values[-1], size, interpolation=cv2.INTER_AREA))
        weights.append(np.asarray(cv2.resize(weights[-1], size, interpolation=cv2.INTER_AREA), np.float32))
    filled = values[-1] / np.maximum(weights[-1], 1e-6)[..., None]
    for value, weight in zip(values[-2::-1], weights[-2::-1], strict=True):
        up = cv2.resize(filled, (weight.shape[1], weight.shape[0]), interpolation=cv2.INTER_LINEAR)
        sure = np.clip(weight * 4, 0, 1)[..., None]
        filled = up * (1 - sure) + value / np.maximum(weight, 1e-6)[..., None] * sure
    return np.asarray(filled, np.float32)


def seam_eased(made: Field, picture: Field, hole: Field, *, reach: float) -> Field:
    """What was made for a hole, drawn towards the colours just outside of it; less with the distance from the border,
    which is measured in shares of the picture's shorter side. `picture` may be bytes. Changes `made`.
    """
    height, width = hole.shape
    scale = min(1.0, EASED_SIDE / min(height, width))
    size = (max(8, round(width * scale)), max(8, round(height * scale)))
    if scale < 1:
        small = [as_floats(cv2.resize(a, size, interpolation=cv2.INTER_AREA)) for a in (made, picture, hole)]
        part = np.asarray(small[2] > 0.5, np.float32)
        known = np.asarray(cv2.resize(1 - hole, size, interpolation=cv2.INTER_AREA), np.float32)
        outside = small[1] / np.maximum(known, 1e-3)[..., None]
        change = np.asarray(change_at_seam(small[0], outside, part, reach), np.float32)
        change = np.asarray(cv2.resize(change, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
    else:
        change = change_at_seam(made, as_floats(picture), hole, reach)
    made += change
    return np.clip(made, 0, 1, out=made)


def change_at_seam(made: Field, picture: Field, hole: Field, reach: float) -> Field:
    """(H, W, 3): what is missing at the border of the hole, fading inwards."""
    side = min(hole.shape)
    width = max(2.0, 0.010 * side)
    away_in, away_out = distance_from(np.asarray(1 - hole, np.float32)), distance_from(hole)
    outer, inner = (np.asarray((d > 0) & (d <= 1.5 * width), np.float32) for d in (away_out, away_in))
    if not outer.any() or not inner.any():
        return np.zeros_like(made)
    near = []
    for values, ring in ((picture, outer), (made, inner)):
        amount = cv2.GaussianBlur(ring, (0, 0), width)
        near.append(cv2.GaussianBlur(values * ring[..., None], (0, 0), width) / np.maximum(amount, 1e-4)[..., None])
        inner = np.asarray(inner * (amount > 0.02), np.float32)
    error = np.clip(near[0] - near[1], -0.10, 0.10)  # light and tint run on, but a thing that the border cuts does not
    spread = continued(np.asarray(error, np.float32), inner)
    return np.asarray(spread * np.exp(-away_in / (reach * side))[..., None], np.float32)


def distance_from(known: Field) -> Field:
    """Pixels to the nearest known one."""
    return np.asarray(cv2.distanceTransform((known < 0.5).astype(np.uint8), cv2.DIST_L2, 5), np.float32)


def ramp(low: float, high: float, value: Field) -> Field:
    t = np.clip((value - np.float32(low)) / np.float32(high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


# ---------------------------------------------------------------- likeness


def features(picture: Field) -> Field:
    """Colours and edges at a small size: what the eye compares at a glance."""
    small = sized(picture, LIKENESS_SIDE, LIKENESS_SIDE)
    lab = to_lab(small) / np.array([100, 100, 100], np.float32)
    grey = luma(sized(picture, 2 * LIKENESS_SIDE, 2 * LIKENESS_SIDE))
    edges = np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1))
    edges = cv2.resize(cv2.GaussianBlur(edges, (0, 0), 1.5), (LIKENESS_SIDE, LIKENESS_SIDE))
    return np.asarray(np.dstack([lab, 0.5 * edges]), np.float32)


def unlikeness(a: Field, b: Field) -> float:
    """Mean distance of two pictures' features; 0 for the same."""
    return float(np.sqrt(((features(a) - features(b)) ** 2).sum(2)).mean())


def edge_map(picture: Field) -> Field:
    """Strength of edges after a slight blur."""
    grey = cv2.GaussianBlur(luma(picture), (0, 0), max(0.8, 1.4 * min(picture.shape[:2]) / 1024))
    return np.asarray(np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)), np.float32)


def mask_field(mask: Image.Image, width: int, height: int) -> Field:
    """(H, W) 0 or 1: 1 is repainted."""
    values = np.asarray(mask.convert("L").resize((width, height), Image.Resampling.NEAREST), np.float32)
    return np.asarray(values > 127, np.float32)


def mixed(a: Field, b: Field, share: Field) -> Field:
    """`b` where the share (H, W) is 1, `a` where it is 0. Bytes may be given for either."""
    out = np.empty((*share.shape, a.shape[2]), np.float32)
    for top in range(0, share.shape[0], BAND):
        rows = slice(top, top + BAND)
        low, high = as_floats(a[rows]), as_floats(b[rows])
        out[rows] = low + (high - low) * share[rows, :, None]
    return out


def as_floats(values: Field) -> Field:
    return np.asarray(values / np.float32(255) if values.dtype == np.uint8 else values, np.float32)


def as_bytes(picture: Field) -> Field:
    """A quarter of the memory."""
    return np.asarray(np.clip(picture, 0, 1) * 255 + 0.5, np.uint8)
