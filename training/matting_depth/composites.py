"""What the network sees: painter pictures as they are, and cut-outs over backgrounds that have nothing to do with them.

Both go through the same camera: colours, focus, noise and the marks of a JPEG, so neither is told by its cleanness.
"""

import cv2
import numpy as np

from training.matting_depth.cutouts import Painted, Picture, Sources, crop, cutout, several

CLOSE_SHARE = 0.2
"""Of things so near that they do not fit into the picture."""
LEAST_COVER = 0.05
"""Less of a thing is no subject: backgrounds hold larger ones."""
TRIES = 4


def composite(rng: np.random.Generator, sources: Sources, side: int) -> tuple[Picture, np.ndarray]:
    """→ picture (side, side, 3) in bytes, alpha (side, side) 0..1."""
    for _ in range(TRIES):
        picture, alpha = composed(rng, sources, side)
        if alpha.mean() > LEAST_COVER:
            break
    return camera(rng, picture), alpha


def composed(rng: np.random.Generator, sources: Sources, side: int) -> tuple[np.ndarray, np.ndarray]:
    """One or two things over a background, before the camera."""
    picture = background(rng, sources, side)
    alpha = np.zeros((side, side), np.float32)
    close = rng.random() < CLOSE_SHARE
    for _ in range(1 if close or rng.random() < 0.8 else 2):
        height = int(side * (rng.uniform(1.0, 2.0) if close else np.clip(rng.normal(0.68, 0.24), 0.2, 1.25)))
        thing = several(rng, sources, height) if rng.random() < 0.25 else cutout(rng, sources, height)
        widest = (1.9 if close else 1.25) * side
        if thing.shape[1] > widest:
            thing = np.asarray(cv2.resize(thing, (int(widest), int(widest * thing.shape[0] / thing.shape[1]) + 1)))
        x, y = spot(rng, thing, side, close=close)
        if rng.random() < 0.5:
            shade(rng, picture, thing[..., 3], x, y)
        lay(picture, alpha, thing, x, y)
    return picture, alpha


def spot(rng: np.random.Generator, thing: np.ndarray, side: int, *, close: bool) -> tuple[int, int]:
    """Left and top: near the middle, often cut off by the lower edge as people are; close by, always."""
    if close:
        x = side / 2 + rng.normal(0, 0.12) * side - thing.shape[1] / 2
        return round(x), round(side * rng.uniform(-0.05, 0.35))
    x = side / 2 + rng.normal(0, 0.14) * side - thing.shape[1] / 2
    y = side / 2 + rng.normal(0.03, 0.1) * side - thing.shape[0] / 2
    if rng.random() < 0.3:
        y = side - thing.shape[0] * rng.uniform(0.6, 1.0)
    return round(x), round(y)


def lay(picture: np.ndarray, alpha: np.ndarray, thing: np.ndarray, x: int, y: int) -> None:
    """Over the picture, in place."""
    box, part = overlap(picture, thing, x, y)
    if box is None:
        return
    cover = part[..., 3:]
    picture[box] += (part[..., :3] - picture[box]) * cover
    alpha[box] += (1 - alpha[box]) * cover[..., 0]


def overlap(picture: np.ndarray, thing: np.ndarray, x: int, y: int) -> tuple[tuple[slice, slice] | None, np.ndarray]:
    y0, y1 = max(y, 0), min(y + thing.shape[0], picture.shape[0])
    x0, x1 = max(x, 0), min(x + thing.shape[1], picture.shape[1])
    if y1 <= y0 or x1 <= x0:
        return None, thing
    return np.s_[y0:y1, x0:x1], thing[y0 - y : y1 - y, x0 - x : x1 - x]


def shade(rng: np.random.Generator, picture: np.ndarray, alpha: np.ndarray, x: int, y: int) -> None:
    """A shadow behind it or under it, which is not the thing itself."""
    dark = np.zeros(picture.shape[:2], np.float32)
    if rng.random() < 0.5:
        box, part = overlap(picture, alpha, x + round(rng.normal(0, 12)), y + round(rng.normal(0, 8)))
        if box is not None:
            dark[box] = part
    else:
        low = y + alpha.shape[0]
        middle = (int(x + alpha.shape[1] / 2), int(low))
        axes = (max(2, int(alpha.shape[1] * 0.5)), max(2, int(alpha.shape[1] * rng.uniform(0.05, 0.18))))
        cv2.ellipse(dark, middle, axes, 0, 0, 360, 1.0, -1)
    dark = cv2.GaussianBlur(dark, (0, 0), float(rng.uniform(2, 9)))
    picture *= 1 - dark[..., None] * np.float32(rng.uniform(0.15, 0.6))


def background(rng: np.random.Generator, sources: Sources, side: int) -> np.ndarray:
    """(side, side, 3) 0..1: a photograph, a landscape, or made of nothing; in focus or not."""
    kind = rng.choice(("photo", "landscape", "gradient", "noise"), p=(0.42, 0.36, 0.14, 0.08))
    if kind == "photo":
        least = 0.12 if rng.random() < 0.5 else 0.45
        picture = crop(rng, sources.photos[int(rng.integers(len(sources.photos)))], least, 0.95)
    elif kind == "landscape":
        picture = crop(rng, sources.landscapes[int(rng.integers(len(sources.landscapes)))], 0.5, 0.95)
    else:
        picture = gradient(rng) if kind == "gradient" else noise(rng)
    large = picture.shape[0] > side
    out = cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA if large else cv2.INTER_CUBIC)
    out = out.astype(np.float32).clip(0, 255) / 255
    if rng.random() < 0.35:
        blurred_things(rng, out, sources)
    if rng.random() < (0.55 if kind == "photo" else 0.3):
        out = cv2.GaussianBlur(out, (0, 0), float(rng.uniform(0.6, 5)))
    return out


def blurred_things(rng: np.random.Generator, picture: np.ndarray, sources: Sources) -> None:
    """Things far behind, out of focus: they belong to the background."""
    nothing = np.zeros(picture.shape[:2], np.float32)
    for _ in range(int(rng.integers(1, 4))):
        thing = cutout(rng, sources, int(picture.shape[0] * rng.uniform(0.15, 0.5)))
        thing[..., 3] *= np.float32(0.9)
        x, y = rng.uniform(-0.1, 0.9, 2) * picture.shape[0]
        lay(picture, nothing, thing, round(x), round(y))
    picture[:] = cv2.GaussianBlur(picture, (0, 0), float(rng.uniform(3, 7)))


def gradient(rng: np.random.Generator) -> Picture:
    """Between four colours, one in each corner: papers, walls, studio sheets."""
    base = rng.uniform(0, 255, 3)
    corners = np.clip(base + rng.normal(0, rng.uniform(0, 60), (2, 2, 3)), 0, 255).astype(np.uint8)
    return np.asarray(cv2.resize(corners, (64, 64), interpolation=cv2.INTER_LINEAR))


def noise(rng: np.random.Generator) -> Picture:
    """Clouds or checks of any fineness."""
    cells = int(rng.integers(3, 40))
    colours = np.clip(rng.uniform(0, 255, 3) + rng.normal(0, 50, (cells, cells, 3)), 0, 255).astype(np.uint8)
    smooth = cv2.INTER_CUBIC if rng.random() < 0.6 else cv2.INTER_NEAREST
    return np.asarray(cv2.resize(colours, (256, 256), interpolation=smooth))


def camera(rng: np.random.Generator, picture: np.ndarray) -> Picture:
    """(H, W, 3) 0..1 → bytes, as some camera would have taken it."""
    out = picture * (1 + rng.uniform(-0.12, 0.12, 3)) if rng.random() < 0.5 else picture
    out = np.clip(out, 0, 1) ** rng.uniform(0.65, 1.5) * rng.uniform(0.8, 1.1)
    if rng.random() < 0.12:
        out = np.repeat(out.mean(2, keepdims=True), 3, 2)
    if rng.random() < 0.3:
        out = cv2.GaussianBlur(out, (0, 0), float(rng.uniform(0.3, 1.2)))
    if rng.random() < 0.5:
        out = out + rng.normal(0, rng.uniform(0.004, 0.05), out.shape)
    bytes_ = np.asarray(np.clip(out, 0, 1) * 255 + 0.5, np.uint8)
    if rng.random() < 0.4:
        _, file = cv2.imencode(".jpg", bytes_, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(35, 95))])
        bytes_ = np.asarray(cv2.imdecode(file, cv2.IMREAD_COLOR))
    return bytes_


def window(rng: np.random.Generator, one: Painted, side: int) -> tuple[Picture, np.ndarray, np.ndarray]:
    """A painter's picture, cropped a little, sometimes mirrored → picture, alpha 0..1, nearness 1 / metres."""
    whole = one.image.shape[0]
    part = int(rng.integers(max(side * 3 // 4, whole // 2), whole + 1))
    top, left = rng.integers(whole - part + 1, size=2)
    box = np.s_[top : top + part, left : left + part]
    flip = slice(None, None, -1) if rng.random() < 0.5 else slice(None)
    fits = cv2.INTER_AREA if part >= side else cv2.INTER_LINEAR
    picture, alpha, near = (
        cv2.resize(np.asarray(each[box][:, flip], np.float32), (side, side), interpolation=fits)
        for each in (one.image, one.alpha, one.near)
    )
    return camera(rng, picture / 255), alpha / 255, near
