"""The lie of the land: one height function per place, and the level of its water. Metres; pure functions of (x, z).

The ground is level near the viewer (the eye's height counts from there), and the big forms stand where a painter
would put them: a clear foreground, something at mid distance, a skyline. `Land.site` moves the noise to the best of a
few candidate spots.
"""

from collections.abc import Callable

import numpy as np

from brushwork.engines.diorama.noise import Field, Grain, as_f32, mix, smooth

Height = Callable[[Field, Field], Field]


def _ridge(g: Grain, x: Field, z: Field, size: float, key: int) -> Field:
    return g.at("ridge", x, z, size, key, cubic=True)


def _soft(g: Grain, x: Field, z: Field, size: float, key: int) -> Field:
    return g.at("swell", x, z, size, key, cubic=True)


def _bumps(g: Grain, x: Field, z: Field) -> Field:
    """Small unevenness of a meadow, about +-0.25 m, and long low swells."""
    swell = _soft(g, x, z, 160, 101) - 0.5
    return swell * 2.6 * smooth(3, 45, z) + (_soft(g, x, z, 26, 102) - 0.5) * 0.55 * smooth(1, 9, z)


def _range(
    g: Grain, x: Field, z: Field, *, start: float, full: float, size: float, tall: float, key: int, sharp: float = 1.25
) -> Field:
    """A mountain range that rises between z = start and z = full."""
    r = np.clip(_ridge(g, x, z, size, key), 0, 1.3)
    detail = _ridge(g, x, z, size * 0.21, key + 1)
    shape = np.power(r, np.float32(sharp)) + (detail - 0.45) * 0.17 * (0.15 + r)
    return as_f32(shape * smooth(start, full, z) * tall)


def form_mountains(g: Grain, rng: np.random.Generator, tall: float, start: float = 500) -> Height:
    side = float(rng.uniform(0.35, 0.8))

    def height(x: Field, z: Field) -> Field:
        flank = 0.42 + side * np.clip(np.abs(x) / (0.55 * z + 150), 0, 1)
        peaks = _range(g, x, z, start=start, full=4200, size=8200, tall=tall, key=110) * np.minimum(flank, 1.05)
        far = _range(g, x, z, start=6000, full=9500, size=11000, tall=tall * 1.35, key=114)
        foothills = (_soft(g, x, z, 1500, 118) - 0.32) * smooth(70, 700, z) * 130
        return as_f32(_bumps(g, x, z) + np.maximum(peaks, far) + foothills)

    return height


def form_hills(g: Grain, rng: np.random.Generator, tall: float, near: float = 25.0) -> Height:
    shift = float(rng.uniform(-0.2, 0.2))

    def height(x: Field, z: Field) -> Field:
        rolling = _soft(g, x, z, 900, 120) - 0.36 + shift * x / (z + 80)
        fields = _soft(g, x, z, 320, 121) - 0.45
        far = _range(g, x, z, start=1500, full=5200, size=9000, tall=tall * 5.0, key=124, sharp=1.0)
        return as_f32(_bumps(g, x, z) + rolling * tall * smooth(near, 420, z) + fields * 9 * smooth(20, 120, z) + far)

    return height


def form_plain(g: Grain, _rng: np.random.Generator, tall: float) -> Height:
    """Level fields with hills far behind: the ground itself is the subject."""

    def height(x: Field, z: Field) -> Field:
        far = _range(g, x, z, start=700, full=3200, size=7500, tall=tall, key=128, sharp=0.9)
        rise = (_soft(g, x, z, 600, 129) - 0.38) * 22 * smooth(60, 420, z)
        return as_f32(_bumps(g, x, z) * 0.6 + rise + far)

    return height


def form_woods(g: Grain, _rng: np.random.Generator, tall: float) -> Height:
    def height(x: Field, z: Field) -> Field:
        banks = smooth(2.5, 16, np.abs(x - 2.2 * np.sin(z * 0.055))) * 1.6
        slope = (_soft(g, x, z, 260, 131) - 0.42) * 26 * smooth(12, 160, z)
        far = _range(g, x, z, start=400, full=2400, size=6000, tall=tall, key=132)
        return as_f32((_soft(g, x, z, 22, 130) - 0.5) * 0.6 * smooth(1, 6, z) + banks + slope + far)

    return height


def form_dunes(g: Grain, rng: np.random.Generator, tall: float) -> Height:
    """Dunes with a gentle windward and a steep lee side: a sheared, warped sawtooth."""
    lean = float(rng.uniform(0.45, 0.9) * rng.choice([-1, 1]))
    phase = float(rng.random())

    def height(x: Field, z: Field) -> Field:
        warp = g.at("gentle", x, z, 1500, 140, cubic=True)
        small = g.at("gentle", x, z, 420, 141, cubic=True)
        t = z / 190 + x * lean / 190 + (warp[..., 0] - 0.5) * 3.6 + (small[..., 0] - 0.5) * 0.55 + phase
        f = t - np.floor(t)
        wave = np.where(f < 0.74, smooth(0, 0.74, f), 1 - smooth(0.74, 1.0, f) ** 0.8)
        size = 0.25 + 1.1 * warp[..., 1]
        near = smooth(4, 90, z)
        dune = wave * size * tall * near
        large = (warp[..., 2] - 0.42) * tall * 2.6 * smooth(150, 900, z)
        return as_f32(dune + large + (small[..., 1] - 0.5) * 1.2 * smooth(2, 20, z))

    return height


def form_canyon(g: Grain, rng: np.random.Generator, tall: float) -> Height:
    """Terraced walls to both sides of a winding floor, mesas behind."""
    phase = float(rng.uniform(0, 6.28))

    def height(x: Field, z: Field) -> Field:
        wind = 26 * np.sin(z / 140 + phase) * smooth(20, 260, z)
        form = g.at("soft", x, z, 1500, 150, cubic=True)
        notch = _ridge(g, x, z, 520, 151)
        across = np.abs(x - wind) / (34 + 0.12 * z) + (form[..., 0] - 0.5) * 1.5 + (notch - 0.45) * 0.5
        level = np.clip((across - 0.62) * 2.1, 0, 3.4) * smooth(14, 90, z)
        mesa = smooth(0.47, 0.60, form[..., 1] + (notch - 0.45) * 0.16) * smooth(500, 900, z) * 2.4
        level = np.maximum(level, mesa)
        whole = np.floor(level)
        part = level - whole
        stepped = whole + smooth(0.30, 0.62, part) * 0.86 + part * 0.14
        far = _range(g, x, z, start=3500, full=6000, size=9000, tall=tall * 3.4, key=153, sharp=0.8)
        rubble = (_ridge(g, x, z, 60, 152) - 0.4) * 2.2 * smooth(12, 60, z)
        return as_f32(
            np.maximum(stepped * tall, far) + rubble + (_soft(g, x, z, 30, 154) - 0.5) * 0.5 * smooth(1, 9, z)
        )

    return height


def form_lake(g: Grain, rng: np.random.Generator, tall: float) -> Height:
    """A near shore at the feet, water to the middle distance, a wooded far shore and mountains."""
    side = float(rng.choice([-1, 1]))
    spit = float(rng.uniform(130, 260))
    peaks = form_mountains(g, rng, tall, 600)

    def height(x: Field, z: Field) -> Field:
        wobble = g.at("soft", x, z, 420, 160, cubic=True)
        near = 5.2 + (wobble[..., 0] - 0.5) * 5 - side * x * 0.42
        shore = 1.1 * smooth(near + 1.5, near - 4.0, z) - 0.55
        far_edge = 420 + (wobble[..., 1] - 0.5) * 420
        basin = mix(shore, -3.0, smooth(near, near + 30, z))
        tongue = (
            smooth(60, 0, np.abs(z - spit)) * smooth(0.10, 0.42, side * x / z + (wobble[..., 2] - 0.5) * 0.35) * 7.5
        )
        basin = basin + tongue
        land = peaks(x, z) * 0.9 + 6
        return mix(basin, land, smooth(far_edge - 40, far_edge + 120, z + np.abs(x) * 0.5))

    return height


def form_river(g: Grain, rng: np.random.Generator, tall: float) -> Height:
    hills = form_hills(g, rng, tall)
    phase, bend = float(rng.uniform(0, 6.28)), float(rng.uniform(0.75, 1.2))

    def height(x: Field, z: Field) -> Field:
        course = bend * (
            7 * np.sin(z / 26 + phase) * smooth(8, 60, z) + 42 * np.sin(z / 150 + phase * 1.7) * smooth(40, 300, z)
        )
        wobble = (_soft(g, x, z, 60, 171) - 0.5) * 3
        width = 3.6 + z * 0.016
        bank = smooth(width * 0.75, width * 1.45 + 1.2, np.abs(x - course + 1.2) + wobble)
        return as_f32(mix(-1.5, hills(x, z) * smooth(width, width * 6, np.abs(x - course)) + 0.15, bank))

    return height


def form_waterfall(g: Grain, _rng: np.random.Generator, tall: float) -> Height:
    """A pool before a high wall with a notch, from which the water falls."""

    def height(x: Field, z: Field) -> Field:
        form = g.at("soft", x, z, 240, 180, cubic=True)
        crag = _ridge(g, x, z, 130, 181)
        pool = smooth(13, 20, np.abs(x) * 1.2 + np.abs(z - 25) * 0.8 + (form[..., 0] - 0.5) * 10)
        ground = mix(-1.3, 0.25 + (form[..., 1] - 0.5) * 2.0, pool)
        outflow = smooth(3.2, 1.2, np.abs(x + 2.2 * np.sin(z * 0.16)) + (form[..., 2] - 0.5)) * smooth(18, 14, z)
        ground = ground - outflow * 1.3
        front = 40 + (crag - 0.45) * 9 - np.abs(x) * 0.34 + (form[..., 1] - 0.5) * 14
        wall = smooth(front, front + 6, z) * tall * (0.75 + 0.5 * form[..., 2])
        notch = smooth(5.0, 2.4, np.abs(x - 0.6)) * 0.10 * tall * smooth(front, front + 6, z)
        ledges = (crag - 0.4) * 5.0 * smooth(front - 6, front + 5, z)
        behind = _range(g, x, z, start=70, full=1500, size=3200, tall=760, key=183)
        return as_f32(ground + wall - notch + ledges + behind)

    return height


def form_sea(g: Grain, rng: np.random.Generator, tall: float) -> Height:
    where, size = float(rng.uniform(-0.45, 0.45)), float(rng.uniform(0.5, 1.1))
    show = rng.random() < 0.7

    def height(x: Field, z: Field) -> Field:
        if not show:
            return np.full_like(x, -12)
        r = np.hypot(x - where * 3200, (z - 3200) * 0.7) / (900 * size)
        rock = _ridge(g, x, z, 1900, 190)
        return as_f32(np.maximum(0, 1.05 - r) ** 1.4 * (0.4 + rock) * tall - 12 * smooth(0.7, 1.2, r))

    return height


def form_beach(g: Grain, rng: np.random.Generator, tall: float) -> Height:
    """Sand at the feet, the waterline running away to one side, a headland."""
    side = float(rng.choice([-1, 1]))
    slant = float(rng.uniform(0.75, 1.5))
    cape = float(rng.uniform(700, 1300))

    def height(x: Field, z: Field) -> Field:
        wobble = g.at("soft", x, z, 130, 200, cubic=True)
        inland = side * x * slant + 11 - z * 0.62 + (wobble[..., 0] - 0.5) * 7 + 2.5 * np.sin(z / 17)
        sand = np.where(inland > 0, inland * 0.055, inland * 0.075)
        sand = np.minimum(sand, 0.85 + inland * 0.012)
        small = (_soft(g, x, z, 9, 201) - 0.5) * 0.10 * smooth(-0.2, 0.5, sand)
        r = np.hypot((x - side * cape * 0.75) / 620, (z - cape) / 560)
        head = np.maximum(0, 1 - r) ** 0.9 * (0.35 + _ridge(g, x, z, 900, 202)) * tall
        return as_f32(np.maximum(np.clip(sand + small, -6, 6), head - 6))

    return height


def form_island(g: Grain, rng: np.random.Generator, tall: float) -> Height:
    where = float(rng.uniform(-0.22, 0.22))
    second = float(rng.uniform(0.35, 0.7) * rng.choice([-1, 1]))

    def height(x: Field, z: Field) -> Field:
        wobble = g.at("soft", x, z, 260, 210, cubic=True)
        r = np.hypot(x - where * 230, (z - 230) * 0.9) / 105 + (wobble[..., 0] - 0.5) * 0.75
        crag = _ridge(g, x, z, 300, 211)
        body = 2.4 * smooth(1.04, 0.86, r) + np.maximum(0, 0.88 - r) ** 1.15 * (0.45 + 0.95 * crag) * tall
        r2 = np.hypot(x - second * 900, (z - 900) * 0.8) / 190 + (wobble[..., 1] - 0.5) * 0.5
        other = np.maximum(0, 1 - r2) * (0.4 + crag) * tall * 1.25
        return as_f32(np.maximum(body - 4.5 * smooth(0.85, 1.35, r), other - 4.5 * smooth(0.8, 1.2, r2)))

    return height


def form_volcano(g: Grain, rng: np.random.Generator, tall: float) -> Height:
    where = float(rng.uniform(-0.16, 0.16))

    def height(x: Field, z: Field) -> Field:
        dx, dz = x - where * 2600, z - 2600
        r = np.hypot(dx, dz)
        angle = np.arctan2(dz, dx)
        gully = g.at("ridge", angle * 240, r * 0.22, 900, 220, cubic=True, turn=False)
        cone = np.exp(-r / 720) * tall * (0.93 + 0.16 * gully * smooth(120, 500, r))
        crater = smooth(210, 110, r) * tall * 0.17
        rim = np.exp(-((r - 175) ** 2) / 1500) * 24
        plain = (_ridge(g, x, z, 420, 221) - 0.35) * 14 * smooth(18, 160, z)
        far = _range(g, x, z, start=4200, full=7000, size=9000, tall=tall * 0.9, key=223)
        rough = (_ridge(g, x, z, 40, 222) - 0.4) * 1.3 * smooth(3, 18, z)
        return as_f32(np.maximum(cone - crater + rim, far) + plain + rough - 4 * smooth(30, 120, z))

    return height


def form_arctic(g: Grain, _rng: np.random.Generator, tall: float) -> Height:
    """Snow at the feet, black water with floes, bergs and white mountains."""

    def height(x: Field, z: Field) -> Field:
        wobble = g.at("soft", x, z, 260, 230, cubic=True)
        near = 9.5 + (wobble[..., 0] - 0.5) * 12 + x * 0.35
        drifts = (_soft(g, x, z * 1.7, 24, 235) - 0.5) * 0.5 * smooth(1, 5, z)
        shelf = (0.45 + drifts) * smooth(near + 0.6, near - 0.6, z) + 0.3 * smooth(near, near - 9, z) - 0.35
        floes = g.at("cells", x, z + 0.25 * x, 190, 231)
        floe = smooth(0.24, 0.46, floes[..., 1]) * (floes[..., 2] > 0.42) * 0.95 - 0.6
        ice = mix(shelf, np.maximum(floe, shelf), smooth(near - 1, near + 2, z))
        berg = g.at("cells", x, z, 2600, 232)
        berg_high = smooth(0.35, 1.0, berg[..., 1]) * (berg[..., 2] > 0.72) * smooth(80, 160, z) * smooth(1500, 900, z)
        crag = _ridge(g, x, z, 240, 233)
        bergs = berg_high * (9 + 34 * crag) - 0.6
        far = _range(g, x, z, start=1400, full=3800, size=7000, tall=tall, key=234) - 3
        return as_f32(np.maximum(np.maximum(ice, bergs), far))

    return height


def form_mars(g: Grain, rng: np.random.Generator, tall: float) -> Height:
    base = form_dunes(g, rng, 4)
    mesas = form_canyon(g, rng, tall)

    def height(x: Field, z: Field) -> Field:
        return as_f32(
            base(x, z) * 0.5
            + mesas(x, z) * smooth(60, 420, z) * 0.8
            + (_ridge(g, x, z, 30, 241) - 0.4) * 0.35 * smooth(2, 10, z)
        )

    return height


def form_moon(g: Grain, _rng: np.random.Generator, tall: float) -> Height:
    """Craters of three sizes: bowls with raised rims, and soft old mountains."""

    def bowls(x: Field, z: Field, size: float, depth: float, key: int) -> Field:
        cell = g.at("cells", x, z, size, key)
        r = cell[..., 0] * 1.5
        bowl = smooth(0.75, 0.15, r) * -1.0 + np.exp(-((r - 0.78) ** 2) / 0.02) * 0.45
        return as_f32(bowl * (cell[..., 2] > 0.45) * depth)

    def height(x: Field, z: Field) -> Field:
        near = smooth(4, 26, z)
        craters = (
            bowls(x, z, 220, 0.55, 250) * near
            + bowls(x, z, 1300, 4.5, 251) * smooth(30, 120, z)
            + bowls(x, z, 9000, 34, 252) * smooth(150, 700, z)
        )
        far = _range(g, x, z, start=1200, full=4500, size=9000, tall=tall, key=253, sharp=0.9)
        return as_f32(
            craters
            + far
            + (_soft(g, x, z, 40, 254) - 0.5) * 0.7 * near
            + (_soft(g, x, z, 500, 255) - 0.45) * 14 * smooth(20, 200, z)
        )

    return height


def cloud_tops(g: Grain, x: Field, z: Field) -> Field:
    """Surface of a sea of clouds: heaped heads on long swells. Metres below the eye of the place "sky"."""
    swell = g.at("gentle", x, z, 15000, 260, cubic=True)[..., 0] - 0.5
    heads = g.at("billow", x, z, 9000, 261, cubic=True)
    small = g.at("billow", x, z, 2100, 262, cubic=True)
    return as_f32(250 + swell * 420 + heads * 300 + small * 60)


def form_cloud_sea(g: Grain, _rng: np.random.Generator, tall: float) -> Height:
    def height(x: Field, z: Field) -> Field:
        r = _ridge(g, x, z, 13000, 263)
        peaks = (
            np.power(np.clip(r, 0, 1.3), 1.6) * tall * smooth(1800, 5200, z) + (_ridge(g, x, z, 2600, 264) - 0.5) * 190
        )
        return as_f32(np.maximum(cloud_tops(g, x, z), peaks))

    return height
