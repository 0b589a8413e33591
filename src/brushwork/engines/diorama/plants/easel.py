"""The easel: flat shapes laid back to front, and the drawing that comes of it at several sizes. Knows no plant and no
colour.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

LEAF = 1


WOOD = 2


BLOOM = 3


HEART = 4


_SUPER = 2  # drawn at twice the size, then averaged


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
        self,
        root: tuple[float, float],
        tip: tuple[float, float],
        bend: float,
        width: float,
        tones: tuple[float, float],
        part: int = LEAF,
        steps: int = 5,
        normal: tuple[float, float] | None = None,
    ) -> None:
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
            levels.append(Art(cover.astype(np.uint8), data[0][..., 0], data[0][..., 1:3], data[1]))
            h, w = cover.shape
            if h // 2 <= 20:
                return tuple(levels)
            size = (max(w // 2, 1), h // 2)
            tones, parts, cover = (
                cv2.resize(field, size, interpolation=cv2.INTER_AREA) for field in (tones, parts, cover)
            )
