"""The grain of the world: periodic noise textures, drawn once, looked up everywhere.

A texture is 1024 x 1024 cells and wraps around. `Grain` looks textures up at world coordinates; a scene's seed only
moves and turns the lookups, so the textures themselves are shared by all scenes and threads. Knows nothing of places,
cameras or colours.
"""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from brushwork.engines.diorama.motion.clock import STILL, Moment

Field = NDArray[Any]
"""An array of float32, unless a docstring says otherwise."""

SIZE = 1024


def smooth(low: float | Field, high: float | Field, value: float | Field) -> Field:
    """Hermite step from 0 at `low` to 1 at `high` (either may be the larger)."""
    start = as_f32(low)
    t = np.clip((as_f32(value) - start) / (as_f32(high) - start), 0, 1)
    return as_f32(t * t * (3 - 2 * t))


def mix(a: Field | float, b: Field | float, t: Field) -> Field:
    """Linear blend of numbers."""
    return as_f32(a + (b - a) * t)


def blend(a: Field, b: Field, t: Field) -> Field:
    """Linear blend of colours: a and b are (..., 3) or (3,), `t` has no colour axis."""
    return as_f32(a + (b - a) * t[..., None])


def as_f32(value: object) -> Field:
    return np.asarray(value, dtype=np.float32)


# ---------------------------------------------------------------- the textures


def _lattice(rng: np.random.Generator, cells: int) -> Field:
    """Smooth value noise with `cells` values a side, in -1..1, periodic: (SIZE, SIZE)."""
    values = rng.uniform(-1, 1, (cells, cells)).astype(np.float32)
    pad = 4
    padded = np.pad(values, pad, mode="wrap")
    scale = SIZE // cells
    side = (cells + 2 * pad) * scale
    big = cv2.resize(padded, (side, side), interpolation=cv2.INTER_CUBIC)
    return as_f32(big[pad * scale : pad * scale + SIZE, pad * scale : pad * scale + SIZE])


def _spectral(seed: int, power: float, low: float, high: float) -> Field:
    """Gaussian noise whose amplitude falls as f**-power between `low` and `high` cycles per texture, std 1."""
    rng = np.random.default_rng(seed)
    spectrum = np.fft.rfft2(rng.standard_normal((SIZE, SIZE)))
    spectrum *= _gain(power, low, high)
    field = np.fft.irfft2(spectrum, s=(SIZE, SIZE))
    return as_f32(field / field.std())


@lru_cache(maxsize=2)
def _gain(power: float, low: float, high: float) -> Field:
    """What of each frequency passes, in float64: textures of four channels ask for the same one four times."""
    fy = np.fft.fftfreq(SIZE, 1 / SIZE)[:, None]
    fx = np.fft.rfftfreq(SIZE, 1 / SIZE)[None, :]
    f = np.hypot(fy, fx)
    gain: Field = (
        np.where(f > 0, np.maximum(f, 1e-6) ** -power, 0) * np.exp(-((f / high) ** 4)) * (1 - np.exp(-((f / low) ** 4)))
    )
    return gain


def _wrapped_gradient(field: Field) -> tuple[Field, Field]:
    gx = np.roll(field, -1, 1) - np.roll(field, 1, 1)
    gy = np.roll(field, -1, 0) - np.roll(field, 1, 0)
    return gx * np.float32(0.5), gy * np.float32(0.5)


def _unit(field: Field) -> Field:
    """Stretch so that the 0.5 % and 99.5 % quantiles become 0 and 1."""
    low, high = np.quantile(field, (0.005, 0.995))
    return as_f32((field - low) / (high - low))


def _warped(field: Field, dx: Field, dy: Field) -> Field:
    yy, xx = np.mgrid[0:SIZE, 0:SIZE].astype(np.float32)
    return as_f32(cv2.remap(field, xx + dx, yy + dy, cv2.INTER_CUBIC, borderMode=cv2.BORDER_WRAP))


def _soft() -> Field:
    """Four independent fBm fields, each about 0..1 with mean 0.5: (SIZE, SIZE, 4)."""
    return np.stack([0.5 + 0.19 * _spectral(11 + i, 1.75, 1.5, 400) for i in range(4)], axis=-1)


def _gentle() -> Field:
    """Four fields of large smooth forms only, about 0..1, mean 0.5: (SIZE, SIZE, 4)."""
    return np.stack([0.5 + 0.19 * _spectral(51 + i, 1.6, 1.5, 22) for i in range(4)], axis=-1)


def _swell() -> Field:
    """One fBm field, about 0..1, mean 0.5: a single channel is looked up four times faster."""
    return 0.5 + 0.19 * _spectral(21, 1.75, 1.5, 400)


def _fine() -> Field:
    """Four band-limited fields without large structure (2-20 cells), mean 0.5: (SIZE, SIZE, 4)."""
    return np.stack([0.5 + 0.19 * _spectral(31 + i, 0.9, 40, 420) for i in range(4)], axis=-1)


def _slopes() -> Field:
    """What the first field of "fine" rises within two cells, to the right and down: (SIZE, SIZE, 2)."""
    high = texture("fine")[..., 0]
    return np.stack([np.roll(high, -2, 1) - high, np.roll(high, -2, 0) - high], axis=-1)


def _ridge() -> Field:
    """Eroded ridges, 0..1: ridged multifractal whose octaves are damped where the sum is already steep."""
    rng = np.random.default_rng(5)
    total = np.zeros((SIZE, SIZE), np.float32)
    weight = np.ones_like(total)
    sx = np.zeros_like(total)
    sy = np.zeros_like(total)
    amplitude = 1.0
    for octave, cells in enumerate((4, 8, 16, 32, 64, 128, 256, 512)):
        n = 1 - np.sqrt(_lattice(rng, cells) ** 2 + 0.0004 * octave) * 1.25  # the root rounds the crest a little
        n *= weight
        gx, gy = _wrapped_gradient(n)
        sx += gx * amplitude * SIZE / 16
        sy += gy * amplitude * SIZE / 16
        total += amplitude * n / (1 + 0.10 * (sx * sx + sy * sy))
        weight = np.clip(n * 1.5, 0.12, 1)
        amplitude *= 0.5
    warp = _spectral(6, 1.6, 2, 60)
    total = _warped(total, warp * 9, np.roll(warp, 300, 0) * 9)
    return _unit(total)


def _billow() -> Field:
    """Cauliflower heads, 0..1: sums of |noise|, round above and creased below."""
    rng = np.random.default_rng(8)
    total = np.zeros((SIZE, SIZE), np.float32)
    amplitude = 1.0
    for cells in (8, 16, 32, 64, 128, 256):
        n = np.sqrt(1.0001 - np.clip(1 - np.abs(_lattice(rng, cells)), 0, 1) ** 2)
        total += amplitude * n
        amplitude *= 0.55
    warp = _spectral(9, 1.6, 2, 60)
    return _unit(_warped(total, warp * 7, np.roll(warp, 411, 0) * 7))


def _cells() -> Field:
    """Worley noise: (SIZE, SIZE, 3) = distance to the nearest seed 0..1, border 0..1 (0 on the border), cell's
    random 0..1.
    """
    rng = np.random.default_rng(14)
    side, pad = 32, 128
    grid = np.mgrid[0:side, 0:side].reshape(2, -1).T * (SIZE // side)
    points = (grid + rng.uniform(2, SIZE // side - 2, grid.shape)).astype(np.int32)
    value = rng.random(len(points)).astype(np.float32)
    mask = np.full((SIZE, SIZE), 255, np.uint8)
    ids = np.zeros((SIZE, SIZE), np.float32)
    mask[points[:, 0], points[:, 1]] = 0
    ids[points[:, 0], points[:, 1]] = value
    mask, ids = np.pad(mask, pad, mode="wrap"), np.pad(ids, pad, mode="wrap")
    distance, labels = cv2.distanceTransformWithLabels(mask, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    table = np.zeros(int(labels.max()) + 1, np.float32)
    zero = mask == 0
    table[labels[zero]] = ids[zero]
    identity = table[labels]
    edge = (labels != np.roll(labels, 1, 0)) | (labels != np.roll(labels, 1, 1))
    border = cv2.distanceTransform(np.where(edge, 0, 255).astype(np.uint8), cv2.DIST_L2, 5)
    inner = (slice(pad, -pad), slice(pad, -pad))
    return np.stack([as_f32(distance[inner]) / 28, np.minimum(as_f32(border[inner]) / 10, 1), identity[inner]], axis=-1)


_MAKERS: dict[str, Callable[[], Field]] = {
    "soft": _soft,
    "gentle": _gentle,
    "swell": _swell,
    "fine": _fine,
    "slopes": _slopes,
    "ridge": _ridge,
    "billow": _billow,
    "cells": _cells,
}


_SLOWEST_FIRST = ("ridge", "soft", "fine", "gentle", "billow", "swell", "cells")
_LOCKS = {name: threading.Lock() for name in _MAKERS}


_drawn: dict[str, Field] = {}


def texture(name: str) -> Field:
    """The named texture; drawn on first use, by one thread."""
    if name not in _drawn:
        with _LOCKS[name]:
            if name not in _drawn:
                made = np.ascontiguousarray(_MAKERS[name](), dtype=np.float32)
                made.flags.writeable = False
                _drawn[name] = made
    return _drawn[name]


def draw_textures() -> bool:
    """All textures of still pictures, side by side; whether there was anything left to draw."""
    if all(name in _drawn for name in _SLOWEST_FIRST):
        return False
    with ThreadPoolExecutor(2, thread_name_prefix="textures") as pool:
        list(pool.map(texture, _SLOWEST_FIRST))
    _gain.cache_clear()
    return True


@lru_cache(maxsize=len(_MAKERS))
def mean_of(name: str) -> Field:
    """Mean of the named texture, by channel."""
    return as_f32(texture(name).mean(axis=(0, 1)))


# ---------------------------------------------------------------- looking up


class Grain:
    """Looks noise up for one seed. Every `key` is another place and angle on the same textures."""

    def __init__(self, seed: int, moment: Moment = STILL) -> None:
        self.seed = seed
        self.moment = moment
        self._frames: dict[int, tuple[float, float, float, float]] = {}

    def _frame(self, key: int) -> tuple[float, float, float, float]:
        if key not in self._frames:
            angle, ox, oy = np.random.default_rng([self.seed, 977, key]).random(3)
            turn = (angle * 0.9 + 0.2) * np.pi
            self._frames[key] = (float(np.cos(turn)), float(np.sin(turn)), float(ox * SIZE), float(oy * SIZE))
        return self._frames[key]

    def at(
        self, name: str, x: Field, z: Field, size: float, key: int = 0, *, cubic: bool = False, turn: bool = True
    ) -> Field:
        """Texture `name` at (x, z), where the whole texture is `size` metres wide. Shape of x, plus channels if it
        has.
        """
        c, s, ox, oy = self._frame(key)
        if not turn:
            c, s = 1.0, 0.0
        scale = SIZE / size
        u = x * np.float32(c * scale) - z * np.float32(s * scale) + np.float32(ox)
        v = x * np.float32(s * scale) + z * np.float32(c * scale) + np.float32(oy)
        return look_up(texture(name), u, v, cubic=cubic)

    def drifting(
        self,
        name: str,
        x: Field,
        z: Field,
        size: float,
        key: int = 0,
        *,
        along: tuple[float, float],
        cycle: float = 1e9,
        elsewhere: bool = False,
        share: Field | float = 1.0,
        turn: bool = True,
    ) -> Field:
        """`at`, moving by `along` metres (x, z) a second. With a period two runs of `cycle` seconds are faded into each
        other; `elsewhere` starts each run at another place of the texture. `share`: how much of the speed each spot
        has; then there are runs in any case, so that what is near and what is far never drift far apart.
        """
        moment = self.moment
        if moment.is_still:
            return self.at(name, x, z, size, key, turn=turn)
        if moment.period is None and isinstance(share, float):
            t = moment.t
            return self.at(name, x - np.float32(along[0] * t), z - np.float32(along[1] * t), size, key, turn=turn)
        total: Field | None = None
        power = 0.0
        middle = mean_of(name)
        for lap in moment.laps(min(cycle, moment.period or cycle)):
            if lap.share <= 0:
                continue
            jump = 0.377 * size * lap.number if elsewhere else 0.0
            dx = np.float32(along[0] * lap.away) * share + np.float32(jump)
            dz = np.float32(along[1] * lap.away) * share + np.float32(jump * 0.7)
            part = (self.at(name, x - dx, z - dz, size, key, turn=turn) - middle) * np.float32(lap.share)
            total = part if total is None else total + part
            power += lap.share**2
        assert total is not None
        return as_f32(total * np.float32(power**-0.5) + middle)


def look_up(tile: Field, u: Field, v: Field, *, cubic: bool = False) -> Field:
    """Values of a periodic texture at cell coordinates of any shape."""
    h, w = tile.shape[:2]
    u, v = np.broadcast_arrays(u, v)
    shape = u.shape
    if u.size == 0:
        return np.zeros((*shape, *tile.shape[2:]), np.float32)
    u = u - np.floor(u * np.float32(1 / w)) * np.float32(w)
    v = v - np.floor(v * np.float32(1 / h)) * np.float32(h)
    count = u.size
    width = 1024 if count > 1024 else max(count, 1)  # remap wants a picture no side of which exceeds 32767
    rows = -(-count // width)
    if u.ndim != 2 or max(shape) > 16000:
        u = np.concatenate([u.ravel(), np.zeros(rows * width - count, np.float32)]).reshape(rows, width)
        v = np.concatenate([v.ravel(), np.zeros(rows * width - count, np.float32)]).reshape(rows, width)
    method = cv2.INTER_CUBIC if cubic else cv2.INTER_LINEAR
    out = cv2.remap(tile, as_f32(u), as_f32(v), method, borderMode=cv2.BORDER_WRAP)
    channels = tile.shape[2:]
    return as_f32(out.reshape((-1, *channels))[:count].reshape((*shape, *channels)))


def fade(footprint: Field, wavelength: float) -> Field:
    """1 where a pixel (`footprint` metres wide) can show a wavelength, 0 where it would only alias."""
    return as_f32(np.clip(np.float32(1.4) - footprint * np.float32(2.2 / wavelength), 0, 1))


def hash01(a: NDArray[Any], b: NDArray[Any], key: int) -> Field:
    """A random number 0..1 for integer coordinates; the same for ever."""
    n = a.astype(np.int64) * 374761393 + b.astype(np.int64) * 668265263 + key * 974634777
    n = (n ^ (n >> 13)) & 0x7FFFFFFF
    n = (n * 1274126177) & 0x7FFFFFFF
    n = (n ^ (n >> 16)) & 0xFFFFFF
    return as_f32(n / np.float64(0x1000000))
