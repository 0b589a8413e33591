"""Planting the world: where trees, tufts, flowers and stones stand, and how they are set into the picture.

Every layer is an endless jittered grid on the ground; what grows in a cell depends on the cell and the seed alone. So a moved or wider
window finds the same plants. They are painted from far to near, with the haze and shadow of their spot.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from brushwork.engines.diorama.camera import Camera
from brushwork.engines.diorama.light import Light, hexes
from brushwork.engines.diorama.noise import Field, Grain, as_f32, hash01, smooth
from brushwork.engines.diorama.plants import KINDS, Dress, art, dress
from brushwork.engines.diorama.scene import Scene
from brushwork.engines.diorama.terrain import Land

_SOFT_FOOT = frozenset(
    ("tuft", "meadow_tuft", "daisy", "poppy", "tulip", "spike", "wheat", "fern", "reed", "bush", "sunflower")
)


@dataclass(frozen=True)
class Layer:
    """One kind of thing on a grid."""

    kind: str
    name: str
    """The word that forbids or emphasises it."""
    cell: float
    """Metres between neighbours."""
    near: float
    far: float
    size: tuple[float, float]
    """Height in metres, smallest and largest."""
    share: float
    """Part of the cells that is filled, where it grows at all."""
    patches: float = 0.0
    """0 everywhere ... 1 only in dense patches."""
    patch_size: float = 60.0
    clear: float = 0.0
    """Keeps |x| > clear * z + clear * 4 free of it, so that the view stays open."""
    shore: tuple[float, float] = (0.06, 1e9)
    """Height above the water (or zero) between which it grows, metres."""
    sunk: float = 0.03
    """Part of its height that is below ground."""
    row: float = 0.0
    """Metres between rows along z; 0 grows freely."""


def _trees(
    kind: str,
    size: tuple[float, float],
    *,
    near: float = 18,
    share: float = 0.8,
    patches: float = 0.6,
    clear: float = 0.10,
) -> list[Layer]:
    """Trees at three distances, sparser with each."""
    return [
        Layer(kind, "trees", 6.5, near, 75, size, share * 0.8, patches, 90, clear),
        Layer(kind, "trees", 10, 75, 260, size, share, patches, 160, 0.03),
        Layer(kind, "trees", 17, 260, 700, (size[0] * 1.1, size[1] * 1.1), share, patches, 420),
    ]


def _grass(tall: float = 0.34, share: float = 0.95) -> list[Layer]:
    return [
        Layer("tuft", "grass", 0.42, 1.2, 16, (tall * 0.55, tall * 1.15), share),
        Layer("meadow_tuft", "grass", 1.1, 1.5, 22, (tall * 0.9, tall * 1.7), share * 0.5, 0.4, 9),
        Layer("tuft", "grass", 1.0, 16, 60, (tall * 0.9, tall * 1.6), share * 0.85),
    ]


def _blooms(kinds: tuple[str, ...], tall: float, share: float, cell: float = 0.8, far: float = 38) -> list[Layer]:
    return [Layer(kind, "flowers", cell, 1.6, far, (tall * 0.75, tall * 1.25), share, 0.75, 16) for kind in kinds]


_STONES = [
    Layer("rock", "rocks", 5.5, 3.5, 60, (0.18, 0.75), 0.30, 0.5, 40, 0.05, sunk=0.18),
    Layer("rock", "rocks", 1.7, 2, 22, (0.05, 0.20), 0.28, 0.5, 20, sunk=0.2),
]
_WILD = [
    *_grass(),
    *_blooms(("daisy", "spike", "poppy"), 0.36, 0.24),
    *_STONES,
    Layer("bush", "bushes", 7, 9, 120, (0.7, 1.9), 0.26, 0.6, 50, 0.08),
]

LAYERS: dict[str, list[Layer]] = {
    "mountains": [*_WILD, *_trees("pine", (8, 17), share=0.75, patches=0.75)],
    "snow_peaks": [*_grass(0.26, 0.6), *_STONES, *_trees("pine", (8, 18), share=0.8, patches=0.7)],
    "hills": [*_WILD, *_trees("broadleaf", (7, 13), near=26, share=0.30, patches=0.8)],
    "meadow": [*_WILD, *_blooms(("daisy", "poppy"), 0.36, 0.35), *_trees("broadleaf", (7, 13), near=34, share=0.22, patches=0.8), *_trees("birch", (8, 13), near=40, share=0.14, patches=0.8)],
    "flower_field": [*_grass(0.28, 0.7), *_blooms(("poppy", "daisy", "tulip", "spike"), 0.42, 0.62, 0.62, 60), *_trees("broadleaf", (7, 12), near=70, share=0.16, patches=0.8)],
    "lavender_field": [
        Layer("spike", "flowers", 0.36, 1.2, 16, (0.42, 0.62), 0.95, row=1.7), Layer("spike", "flowers", 0.62, 16, 55, (0.5, 0.72), 0.95, row=1.7),
        *_trees("broadleaf", (6, 11), near=80, share=0.12, patches=0.8),
    ],
    "wheat_field": [
        Layer("wheat", "wheat", 0.36, 1.3, 15, (0.7, 0.95), 0.97), Layer("wheat", "wheat", 0.8, 15, 60, (0.75, 1.05), 0.95),
        *_blooms(("poppy",), 0.85, 0.10, 1.2), *_trees("broadleaf", (7, 12), near=90, share=0.14, patches=0.8),
    ],
    "forest": [
        *_grass(0.30, 0.5), Layer("fern", "ferns", 1.5, 2.5, 40, (0.35, 0.75), 0.5, 0.5, 12), *_blooms(("spike", "daisy"), 0.3, 0.14), *_STONES,
        Layer("mushroom", "mushrooms", 2.6, 2.5, 14, (0.07, 0.14), 0.16),
        Layer("pine", "trees", 4.6, 8, 120, (11, 20), 0.62, 0.25, 40, 0.10), Layer("broadleaf", "trees", 6.5, 9, 120, (9, 16), 0.55, 0.3, 60, 0.10),
        Layer("bush", "bushes", 4, 7, 60, (0.6, 1.6), 0.30, 0.4, 30, 0.08),
    ],
    "autumn_forest": [
        *_grass(0.26, 0.35), Layer("fern", "ferns", 1.8, 2.5, 30, (0.3, 0.6), 0.3, 0.5, 12), *_STONES,
        Layer("mushroom", "mushrooms", 2.2, 2.5, 14, (0.07, 0.15), 0.2),
        Layer("broadleaf", "trees", 5.2, 8, 120, (9, 17), 0.70, 0.25, 50, 0.10), Layer("birch", "trees", 6.0, 7, 120, (9, 15), 0.5, 0.3, 40, 0.09),
        Layer("bush", "bushes", 4, 7, 60, (0.6, 1.5), 0.30, 0.4, 30, 0.08),
    ],
    "winter_forest": [
        Layer("tuft", "grass", 1.6, 2, 25, (0.15, 0.3), 0.25), *_STONES,
        Layer("pine", "trees", 4.6, 8, 130, (9, 20), 0.72, 0.25, 50, 0.10), Layer("dead_tree", "trees", 8, 9, 110, (6, 11), 0.28, 0.3, 40, 0.10),
        Layer("bush", "bushes", 5, 7, 50, (0.5, 1.2), 0.22, 0.4, 30, 0.08),
    ],
    "jungle": [
        *_grass(0.35, 0.55), Layer("fern", "ferns", 1.1, 2.2, 40, (0.5, 1.4), 0.75, 0.2, 12, 0.03), *_blooms(("tulip", "spike"), 0.5, 0.16),
        Layer("palm", "trees", 4.6, 7, 110, (8, 17), 0.62, 0.2, 40, 0.10), Layer("broadleaf", "trees", 6.5, 9, 130, (12, 22), 0.65, 0.2, 60, 0.12),
        Layer("bush", "bushes", 2.8, 6, 60, (0.9, 2.6), 0.55, 0.2, 20, 0.09),
    ],
    "desert": [
        Layer("cactus", "cacti", 15, 12, 170, (2.2, 5.2), 0.30, 0.5, 120, 0.10), Layer("rock", "rocks", 4.2, 3, 60, (0.06, 0.4), 0.22, 0.6, 40, sunk=0.3),
        Layer("tuft", "grass", 2.6, 3, 45, (0.2, 0.45), 0.22, 0.7, 30), Layer("dead_tree", "trees", 60, 40, 200, (3, 5), 0.25, 0, 1, 0.1),
    ],
    "canyon": [
        Layer("bush", "bushes", 3.4, 4, 120, (0.3, 0.9), 0.36, 0.5, 30, 0.04), Layer("rock", "rocks", 2.2, 2.5, 50, (0.08, 0.5), 0.30, 0.5, 30, sunk=0.25),
        Layer("rock", "rocks", 9, 12, 160, (0.8, 2.6), 0.40, 0.4, 40, 0.10, sunk=0.25), Layer("tuft", "grass", 1.5, 2.5, 40, (0.16, 0.4), 0.30, 0.6, 16),
        Layer("cactus", "cacti", 14, 14, 120, (1.8, 3.8), 0.22, 0.4, 60, 0.10),
    ],
    "lake": [
        Layer("rock", "rocks", 1.3, 1.5, 14, (0.10, 0.45), 0.34, 0.5, 8, shore=(-0.30, 1.5), sunk=0.25),
        Layer("reed", "reeds", 0.75, 2.2, 16, (0.7, 1.5), 0.42, 0.8, 14, shore=(-0.40, 0.25)), Layer("tuft", "grass", 0.5, 1.2, 14, (0.2, 0.42), 0.7, 0.3, 6, shore=(0.22, 5)),
        *_blooms(("daisy", "spike"), 0.36, 0.30), *_trees("pine", (9, 18), near=14, share=0.9, patches=0.45, clear=0.22),
        Layer("pine", "trees", 13, 300, 1300, (12, 21), 0.95, 0.3, 300, shore=(0.5, 90)),
    ],
    "river": [
        *_grass(0.36, 0.95), *_blooms(("daisy", "poppy", "spike"), 0.4, 0.34), Layer("rock", "rocks", 1.3, 2, 60, (0.12, 0.6), 0.30, 0.4, 12, shore=(-0.5, 0.35), sunk=0.25),
        Layer("reed", "reeds", 0.8, 2.5, 40, (0.7, 1.3), 0.40, 0.7, 16, shore=(-0.15, 0.25)), *_trees("broadleaf", (7, 14), near=20, share=0.5, patches=0.6, clear=0.18),
        *_trees("pine", (8, 15), near=34, share=0.35, patches=0.7, clear=0.18),
    ],
    "waterfall": [
        *_grass(0.32, 0.8), Layer("fern", "ferns", 1.3, 2, 45, (0.35, 0.9), 0.5, 0.4, 10, shore=(0.1, 60)), *_blooms(("spike", "daisy"), 0.34, 0.2),
        Layer("rock", "rocks", 2.0, 3, 44, (0.25, 1.3), 0.42, 0.3, 14, shore=(-0.7, 2.0), sunk=0.22), Layer("bush", "bushes", 2.6, 8, 90, (0.7, 2.0), 0.45, 0.3, 14, 0.14, (0.3, 90)),
        Layer("broadleaf", "trees", 6.5, 12, 160, (7, 13), 0.5, 0.3, 30, 0.22, (0.5, 200)), Layer("pine", "trees", 6.5, 20, 220, (8, 15), 0.5, 0.3, 40, 0.16, (0.5, 200)),
    ],
    "sea": [],
    "beach": [
        Layer("palm", "palms", 7.5, 9, 160, (6, 11), 0.50, 0.3, 40, 0.20, (0.55, 6)), Layer("rock", "rocks", 4.5, 4, 70, (0.15, 0.9), 0.22, 0.7, 26, 0.08, (-0.25, 1.0), sunk=0.3),
        Layer("tuft", "grass", 1.0, 2.5, 60, (0.25, 0.55), 0.42, 0.6, 10, 0.05, (0.6, 6)), Layer("fern", "ferns", 3.0, 6, 80, (0.5, 1.1), 0.4, 0.5, 16, 0.14, (0.75, 6)),
        Layer("bush", "bushes", 6, 14, 140, (0.8, 1.8), 0.4, 0.4, 30, 0.2, (0.8, 7)),
    ],
    "island": [
        Layer("palm", "palms", 6.5, 60, 420, (7, 12), 0.62, 0.25, 50, 0, (0.9, 12)), Layer("broadleaf", "trees", 7.5, 70, 420, (6, 11), 0.62, 0.2, 60, 0, (4.5, 60)),
        Layer("bush", "bushes", 4.5, 60, 300, (1.2, 2.6), 0.5, 0.3, 40, 0, (1.2, 40)), Layer("rock", "rocks", 7, 40, 300, (0.8, 2.6), 0.3, 0.4, 40, 0, (-0.8, 1.0), sunk=0.25),
    ],
    "volcano": [
        Layer("rock", "rocks", 2.3, 2.5, 60, (0.12, 0.7), 0.45, 0.4, 20, sunk=0.22), Layer("rock", "rocks", 9, 10, 140, (0.7, 2.4), 0.42, 0.4, 40, 0.08, sunk=0.2),
        Layer("dead_tree", "trees", 13, 14, 130, (3, 6), 0.34, 0.4, 60, 0.12), Layer("tuft", "grass", 1.4, 2, 35, (0.15, 0.35), 0.24, 0.7, 14),
    ],
    "arctic": [Layer("rock", "ice", 5, 4, 40, (0.2, 0.9), 0.22, 0.4, 20, 0.06, (0.1, 3), sunk=0.2), Layer("rock", "ice", 16, 30, 260, (0.8, 3.2), 0.32, 0.4, 60, 0.04, (-1, 3), sunk=0.25)],
    "mars": [
        Layer("rock", "rocks", 1.5, 2, 40, (0.05, 0.32), 0.42, 0.4, 20, sunk=0.25), Layer("rock", "rocks", 7, 7, 120, (0.3, 1.4), 0.36, 0.5, 40, 0.05, sunk=0.25),
    ],
    "moon": [
        Layer("rock", "rocks", 1.6, 2, 40, (0.04, 0.25), 0.34, 0.5, 20, sunk=0.25), Layer("rock", "rocks", 8, 8, 120, (0.3, 1.5), 0.28, 0.5, 40, 0.06, sunk=0.25),
    ],
}  # fmt: skip
LAYERS["underwater"] = [
    Layer("coral", "corals", 1.7, 3.5, 26, (0.35, 1.1), 0.55, 0.35, 9, 0.10), Layer("sea_fan", "corals", 2.1, 4, 26, (0.5, 1.3), 0.42, 0.4, 10, 0.12),
    Layer("sponge", "corals", 2.0, 3.5, 24, (0.35, 0.8), 0.45, 0.4, 8, 0.10), Layer("kelp", "kelp", 2.4, 5, 30, (2.2, 5.5), 0.40, 0.5, 14, 0.22),
    Layer("rock", "rocks", 1.8, 3, 24, (0.15, 0.7), 0.4, 0.4, 12, 0.04, sunk=0.25), Layer("tuft", "kelp", 0.9, 2.5, 18, (0.15, 0.45), 0.35, 0.6, 8),
]  # fmt: skip
LAYERS["city_street"] = []
LAYERS["village"] = [
    *_WILD, Layer("cottage", "houses", 15, 20, 62, (6.0, 7.5), 0.62, 0.0, 60, 0.09, sunk=0.02),
    Layer("cottage", "houses", 24, 62, 190, (6.5, 9.0), 0.62, 0.4, 120, 0.03, sunk=0.02), *_trees("broadleaf", (6, 12), near=22, share=0.45, patches=0.5, clear=0.12),
]  # fmt: skip
LAYERS["castle_grounds"] = LAYERS["hills"]
_WATERY = frozenset(("lake", "river", "waterfall", "beach", "island", "arctic"))


# ---------------------------------------------------------------- colours

_LEAVES = {
    "spring": ("#234d1f", "#4f8a35", "#a6cf62"), "summer": ("#1b4220", "#3d7a33", "#93bf55"),
    "autumn": ("#6e2f14", "#cf6a22", "#f7b83f"), "winter": ("#3a3b33", "#6c6b58", "#a09d86"),
}  # fmt: skip
_NEEDLES = {
    "spring": ("#12352a", "#2a6441", "#6ea565"), "summer": ("#0f2f28", "#235a3d", "#5f9858"),
    "autumn": ("#14332a", "#2f5a3c", "#79935a"), "winter": ("#12302f", "#285149", "#6d958a"),
}  # fmt: skip
_BLADES = {
    "spring": ("#1f4a1a", "#5f9c35", "#bfdf76"), "summer": ("#1f4618", "#5a9130", "#b3c95f"),
    "autumn": ("#4d4016", "#a1853a", "#e0c074"), "winter": ("#4f5038", "#93906a", "#cfc9a4"),
}  # fmt: skip
_PETALS: dict[str, tuple[tuple[str, str, str], ...]] = {
    "daisy": (("#a9aec4", "#f2f1ee", "#ffffff"), ("#b98a2a", "#f3cf3f", "#fff3a0"), ("#a0527f", "#eda5c4", "#ffe0ee")),
    "poppy": (("#6e0f12", "#d8281f", "#ff7a54"), ("#8a1a10", "#e8461f", "#ff9a5a"), ("#7e1030", "#d63a5c", "#ff9fa8")),
    "tulip": (("#8a1020", "#e23a3a", "#ff9a7a"), ("#a86a10", "#f6c22f", "#fff09a"), ("#6a2a86", "#b067cf", "#eab8f7"), ("#a83a6a", "#f288ae", "#ffd3e2")),
    "spike": (("#33246e", "#6f55c4", "#bda6f0"), ("#5a2a7a", "#a05cc4", "#e0b0f2"), ("#24449a", "#5b86e0", "#b5d3fa")),
    "coral": (("#7a1f3a", "#f0627a", "#ffc0b8"), ("#8a3a10", "#ff9a3f", "#ffe0a0"), ("#4a2070", "#a76ae0", "#ecc8ff"), ("#7a2060", "#f070b8", "#ffd0ea")),
    "sea_fan": (("#5a1a5a", "#c050b0", "#f5b0e0"), ("#7a2a10", "#e87040", "#ffc890"), ("#5a4a10", "#e0c040", "#fff0a0")),
    "sponge": (("#6a4a08", "#f0b830", "#ffeea0"), ("#10505a", "#3ac0c0", "#c0fff0"), ("#6a1a3a", "#d85088", "#ffc0d8")),
    "cottage": (("#8a8070", "#e6dcc4", "#fffaf0"), ("#8a6a48", "#e0bf90", "#fbe6c4"), ("#6a7078", "#c3ccd0", "#f0f4f4"), ("#8a5048", "#d89a86", "#f8d0c0")),
    "castle": (("#4a463f", "#a89f8f", "#e6decb"), ("#40454d", "#929ba6", "#d3dae0")),
    "sunflower": (("#a8620a", "#f5b21c", "#ffe46a"),),
    "mushroom": (("#7a1712", "#cf3a2a", "#ff7a5a"), ("#6a4520", "#b5834a", "#e6c08a")),
}  # fmt: skip
_AUTUMN_TINTS = (
    ("#6e2f14", "#cf6a22", "#f7b83f"),
    ("#7a1d12", "#c43a20", "#f2803a"),
    ("#7a5a12", "#d9a02c", "#ffe07a"),
    ("#4a4a1a", "#98903a", "#d9c860"),
)
_STONE = {
    "desert": ("#6b3f22", "#b87b48", "#ecbd8a"), "canyon": ("#5e2a1b", "#b0623a", "#eaad78"), "mars": ("#4d2116", "#a3532f", "#dd9a68"),
    "moon": ("#3d3d42", "#85858a", "#cfcdc8"), "volcano": ("#191619", "#3d3638", "#6f625c"), "underwater": ("#2a3440", "#6a7880", "#b0b5a8"), "arctic": ("#6fa9cf", "#c3e0f0", "#fbfdff"),
    "beach": ("#4d4039", "#8f7d6c", "#c9b59b"), "island": ("#4d4039", "#8f7d6c", "#c9b59b"),
}  # fmt: skip


_SOLID = frozenset(("cottage", "castle", "rock"))


def tint_count(scene: Scene, kind: str) -> int:
    if kind in _PETALS:
        return 1 if scene.place == "lavender_field" else len(_PETALS[kind])
    if kind in ("broadleaf", "birch", "bush") and scene.season == "autumn":
        return len(_AUTUMN_TINTS)
    return 1


def dress_for(scene: Scene, kind: str, tint: int) -> Dress:
    """What a kind wears in a scene."""
    season = scene.season
    leaf: tuple[str, ...] = _BLADES[season]
    snow = 0.0
    if kind in ("broadleaf", "birch", "bush", "fern", "palm"):
        leaf = (
            _AUTUMN_TINTS[tint]
            if season == "autumn" and kind != "palm"
            else _LEAVES["summer" if kind == "palm" else season]
        )
    elif kind == "pine":
        leaf = _NEEDLES[season]
    elif kind == "cactus":
        leaf = ("#16351f", "#3f7040", "#93ad64")
    elif kind == "cottage":
        leaf = (
            ("#4a1f16", "#a8492f", "#dd8458"),
            ("#3a2a22", "#7a5640", "#b58c68"),
            ("#2f3540", "#5f6b7a", "#98a6b4"),
            ("#5a2a1a", "#b5603a", "#e89a68"),
        )[tint]
    elif kind == "castle":
        leaf = (("#1f2f52", "#3f5f96", "#7fa0cf"), ("#4a1420", "#96303a", "#cf6a62"))[tint]
    elif scene.place == "underwater":
        leaf = ("#1d3a1c", "#5f8a2f", "#b5c35a")
    elif kind == "wheat":
        leaf = ("#7a5a1c", "#c2953c", "#ecca72")
    elif scene.place in ("desert", "canyon") or (scene.place == "volcano"):
        leaf = ("#4a4a20", "#8f8a48", "#cfc07a")
    if season == "winter" or scene.weather == "snow":
        snow = (
            0.0
            if "snow" in scene.forbidden
            else (
                0.75
                if kind in ("pine", "rock", "bush", "broadleaf", "dead_tree", "birch", "cottage", "castle")
                else 0.3
            )
        )
    elif scene.place == "snow_peaks" and kind in ("pine", "rock"):
        snow = 0.0 if "snow" in scene.forbidden else 0.35
    if scene.place == "arctic":
        snow = 0.4
    wood = ("#2a1f18", "#6b5340", "#b09a7c")
    if kind == "rock":
        wood = _STONE.get(scene.place, ("#3d3b3d", "#7f7a75", "#c3bbb0"))
    elif kind == "birch":
        wood = ("#2a2622", "#a8a29a", "#f2eee6")
    elif kind == "reed":
        wood = ("#2e1a0e", "#5e3a1f", "#94673a")
    elif kind == "mushroom":
        wood = ("#a8977c", "#e6d9c0", "#fff8ea")
    petals = _PETALS.get(kind, (("#888888", "#bbbbbb", "#eeeeee"),))
    heart = {
        "daisy": ("#a86a10", "#f0b820", "#ffe66a"), "poppy": ("#120a0a", "#2a1a1a", "#5a4a3a"), "sunflower": ("#2a170a", "#5a3416", "#9a6a30"),
        "mushroom": ("#e0d8c8", "#fffaf0", "#ffffff"), "wheat": ("#9a6c20", "#dfae4a", "#ffe79a"), "meadow_tuft": ("#8a7a3a", "#c9b568", "#f0e3a8"),
    }.get(kind, ("#a86a10", "#f0b820", "#ffe66a"))  # fmt: skip
    glow = 0.0
    if kind in ("cottage", "castle"):
        heart = ("#1a222c", "#3a4a5c", "#7d93a8")
        glow = {"night": 0.9, "midnight": 0.7, "dusk": 0.9, "sunset": 0.45, "dawn": 0.3}.get(scene.time, 0.0)
    scale = 0.62
    return Dress(
        hexes(*leaf) * scale,
        hexes(*wood) * scale * 0.95,
        hexes(*petals[tint % len(petals)]) * scale * 1.05,
        hexes(*heart) * scale,
        snow, 0.0 if kind in _SOLID else 0.6, glow)


# ---------------------------------------------------------------- where things stand


@dataclass(frozen=True)
class Stand:
    """Things that stand in the picture, far to near: arrays (n,)."""

    kind: "np.ndarray[tuple[int, ...], np.dtype[np.int32]]"
    """Index into `kinds`."""
    x: Field
    y: Field
    z: Field
    size: Field
    draw: Field
    """A random number 0..1 each, for variant, tint and flip."""
    tone: Field
    """Brightness of its patch of ground, about 1."""
    kinds: tuple[str, ...]


def stand_of(kind: str, things: list[tuple[float, float, float, float]]) -> Stand:
    """Things of one kind on level ground, from (x, z, height, random number), far to near."""
    x, z, size, draw = as_f32(things).reshape(-1, 4).T
    zero = np.zeros_like(x)
    return Stand(zero.astype(np.int32), x, zero, z, size, draw, zero + 1, (kind,))


def _cells(camera: Camera, layer: Layer, seed: int) -> tuple[Field, Field, Field, Field]:
    """Filled and empty cells of a layer in the camera's wedge: jittered x, z and two random numbers each."""
    ratio_low, ratio_high = camera.view.left / camera.focal, camera.view.right / camera.focal
    margin = layer.size[1] * 1.2 + layer.cell
    j0, j1 = int(layer.near / layer.cell), int(layer.far / layer.cell) + 1
    parts_i, parts_j = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for j in range(j0, j1):  # one row of cells at a time: the wedge is narrow in front
        z = (j + 1) * layer.cell
        i0, i1 = (
            int(np.floor((ratio_low * z - margin) / layer.cell)),
            int(np.ceil((ratio_high * z + margin) / layer.cell)),
        )
        parts_i.append(np.arange(i0, i1))
        parts_j.append(np.full(i1 - i0, j))
    i, j = np.concatenate(parts_i), np.concatenate(parts_j)
    x = (i + hash01(i, j, seed)) * np.float32(layer.cell)
    z = (j + hash01(i, j, seed + 1)) * np.float32(layer.cell)
    return as_f32(x), as_f32(z), hash01(i, j, seed + 2), hash01(i, j, seed + 3)


def place_things(scene: Scene, camera: Camera, grain: Grain, land: Land, *, amount: float, smallest: float) -> Stand:
    """Everything that stands, far to near. `smallest`: things of fewer pixels are left out."""
    layers = [layer for layer in LAYERS.get(scene.place, ()) if layer.name not in scene.forbidden]
    factors = dict(scene.emphasis)
    kinds = tuple(sorted({layer.kind for layer in layers}))
    columns: list[list[Field]] = [[] for _ in range(7)]
    for index, layer in enumerate(layers):
        seed = (scene.seed * 31 + index * 7919) % (2**31)
        x, z, keep, draw = _cells(camera, layer, seed)
        if layer.row > 0:
            x, z = _on_rows(scene, x, z, layer.row)
        patch = grain.at("soft", x, z, layer.patch_size * 8, 600 + sum(layer.kind.encode()) % 50)
        dense = smooth(0.42, 0.60, patch[..., 0]) * layer.patches + (1 - layer.patches)
        factor = float(factors.get(layer.name, 1.0))
        here = keep < layer.share * dense * factor * min(amount, 1.0)
        here &= (z > layer.near) & (z < layer.far) & (np.abs(x) > layer.clear * z + layer.clear * 14)
        x, z, draw, patch = x[here], z[here], draw[here], patch[here]
        size = layer.size[0] + (layer.size[1] - layer.size[0]) * (draw * 7.77 % 1) * (0.6 + 0.4 * patch[..., 1])
        size = as_f32(size * (0.5 + 0.5 * min(factor, 1.6)))
        tall = size / camera.footprint(z)
        big = tall > smallest
        x, z, draw, size = x[big], z[big], draw[big], size[big]
        y = land.height(x, z)
        level = land.water if land.water is not None else -1e9
        ok = (
            (y - level > layer.shore[0]) & (y - level < layer.shore[1])
            if land.water is not None
            else np.ones_like(y, bool)
        )
        tone = 0.82 + 0.36 * grain.at("soft", x, z, 210, 301)[..., 0]
        kind = np.full(x.shape, kinds.index(layer.kind), np.float32)
        for column, value in zip(columns, (kind, x, y - layer.sunk * size, z, size, draw, tone), strict=True):
            column.append(as_f32(value[ok]))
    landmark = LANDMARKS.get(scene.place)
    if landmark and landmark[1] not in scene.forbidden:
        kinds, one = (*kinds, landmark[0]), _landmark(scene, land, landmark)
        for column, value in zip(columns, (float(len(kinds) - 1), *one, 1.0), strict=True):
            column.append(as_f32([value]))
    kind, x, y, z, size, draw, tone = (np.concatenate(c) if c else np.zeros(0, np.float32) for c in columns)
    order = np.lexsort((draw, -z))
    return Stand(
        kind[order].astype(np.int32), x[order], y[order], z[order], size[order], draw[order], tone[order], kinds
    )


LANDMARKS: dict[str, tuple[str, str, float, float]] = {"castle_grounds": ("castle", "castle", 150.0, 52.0)}
"""Place → the one big thing in it: kind, word, distance and height in metres."""


def _landmark(
    scene: Scene, land: Land, landmark: tuple[str, str, float, float]
) -> tuple[float, float, float, float, float]:
    """x, y, z, size and random number of the place's landmark: off the middle, on its own ground."""
    rng = np.random.default_rng([scene.seed, 650])
    z = landmark[2] * float(rng.uniform(0.9, 1.15))
    x = z * float(rng.uniform(0.05, 0.22)) * (1 if rng.random() < 0.5 else -1)
    y = float(land.height(as_f32([[x]]), as_f32([[z]]))[0, 0])
    return x, y - 1.5, z, landmark[3], float(rng.random())


def split(stand: Stand, distance: float) -> tuple[Stand, Stand]:
    """What stands farther, and what nearer."""
    far = stand.z > distance
    return tuple(  # type: ignore[return-value]  # two, by construction
        Stand(
            stand.kind[m], stand.x[m], stand.y[m], stand.z[m], stand.size[m], stand.draw[m], stand.tone[m], stand.kinds
        )
        for m in (far, ~far)
    )


def _on_rows(scene: Scene, x: Field, z: Field, row: float) -> tuple[Field, Field]:
    """Move things into the rows that the ground shows (see `ground._lavender`)."""
    turn = float(np.random.default_rng([scene.seed, 365]).uniform(-0.28, 0.28))
    across = (x - z * turn) / row
    frac = across - np.floor(across)
    inward = np.where(frac < 0.5, frac * 0.5, 1 - (1 - frac) * 0.5)
    return as_f32((np.floor(across) + inward) * row + z * turn), z


# ---------------------------------------------------------------- painting


class Wardrobe:
    """Dressed drawings of one picture, at the sizes it needs."""

    def __init__(self, scene: Scene, light: Light) -> None:
        self.scene, self.light = scene, light
        self._dressed: dict[tuple[str, int, int, int], Field] = {}
        self._sized: dict[tuple[str, int, int, bool, int], Field] = {}

    def _dress(self, kind: str, variant: int, tint: int, pixels: int) -> Field:
        """The dressed drawing at its smallest size that is not below `pixels`."""
        levels = art(kind, variant)
        fits = [n for n, level in enumerate(levels) if level.cover.shape[0] >= pixels]
        level = fits[-1] if fits else 0
        key = (kind, variant, tint, level)
        if key not in self._dressed:
            full = dress(levels[level], dress_for(self.scene, kind, tint), self.light)
            if kind in _SOFT_FOOT:  # roots melt into the ground
                rise = np.linspace(1, 0, full.shape[0], dtype=np.float32)
                full = full * smooth(0.0, 0.22, rise)[:, None, None]
            self._dressed[key] = as_f32(full)
        return self._dressed[key]

    def cut(self, kind: str, draw: float, height: float) -> Field:
        """A premultiplied (h, w, 4) cut-out of about `height` pixels."""
        variant = int(draw * 997) % KINDS[kind].variants
        tint = int(draw * 7919) % tint_count(self.scene, kind)
        flip = int(draw * 104729) % 2 == 1
        if height < 160:  # neighbours in size share one cut-out
            height = float(1.05 ** round(np.log(max(height, 1.0)) / np.log(1.05)))
        pixels = max(int(round(height)), 2)
        key = (kind, variant, tint, flip, pixels)
        if key in self._sized:
            return self._sized[key]
        source = self._dress(kind, variant, tint, pixels)
        width = max(int(round(pixels * source.shape[1] / source.shape[0])), 2)
        shrinking = source.shape[0] > pixels
        out = cv2.resize(source, (width, pixels), interpolation=cv2.INTER_AREA if shrinking else cv2.INTER_CUBIC)
        out = as_f32(out[:, ::-1] if flip else out)
        if pixels < 160:
            self._sized[key] = out
        return out


def paint_things(
    picture: Field,
    depth: Field,
    shadow: Field,
    stand: Stand,
    wardrobe: Wardrobe,
    *,
    camera: Camera,
    fog: Field,
    share: Field,
) -> None:
    """Paint what stands into picture and depth, in place. `fog` (W, 3) and `share` (n,): haze colour by column, amount by thing."""
    H, W = depth.shape
    tall = stand.size / camera.footprint(stand.z)
    px = camera.column_of(stand.x / stand.z)
    py = camera.row_of((stand.y - np.float32(camera.eye)) / stand.z)
    for n in _visible(stand, px, py, tall, W, H):
        kind = stand.kinds[int(stand.kind[n])]
        cut = wardrobe.cut(kind, float(stand.draw[n]), float(tall[n]))
        h, w = cut.shape[:2]
        x0, y0 = int(round(float(px[n]) - w / 2)), int(round(float(py[n]))) - h + 1
        left, top, right, bottom = max(x0, 0), max(y0, 0), min(x0 + w, W), min(y0 + h, H)
        if left >= right or top >= bottom:
            continue
        z = stand.z[n]
        behind = depth[top:bottom, left:right]
        open_ = behind > z * np.float32(0.96) - np.float32(0.25)
        if not open_.any():
            continue
        if kind in _CASTS and h > 14:
            _ground_shadow(picture, depth, float(px[n]), float(py[n]), w, float(z), float(stand.y[n]), camera, wardrobe.light)
        part = cut[top - y0 : bottom - y0, left - x0 : right - x0]
        cover = part[..., 3:]
        foot_x, foot_y = min(max(int(px[n]), 0), W - 1), min(max(int(py[n]), 0), H - 1)
        bright = stand.tone[n] * (0.55 + 0.45 * shadow[foot_y, foot_x])
        f = share[n]
        colour = part[..., :3] * (bright * (1 - f)) + cover * (fog[foot_x] * f)
        if not open_.all():
            cover = cover * open_[..., None]
            colour = colour * open_[..., None]
        region = picture[top:bottom, left:right]
        region *= 1 - cover
        region += colour
        behind[cover[..., 0] > 0.5] = z


_CASTS = frozenset(("broadleaf", "birch", "pine", "palm", "bush", "cottage", "castle", "rock", "cactus", "dead_tree", "mushroom"))


def _ground_shadow(
    picture: Field, depth: Field, px: float, py: float, width: int, z: float, y: float, camera: Camera, light: Light
) -> None:
    """Darken the ground under and behind a thing: a soft ellipse, stretched away from the sun."""
    H, W = depth.shape
    flat = min(max((camera.eye - y) / z, 0.02), 0.5)  # how much the ground is foreshortened there
    long = min(0.35 / max(float(light.sun[1]), 0.18), 1.6)
    rx, ry = width * 0.42, max(width * 0.42 * flat * (1 + long), 1.5)
    cx = px - float(light.sun[0]) * long * width * 0.30
    cy = py + float(light.sun[2]) * long * width * 0.42 * flat
    x0, x1, y0, y1 = max(int(cx - rx * 1.6), 0), min(int(cx + rx * 1.6) + 1, W), max(int(cy - ry * 1.6), 0), min(int(cy + ry * 1.6) + 1, H)
    if x0 >= x1 or y0 >= y1:
        return
    dx = ((np.arange(x0, x1, dtype=np.float32) - np.float32(cx)) / np.float32(rx)) ** 2
    dy = ((np.arange(y0, y1, dtype=np.float32) - np.float32(cy)) / np.float32(ry)) ** 2
    shade = np.exp(-(dy[:, None] + dx[None, :]) * np.float32(1.4)) * np.float32(0.42)
    near = depth[y0:y1, x0:x1]
    shade *= np.abs(near - np.float32(z)) < np.float32(0.45 * z)
    picture[y0:y1, x0:x1] *= (1 - shade)[..., None]


def _visible(stand: Stand, px: Field, py: Field, tall: Field, W: int, H: int) -> Iterator[int]:
    half = tall * 1.15
    seen = (px + half > 0) & (px - half < W) & (py > 0) & (py - tall < H)
    return iter(np.flatnonzero(seen).tolist())
