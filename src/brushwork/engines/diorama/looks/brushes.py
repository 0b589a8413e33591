"""The tools that styles share: smoothing that keeps edges, lines, flow, paper, grain, palettes. All deterministic.

Pictures are (H, W, 3) float32 display colours 0..1. Lengths are given for a picture of 1024 pixels and scaled by
`unit`.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeAlias, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

Field: TypeAlias = NDArray[np.float32]
T = TypeVar("T")
_memory: ContextVar[dict[Any, Any] | None] = ContextVar("memory", default=None)
LUMA = np.array([0.299, 0.587, 0.114], np.float32)


@contextmanager
def remembering(memory: dict[Any, Any]) -> Iterator[None]:
    """Within, what styles `remember` is kept in `memory`: all frames of a clip have one paper, palette and mesh."""
    token = _memory.set(memory)
    try:
        yield
    finally:
        _memory.reset(token)


def remember(key: Any, make: Callable[[], T]) -> T:
    """`make()`, or what it made for this key before in the same clip. Not to be changed in place."""
    memory = _memory.get()
    if memory is None:
        return make()
    if key not in memory:
        memory[key] = make()
    kept: T = memory[key]
    return kept


def unit_of(picture: Field) -> float:
    """Pixels of a length that is one pixel at 1024."""
    return float(min(picture.shape[:2])) / 1024


def luma(picture: Field) -> Field:
    return np.asarray(picture @ LUMA, np.float32)


def blurred(picture: Field, sigma: float) -> Field:
    """Gaussian; wide ones are made on a smaller picture."""
    if sigma < 0.3:
        return picture
    shrink = max(1, int(sigma / 3))
    if shrink == 1:
        return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), np.float32)
    height, width = picture.shape[:2]
    small = cv2.resize(picture, (max(2, width // shrink), max(2, height // shrink)), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), sigma / shrink)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def smoothed(
    picture: Field, *, unit: float | None = None, passes: int = 2, range_: float = 0.12, space: float = 4.0
) -> Field:
    """Flat areas, sharp edges: bilateral filtering on a half-size picture, edges put back by a guided step."""
    height, width = picture.shape[:2]
    scale = min(1.0, 0.5 / (unit or unit_of(picture)))
    small = cv2.resize(picture, (round(width * scale), round(height * scale)), interpolation=cv2.INTER_AREA)
    for _ in range(passes):
        small = cv2.bilateralFilter(small, 7, range_, space)
    if scale == 1.0:
        return np.asarray(small, np.float32)
    return guided(picture, np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC), np.float32))


def guided(picture: Field, smooth: Field) -> Field:
    """A smooth version whose edges follow the picture's: where they differ much the picture wins."""
    difference = np.abs(luma(picture) - luma(smooth))
    keep = cv2.GaussianBlur(np.clip((difference - 0.10) / 0.12, 0, 1), (0, 0), 0.8)[..., None]
    return np.asarray(smooth + (picture - smooth) * keep, np.float32)


def lines(picture: Field, *, sigma: float, sharp: float = 24.0, threshold: float = 0.02) -> Field:
    """Ink along dark edges, 0..1 with 1 for full ink: a difference of Gaussians."""
    grey = luma(picture)
    fine, wide = cv2.GaussianBlur(grey, (0, 0), sigma), cv2.GaussianBlur(grey, (0, 0), sigma * 1.7)
    return np.asarray(np.clip((wide - fine - threshold) * sharp, 0, 1), np.float32)


def noise(shape: tuple[int, ...], seed: int, sigma: float) -> Field:
    """Smooth Gaussian noise with variance about one."""
    return remember(("noise", shape, seed, sigma), lambda: _noise(shape, seed, sigma))


def _noise(shape: tuple[int, ...], seed: int, sigma: float) -> Field:
    rng = np.random.default_rng([seed, 41, int(sigma * 64)])
    shrink = max(1, int(sigma / 2))
    small = rng.standard_normal((shape[0] // shrink + 2, shape[1] // shrink + 2), dtype=np.float32)
    if sigma / shrink > 0.3:
        small = np.asarray(cv2.GaussianBlur(small, (0, 0), sigma / shrink), np.float32)
        small = small / max(float(small.std()), 1e-6)
    if shrink > 1:
        small = np.asarray(cv2.resize(small, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC), np.float32)
    return np.asarray(small[: shape[0], : shape[1]], np.float32)


def paper(shape: tuple[int, ...], seed: int, unit: float) -> Field:
    """Height of paper grain, about -1..1."""
    tooth = noise(shape, seed, 1.1 * unit) * 0.55 + noise(shape, seed + 1, 3.0 * unit) * 0.45
    return np.asarray(np.clip(tooth * 0.6, -1.5, 1.5), np.float32)


def warped(picture: Field, seed: int, *, reach: float, size: float) -> Field:
    """Edges wander by up to `reach` pixels, over lengths of about `size`."""
    height, width = picture.shape[:2]
    dx, dy = noise((height, width), seed, size) * reach * 0.5, noise((height, width), seed + 5, size) * reach * 0.5
    x = np.arange(width, dtype=np.float32)[None, :] + dx
    y = np.arange(height, dtype=np.float32)[:, None] + dy
    return np.asarray(cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT), np.float32)


def flow(picture: Field, *, sigma: float) -> tuple[Field, Field]:
    """Unit vectors (x, y) along edges, from the smoothed structure tensor."""
    grey = cv2.GaussianBlur(luma(picture), (0, 0), 1.2)
    gx, gy = cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)
    e, f, g = (blurred(np.asarray(a, np.float32), sigma) for a in (gx * gx, gx * gy, gy * gy))
    angle = 0.5 * np.arctan2(2 * f, e - g) + np.float32(np.pi / 2)
    return np.cos(angle).astype(np.float32), np.sin(angle).astype(np.float32)


def along(picture: Field, tangent: tuple[Field, Field], *, reach: float, samples: int = 5) -> Field:
    """Mean of the picture along the flow, `reach` pixels to both sides: strokes."""
    height, width = picture.shape[:2]
    tx, ty = tangent
    x0 = np.arange(width, dtype=np.float32)[None, :] + np.zeros((height, 1), np.float32)
    y0 = np.arange(height, dtype=np.float32)[:, None] + np.zeros((1, width), np.float32)
    total, count = picture.copy(), 1
    for sign in (-1.0, 1.0):
        for step in range(1, samples + 1):
            move = np.float32(sign * reach * step / samples)
            total += cv2.remap(picture, x0 + tx * move, y0 + ty * move, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
            count += 1
    return np.asarray(total / count, np.float32)


def reduced(picture: Field, colours: int, *, size: int = 0) -> Field:
    """The picture in its own best few colours; `size` first shrinks it to that many pixels on the shorter side."""
    height, width = picture.shape[:2]
    if size:
        scale = size / min(height, width)
        size_ = (round(width * scale), round(height * scale))
        picture = np.asarray(cv2.resize(picture, size_, interpolation=cv2.INTER_AREA), np.float32)
    image = Image.fromarray((np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8))
    small = (
        image.resize((max(1, image.width // 4), max(1, image.height // 4)), Image.Resampling.BOX) if not size else image
    )
    palette = remember(
        ("palette", colours, size), lambda: small.quantize(colours, method=Image.Quantize.MEDIANCUT, kmeans=2)
    )
    result = image.quantize(palette=palette, dither=Image.Dither.NONE).convert("RGB")
    return np.asarray(np.asarray(result, np.float32) / 255, np.float32)


def saturated(picture: Field, factor: float) -> Field:
    """Away from or towards grey; dull colours move more than vivid ones."""
    grey = luma(picture)[..., None]
    spread = (picture.max(2, keepdims=True) - picture.min(2, keepdims=True)) if factor > 1 else np.float32(0)
    gain = 1 + (factor - 1) * (1 - 0.5 * spread)
    out = np.asarray(picture - grey, np.float32)  # in place from here: pictures can be large
    out *= gain
    out += grey
    return np.clip(out, 0, 1, out=out)


def contrasted(picture: Field, amount: float) -> Field:
    """An S-curve; 0 leaves it."""
    curve = np.asarray(3 - 2 * picture, np.float32)
    curve *= picture
    curve *= picture
    curve -= picture
    curve *= np.float32(amount)
    curve += picture
    return curve


def vignette(picture: Field, amount: float, frame: tuple[float, float, float, float] | None = None) -> Field:
    """Darker corners. `frame` is the natural picture (left, top, right, bottom) in pixels: beyond it goes on as at
    its border.
    """
    height, width = picture.shape[:2]
    y, x = from_middle(height, frame and frame[1::2])[:, None], from_middle(width, frame and frame[::2])[None, :]
    fall = np.clip((x * x + y * y) - 0.55, 0, None) * amount
    return np.asarray(picture * (1 - np.clip(fall, 0, 0.9))[..., None], np.float32)


def from_middle(count: int, ends: tuple[float, ...] | None) -> Field:
    """-1 to 1 along a side, or between two ends on it."""
    if ends is None or ends == (0, count):
        return np.linspace(-1, 1, count, dtype=np.float32)
    start, end = ends
    along = (np.arange(count, dtype=np.float32) - np.float32(start)) / np.float32(max(end - start - 1, 1)) * 2 - 1
    return np.asarray(np.clip(along, -1, 1), np.float32)


def bloom(picture: Field, amount: float, unit: float, *, threshold: float = 0.72) -> Field:
    """Light spills over from the brightest parts."""
    bright = np.asarray(picture - np.float32(threshold), np.float32)  # in place from here: pictures can be large
    bright /= np.float32(1 - threshold)
    np.clip(bright, 0, 1, out=bright)
    bright *= picture
    halo = blurred(bright, 9 * unit) + blurred(bright, 28 * unit)
    halo *= np.float32(0.6 * amount)
    np.clip(halo, 0, 1, out=halo)
    dark = np.clip(picture, 0, 1, out=bright)
    np.subtract(1, dark, out=dark)
    dark *= np.subtract(1, halo, out=halo)
    return np.asarray(np.subtract(1, dark, out=dark), np.float32)


def few_colours(picture: Field, colours: int, *, median: int, side: float) -> Field:
    """Areas of few colours with clean borders: reduced on a smaller picture, borders rounded, enlarged."""
    height, width = picture.shape[:2]
    scale = min(1.0, 640 / side)
    small = cv2.resize(picture, (round(width * scale), round(height * scale)), interpolation=cv2.INTER_AREA)
    small = cv2.bilateralFilter(cv2.bilateralFilter(small, 7, 0.15, 5), 7, 0.15, 5)
    few = (reduced(np.asarray(small, np.float32), colours) * 255).astype(np.uint8)
    few = np.asarray(cv2.medianBlur(few, median), np.uint8)
    big = cv2.resize(few.astype(np.float32) / 255, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.clip(big, 0, 1), np.float32)


def hatching(shape: tuple[int, ...], angle: float, spacing: float, seed: int, unit: float) -> Field:
    """Parallel wavering strokes, 0..1."""
    y = np.arange(shape[0], dtype=np.float32)[:, None]
    x = np.arange(shape[1], dtype=np.float32)[None, :]
    across = x * np.float32(np.sin(angle)) + y * np.float32(np.cos(angle)) + noise(shape, seed, 30 * unit) * 2.2 * unit
    stroke = 0.5 + 0.5 * np.cos(across * np.float32(2 * np.pi / spacing))
    return np.asarray(stroke * np.clip(0.95 + 0.10 * noise(shape, seed + 50, 6 * unit), 0.6, 1.2), np.float32)
