"""Things to lay over backgrounds: artwork and painted subjects, relit, textured, made furry; shapes cut from anything.

A cut-out is (h, w, 4) straight colours and alpha, 0..1. Knows no backgrounds and no composition.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from brushwork.engines.diorama.subjects.sprites import drawn
from brushwork.engines.diorama.words.lexicon import concepts

Picture = np.ndarray
"""(H, W, 3) bytes."""


@dataclass(frozen=True)
class Painted:
    """A painter's picture with its truth, in bytes; nearness is relative, 1 is the nearest."""

    image: Picture
    alpha: np.ndarray
    near: np.ndarray
    """(H, W) float16, 1 / metres."""


@dataclass(frozen=True)
class Sources:
    """All that is learned from."""

    painted: Sequence[Painted]
    landscapes: Sequence[Picture]
    photos: Sequence[Picture]
    names: Sequence[str]
    """Concepts whose artwork may be used."""


def cutout(rng: np.random.Generator, sources: Sources, height: int) -> np.ndarray:
    """Some thing, about `height` pixels tall."""
    kind = rng.choice(("artwork", "painted", "shape"), p=(0.6, 0.18, 0.22))
    if kind == "artwork":
        thing = artwork(rng, sources.names, height)
    elif kind == "painted":
        thing = subject(rng, sources.painted, height)
    else:
        thing = shape(rng, texture(rng, sources, height), height)
    if kind != "shape" and rng.random() < 0.35:
        thing[..., :3] = textured(rng, thing[..., :3], texture(rng, sources, max(thing.shape[:2])))
    thing[..., :3] = relit(rng, thing[..., :3])
    if rng.random() < 0.3:
        thing = furry(rng, thing)
    if rng.random() < 0.3:
        thing = softened(thing, float(rng.uniform(0.4, 1.6)))
    return thing


def several(rng: np.random.Generator, sources: Sources, height: int) -> np.ndarray:
    """One thing of parts that look nothing alike, as clothes, hair and faces do."""
    base = cutout(rng, sources, height)
    for _ in range(int(rng.integers(1, 4))):
        part = cutout(rng, sources, max(24, int(height * rng.uniform(0.25, 0.7))))
        tall, wide = (min(a, b) for a, b in zip(part.shape[:2], base.shape[:2], strict=True))
        top = int(rng.integers(base.shape[0] - tall + 1))
        left = int(np.clip(rng.normal(0.5, 0.2) * base.shape[1] - wide / 2, 0, base.shape[1] - wide))
        under, over = base[top : top + tall, left : left + wide], part[:tall, :wide]
        cover = over[..., 3:]
        under[..., :3] += (over[..., :3] - under[..., :3]) * cover
        under[..., 3:] += (1 - under[..., 3:]) * cover
    return base


def artwork(rng: np.random.Generator, names: Sequence[str], height: int) -> np.ndarray:
    concept = concepts()[str(rng.choice(names))]
    turn = float(rng.normal(0, 14)) if rng.random() < 0.5 else 0.0
    flip = bool(rng.random() < 0.5)
    picture = drawn(str(rng.choice(concept.artwork)), height=height, flip=flip, tilt=turn)
    return straight(picture)


def straight(picture: np.ndarray) -> np.ndarray:
    """Premultiplied → straight colours, which also lie where nothing is seen."""
    colours, alpha = picture[..., :3], picture[..., 3]
    near, amount = cv2.GaussianBlur(colours, (0, 0), 4), cv2.GaussianBlur(alpha, (0, 0), 4)[..., None]
    beyond = near / np.maximum(amount, 1e-3)
    inside = colours / np.maximum(alpha[..., None], 1e-3)
    solid = np.where(alpha[..., None] > 0.05, inside, beyond)
    return np.dstack([solid.clip(0, 1), alpha.clip(0, 1)]).astype(np.float32)


def subject(rng: np.random.Generator, painted: Sequence[Painted], height: int) -> np.ndarray:
    """What subjects of a painter's picture look like in its light and style."""
    one = painted[int(rng.integers(len(painted)))]
    rows, columns = np.flatnonzero(one.alpha.max(1) > 127), np.flatnonzero(one.alpha.max(0) > 127)
    if rows.size < 24 or columns.size < 16:
        return shape(rng, one.image, height)
    box = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    part = np.dstack([one.image[box], one.alpha[box]]).astype(np.float32) / 255
    size = (max(8, round(height * part.shape[1] / part.shape[0])), height)
    return np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA)).clip(0, 1)


def shape(rng: np.random.Generator, filling: Picture, height: int) -> np.ndarray:
    """A blob with lobes, filled with a piece of any picture."""
    width = max(12, int(height * rng.uniform(0.5, 1.6)))
    angle = np.linspace(0, 2 * np.pi, 120, endpoint=False)
    radius = np.ones_like(angle)
    for wave in range(1, 8):
        radius += rng.normal(0, 0.32) / wave**0.8 * np.cos(wave * angle + rng.uniform(0, 2 * np.pi))
    radius = np.clip(radius, 0.25, None) / np.clip(radius, 0.25, None).max()
    points = np.stack([(1 + radius * np.cos(angle)) * width / 2, (1 + radius * np.sin(angle)) * height / 2], 1)
    alpha = np.zeros((height, width), np.uint8)
    cv2.fillPoly(alpha, [np.round(points * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    inside = cv2.resize(crop(rng, filling, 0.3, 0.9), (width, height), interpolation=cv2.INTER_AREA)
    return np.dstack([inside, alpha]).astype(np.float32) / 255


def texture(rng: np.random.Generator, sources: Sources, side: int) -> Picture:
    """A piece of a photograph or of a landscape."""
    kept = sources.photos if rng.random() < 0.7 else sources.landscapes
    piece = crop(rng, kept[int(rng.integers(len(kept)))], 0.08, 0.5)
    return np.asarray(cv2.resize(piece, (side, side), interpolation=cv2.INTER_AREA))


def crop(rng: np.random.Generator, picture: Picture, least: float, most: float) -> Picture:
    """A rectangle of this share of the shorter side."""
    shorter = min(picture.shape[:2])
    side = min(shorter, max(16, int(shorter * rng.uniform(least, most))))
    wide = min(int(side * rng.uniform(1, 1.4)), picture.shape[1])
    top, left = int(rng.integers(picture.shape[0] - side + 1)), int(rng.integers(picture.shape[1] - wide + 1))
    piece = picture[top : top + side, left : left + wide]
    return np.ascontiguousarray(piece[:, ::-1] if rng.random() < 0.5 else piece)


def textured(rng: np.random.Generator, colours: np.ndarray, pattern: Picture) -> np.ndarray:
    """Smooth artwork with the unrest of a photographed surface; sometimes its colours too."""
    fit = cv2.resize(pattern, (colours.shape[1], colours.shape[0]), interpolation=cv2.INTER_AREA).astype(np.float32)
    fit /= 255
    grey = fit.mean(2, keepdims=True)
    rough = colours * (1 + (grey / max(float(grey.mean()), 0.05) - 1) * rng.uniform(0.3, 1.0))
    share = rng.uniform(0, 0.7) if rng.random() < 0.5 else 0.0
    return np.asarray(rough + (fit - rough) * share, np.float32).clip(0, 1)


def relit(rng: np.random.Generator, colours: np.ndarray) -> np.ndarray:
    """Another hue, strength, contrast, and light from one side."""
    hsv = cv2.cvtColor(np.ascontiguousarray(colours, np.float32), cv2.COLOR_RGB2HSV)
    if rng.random() < 0.5:
        hsv[..., 0] = (hsv[..., 0] + rng.uniform(-180, 180)) % 360
    hsv[..., 1] = (hsv[..., 1] * rng.uniform(0.15, 1.1)).clip(0, 1)
    out = cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)
    out = (out - 0.5) * rng.uniform(0.55, 1.15) + 0.5 + rng.uniform(-0.25, 0.2)
    height, width = out.shape[:2]
    slope = np.linspace(-1, 1, height)[:, None] * rng.normal() + np.linspace(-1, 1, width)[None, :] * rng.normal()
    tint = 1 + rng.uniform(-0.12, 0.12, 3)
    return np.asarray(out * (1 + 0.22 * slope[..., None]) * tint, np.float32).clip(0, 1)


def furry(rng: np.random.Generator, thing: np.ndarray) -> np.ndarray:
    """With thin hairs over its edge."""
    pad = int(rng.integers(4, 14))
    padded = np.pad(thing, ((pad, pad), (pad, pad), (0, 0)))
    alpha = padded[..., 3]
    outlines, _ = cv2.findContours((alpha > 0.5).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not outlines:
        return thing
    points = np.concatenate([each[:, 0] for each in outlines]).astype(np.float32)
    smooth = cv2.GaussianBlur(alpha, (0, 0), 3)
    out_x, out_y = -cv2.Sobel(smooth, cv2.CV_32F, 1, 0), -cv2.Sobel(smooth, cv2.CV_32F, 0, 1)
    hairs = np.zeros(alpha.shape, np.uint8)
    lean = rng.normal(0, 0.5, 2)
    for x, y in points[rng.integers(len(points), size=int(len(points) * rng.uniform(0.3, 1.2)))]:
        way = np.array([out_x[int(y), int(x)], out_y[int(y), int(x)]])
        way = way / max(float(np.linalg.norm(way)), 1e-4) + lean + rng.normal(0, 0.35, 2)
        end = np.array([x, y]) + way * rng.uniform(0.3, 1) * pad * 0.8
        strength = int(rng.integers(60, 230))
        line = [(int(v[0] * 16), int(v[1] * 16)) for v in ((x, y), end)]
        cv2.line(hairs, line[0], line[1], strength, 1, cv2.LINE_AA, 4)
    padded[..., 3] = np.maximum(alpha, hairs.astype(np.float32) / 255)
    weight = alpha[..., None]
    carried = cv2.GaussianBlur(padded[..., :3] * weight, (0, 0), 3) / np.maximum(
        cv2.GaussianBlur(alpha, (0, 0), 3)[..., None], 1e-3
    )
    padded[..., :3] = np.where(weight > 0.5, padded[..., :3], carried.clip(0, 1))
    return padded


def softened(thing: np.ndarray, sigma: float) -> np.ndarray:
    """Out of focus at its edge."""
    pad = 4
    padded = np.pad(thing, ((pad, pad), (pad, pad), (0, 0)), mode="edge")
    padded[:pad, :, 3] = padded[-pad:, :, 3] = padded[:, :pad, 3] = padded[:, -pad:, 3] = 0
    padded[..., 3] = cv2.GaussianBlur(padded[..., 3], (0, 0), sigma)
    return padded
