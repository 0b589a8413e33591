"""Trees and bushes, drawn leaf by leaf and needle by needle. Heights are 1, roots at (0, 0)."""

import numpy as np

from brushwork.engines.diorama.plants.easel import LEAF, WOOD, Easel, Points


def _clump_of_leaves(
    e: Easel, centre: Points, radius: Points, count: int, size: float, base: float, crown: Points
) -> None:
    """Leaves on a spheroid, back to front; the lower and the inner ones darker. `crown` is the middle of the whole
    plant.
    """
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


def draw_broadleaf(e: Easel) -> None:
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


def draw_bush(e: Easel) -> None:
    rng = e.rng
    crown = np.array([0.0, 0.30])
    for k in range(14):
        a = rng.uniform(0, np.pi)
        q = np.sqrt(rng.random())
        centre = np.array([np.cos(a) * 0.48 * q, 0.22 + np.sin(a) * 0.52 * q])
        _clump_of_leaves(e, centre, np.array([0.24, 0.20]), 95, 0.034, 0.25 + 0.03 * k, crown)


def draw_pine(e: Easel) -> None:
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


def draw_birch(e: Easel) -> None:
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


def draw_palm(e: Easel) -> None:
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


def draw_dead_tree(e: Easel) -> None:
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
