"""Plants and stones as artwork: drawn leaf by leaf, once per kind and variant, without colour or light.

A piece of art holds, per pixel, how much is covered, a tone (dark to light), a surface normal and which part it is (leaf, wood,
bloom, heart). `dress` turns it into coloured light for one scene; so one drawing serves every season and hour. All drawing is seeded
by kind and variant alone.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from brushwork.engines.diorama.light import Light
from brushwork.engines.diorama.noise import Field, as_f32, blend, smooth

LEAF, WOOD, BLOOM, HEART = 1, 2, 3, 4
_SUPER = 2  # drawn at twice the size, then averaged
_LOCK = threading.Lock()

Pixels = NDArray[np.uint8]
Points = NDArray[np.float64]


@dataclass(frozen=True)
class Art:
    """One drawing at one size, (h, w) bytes; its root is the middle of the lower edge and its height is 1."""

    cover: Pixels
    tone: Pixels
    normal: Pixels
    """(h, w, 2): rightward and upward part of the surface normal, 0..255 for -1..1."""
    parts: Pixels
    """(h, w, 3): shares of wood, bloom and heart; the rest is leaf."""


class Easel:
    """Draws flat shapes back to front into tone, normal and part at once."""

    def __init__(self, seed: int, *, height: int, width: float) -> None:
        self.rng = np.random.default_rng([seed, 90210])
        self.h = height * _SUPER
        self.w = int(height * width) * _SUPER
        self.sheet: Pixels = np.zeros((self.h, self.w, 4), np.uint8)

    def _px(self, points: Points) -> NDArray[np.int32]:
        """Plant coordinates (x 0 = root, y 0 = ground, 1 = top) → fixed-point pixels with four fractional bits."""
        x = points[:, 0] * self.h + self.w / 2
        y = (1 - points[:, 1]) * self.h
        return np.round(np.stack([x, y], axis=-1) * 16).astype(np.int32)

    def shape(self, points: Points, tone: float, normal: tuple[float, float], part: int) -> None:
        colour = (
            float(np.clip(tone, 0, 1) * 255),
            float(127.5 + 127 * np.clip(normal[0], -1, 1)),
            float(127.5 + 127 * np.clip(normal[1], -1, 1)),
            float(part * 60),
        )
        cv2.fillPoly(self.sheet, [self._px(points)], colour, shift=4)

    def shapes(self, points: Points, tones: Points, normals: Points, part: int) -> None:
        """Many convex shapes (n, k, 2) in this order; tones (n,), normals (n, 2)."""
        x = points[..., 0] * self.h + self.w / 2
        y = (1 - points[..., 1]) * self.h
        corners = np.round(np.stack([x, y], axis=-1) * 16).astype(np.int32)
        level = np.full(len(tones), part * 60.0)
        colours = np.stack(
            [np.clip(tones, 0, 1) * 255, *(127.5 + 127 * np.clip(normals.T, -1, 1)), level], axis=-1
        ).tolist()
        for corner, colour in zip(corners, colours, strict=True):
            cv2.fillConvexPoly(self.sheet, corner, colour, shift=4)

    def blade(
        self, root: tuple[float, float], tip: tuple[float, float], bend: float, width: float, tones: tuple[float, float], part: int = LEAF,
        steps: int = 5, normal: tuple[float, float] | None = None,
    ) -> None:  # fmt: skip
        """A curved, tapering blade from dark root to light tip."""
        a, b = np.array(root), np.array(tip)
        side = np.array([-(b - a)[1], (b - a)[0]])
        t = np.linspace(0, 1, steps + 1)[:, None]
        spine = a + (b - a) * t + side * bend * (t * (1 - t)) * 2
        direction = np.gradient(spine, axis=0)
        across = np.stack([-direction[:, 1], direction[:, 0]], axis=-1)
        across /= np.linalg.norm(across, axis=1, keepdims=True) + 1e-9
        half = width * (1 - t**1.6) * 0.5 + width * 0.04
        left, right = spine - across * half, spine + across * half
        facing = normal or (float(np.sign(bend) * 0.4), 0.35)
        for i in range(steps):
            tone = tones[0] + (tones[1] - tones[0]) * (i + 0.5) / steps
            self.shape(np.array([left[i], left[i + 1], right[i + 1], right[i]]), tone, facing, part)

    def limb(self, a: Points, b: Points, wide: float, thin: float, tone: float) -> None:
        """A piece of trunk or branch, lit as a cylinder in three strips."""
        d = b - a
        across = np.array([-d[1], d[0]]) / (np.linalg.norm(d) + 1e-9)
        for low, high, nx in ((-0.5, -0.18, -0.8), (-0.18, 0.2, 0.0), (0.2, 0.5, 0.8)):
            quad = np.array(
                [
                    a + across * wide * -high,
                    a + across * wide * -low,
                    b + across * thin * -low,
                    b + across * thin * -high,
                ]
            )
            self.shape(quad, tone + self.rng.uniform(-0.08, 0.08), (nx, 0.1), WOOD)

    def leaf(
        self,
        at: Points,
        size: float,
        angle: float,
        tone: float,
        normal: tuple[float, float],
        part: int = LEAF,
        slim: float = 0.5,
    ) -> None:
        c, s = np.cos(angle), np.sin(angle)
        outline = (
            np.array([[-1, 0], [-0.35, slim], [0.45, slim * 0.8], [1, 0], [0.45, -slim * 0.8], [-0.35, -slim]]) * size
        )
        self.shape(at + outline @ np.array([[c, s], [-s, c]]), tone, normal, part)

    def disc(
        self,
        at: tuple[float, float],
        rx: float,
        ry: float,
        tone: float,
        part: int,
        normal: tuple[float, float] = (0.0, 0.5),
    ) -> None:
        t = np.linspace(0, 2 * np.pi, 14, endpoint=False)
        self.shape(np.stack([at[0] + rx * np.cos(t), at[1] + ry * np.sin(t)], axis=-1), tone, normal, part)

    def finish(self) -> tuple[Art, ...]:
        """The drawing at its full size, half, a quarter and so on down to about 24 pixels."""
        part = self.sheet[..., 3]
        shares: Pixels = np.stack([(part == k * 60).astype(np.uint8) * 255 for k in (WOOD, BLOOM, HEART)], axis=-1)
        size = (self.w // _SUPER, self.h // _SUPER)
        # What is not drawn is zero in every channel, so averages are premultiplied by the cover.
        tones = cv2.resize(self.sheet[..., :3], size, interpolation=cv2.INTER_AREA)
        parts = cv2.resize(shares, size, interpolation=cv2.INTER_AREA)
        cover = cv2.resize((part > 0).astype(np.uint8) * 255, size, interpolation=cv2.INTER_AREA)
        levels = []
        while True:
            share = np.maximum(cover, 1).astype(np.float32)[..., None] / 255
            data = [np.clip(np.round(field / share), 0, 255).astype(np.uint8) for field in (tones, parts)]
            levels.append(Art(cover, data[0][..., 0], data[0][..., 1:3], data[1]))
            h, w = cover.shape
            if h // 2 <= 20:
                return tuple(levels)
            size = (max(w // 2, 1), h // 2)
            tones, parts, cover = (
                cv2.resize(field, size, interpolation=cv2.INTER_AREA) for field in (tones, parts, cover)
            )


# ---------------------------------------------------------------- the kinds


def _tuft(e: Easel) -> None:
    count = int(e.rng.integers(46, 66))
    for i in range(count):
        x = float(np.clip(e.rng.normal(0, 0.30), -0.62, 0.62))
        lean = float(np.clip(x * 0.45 + e.rng.normal(0, 0.17), -0.4, 0.4))
        tall = e.rng.uniform(0.35, 0.98) * (1 - 0.35 * min(abs(x), 1))
        depth = i / count
        tone = 0.25 + 0.45 * depth + e.rng.uniform(-0.08, 0.12)
        e.blade(
            (x * 0.75, -0.02),
            (x + lean, tall),
            e.rng.normal(0, 0.22),
            e.rng.uniform(0.022, 0.042),
            (tone * 0.45, tone + 0.18),
        )


def _meadow_tuft(e: Easel) -> None:
    """Thinner, taller, with seed heads."""
    _tuft(e)
    for _ in range(int(e.rng.integers(5, 9))):
        x, tall = e.rng.normal(0, 0.28), e.rng.uniform(0.75, 1.0)
        tip = (x + e.rng.normal(0, 0.14), tall)
        e.blade((x * 0.7, 0), tip, e.rng.normal(0, 0.12), 0.014, (0.35, 0.7))
        for k in range(6):
            at = np.array([tip[0] + e.rng.normal(0, 0.012), tip[1] - k * 0.022])
            e.leaf(at, 0.020, 1.2 + e.rng.normal(0, 0.5), 0.75 + e.rng.uniform(-0.1, 0.2), (0, 0.4), HEART)


def _stem(e: Easel, x: float, top: tuple[float, float], width: float = 0.020) -> None:
    e.blade((x, 0), top, float(e.rng.normal(0, 0.10)), width, (0.22, 0.55), steps=4)


def _daisy(e: Easel) -> None:
    _flower_bed(e, 0.75)
    for _ in range(int(e.rng.integers(4, 7))):
        x = e.rng.normal(0, 0.26)
        top = (x + e.rng.normal(0, 0.08), float(e.rng.uniform(0.55, 0.92)))
        _stem(e, x * 0.6, top)
        r, flat = e.rng.uniform(0.062, 0.085), e.rng.uniform(0.45, 0.85)
        for a in np.linspace(0, 2 * np.pi, 15, endpoint=False) + e.rng.uniform(0, 1):
            at = np.array([top[0] + np.cos(a) * r * 0.62, top[1] + np.sin(a) * r * 0.62 * flat])
            e.leaf(
                at,
                r * 0.46,
                np.arctan2(np.sin(a) * flat, np.cos(a)),
                0.72 + 0.22 * np.sin(a) + e.rng.uniform(-0.06, 0.06),
                (np.cos(a) * 0.4, 0.5),
                BLOOM,
                0.36,
            )
        e.disc(top, r * 0.33, r * 0.33 * flat, 0.6, HEART)
        e.disc((top[0] - r * 0.06, top[1] + r * 0.08 * flat), r * 0.2, r * 0.2 * flat, 0.85, HEART)


def _flower_bed(e: Easel, tall: float) -> None:
    for _ in range(22):
        x = e.rng.normal(0, 0.26)
        e.blade(
            (x * 0.7, 0),
            (x + e.rng.normal(0, 0.16), e.rng.uniform(0.2, 0.62) * tall),
            e.rng.normal(0, 0.2),
            0.026,
            (0.12, 0.55),
        )


def _poppy(e: Easel) -> None:
    _flower_bed(e, 0.7)
    for _ in range(int(e.rng.integers(3, 6))):
        x = e.rng.normal(0, 0.25)
        top = (x + e.rng.normal(0, 0.09), float(e.rng.uniform(0.55, 0.9)))
        _stem(e, x * 0.6, top, 0.015)
        r = e.rng.uniform(0.075, 0.105)
        for dx, dy, tone, nx in (
            (-0.3, 0.42, 0.30, -0.3),
            (0.32, 0.40, 0.38, 0.3),
            (-0.52, 0.06, 0.62, -0.6),
            (0.52, 0.04, 0.58, 0.6),
            (0.0, -0.14, 0.80, 0.0),
        ):
            at = (top[0] + dx * r, top[1] + dy * r)
            e.disc(
                at,
                r * e.rng.uniform(0.58, 0.72),
                r * e.rng.uniform(0.44, 0.56),
                tone + e.rng.uniform(-0.06, 0.06),
                BLOOM,
                (nx, 0.5),
            )
        e.disc((top[0], top[1] + 0.20 * r), r * 0.22, r * 0.15, 0.08, HEART)


def _tulip(e: Easel) -> None:
    for _ in range(int(e.rng.integers(4, 7))):
        x = e.rng.normal(0, 0.22)
        top = (x + e.rng.normal(0, 0.03), float(e.rng.uniform(0.62, 0.9)))
        for k in (-1, 1):
            e.blade(
                (x * 0.9, 0), (x + k * e.rng.uniform(0.10, 0.2), e.rng.uniform(0.4, 0.62)), -k * 0.2, 0.055, (0.15, 0.6)
            )
        _stem(e, x * 0.9, top)
        r = e.rng.uniform(0.055, 0.07)
        for k, tone in ((-0.55, 0.42), (0.55, 0.5), (0.0, 0.72)):
            e.leaf(
                np.array([top[0] + k * r * 0.75, top[1] + r * 0.8]),
                r * 1.45,
                np.pi / 2 - k * 0.18,
                tone + e.rng.uniform(-0.05, 0.05),
                (k, 0.3),
                BLOOM,
                0.52,
            )


def _spike(e: Easel) -> None:
    """Lavender, lupin, bluebell: many small blooms up a stem."""
    _flower_bed(e, 0.62)
    for _ in range(int(e.rng.integers(8, 13))):
        x = e.rng.normal(0, 0.27)
        tall = float(e.rng.uniform(0.66, 0.98))
        top = (x + e.rng.normal(0, 0.10), tall)
        _stem(e, x * 0.5, top, 0.013)
        length = e.rng.uniform(0.22, 0.34)
        for k in range(22):
            t = k / 21
            w = 0.034 * (1 - 0.75 * t)
            at = np.array([top[0] + e.rng.uniform(-w, w), tall - length * (1 - t)])
            e.leaf(
                at,
                0.021 * (1 - 0.3 * t),
                e.rng.uniform(0, 3.1),
                0.32 + 0.45 * e.rng.random() + 0.15 * t,
                (float(np.sign(at[0] - top[0]) * 0.4), 0.4),
                BLOOM,
                0.7,
            )


def _sunflower(e: Easel) -> None:
    x, top = 0.0, (float(e.rng.normal(0, 0.03)), 0.80)
    _stem(e, x, top, 0.035)
    for k in range(6):
        y = 0.15 + 0.09 * k
        side = -1 if k % 2 else 1
        e.leaf(
            np.array([side * 0.10, y + 0.02]),
            0.115,
            side * 0.3 + (np.pi if side < 0 else 0),
            e.rng.uniform(0.3, 0.7),
            (side * 0.4, 0.6),
            LEAF,
            0.5,
        )
    r, flat = 0.155, e.rng.uniform(0.85, 1.0)
    for ring, tone in ((1.0, 0.45), (0.86, 0.72)):
        for a in np.linspace(0, 2 * np.pi, 22, endpoint=False) + ring:
            at = np.array([top[0] + np.cos(a) * r * 0.78 * ring, top[1] + np.sin(a) * r * 0.78 * ring * flat])
            e.leaf(at, r * 0.36, a, tone + e.rng.uniform(-0.1, 0.1), (np.cos(a) * 0.3, 0.3), BLOOM, 0.36)
    e.disc(top, r * 0.60, r * 0.60 * flat, 0.18, HEART)
    for _ in range(60):
        a, q = e.rng.uniform(0, 6.28), np.sqrt(e.rng.random()) * r * 0.52
        e.disc((top[0] + q * np.cos(a), top[1] + q * np.sin(a) * flat), 0.006, 0.006, e.rng.uniform(0.1, 0.5), HEART)


def _wheat(e: Easel) -> None:
    for i in range(34):
        x = e.rng.normal(0, 0.30)
        tip = (x + e.rng.normal(0.05, 0.10), float(e.rng.uniform(0.62, 0.97)))
        tone = 0.3 + 0.4 * i / 34
        e.blade((x * 0.8, 0), tip, e.rng.normal(0, 0.10), 0.014, (tone * 0.5, tone + 0.1))
        for k in range(9):
            at = np.array([tip[0] + (0.012 if k % 2 else -0.012), tip[1] - 0.012 * k + 0.03])
            e.leaf(
                at,
                0.021,
                1.25 if k % 2 else 1.9,
                tone + 0.12 + e.rng.uniform(-0.08, 0.18),
                (0.3 if k % 2 else -0.3, 0.4),
                HEART,
                0.42,
            )


def _reed(e: Easel) -> None:
    for i in range(30):
        x = e.rng.normal(0, 0.20)
        tone = 0.25 + 0.4 * i / 30
        e.blade(
            (x * 0.8, 0),
            (x + e.rng.normal(0, 0.12), e.rng.uniform(0.45, 0.98)),
            e.rng.normal(0, 0.10),
            0.017,
            (tone * 0.5, tone + 0.15),
        )
    for _ in range(int(e.rng.integers(2, 5))):
        x = e.rng.normal(0, 0.16)
        top = (x + e.rng.normal(0, 0.03), float(e.rng.uniform(0.72, 0.95)))
        e.blade((x, 0), (top[0], top[1] + 0.04), 0.02, 0.010, (0.3, 0.6))
        for k, nx in ((-0.5, -0.7), (0.0, 0.0), (0.5, 0.7)):
            e.disc((top[0] + k * 0.012, top[1] - 0.05), 0.008, 0.062, 0.4, WOOD, (nx, 0.1))


def _clump_of_leaves(
    e: Easel, centre: Points, radius: Points, count: int, size: float, base: float, crown: Points
) -> None:
    """Leaves on a spheroid, back to front; the lower and the inner ones darker. `crown` is the middle of the whole plant."""
    rng = e.rng
    d = rng.normal(0, 1, (count, 3))
    d /= np.linalg.norm(d, axis=1, keepdims=True)
    d = d[np.argsort(d[:, 2], kind="stable")]
    at = centre + d[:, :2] * radius * rng.uniform(0.72, 1.05, (count, 1))
    outward = (at - crown) / (np.abs(radius).max() * 4)
    tones = base + 0.26 * d[:, 1] + 0.10 * d[:, 2] + rng.uniform(-0.13, 0.13, count)
    normals = d[:, :2] * 0.65 + outward * 0.7 + np.array([0, 0.12])
    angle, grow = rng.uniform(0, 6.28, count), size * rng.uniform(0.7, 1.3, count)
    c, s = np.cos(angle) * grow, np.sin(angle) * grow
    outline = np.array([[-1, 0], [-0.35, 0.55], [0.45, 0.44], [1, 0], [0.45, -0.44], [-0.35, -0.55]])
    points = np.stack(
        [
            outline[:, 0] * c[:, None] - outline[:, 1] * s[:, None],
            outline[:, 0] * s[:, None] + outline[:, 1] * c[:, None],
        ],
        axis=-1,
    )
    e.shapes(points + at[:, None, :], tones, normals, LEAF)


def _broadleaf(e: Easel) -> None:
    rng = e.rng
    lean = rng.normal(0, 0.03)
    fork = rng.uniform(0.24, 0.34)
    wide = rng.uniform(0.30, 0.40)
    crown = np.array([lean * 2, 0.62])
    e.limb(np.array([0.0, 0.0]), np.array([lean, fork]), 0.075, 0.052, 0.45)
    e.limb(np.array([-0.035, -0.01]), np.array([0.0, 0.08]), 0.05, 0.03, 0.4)
    for _ in range(7):
        end = crown + np.array([rng.normal(0, wide * 0.5), rng.normal(0.02, 0.12)])
        e.limb(np.array([lean, fork - 0.03]), end, 0.036, 0.008, 0.40)
    lumps = []
    for k in range(34):
        a, q = rng.uniform(0, 2 * np.pi), np.sqrt(rng.random()) * (1.0 if k % 3 else 0.6)
        centre = crown + np.array([np.cos(a) * wide * q, np.sin(a) * 0.25 * q + 0.03])
        lumps.append((centre, rng.uniform(-1, 1), rng.uniform(0.085, 0.125)))
    for centre, depth, radius in sorted(lumps, key=lambda lump: lump[1]):
        high = (centre[1] - 0.35) / 0.55
        _clump_of_leaves(
            e, centre, np.array([radius * 1.15, radius * 0.9]), 95, 0.0150, 0.28 + 0.14 * depth + 0.25 * high, crown
        )


def _bush(e: Easel) -> None:
    rng = e.rng
    crown = np.array([0.0, 0.30])
    for k in range(14):
        a = rng.uniform(0, np.pi)
        q = np.sqrt(rng.random())
        centre = np.array([np.cos(a) * 0.48 * q, 0.22 + np.sin(a) * 0.52 * q])
        _clump_of_leaves(e, centre, np.array([0.24, 0.20]), 95, 0.034, 0.25 + 0.03 * k, crown)


def _pine(e: Easel) -> None:
    rng = e.rng
    wide = rng.uniform(0.17, 0.23)
    e.limb(np.array([0.0, 0.0]), np.array([0.0, 0.9]), 0.034, 0.006, 0.35)
    for i in range(26):
        y = 0.10 + 0.87 * (i / 26) ** 0.92
        reach = wide * (1 - (y - 0.08) / 0.95) ** 0.85 * rng.uniform(0.82, 1.12) + 0.010
        around = np.linspace(0, 2 * np.pi, 10, endpoint=False) + rng.uniform(0, 0.6)
        around = around[np.argsort(-np.sin(around), kind="stable")][:, None, None]  # the far branches first
        t = (np.arange(7) + 1)[None, :, None] / 7
        side = np.array([-1.0, 1.0])[None, None, :]
        shape = (10, 7, 2)
        out, toward = np.cos(around), -np.sin(around)
        length = reach * rng.uniform(0.75, 1.12, (10, 1, 1))
        droop = rng.uniform(0.27, 0.52, (10, 1, 1))
        at_x, at_y = out * length * t, y - droop * length * t * t - toward * 0.014 * t
        size = 0.034 * (1.25 - 0.75 * t) * (0.40 + 0.75 * (1 - y))
        tones = 0.21 + 0.36 * t + 0.14 * toward + 0.10 * y + rng.uniform(-0.10, 0.12, shape)
        tip_x = at_x + out * size * 0.9 + side * size * 0.55 * np.abs(toward)
        tip_y = at_y - size * (0.75 + 0.35 * rng.random(shape))
        dx, dy = tip_x - at_x, tip_y - at_y
        half = size * 0.31 / (np.hypot(dx, dy) + 1e-9)
        parts = (at_x - dy * half, at_y + dx * half, tip_x, tip_y, at_x + dy * half, at_y - dx * half)
        points = np.stack([np.broadcast_to(part, shape).ravel() for part in parts], axis=-1).reshape(-1, 3, 2)
        normals = np.stack([np.broadcast_to(n, shape).ravel() for n in (out * 0.75, 0.25 + 0.2 * t)], axis=-1)
        e.shapes(points, np.broadcast_to(tones, shape).ravel(), normals, LEAF)
    e.blade((0.0, 0.93), (0.0, 1.0), 0.0, 0.012, (0.4, 0.6))


def _birch(e: Easel) -> None:
    rng = e.rng
    bend = rng.normal(0, 0.02)
    top = np.array([bend, 0.86])
    e.limb(np.array([0.0, 0.0]), top, 0.036, 0.010, 0.9)
    for _ in range(16):
        y = rng.uniform(0.03, 0.8)
        e.shape(
            np.array([[bend * y - 0.014, y], [bend * y + 0.012, y + 0.004], [bend * y + 0.008, y + 0.010]]),
            0.1,
            (0, 0),
            WOOD,
        )
    crown = np.array([bend, 0.64])
    for k in range(20):
        y = rng.uniform(0.40, 0.93)
        width = 0.19 * np.sin(np.clip((y - 0.30) / 0.68, 0, 1) * np.pi) ** 0.6
        centre = np.array([bend + rng.normal(0, width * 0.55), y])
        e.limb(np.array([bend * y, y - 0.08]), centre, 0.008, 0.003, 0.5)
        _clump_of_leaves(e, centre, np.array([0.062, 0.055]), 70, 0.0115, 0.30 + 0.02 * k, crown)


def _palm(e: Easel) -> None:
    rng = e.rng
    lean = rng.uniform(-0.22, 0.22)
    knots = [np.array([lean * t**1.8, 0.80 * t]) for t in np.linspace(0, 1, 15)]
    for i in range(14):
        e.limb(knots[i], knots[i + 1], 0.042 - 0.0013 * i, 0.036 - 0.0013 * i, 0.42 + (0.18 if i % 2 else 0))
    top = knots[-1]
    for a in rng.permutation(np.linspace(-0.5, np.pi + 0.5, 15)):
        length = rng.uniform(0.26, 0.36)
        spine = [
            top
            + np.array(
                [
                    np.cos(a) * length * t,
                    np.sin(a) * length * t * 0.62 - 0.30 * t * t * length * (1.2 - 0.4 * np.sin(a)),
                ]
            )
            for t in np.linspace(0, 1, 17)
        ]
        for k in range(1, 17):
            t = k / 16
            for side in (-1, 1):
                d = spine[k] - spine[k - 1]
                across = np.array([-d[1], d[0]]) / (np.linalg.norm(d) + 1e-9) * side
                tip = (
                    spine[k] + across * 0.075 * np.sin(np.pi * min(t + 0.12, 1) * 0.9) + d * 0.9 + np.array([0, -0.028])
                )
                tone = 0.38 + 0.22 * float(across[1]) + rng.uniform(-0.10, 0.12) + 0.12 * t
                e.blade(
                    tuple(spine[k - 1]),
                    tuple(tip),
                    0.04 * side,
                    0.013,
                    (tone * 0.85, tone + 0.12),
                    steps=2,
                    normal=(float(across[0] * 0.6), float(0.35 + 0.5 * across[1])),
                )
    for k in (-1, 0, 1):
        e.disc((float(top[0] + 0.018 * k), float(top[1] - 0.012)), 0.015, 0.016, 0.3, WOOD)


def _fern(e: Easel) -> None:
    rng = e.rng
    for a in rng.permutation(np.linspace(0.25, np.pi - 0.25, 11)):
        length = rng.uniform(0.65, 0.95)
        spine = [
            np.array(
                [
                    np.cos(a) * length * 0.85 * t,
                    0.02 + np.sin(a) * length * t - 0.42 * length * t * t * (0.6 + 0.4 * abs(np.cos(a))),
                ]
            )
            for t in np.linspace(0, 1, 21)
        ]
        for k in range(1, 21):
            size = 0.12 * (1 - k / 21) ** 0.8 + 0.012
            d = spine[k] - spine[k - 1]
            for side in (-1, 1):
                across = np.array([-d[1], d[0]]) / (np.linalg.norm(d) + 1e-9) * side
                tip = spine[k] + across * size + d * 0.8
                tone = 0.35 + 0.2 * float(across[1]) + 0.25 * k / 21 + rng.uniform(-0.08, 0.1)
                e.blade(
                    tuple(spine[k - 1]),
                    tuple(tip),
                    0.05,
                    0.032,
                    (tone * 0.75, tone + 0.1),
                    steps=2,
                    normal=(float(across[0] * 0.5), 0.5),
                )


def _cactus(e: Easel) -> None:
    rng = e.rng

    def column(x: float, y0: float, y1: float, w: float) -> None:
        for k in range(9):
            t = (k + 0.5) / 9 * 2 - 1
            quad = np.array(
                [
                    [x + w * (t - 0.12), y0],
                    [x + w * (t - 0.12), y1 - w * 0.7 * t * t],
                    [x + w * (t + 0.12), y1 - w * 0.7 * t * t],
                    [x + w * (t + 0.12), y0],
                ]
            )
            e.shape(quad, 0.62 - 0.28 * (k % 2) + rng.uniform(-0.04, 0.04), (t * 0.9, 0.15), LEAF)

    column(0, 0, 1.0, 0.062)
    for side in rng.permutation([-1, 1])[: int(rng.integers(1, 3))]:
        y, x, top = rng.uniform(0.32, 0.5), side * rng.uniform(0.15, 0.2), rng.uniform(0.66, 0.86)
        elbow = np.array([[0, y - 0.035], [x, y - 0.035], [x + side * 0.03, y + 0.04], [0, y + 0.035]])
        e.shape(elbow, 0.45, (0, -0.2), LEAF)
        column(x, y, top, 0.045)


def _dead_tree(e: Easel) -> None:
    def grow(at: Points, angle: float, length: float, width: float, level: int) -> None:
        end = at + np.array([np.cos(angle), np.sin(angle)]) * length
        e.limb(at, end, width, width * 0.62, 0.4)
        if level == 0:
            return
        for _ in range(3 if level > 2 else 2):
            grow(
                at + (end - at) * e.rng.uniform(0.55, 1.0),
                angle + e.rng.normal(0, 0.55),
                length * e.rng.uniform(0.55, 0.78),
                width * 0.6,
                level - 1,
            )

    grow(np.array([0.0, 0.0]), np.pi / 2 + e.rng.normal(0, 0.08), 0.34, 0.055, 5)


def _rock(e: Easel) -> None:
    """A boulder of flat facets: a bumpy half-disc, cut into triangles around lifted points."""
    rng = e.rng
    n = 13
    a = np.linspace(-0.15, np.pi + 0.15, n)
    radius = 0.46 * (1 + rng.normal(0, 0.10, n))
    rim = np.stack([np.cos(a) * radius * 1.35, np.maximum(np.sin(a) * radius * 1.75, -0.02)], axis=-1)
    rim[:, 1] = np.minimum(rim[:, 1], 0.97)
    ridge = np.stack([np.linspace(-0.34, 0.34, 5) + rng.normal(0, 0.05, 5), rng.uniform(0.28, 0.62, 5)], axis=-1)
    front = np.stack([np.linspace(-0.62, 0.62, 8), np.full(8, -0.03)], axis=-1)
    points = np.concatenate([rim, ridge, front])
    lift = np.concatenate([np.zeros(n), rng.uniform(0.25, 0.5, 5), np.full(8, 0.45)])
    box = cv2.Subdiv2D((-20000, -20000, 40000, 40000))
    for p in points:
        box.insert((float(p[0] * 10000), float(p[1] * 10000)))
    for tri in np.asarray(box.getTriangleList()).reshape(-1, 3, 2) / 10000:
        if np.abs(tri).max() > 1.9:
            continue
        index = [int(np.argmin(((points - corner) ** 2).sum(axis=1))) for corner in tri]
        p = np.concatenate([points[index], lift[index][:, None]], axis=1)
        normal = np.cross(p[1] - p[0], p[2] - p[0])
        normal *= np.sign(normal[2] + 1e-9) / (np.linalg.norm(normal) + 1e-9)
        e.shape(points[index], 0.5 + rng.uniform(-0.12, 0.12), (float(normal[0]), float(normal[1])), WOOD)


def _mushroom(e: Easel) -> None:
    for x, s in ((0.0, 1.0), (0.34, 0.6), (-0.30, 0.45)):
        e.limb(np.array([x, 0.0]), np.array([x, 0.55 * s]), 0.16 * s, 0.11 * s, 0.95)
        t = np.linspace(0, np.pi, 16)
        cap = np.stack([x + np.cos(t) * 0.34 * s, 0.50 * s + np.sin(t) * 0.42 * s], axis=-1)
        e.shape(cap, 0.45, (0, 0.5), BLOOM)
        e.shape(cap * np.array([0.8, 1]) + np.array([x * 0.2 - 0.03 * s, 0.03 * s]), 0.62, (-0.2, 0.7), BLOOM)
        for _ in range(7):
            a, q = e.rng.uniform(0.3, 2.8), e.rng.uniform(0.35, 0.9)
            e.disc((x + np.cos(a) * 0.28 * s * q, 0.52 * s + np.sin(a) * 0.34 * s * q), 0.03 * s, 0.022 * s, 1.0, HEART)


def _coral(e: Easel) -> None:
    """Branching coral: round fingers that fork."""

    def grow(at: Points, angle: float, length: float, width: float, level: int) -> None:
        end = at + np.array([np.cos(angle), np.sin(angle)]) * length
        d = end - at
        across = np.array([-d[1], d[0]]) / (np.linalg.norm(d) + 1e-9)
        for low, high, nx in ((-0.5, -0.15, -0.7), (-0.15, 0.2, 0.0), (0.2, 0.5, 0.7)):
            quad = np.array(
                [
                    at - across * width * low,
                    at - across * width * high,
                    end - across * width * 0.85 * high,
                    end - across * width * 0.85 * low,
                ]
            )
            e.shape(quad, 0.35 + 0.12 * (5 - level) + e.rng.uniform(-0.05, 0.05), (nx, 0.2), BLOOM)
        e.disc((float(end[0]), float(end[1])), width * 0.46, width * 0.46, 0.45 + 0.13 * (5 - level), BLOOM, (0.0, 0.6))
        if level:
            for turn in (-0.45, 0.4):
                grow(
                    end,
                    angle + turn + e.rng.normal(0, 0.16),
                    length * e.rng.uniform(0.66, 0.86),
                    width * 0.8,
                    level - 1,
                )

    for x in (-0.16, 0.02, 0.2):
        grow(np.array([x, -0.02]), np.pi / 2 - x * 1.4 + e.rng.normal(0, 0.1), 0.24, 0.085, 4)


def _sea_fan(e: Easel) -> None:
    for _ in range(70):
        a = e.rng.uniform(0.25, np.pi - 0.25)
        length = e.rng.uniform(0.5, 0.95)
        tip = (np.cos(a) * length * 0.72, np.sin(a) * length)
        e.blade((0.0, 0.0), tip, float(e.rng.normal(0, 0.16)), 0.022, (0.3, 0.75), BLOOM)


def _sponge(e: Easel) -> None:
    """A cluster of tubes with dark mouths."""
    for x in e.rng.permutation([-0.34, -0.18, 0.0, 0.17, 0.33]):
        tall, w = float(e.rng.uniform(0.5, 0.92)), float(e.rng.uniform(0.08, 0.12))
        top = x * 1.35
        for k in range(5):
            t = (k + 0.5) / 5 * 2 - 1
            quad = np.array(
                [
                    [x * 0.7 + w * (t - 0.22) * 0.7, 0],
                    [top + w * (t - 0.22), tall],
                    [top + w * (t + 0.22), tall],
                    [x * 0.7 + w * (t + 0.22) * 0.7, 0],
                ]
            )
            e.shape(quad, 0.5 + e.rng.uniform(-0.07, 0.07), (t * 0.9, 0.2), BLOOM)
        e.disc((top, tall), w * 1.15, w * 0.42, 0.85, BLOOM, (0.0, 0.8))
        e.disc((top, tall), w * 0.8, w * 0.26, 0.12, BLOOM, (0.0, 0.0))


def _kelp(e: Easel) -> None:
    for _ in range(5):
        x = float(e.rng.normal(0, 0.07))
        phase, sway = e.rng.uniform(0, 6.28), e.rng.uniform(0.02, 0.05)
        tall = e.rng.uniform(0.7, 0.99)
        knots = [np.array([x + sway * np.sin(phase + 7 * t) * (0.3 + t), tall * t]) for t in np.linspace(0, 1, 26)]
        for i in range(25):
            e.limb(knots[i], knots[i + 1], 0.012, 0.011, 0.4)
            side = 1 if i % 2 else -1
            tip = knots[i] + np.array([side * e.rng.uniform(0.05, 0.10), e.rng.uniform(0.01, 0.06)])
            tone = 0.3 + 0.5 * i / 25
            e.blade(
                (float(knots[i][0]), float(knots[i][1])),
                (float(tip[0]), float(tip[1])),
                side * -0.3,
                0.028,
                (tone * 0.7, tone + 0.15),
                steps=3,
            )


def _wall(e: Easel, x0: float, x1: float, y0: float, y1: float, tone: float, nx: float, part: int = BLOOM) -> None:
    e.shape(np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]]), tone, (nx, 0.05), part)


def _pane(e: Easel, x: float, y: float, w: float, h: float) -> None:
    """A window with a frame and a cross."""
    _wall(e, x - w * 0.62, x + w * 0.62, y - h * 0.60, y + h * 0.60, 0.75, 0.0, WOOD)
    _wall(e, x - w * 0.5, x + w * 0.5, y - h * 0.5, y + h * 0.5, 0.5, 0.0, HEART)
    _wall(e, x - w * 0.04, x + w * 0.04, y - h * 0.5, y + h * 0.5, 0.6, 0.0, WOOD)
    _wall(e, x - w * 0.5, x + w * 0.5, y - h * 0.03, y + h * 0.03, 0.6, 0.0, WOOD)


def _cottage(e: Easel) -> None:
    """Gable to one side, long wall to the other, a tiled roof that overhangs, a chimney."""
    rng = e.rng
    eaves, ridge = rng.uniform(0.40, 0.48), rng.uniform(0.84, 0.90)
    left, corner, right = -0.62, rng.uniform(-0.18, -0.08), 0.62
    middle = (left + corner) / 2
    _wall(e, 0.30, 0.40, ridge - 0.14, 0.99, 0.35, 0.5, WOOD)
    _wall(e, corner, right, 0.0, eaves, 0.72, 0.55)
    e.shape(
        np.array([[left, 0], [corner, 0], [corner, eaves], [middle, ridge - 0.04], [left, eaves]]),
        0.86,
        (-0.5, 0.05),
        BLOOM,
    )
    for k in range(10):  # courses of tiles
        t0, t1 = k / 10, (k + 1) / 10
        a, b = np.array([middle, ridge]), np.array([corner - 0.05, eaves - 0.06])
        c, d = np.array([right - 0.10, ridge]), np.array([right + 0.06, eaves - 0.06])
        quad = np.array([a + (b - a) * t0, c + (d - c) * t0, c + (d - c) * t1, a + (b - a) * t1])
        e.shape(quad, 0.62 - 0.18 * (k % 2) + rng.uniform(-0.05, 0.05), (0.35, 0.65), LEAF)
    e.shape(
        np.array([[middle, ridge], [middle + 0.03, ridge], [left - 0.03, eaves - 0.07], [left - 0.07, eaves - 0.03]]),
        0.45,
        (-0.5, 0.5),
        LEAF,
    )
    for x in (0.12, 0.46):
        _pane(e, x, eaves * 0.56, 0.11, 0.15)
    _pane(e, middle, eaves * 0.62, 0.12, 0.16)
    _pane(e, middle, eaves + 0.16, 0.08, 0.10)
    _wall(e, 0.24, 0.34, 0.0, 0.26, 0.30, 0.4, WOOD)
    for _ in range(26):
        x = rng.uniform(left, right)
        e.leaf(
            np.array([x, rng.uniform(0.0, 0.07)]), 0.03, rng.uniform(0, 6.28), rng.uniform(0.05, 0.3), (0, 0.5), WOOD
        )


def _tower(e: Easel, x: float, w: float, y0: float, y1: float, roof: float) -> None:
    """A round tower with battlements, or a cone of `roof` height."""
    for k in range(7):
        t = (k + 0.5) / 7 * 2 - 1
        _wall(e, x + w * (t - 0.145), x + w * (t + 0.145), y0, y1, 0.66 + e.rng.uniform(-0.04, 0.04), t * 0.92)
    for _ in range(16):
        bx, by = x + w * e.rng.uniform(-0.9, 0.8), e.rng.uniform(y0, y1 - 0.02)
        _wall(e, bx, bx + 0.014, by, by + 0.007, 0.42, (bx - x) / w)
    for k in range(4):
        cx = x - w * 1.12 + (k + 0.25) * w * 2.24 / 4
        _wall(e, cx, cx + w * 0.36, y1, y1 + 0.022, 0.7, (cx - x) / w * 0.8)
    _wall(e, x - w * 1.12, x + w * 1.12, y1 - 0.02, y1 + 0.004, 0.55, 0.0)
    if roof > 0:
        for k in range(6):
            t0, t1 = k / 6 * 2 - 1, (k + 1) / 6 * 2 - 1
            e.shape(
                np.array([[x + w * 1.2 * t0, y1], [x + w * 1.2 * t1, y1], [x, y1 + roof]]),
                0.5 + e.rng.uniform(-0.04, 0.04),
                ((t0 + t1) / 2, 0.35),
                LEAF,
            )
        e.blade((x, y1 + roof - 0.005), (x, y1 + roof + 0.05), 0.0, 0.004, (0.3, 0.4), WOOD, 1)
        e.shape(
            np.array([[x, y1 + roof + 0.045], [x + 0.045, y1 + roof + 0.033], [x, y1 + roof + 0.02]]),
            0.6,
            (0, 0.3),
            LEAF,
        )
    for y in np.arange(y0 + 0.1, y1 - 0.04, 0.13):
        _wall(e, x - 0.007, x + 0.007, y, y + 0.03, 0.35, 0.0, HEART)


def _castle(e: Easel) -> None:
    rng = e.rng
    _tower(e, 0.02, 0.085, 0.2, 0.68, 0.20)
    _tower(e, -0.13, 0.05, 0.2, 0.56, 0.16)
    _tower(e, 0.17, 0.055, 0.2, 0.60, 0.17)
    _wall(e, -0.2, 0.24, 0.0, 0.42, 0.6, 0.0)
    for k in range(9):
        _wall(e, -0.2 + k * 0.05, -0.175 + k * 0.05, 0.42, 0.44, 0.65, 0.0)
    _wall(e, -0.48, 0.48, 0.0, 0.24, 0.72, 0.0)
    for k in range(20):
        _wall(e, -0.48 + k * 0.049, -0.456 + k * 0.049, 0.24, 0.262, 0.74, 0.0)
    for _ in range(120):
        x, y = rng.uniform(-0.47, 0.46), rng.uniform(0.0, 0.22)
        _wall(e, x, x + 0.018, y, y + 0.008, 0.5 + rng.uniform(-0.1, 0.1), 0.0)
    for x, w, y, roof in (
        (-0.46, 0.065, 0.36, 0.0),
        (0.46, 0.065, 0.38, 0.15),
        (-0.24, 0.05, 0.32, 0.13),
        (0.27, 0.05, 0.32, 0.0),
    ):
        _tower(e, x, w, 0.0, y, roof)
    t = np.linspace(0, np.pi, 12)
    gate = np.concatenate(
        [
            np.array([[0.065, 0.0]]),
            np.stack([0.02 + 0.045 * np.cos(t), 0.10 + 0.05 * np.sin(t)], axis=-1),
            np.array([[-0.025, 0.0]]),
        ]
    )
    e.shape(gate, 0.08, (0, 0), WOOD)


@dataclass(frozen=True)
class Kind:
    """How a kind is drawn: height in pixels of the drawing, width in heights, and how many variants there are."""

    draw: Callable[[Easel], None]
    pixels: int
    width: float
    variants: int


KINDS: dict[str, Kind] = {
    "tuft": Kind(_tuft, 220, 2.1, 6),
    "meadow_tuft": Kind(_meadow_tuft, 260, 2.1, 6),
    "daisy": Kind(_daisy, 260, 1.5, 5),
    "poppy": Kind(_poppy, 260, 1.5, 5),
    "tulip": Kind(_tulip, 260, 1.4, 5),
    "spike": Kind(_spike, 260, 1.6, 5),
    "sunflower": Kind(_sunflower, 420, 0.7, 4),
    "wheat": Kind(_wheat, 260, 1.9, 5),
    "reed": Kind(_reed, 360, 1.1, 5),
    "broadleaf": Kind(_broadleaf, 640, 1.0, 5),
    "birch": Kind(_birch, 640, 0.6, 4),
    "bush": Kind(_bush, 260, 1.6, 5),
    "pine": Kind(_pine, 720, 0.52, 6),
    "palm": Kind(_palm, 600, 1.1, 5),
    "fern": Kind(_fern, 260, 1.8, 4),
    "cactus": Kind(_cactus, 420, 0.55, 4),
    "dead_tree": Kind(_dead_tree, 560, 1.0, 4),
    "rock": Kind(_rock, 220, 1.5, 6),
    "cottage": Kind(_cottage, 360, 1.5, 5),
    "castle": Kind(_castle, 900, 1.2, 2),
    "coral": Kind(_coral, 260, 1.3, 5),
    "sea_fan": Kind(_sea_fan, 260, 1.5, 4),
    "sponge": Kind(_sponge, 240, 1.2, 4),
    "kelp": Kind(_kelp, 560, 0.45, 4),
    "mushroom": Kind(_mushroom, 160, 1.3, 3),
}


@lru_cache(maxsize=64)
def _drawn(kind: str, variant: int) -> tuple[Art, ...]:
    k = KINDS[kind]
    order = sorted(KINDS).index(kind)
    easel = Easel(1000 * order + variant, height=k.pixels, width=k.width)
    k.draw(easel)
    return easel.finish()


def art(kind: str, variant: int) -> tuple[Art, ...]:
    """A drawing at all its sizes, largest first; made on first use, by one thread."""
    with _LOCK:
        return _drawn(kind, variant % KINDS[kind].variants)


# ---------------------------------------------------------------- colour and light


@dataclass(frozen=True)
class Dress:
    """Colours of a kind in a scene: ramps of light colours (k, 3), dark to bright."""

    leaf: Field
    wood: Field
    bloom: Field
    heart: Field
    snow: float = 0.0
    shine_through: float = 0.5
    glow: float = 0.0
    """Light that the heart part gives by itself: lit windows."""
    """How much light a leaf lets through from behind."""


def _table(tones: Field) -> Field:
    """A ramp (k, 3) as a table for byte tones: (256, 3)."""
    at = np.linspace(0, 255, len(tones))
    return as_f32(np.stack([np.interp(np.arange(256), at, tones[:, c]) for c in range(3)], axis=-1))


def dress(drawing: Art, look: Dress, light: Light) -> Field:
    """Light of a drawing under the scene's sun: premultiplied (h, w, 4)."""
    inside = drawing.cover > 1
    cover = drawing.cover[inside].astype(np.float32) / 255
    tone8 = drawing.tone[inside]
    tone = tone8.astype(np.float32) / 255
    nx, ny = (drawing.normal[inside].astype(np.float32) / 127.5 - 1).T
    parts = drawing.parts[inside].astype(np.float32) / 255
    colour = _table(look.leaf)[tone8]
    for k, tones in enumerate((look.wood, look.bloom, look.heart)):
        if parts[:, k].any():
            colour = blend(colour, _table(tones)[tone8], parts[:, k])
    if look.snow > 0:
        lie = smooth(0.52 - 0.45 * look.snow, 0.72 - 0.45 * look.snow, ny * 0.6 + tone * 0.55)
        colour = blend(colour, as_f32([0.43, 0.46, 0.5]), as_f32(lie * 0.95))
    nz = np.sqrt(np.clip(1 - nx * nx - ny * ny, 0, 1))
    facing = nx * light.sun[0] + ny * light.sun[1] - nz * light.sun[2]
    behind = max(float(light.sun[2]), 0.0)
    through = look.shine_through * behind * np.clip(tone * 1.15 - 0.12, 0, 1) * (1 - parts[:, 0])
    sun = np.clip(facing * 0.85 + 0.12, 0, 1) + through * 0.85
    shade = 0.45 + 0.35 * np.clip(ny + 0.3, 0, 1) + 0.25 * tone
    lit = colour * (sun[:, None] * light.sun_colour + shade[:, None] * light.ambient + 0.35 * light.bounce)
    if look.glow > 0:
        lit = lit + (parts[:, 2] * look.glow)[:, None] * as_f32([3.2, 1.9, 0.7])
    out = np.zeros((*drawing.cover.shape, 4), np.float32)
    out[inside] = np.concatenate([lit * cover[:, None], cover[:, None]], axis=-1)
    return out
