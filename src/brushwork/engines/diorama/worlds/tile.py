"""Patterns that repeat without a seam: a soft periodic ground with what grows or floats in the place tossed over it.

The tile is the natural picture; any other window shows it repeated.
"""

import cv2
import numpy as np

from brushwork.engines.diorama.camera import Camera
from brushwork.engines.diorama.noise import SIZE, Field, as_f32, blend, look_up, smooth, texture
from brushwork.engines.diorama.plants.art import KINDS
from brushwork.engines.diorama.plants.wardrobe import Wardrobe
from brushwork.engines.diorama.scene import Scene, natural_view
from brushwork.engines.diorama.sky.light import Light, hexes

# ground tones (dark, middle, light) and what is tossed over them, large to small
_Pattern = tuple[tuple[str, str, str], tuple[str, ...]]
_GREEN = ("#3c6b34", "#5f9440", "#8fb95a")
_PATTERNS: dict[str, _Pattern] = {
    "flower_field": (("#2f5a3a", "#4a7d48", "#6fa05a"), ("poppy", "tulip", "daisy", "spike", "tuft")),
    "lavender_field": (("#e4d8f0", "#efe6f7", "#f8f3fb"), ("spike", "spike", "daisy")),
    "wheat_field": (("#d9a84a", "#e8c070", "#f5dc9c"), ("wheat", "poppy", "wheat")),
    "forest": (("#1f3f2c", "#2d5538", "#426d44"), ("pine", "fern", "mushroom", "broadleaf", "tuft")),
    "autumn_forest": (("#5a2f1a", "#8a4a22", "#b5703a"), ("broadleaf", "mushroom", "birch", "fern")),
    "winter_forest": (("#b4cbe2", "#d3e2f0", "#eef4fa"), ("pine", "dead_tree", "pine", "rock")),
    "jungle": (("#123524", "#1f5036", "#33704a"), ("palm", "fern", "tulip", "bush")),
    "desert": (("#cf8f4a", "#e0aa68", "#f0c890"), ("cactus", "rock", "tuft")),
    "canyon": (("#a9562f", "#c6754a", "#e09a6c"), ("cactus", "rock", "bush")),
    "beach": (("#e3c794", "#eed8ae", "#f8e8c8"), ("palm", "rock", "fern")),
    "island": (("#1f8a9c", "#3fb0b8", "#7fd4d0"), ("palm", "rock", "bush")),
    "sea": (("#0b4a78", "#16689a", "#3f93ba"), ()),
    "lake": (("#12506a", "#226f86", "#4a97a4"), ("reed", "rock")),
    "river": (("#165a66", "#2a7c84", "#54a3a0"), ("reed", "rock", "daisy")),
    "underwater": (("#0c4a80", "#1a6ca0", "#3a94bc"), ("coral", "sea_fan", "sponge", "kelp")),
    "space": (("#0a0f2a", "#16184a", "#33246a"), ()),
    "moon": (("#4a4a50", "#6a6a70", "#909096"), ("rock",)),
    "mars": (("#8a4426", "#b0623c", "#cf8a5c"), ("rock",)),
    "arctic": (("#a8cce6", "#cfe3f2", "#f2f8fc"), ("rock", "pine")),
    "volcano": (("#1a1518", "#2c2426", "#463838"), ("rock", "dead_tree")),
    "village": (_GREEN, ("cottage", "broadleaf", "daisy", "bush")),
    "castle_grounds": (_GREEN, ("castle", "broadleaf", "daisy", "bush")),
    "city_street": (("#3a4152", "#4e566a", "#6a7286"), ("cottage", "broadleaf")),
    "skyline": (("#33405e", "#4a5a80", "#7084a8"), ("cottage",)),
    "cyberpunk": (("#180f2e", "#2a1648", "#4a2070"), ("cottage", "sponge")),
    "snow_peaks": (("#9db8d6", "#c4d6ea", "#eaf1f8"), ("pine", "rock", "pine")),
}
_MEADOW: _Pattern = (_GREEN, ("daisy", "broadleaf", "poppy", "tuft", "spike"))
_WORDS = {"tuft": "grass", "rock": "rocks", "cottage": "houses", "castle": "castle"}
_TREES = ("pine", "broadleaf", "birch", "palm", "dead_tree")
_FLOWERS = ("daisy", "poppy", "tulip", "spike", "sunflower")


def paint_tile(scene: Scene, camera: Camera, light: Light) -> Field:
    """The pattern through the camera's window: (H, W, 3) light."""
    view = camera.view
    whole = natural_view(scene, 1, 1)
    width = max(round((whole.right - whole.left) * camera.scale), 8)
    height = max(round((whole.bottom - whole.top) * camera.row_scale), 8)
    tile = _one(scene, width, height, light)
    cols = (round((view.left - whole.left) * camera.scale) + np.arange(view.width)) % width
    rows = (round((view.top - whole.top) * camera.row_scale) + np.arange(view.height)) % height
    return as_f32(tile[np.ix_(rows, cols)])


def _one(scene: Scene, width: int, height: int, light: Light) -> Field:
    tones, kinds = _PATTERNS.get(scene.place, _MEADOW)
    rng = np.random.default_rng([scene.seed, 6001])
    dim = 0.30 if light.is_night else 1.0
    colour = (
        _ground(scene, width, height, hexes(*tones), rng)
        * (0.55 + 0.45 * light.sun_colour / max(float(light.sun_colour.max()), 1e-3))
        * dim
    )
    kinds = tuple(k for k in kinds if not _is_forbidden(scene, k))
    short = min(width, height)
    if scene.place in ("space", "skyline", "cyberpunk", "moon") and "stars" not in scene.forbidden:
        _stars(colour, rng, short)
    wardrobe = Wardrobe(scene, light)
    for x, y, size, draw, kind in _tossed(rng, kinds, width / short, height / short):
        _stamp(colour, wardrobe.cut(kind, draw, size * short), int(x * short), int(y * short))
    return colour


def _is_forbidden(scene: Scene, kind: str) -> bool:
    words = (
        {kind, _WORDS.get(kind, kind)}
        | ({"trees"} if kind in _TREES else set())
        | ({"flowers"} if kind in _FLOWERS else set())
    )
    return bool(words & scene.forbidden)


def _ground(scene: Scene, width: int, height: int, tones: Field, rng: np.random.Generator) -> Field:
    """Periodic noise through three tones: the textures themselves repeat, so a tile is a whole number of them."""
    across, down = max(1, round(2 * width / min(width, height))) / 2, max(1, round(2 * height / min(width, height))) / 2
    across, down = max(1, int(across)), max(1, int(down))
    u, v = np.meshgrid(
        (np.arange(width, dtype=np.float32) + 0.5) * (SIZE * across / width),
        (np.arange(height, dtype=np.float32) + 0.5) * (SIZE * down / height),
    )
    shift = rng.uniform(0, SIZE, 4).astype(np.float32)
    soft = look_up(texture("soft"), u + shift[0], v + shift[1])
    if scene.place in ("sea", "lake", "river", "island", "underwater"):
        warp = (soft[..., 0] - 0.5) * 60
        net = look_up(texture("cells"), u * 0.5 * 2 + shift[2] + warp, v + shift[3] + (soft[..., 1] - 0.5) * 60)[..., 1]
        t = 0.35 + (soft[..., 2] - 0.5) * 0.8 + 0.5 * smooth(0.35, 0.0, net)
    else:
        fine = look_up(texture("fine"), u + shift[2], v + shift[3])
        t = 0.5 + (soft[..., 0] - 0.5) * 1.3 + (fine[..., 0] - 0.5) * 0.35
    at = np.clip(t, 0, 0.999) * 2
    low = at.astype(np.int32)
    return as_f32(blend(tones[low], tones[np.minimum(low + 1, 2)], as_f32(at - low)))


def _tossed(
    rng: np.random.Generator, kinds: tuple[str, ...], wide: float, tall: float
) -> list[tuple[float, float, float, float, str]]:
    """Places for the motifs: dart throwing on the torus, large ones first; sorted from top to bottom."""
    if not kinds:
        return []
    put: list[tuple[float, float, float, float, str]] = []
    for size, tries in ((0.24, 26), (0.15, 90), (0.085, 260)):
        for _ in range(tries):
            x, y, draw = float(rng.uniform(0, wide)), float(rng.uniform(0, tall)), float(rng.random())
            kind = kinds[int(rng.integers(len(kinds)))]
            big = size * (1.5 if kind in _TREES or kind == "castle" else 1.0)

            def apart(
                other: tuple[float, float, float, float, str], x: float = x, y: float = y, big: float = big
            ) -> bool:
                dx, dy = abs(other[0] - x), abs((other[1] - other[2] / 2) - (y - big / 2))
                return bool(np.hypot(min(dx, wide - dx), min(dy, tall - dy)) > (other[2] + big) * 0.46)

            if all(apart(other) for other in put):
                put.append((x, y, big, draw, kind))
    return sorted(put, key=lambda p: p[1])


def _stamp(colour: Field, cut: Field, px: int, py: int) -> None:
    """Set a motif with a soft shadow, wrapped around the edges."""
    H, W = colour.shape[:2]
    h, w = cut.shape[:2]
    rows, cols = (py - h + np.arange(h)) % H, (px - w // 2 + np.arange(w)) % W
    reach = max(h // 40, 1)
    shade = cv2.GaussianBlur(as_f32(cut[..., 3]), (0, 0), max(h / 45, 0.6))
    under = np.ix_((rows + reach) % H, (cols + reach) % W)
    if h <= H and w <= W:
        colour[under] = colour[under] * (1 - 0.35 * shade[..., None])
        here = np.ix_(rows, cols)
        colour[here] = colour[here] * (1 - cut[..., 3:]) + cut[..., :3]


def _stars(colour: Field, rng: np.random.Generator, short: int) -> None:
    H, W = colour.shape[:2]
    for _ in range(420):
        x, y, power = float(rng.random()), float(rng.random()), float(rng.random()) ** 3
        r = max(short * (0.0012 + 0.0035 * power), 0.6)
        reach = int(r * 2.5) + 1
        ys, xs = np.arange(-reach, reach + 1), np.arange(-reach, reach + 1)
        dot = np.exp(-(ys[:, None] ** 2 + xs[None, :] ** 2) / (r * r)).astype(np.float32) * np.float32(
            0.35 + 1.6 * power
        )
        box = np.ix_((int(y * H) + ys) % H, (int(x * W) + xs) % W)
        colour[box] += dot[..., None] * as_f32([0.9, 0.95, 1.1])


assert all(kind in KINDS for _tones, kinds in _PATTERNS.values() for kind in kinds)
