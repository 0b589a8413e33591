"""Grass, flowers, ears, ferns and other small plants, drawn blade by blade. Heights are 1, roots at (0, 0)."""

import numpy as np

from brushwork.engines.diorama.plants.easel import BLOOM, HEART, LEAF, WOOD, Easel


def draw_tuft(e: Easel) -> None:
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


def draw_meadow_tuft(e: Easel) -> None:
    """Thinner, taller, with seed heads."""
    draw_tuft(e)
    for _ in range(int(e.rng.integers(5, 9))):
        x, tall = e.rng.normal(0, 0.28), e.rng.uniform(0.75, 1.0)
        tip = (x + e.rng.normal(0, 0.14), tall)
        e.blade((x * 0.7, 0), tip, e.rng.normal(0, 0.12), 0.014, (0.35, 0.7))
        for k in range(6):
            at = np.array([tip[0] + e.rng.normal(0, 0.012), tip[1] - k * 0.022])
            e.leaf(at, 0.020, 1.2 + e.rng.normal(0, 0.5), 0.75 + e.rng.uniform(-0.1, 0.2), (0, 0.4), HEART)


def _stem(e: Easel, x: float, top: tuple[float, float], width: float = 0.020) -> None:
    e.blade((x, 0), top, float(e.rng.normal(0, 0.10)), width, (0.22, 0.55), steps=4)


def draw_daisy(e: Easel) -> None:
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


def draw_poppy(e: Easel) -> None:
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


def draw_tulip(e: Easel) -> None:
    for _ in range(int(e.rng.integers(4, 7))):
        x = e.rng.normal(0, 0.22)
        top = (x + e.rng.normal(0, 0.03), float(e.rng.uniform(0.62, 0.9)))
        for side in (-1, 1):
            e.blade(
                (x * 0.9, 0),
                (x + side * e.rng.uniform(0.10, 0.2), e.rng.uniform(0.4, 0.62)),
                -side * 0.2,
                0.055,
                (0.15, 0.6),
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


def draw_spike(e: Easel) -> None:
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


def draw_sunflower(e: Easel) -> None:
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


def draw_wheat(e: Easel) -> None:
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


def draw_reed(e: Easel) -> None:
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


def draw_fern(e: Easel) -> None:
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


def draw_cactus(e: Easel) -> None:
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


def draw_mushroom(e: Easel) -> None:
    for x, s in ((0.0, 1.0), (0.34, 0.6), (-0.30, 0.45)):
        e.limb(np.array([x, 0.0]), np.array([x, 0.55 * s]), 0.16 * s, 0.11 * s, 0.95)
        t = np.linspace(0, np.pi, 16)
        cap = np.stack([x + np.cos(t) * 0.34 * s, 0.50 * s + np.sin(t) * 0.42 * s], axis=-1)
        e.shape(cap, 0.45, (0, 0.5), BLOOM)
        e.shape(cap * np.array([0.8, 1]) + np.array([x * 0.2 - 0.03 * s, 0.03 * s]), 0.62, (-0.2, 0.7), BLOOM)
        for _ in range(7):
            a, q = e.rng.uniform(0.3, 2.8), e.rng.uniform(0.35, 0.9)
            e.disc((x + np.cos(a) * 0.28 * s * q, 0.52 * s + np.sin(a) * 0.34 * s * q), 0.03 * s, 0.022 * s, 1.0, HEART)


def draw_kelp(e: Easel) -> None:
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
