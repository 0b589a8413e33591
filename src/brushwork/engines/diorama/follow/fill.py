"""Fill a hole of any picture with what is around it: patches of the known part, found from coarse to fine.

PatchMatch on a pyramid, with votes averaged between passes; the start is a mirror image of what is known, so that
forms run on across the border. Deterministic. Knows no Scene.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from brushwork.engines.diorama.follow.level import levelling
from brushwork.engines.diorama.follow.pixels import BAND, broad, continued, seam_eased
from brushwork.engines.diorama.looks.brushes import luma
from brushwork.engines.diorama.noise import Field

Whole = NDArray[np.int32]
REACH = 3
"""Half a patch: 7 x 7 pixels."""
FINEST = 288
"""Shorter side at which patches are compared; finer pixels are copied from the same places."""
COARSEST = 40
AROUND = [(y, x) for y in range(-REACH, REACH + 1) for x in range(-REACH, REACH + 1)]
OFFSETS = np.array([(y, x) for y, x in AROUND if (y + x) % 2 == 0], np.int32)
"""Pixels of a patch that are compared: every other one."""
VOTES = np.array([(y, x) for y, x in AROUND if y * y + x * x <= 5], np.int32)
ROUGHNESS = 2.5
"""How much a patch's fineness counts beside its colours; without it smooth patches always win."""
SAME_HEIGHT = 50.0
"""How dear it is to take a patch from farther up or down: skies stay above, grounds below."""


def filled(picture: Field, hole: Field, *, seed: int) -> Field:
    """The picture with its hole (1 where unknown) painted over."""
    if hole.max() < 0.5:
        return picture
    rng = np.random.default_rng([seed, 83])
    side = min(picture.shape[:2])
    finest = min(1.0, FINEST / side)
    scales = [finest]
    while scales[-1] * side > 2 * COARSEST:
        scales.append(scales[-1] / 2)
    nearest: Whole | None = None
    base, base_hole = shrunk(picture, hole, finest)
    whole = np.dstack([base, roughness(base, base_hole)])
    image: Field | None = None
    for scale in reversed(scales):
        small, unknown = shrunk(np.asarray(whole, np.float32), base_hole, scale / finest)
        if image is None:
            image = begun(small, unknown)
        else:
            image = merged(small, cv2.resize(image, (small.shape[1], small.shape[0])), unknown)
        nearest = grown(nearest, unknown.shape[:2])
        image, nearest = matched(image, unknown, nearest, rng, passes=4 if scale < finest else 2)
    assert nearest is not None  # there is at least one scale
    return sharpened_by(picture, hole, nearest)


def roughness(picture: Field, hole: Field) -> Field:
    """How fine the picture is around each known pixel: (H, W)."""
    known = 1 - cv2.dilate(hole, np.ones((3, 3), np.uint8))
    grey = luma(picture)
    sigma = 6 * min(hole.shape) / 512
    amount = broad(known, sigma)
    fine = np.abs(cv2.Sobel(grey, cv2.CV_32F, 1, 0, ksize=1)) + np.abs(cv2.Sobel(grey, cv2.CV_32F, 0, 1, ksize=1))
    return np.asarray(broad(fine * known, sigma) / np.maximum(amount, 0.05) * ROUGHNESS, np.float32)


def shrunk(picture: Field, hole: Field, scale: float) -> tuple[Field, Field]:
    """Colours of the known only, and what is wholly or partly unknown."""
    size = (max(16, round(picture.shape[1] * scale)), max(16, round(picture.shape[0] * scale)))
    unknown = np.asarray(cv2.resize(hole, size, interpolation=cv2.INTER_AREA), np.float32)
    known = np.asarray(cv2.resize(picture * (1 - hole)[..., None], size, interpolation=cv2.INTER_AREA), np.float32)
    colours = np.asarray(known / np.maximum(1 - unknown, 1e-3)[..., None], np.float32)
    # Where a hole is a fine comb, every small pixel is partly unknown: those that are least so must do.
    most = max(0.02, float(unknown.min()) + 1e-3)
    return colours, np.asarray(unknown > most, np.float32)


def begun(picture: Field, unknown: Field) -> Field:
    """What is near, mirrored at the border of the hole, over a smooth continuation."""
    smooth = continued(picture, 1 - unknown)
    _, labels = cv2.distanceTransformWithLabels(
        (unknown > 0.5).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    y, x = np.nonzero(unknown < 0.5)
    place = np.zeros((int(labels.max()) + 1, 2), np.int32)
    place[labels[y, x]] = np.stack([y, x], 1)
    grid = grid_of(unknown.shape)
    mirrored = 2 * place[labels] - grid
    inside = (mirrored >= 0).all(2) & (mirrored < np.array(unknown.shape)).all(2)
    mirrored = np.clip(mirrored, 0, np.array(unknown.shape) - 1)
    usable = inside & (unknown[mirrored[..., 0], mirrored[..., 1]] < 0.5)
    copied = picture[mirrored[..., 0], mirrored[..., 1]]
    return merged(picture, np.where(usable[..., None], copied, smooth), unknown)


def grid_of(shape: tuple[int, ...]) -> Whole:
    """(H, W, 2): every pixel's own row and column."""
    return np.asarray(np.moveaxis(np.mgrid[: shape[0], : shape[1]], 0, 2), np.int32)


def merged(picture: Field, guess: Field, unknown: Field) -> Field:
    return np.asarray(np.where(unknown[..., None] > 0.5, guess, picture), np.float32)


def grown(nearest: Whole | None, shape: tuple[int, ...]) -> Whole | None:
    """Coordinates found at half the size, for this one."""
    if nearest is None:
        return None
    old = np.array(nearest.shape[:2], np.float64)
    grid = grid_of(shape)
    ratio = np.array(shape[:2]) / old
    cell = np.minimum((grid / ratio).astype(np.int32), nearest.shape[:2] - np.array([1, 1]))
    base = nearest[cell[..., 0], cell[..., 1]]
    shift = (base - cell) * ratio
    return np.asarray(np.round(grid + shift), np.int32)


def matched(
    image: Field, unknown: Field, nearest: Whole | None, rng: np.random.Generator, *, passes: int
) -> tuple[Field, Whole]:
    """Each unknown pixel's best known patch, and the picture as those patches vote."""
    height, width = unknown.shape
    y, x = np.nonzero(unknown > 0.5)
    allowed = np.asarray(
        cv2.erode((unknown < 0.5).astype(np.uint8), np.ones((2 * REACH + 1,) * 2, np.uint8), borderValue=0), np.uint8
    )
    allowed[:REACH], allowed[-REACH:], allowed[:, :REACH], allowed[:, -REACH:] = 0, 0, 0, 0
    pool = np.argwhere(allowed > 0).astype(np.int32)
    if not len(pool):
        pool = np.argwhere(unknown < 0.5).astype(np.int32)
    start = pool[rng.integers(0, len(pool), len(y))]
    if nearest is not None:
        given = np.clip(nearest[y, x], 0, np.array([height - 1, width - 1]))
        good = allowed[given[:, 0], given[:, 1]] > 0
        start = np.where(good[:, None], given, start)
    field = grid_of((height, width)).astype(np.int32)
    for number in range(passes):
        start = improved(image, (y, x), start, field, allowed, rng, rounds=4 if number == 0 else 3)
        field[y, x] = start
        image = voted(image, (y, x), start)
    return image, field


def improved(
    image: Field,
    spots: tuple[NDArray[np.intp], NDArray[np.intp]],
    best: Whole,
    field: Whole,
    allowed: NDArray[np.uint8],
    rng: np.random.Generator,
    *,
    rounds: int,
) -> Whole:
    """PatchMatch: neighbours' findings, and a few random looks around one's own."""
    y, x = spots
    height, width = allowed.shape
    limits = np.array([height - 1, width - 1])
    padded = np.pad(image, ((REACH, REACH), (REACH, REACH), (0, 0)), mode="reflect")
    mine = patches(padded, y, x)
    cost = cost_of(padded, mine, best, y)
    field[y, x] = best
    for turn in range(rounds):
        step = max(1, 4 >> turn)
        for dy, dx in ((0, step), (0, -step), (step, 0), (-step, 0)):
            ny, nx = np.clip(y + dy, 0, height - 1), np.clip(x + dx, 0, width - 1)
            trial = np.clip(field[ny, nx] - np.array([dy, dx]), 0, limits)
            best, cost = better(padded, mine, best, cost, trial, allowed, y)
            field[y, x] = best
        reach = max(height, width) / 2.0 ** (2 * turn + 1)
        trial = best + np.round(rng.uniform(-reach, reach, best.shape)).astype(np.int32)
        best, cost = better(padded, mine, best, cost, np.clip(trial, 0, limits), allowed, y)
        field[y, x] = best
    return best


def patches(padded: Field, y: NDArray[np.intp], x: NDArray[np.intp]) -> Field:
    """(n, 25, 4)"""
    return np.asarray(padded[y[:, None] + REACH + OFFSETS[:, 0], x[:, None] + REACH + OFFSETS[:, 1]], np.float32)


def cost_of(padded: Field, mine: Field, where: Whole, y: NDArray[np.intp]) -> Field:
    other = patches(padded, where[:, 0].astype(np.intp), where[:, 1].astype(np.intp))
    other -= mine
    climb = (where[:, 0] - y) / np.float32(padded.shape[0])
    return np.asarray(np.einsum("npc,npc->n", other, other) + SAME_HEIGHT * climb * climb, np.float32)


def better(
    padded: Field, mine: Field, best: Whole, cost: Field, trial: Whole, allowed: NDArray[np.uint8], y: NDArray[np.intp]
) -> tuple[Whole, Field]:
    """The trial's findings where they are allowed, new and nearer."""
    new = np.flatnonzero((allowed[trial[:, 0], trial[:, 1]] > 0) & (trial != best).any(1))
    if not new.size:
        return best, cost
    costs = cost_of(padded, mine[new], trial[new], y[new])
    won = costs < cost[new]
    best, cost = best.copy(), cost.copy()
    best[new[won]], cost[new[won]] = trial[new[won]], costs[won]
    return best, cost


def voted(image: Field, spots: tuple[NDArray[np.intp], NDArray[np.intp]], best: Whole) -> Field:
    """Every unknown pixel as the patches that cover it say, those of the middle most."""
    y, x = spots
    height, width = image.shape[:2]
    shift = np.zeros((height, width, 2), np.int32)
    is_hole = np.zeros((height, width), bool)
    is_hole[y, x] = True
    shift[y, x] = best - np.stack([y, x], 1)
    total, weight = np.zeros((len(y), image.shape[2]), np.float32), np.zeros((len(y), 1), np.float32)
    for dy, dx in VOTES:
        ny, nx = np.clip(y + dy, 0, height - 1), np.clip(x + dx, 0, width - 1)
        move = shift[ny, nx]
        from_y, from_x = y + move[:, 0], x + move[:, 1]
        inside = (from_y >= 0) & (from_y < height) & (from_x >= 0) & (from_x < width) & is_hole[ny, nx]
        share = np.float32(np.exp(-(dy * dy + dx * dx) / 6.0)) * inside[:, None].astype(np.float32)
        total += share * image[np.clip(from_y, 0, height - 1), np.clip(from_x, 0, width - 1)]
        weight += share
    out = image.copy()
    out[y, x] = total / np.maximum(weight, 1e-6)
    return out


def sharpened_by(picture: Field, hole: Field, nearest: Whole) -> Field:
    """The hole at full size: each pixel copied from where its coarse one was found, seams between copies softened."""
    ratio = np.array([hole.shape[0] / nearest.shape[0], hole.shape[1] / nearest.shape[1]])
    shift = np.asarray((nearest - grid_of(nearest.shape)) * ratio, np.float32)
    small, unknown = shrunk(picture, hole, min(1.0, FINEST / min(hole.shape)))
    smooth = continued(small, 1 - unknown)
    level = levelling(small, unknown, nearest)
    made = picture.copy()
    for top in range(0, hole.shape[0], BAND):
        rows = slice(top, min(top + BAND, hole.shape[0]))
        if hole[rows].any():
            made[rows] = copied_rows(picture, hole, shift, ratio, (smooth, level), rows)
    return merged(picture, seam_eased(made, picture, hole, reach=0.12), hole)


def copied_rows(
    picture: Field, hole: Field, shift: Field, ratio: Field, coarse: tuple[Field, Field], rows: slice
) -> Field:
    """Some rows of the filling. `coarse`: what to take where there is nothing to copy, and what to add to copies."""
    smooth, level = coarse
    height, width = rows.stop - rows.start, hole.shape[1]
    y = np.arange(rows.start, rows.stop, dtype=np.float32)[:, None] + np.zeros((1, width), np.float32)
    x = np.arange(width, dtype=np.float32)[None, :] + np.zeros((height, 1), np.float32)
    total, weight = np.zeros((height, width, 3), np.float32), np.zeros((height, width, 1), np.float32)
    for dy, dx, share in ((0, 0, 1.0), (0.7, 0, 0.5), (-0.7, 0, 0.5), (0, 0.7, 0.5), (0, -0.7, 0.5)):
        cell_x = np.clip(x / ratio[1] + dx, 0, shift.shape[1] - 1).astype(np.int32)
        cell_y = np.clip(y / ratio[0] + dy, 0, shift.shape[0] - 1).astype(np.int32)
        move = np.round(shift[cell_y, cell_x])
        from_x, from_y = np.asarray(x + move[..., 1], np.float32), np.asarray(y + move[..., 0], np.float32)
        copied = cv2.remap(picture, from_x, from_y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REFLECT_101)
        usable = 1 - cv2.remap(hole, from_x, from_y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REFLECT_101)
        total += (copied + level[cell_y, cell_x]) * (share * usable)[..., None]
        weight += (share * usable)[..., None]
    at_x, at_y = (x + 0.5) / np.float32(ratio[1]) - 0.5, (y + 0.5) / np.float32(ratio[0]) - 0.5
    soft = cv2.remap(smooth, np.asarray(at_x, np.float32), np.asarray(at_y, np.float32), cv2.INTER_LINEAR)
    return np.asarray(np.clip(np.where(weight > 0, total / np.maximum(weight, 1e-6), soft), 0, 1), np.float32)
