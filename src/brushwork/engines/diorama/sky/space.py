"""Open space: stars, nebulae, planets with rings and air, a near sun. Coordinates are units of the image plane; there
is no ground.
"""

from dataclasses import dataclass

import numpy as np

from brushwork.engines.diorama.camera import Camera
from brushwork.engines.diorama.noise import Field, Grain, as_f32, blend, smooth
from brushwork.engines.diorama.scene import Scene
from brushwork.engines.diorama.sky.heavens import add_stars, splat
from brushwork.engines.diorama.sky.light import hexes

_NEBULAE = (
    ("#0a1230", "#3b2a86", "#c0489a", "#ffb28a"),
    ("#06182e", "#12507a", "#2aa6b0", "#d8ffe0"),
    ("#120a26", "#5a1f6e", "#e0506a", "#ffd39a"),
    ("#07142a", "#1f3f9a", "#6a7df0", "#f0d0ff"),
    ("#0a1a20", "#0f5a50", "#6ac06a", "#f7f0a0"),
    ("#140c1e", "#702a3a", "#e0803a", "#ffe6a0"),
)
_WORLDS = {
    "gas": (
        ("#5a3a2a", "#b5784a", "#e8c08a", "#f7e6c8"),
        ("#2a3a6a", "#5a86c0", "#a8d0e8", "#e8f4f8"),
        ("#4a2a4a", "#a0608a", "#e0a0b0", "#f8e0d8"),
    ),
    "rock": (
        ("#2a2422", "#6a5a50", "#a89080", "#d8c8b8"),
        ("#3a1a12", "#8a4026", "#c87a4a", "#eab890"),
        ("#20262e", "#56606e", "#8e9aa8", "#ccd4dc"),
    ),
    "earth": (("#0a2a5a", "#1a5a9a", "#4a8a4a", "#c8b078"), ("#0a3a4a", "#1f7a80", "#6a9a4a", "#e0d0a0")),
    "ice": (("#3a6a9a", "#8ac0e0", "#d0ecf8", "#ffffff"), ("#3a4a8a", "#8a9ae0", "#d0d4f8", "#ffffff")),
}


@dataclass(frozen=True)
class Planet:
    """A ball on the image plane."""

    u: float
    v: float
    """Upwards."""
    radius: float
    kind: str
    palette: int
    ring: bool
    key: int


def planets_of(scene: Scene) -> list[Planet]:
    """One large planet off the middle, and up to two small ones elsewhere."""
    if "planets" in scene.forbidden:
        return []
    rng = np.random.default_rng([scene.seed, 7001])
    kinds = ("gas", "rock", "earth", "ice")
    side = 1 if rng.random() < 0.5 else -1
    first = Planet(
        side * float(rng.uniform(0.30, 0.62)),
        float(rng.uniform(-0.55, 0.45)),
        float(rng.uniform(0.30, 0.52)),
        str(rng.choice(kinds)),
        int(rng.integers(6)),
        bool(rng.random() < 0.45),
        1,
    )
    more = [
        Planet(
            -side * float(rng.uniform(0.25, 0.85)),
            float(rng.uniform(-0.75, 0.75)),
            float(rng.uniform(0.05, 0.13)),
            str(rng.choice(kinds)),
            int(rng.integers(6)),
            bool(rng.random() < 0.25),
            2 + k,
        )
        for k in range(int(rng.integers(1, 3)))
    ]
    return [*more, first]


def paint_space(scene: Scene, camera: Camera, grain: Grain) -> Field:
    """The whole picture: (H, W, 3) light."""
    u, v = np.meshgrid(camera.columns() * np.float32(camera.focal), camera.rows() * np.float32(camera.focal))
    rng = np.random.default_rng([scene.seed, 7002])
    colour = _nebula(
        grain, u, v, _NEBULAE[int(rng.integers(len(_NEBULAE)))], 0.15 if "nebula" in scene.forbidden else 1.0
    )
    if "stars" not in scene.forbidden:
        add_stars(colour, camera, grain, 1.05, density=1.35)
        _bright_stars(colour, camera, rng)
    angle = float(rng.uniform(0.5, 2.6))
    light = as_f32([np.cos(angle), np.sin(angle) * 0.8, 0.45])
    light /= np.linalg.norm(light)
    for planet in planets_of(scene):
        _planet(colour, planet, grain, u, v, light, camera)
    return colour


def paint_earth(picture: Field, scene: Scene, camera: Camera, grain: Grain) -> None:
    """The blue planet in the moon's black sky."""
    u, v = np.meshgrid(camera.columns() * np.float32(camera.focal), camera.rows() * np.float32(camera.focal))
    rng = np.random.default_rng([scene.seed, 7009])
    side = 1 if rng.random() < 0.5 else -1
    planet = Planet(
        side * float(rng.uniform(0.2, 0.55)),
        float(rng.uniform(0.50, 0.75)),
        float(rng.uniform(0.13, 0.2)),
        "earth",
        0,
        False,
        3,
    )
    light = as_f32([side * -0.75, 0.35, 0.56])
    _planet(picture, planet, grain, u, v, light, camera)


def _nebula(grain: Grain, u: Field, v: Field, palette: tuple[str, str, str, str], gain: float) -> Field:
    """Glowing gas: warped noise through a four-colour ramp, dust lanes cut out."""
    night, low, mid, high = hexes(*palette)
    warp = grain.drifting("soft", u, v, 7.0, 701, along=(0.014, 0.006))
    x, y = u + (warp[..., 0] - 0.5) * 1.3, v + (warp[..., 1] - 0.5) * 1.3
    gas = grain.at("soft", x, y, 4.2, 702)
    fine = grain.at("ridge", x, y, 3.0, 703)
    dust = grain.at("billow", x, y, 3.6, 704)
    band = smooth(0.34, 0.74, warp[..., 2] * 0.6 + gas[..., 0] * 0.55)
    density = np.clip(band * (0.35 + 0.75 * gas[..., 1]) * (0.55 + 0.8 * fine) * (0.45 + 0.75 * dust), 0, 1.2) * gain
    colour = blend(night * 0.35, low * 0.9, smooth(0.02, 0.30, density))
    colour = blend(colour, mid, smooth(0.18, 0.62, density) * (0.5 + 0.5 * gas[..., 2]))
    colour = blend(colour, high * 1.3, smooth(0.50, 1.0, density))
    return as_f32(colour * 0.95)


def _bright_stars(colour: Field, camera: Camera, rng: np.random.Generator) -> None:
    """A few near stars with crossed rays."""
    v = camera.view
    for _ in range(7):
        u0, w0, power = float(rng.uniform(-1.6, 1.6)), float(rng.uniform(-1.1, 1.1)), float(rng.uniform(0.4, 1.0))
        px, py = (u0 - v.left) * camera.scale, (w0 - v.top) * camera.row_scale
        length = 0.05 * power
        steps = max(int(length * camera.scale), 3)
        d = np.arange(-steps, steps + 1, dtype=np.float32)
        fall = np.exp(-np.abs(d) / (steps * 0.28))[:, None] * as_f32([0.8, 0.95, 1.2]) * power * 1.3
        zero = np.zeros_like(d)
        splat(colour, as_f32(px + d), as_f32(py + zero), as_f32(fall), max(0.5, 0.0011 * camera.scale))
        splat(colour, as_f32(px + zero), as_f32(py + d), as_f32(fall), max(0.5, 0.0011 * camera.scale))
        splat(colour, as_f32([px]), as_f32([py]), as_f32([[2.6, 2.8, 3.2]]) * power, 0.006 * camera.scale)


def _surface(planet: Planet, grain: Grain, x: Field, y: Field, z: Field) -> Field:
    """Albedo on the ball's unit sphere."""
    palettes = _WORLDS[planet.kind]
    tones = hexes(*palettes[planet.palette % len(palettes)])
    key = 710 + 10 * planet.key
    # Sphere to plane without poles: longitude is squeezed by the sphere's own curve, which is what makes it look round.
    px, py = np.arctan2(x, z + 0.35), np.arcsin(np.clip(y, -1, 1))
    px = px - np.float32(0.045 * grain.moment.swing(40.0) * 40 / (2 * np.pi))  # it turns, slowly, and back again
    warp = grain.at("soft", px, py, 5.0, key)
    if planet.kind == "gas":
        band = py * 1.0 + (warp[..., 0] - 0.5) * 0.16
        t = (
            grain.at("soft", px * 0.10, band, 1.9, key + 1, turn=False)[..., 0] * 0.75
            + grain.at("soft", px * 0.35 + warp[..., 1], band, 1.1, key + 2, turn=False)[..., 1] * 0.35
        )
    elif planet.kind == "earth":
        land = grain.at("soft", px, py, 3.4, key + 1)
        t = np.where(
            land[..., 0] > 0.52, 0.68 + (land[..., 1] - 0.5) * 0.7, 0.10 + 0.4 * smooth(0.35, 0.52, land[..., 0])
        )
    else:
        crater = grain.at("cells", px, py, 6.5, key + 1)
        bowl = smooth(0.42, 0.30, crater[..., 0]) * (crater[..., 2] > 0.55)
        t = 0.48 + (warp[..., 1] - 0.5) * 1.1 + (grain.at("ridge", px, py, 3.0, key + 2) - 0.45) * 0.5 - 0.22 * bowl
    at = np.clip(t, 0, 0.999) * 3
    low = at.astype(np.int32)
    colour = blend(tones[low], tones[np.minimum(low + 1, 3)], as_f32(at - low))
    if planet.kind in ("earth", "ice"):
        cloud = grain.at("soft", px + (warp[..., 2] - 0.5) * 0.8, py * 1.6, 2.6, key + 3)[..., 0]
        colour = blend(
            colour, as_f32([1.6, 1.65, 1.7]), smooth(0.52, 0.72, cloud) * (0.85 if planet.kind == "earth" else 0.35)
        )
    return colour


def _planet(colour: Field, planet: Planet, grain: Grain, u: Field, v: Field, light: Field, camera: Camera) -> None:
    x, y = (u - planet.u) / planet.radius, (v - planet.v) / planet.radius
    reach = 2.5
    rows = np.flatnonzero(np.abs(y[:, 0]) < reach)
    cols = np.flatnonzero(np.abs(x[0]) < reach)
    if rows.size == 0 or cols.size == 0:
        return
    box = (slice(int(rows[0]), int(rows[-1]) + 1), slice(int(cols[0]), int(cols[-1]) + 1))
    x, y = x[box], y[box]
    r2 = x * x + y * y
    r = np.sqrt(r2)
    edge = 1.3 / (camera.scale * planet.radius)
    part = colour[box]
    air = {"gas": (0.5, 0.55, 0.7), "rock": (0.18, 0.15, 0.13), "earth": (0.25, 0.6, 1.3), "ice": (0.4, 0.7, 1.1)}[
        planet.kind
    ]
    facing = (x * light[0] + y * light[1]) / np.maximum(r, 1e-3)
    halo = np.exp(-np.maximum(r - 1, 0) * 16) * np.clip(facing * 0.7 + 0.45, 0, 1) * 0.8
    part += (halo * (r > 1))[..., None] * as_f32(air)
    back, front = _ring(planet, grain, x, y) if planet.ring else (None, None)
    ring_tone = hexes("#d8c3a0")[0] * 0.85
    if back is not None:
        np.copyto(part, blend(part, ring_tone, back))
    ball = r < 1 + edge
    if ball.any():
        bx, by = x[ball], y[ball]
        bz = np.sqrt(np.clip(1 - bx * bx - by * by, 0, 1))
        sun = np.clip(bx * light[0] + by * light[1] + bz * light[2], -1, 1)
        lit = smooth(-0.06, 0.9, sun)[..., None] * 1.55 + 0.012
        face = _surface(planet, grain, bx, by, bz) * lit
        rim = (1 - bz) ** 3 * np.clip(sun + 0.35, 0, 1)
        face = face + rim[..., None] * as_f32(air) * 1.1
        part[ball] = blend(part[ball], as_f32(face), smooth(1 + edge, 1 - edge, r[ball]))
    if front is not None:
        np.copyto(part, blend(part, ring_tone, front))


def _ring(planet: Planet, grain: Grain, x: Field, y: Field) -> tuple[Field, Field]:
    """Cover of the ring behind and before the ball."""
    tilt = 0.32
    cx, cy = x * np.cos(tilt) + y * np.sin(tilt), (-x * np.sin(tilt) + y * np.cos(tilt)) / 0.24
    q = np.sqrt(cx * cx + cy * cy)
    lines = grain.at("soft", q * 0 + 0.3, q, 2.6, 790 + planet.key, turn=False)[..., 0]
    cover = smooth(1.32, 1.42, q) * smooth(2.28, 2.16, q) * np.clip(0.15 + 1.2 * lines, 0, 0.92)
    cover = cover * (1 - 0.85 * np.exp(-(((q - 1.86) / 0.035) ** 2)))
    behind = cy > 0
    return as_f32(cover * behind), as_f32(cover * ~behind)
