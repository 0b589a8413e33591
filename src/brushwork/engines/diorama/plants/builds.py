"""What is built or grown of stone: boulders, cottages, castles, corals. Heights are 1, the foot at (0, 0)."""

import cv2
import numpy as np

from brushwork.engines.diorama.plants.easel import BLOOM, HEART, LEAF, WOOD, Easel, Points


def draw_rock(e: Easel) -> None:
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


def _wall(e: Easel, x0: float, x1: float, y0: float, y1: float, tone: float, nx: float, part: int = BLOOM) -> None:
    e.shape(np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]]), tone, (nx, 0.05), part)


def _pane(e: Easel, x: float, y: float, w: float, h: float) -> None:
    """A window with a frame and a cross."""
    _wall(e, x - w * 0.62, x + w * 0.62, y - h * 0.60, y + h * 0.60, 0.75, 0.0, WOOD)
    _wall(e, x - w * 0.5, x + w * 0.5, y - h * 0.5, y + h * 0.5, 0.5, 0.0, HEART)
    _wall(e, x - w * 0.04, x + w * 0.04, y - h * 0.5, y + h * 0.5, 0.6, 0.0, WOOD)
    _wall(e, x - w * 0.5, x + w * 0.5, y - h * 0.03, y + h * 0.03, 0.6, 0.0, WOOD)


def draw_cottage(e: Easel) -> None:
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


def draw_castle(e: Easel) -> None:
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


def draw_coral(e: Easel) -> None:
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


def draw_sea_fan(e: Easel) -> None:
    for _ in range(70):
        a = e.rng.uniform(0.25, np.pi - 0.25)
        length = e.rng.uniform(0.5, 0.95)
        tip = (np.cos(a) * length * 0.72, np.sin(a) * length)
        e.blade((0.0, 0.0), tip, float(e.rng.normal(0, 0.16)), 0.022, (0.3, 0.75), BLOOM)


def draw_sponge(e: Easel) -> None:
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
