"""The planting plan: what grows or lies in which place, how large, how dense, where. Facts only."""

from dataclasses import dataclass


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
    "meadow": [
        *_WILD,
        *_blooms(("daisy", "poppy"), 0.36, 0.35),
        *_trees("broadleaf", (7, 13), near=34, share=0.22, patches=0.8),
        *_trees("birch", (8, 13), near=40, share=0.14, patches=0.8),
    ],
    "flower_field": [
        *_grass(0.28, 0.7),
        *_blooms(("poppy", "daisy", "tulip", "spike"), 0.42, 0.62, 0.62, 60),
        *_trees("broadleaf", (7, 12), near=70, share=0.16, patches=0.8),
    ],
    "lavender_field": [
        Layer("spike", "flowers", 0.36, 1.2, 16, (0.42, 0.62), 0.95, row=1.7),
        Layer("spike", "flowers", 0.62, 16, 55, (0.5, 0.72), 0.95, row=1.7),
        *_trees("broadleaf", (6, 11), near=80, share=0.12, patches=0.8),
    ],
    "wheat_field": [
        Layer("wheat", "wheat", 0.36, 1.3, 15, (0.7, 0.95), 0.97),
        Layer("wheat", "wheat", 0.8, 15, 60, (0.75, 1.05), 0.95),
        *_blooms(("poppy",), 0.85, 0.10, 1.2),
        *_trees("broadleaf", (7, 12), near=90, share=0.14, patches=0.8),
    ],
    "forest": [
        *_grass(0.30, 0.5),
        Layer("fern", "ferns", 1.5, 2.5, 40, (0.35, 0.75), 0.5, 0.5, 12),
        *_blooms(("spike", "daisy"), 0.3, 0.14),
        *_STONES,
        Layer("mushroom", "mushrooms", 2.6, 2.5, 14, (0.07, 0.14), 0.16),
        Layer("pine", "trees", 4.6, 8, 120, (11, 20), 0.62, 0.25, 40, 0.10),
        Layer("broadleaf", "trees", 6.5, 9, 120, (9, 16), 0.55, 0.3, 60, 0.10),
        Layer("bush", "bushes", 4, 7, 60, (0.6, 1.6), 0.30, 0.4, 30, 0.08),
    ],
    "autumn_forest": [
        *_grass(0.26, 0.35),
        Layer("fern", "ferns", 1.8, 2.5, 30, (0.3, 0.6), 0.3, 0.5, 12),
        *_STONES,
        Layer("mushroom", "mushrooms", 2.2, 2.5, 14, (0.07, 0.15), 0.2),
        Layer("broadleaf", "trees", 5.2, 8, 120, (9, 17), 0.70, 0.25, 50, 0.10),
        Layer("birch", "trees", 6.0, 7, 120, (9, 15), 0.5, 0.3, 40, 0.09),
        Layer("bush", "bushes", 4, 7, 60, (0.6, 1.5), 0.30, 0.4, 30, 0.08),
    ],
    "winter_forest": [
        Layer("tuft", "grass", 1.6, 2, 25, (0.15, 0.3), 0.25),
        *_STONES,
        Layer("pine", "trees", 4.6, 8, 130, (9, 20), 0.72, 0.25, 50, 0.10),
        Layer("dead_tree", "trees", 8, 9, 110, (6, 11), 0.28, 0.3, 40, 0.10),
        Layer("bush", "bushes", 5, 7, 50, (0.5, 1.2), 0.22, 0.4, 30, 0.08),
    ],
    "jungle": [
        *_grass(0.35, 0.55),
        Layer("fern", "ferns", 1.1, 2.2, 40, (0.5, 1.4), 0.75, 0.2, 12, 0.03),
        *_blooms(("tulip", "spike"), 0.5, 0.16),
        Layer("palm", "trees", 4.6, 7, 80, (8, 17), 0.62, 0.2, 40, 0.10),
        Layer("broadleaf", "trees", 6.5, 9, 95, (12, 22), 0.65, 0.2, 60, 0.12),
        Layer("bush", "bushes", 2.8, 6, 60, (0.9, 2.6), 0.55, 0.2, 20, 0.09),
    ],
    "desert": [
        Layer("cactus", "cacti", 15, 12, 170, (2.2, 5.2), 0.30, 0.5, 120, 0.10),
        Layer("rock", "rocks", 4.2, 3, 60, (0.06, 0.4), 0.22, 0.6, 40, sunk=0.3),
        Layer("tuft", "grass", 2.6, 3, 45, (0.2, 0.45), 0.22, 0.7, 30),
        Layer("dead_tree", "trees", 60, 40, 200, (3, 5), 0.25, 0, 1, 0.1),
    ],
    "canyon": [
        Layer("bush", "bushes", 3.4, 4, 120, (0.3, 0.9), 0.36, 0.5, 30, 0.04),
        Layer("rock", "rocks", 2.2, 2.5, 50, (0.08, 0.5), 0.30, 0.5, 30, sunk=0.25),
        Layer("rock", "rocks", 9, 12, 160, (0.8, 2.6), 0.40, 0.4, 40, 0.10, sunk=0.25),
        Layer("tuft", "grass", 1.5, 2.5, 40, (0.16, 0.4), 0.30, 0.6, 16),
        Layer("cactus", "cacti", 14, 14, 120, (1.8, 3.8), 0.22, 0.4, 60, 0.10),
    ],
    "lake": [
        Layer("rock", "rocks", 1.3, 1.5, 14, (0.10, 0.45), 0.34, 0.5, 8, shore=(-0.30, 1.5), sunk=0.25),
        Layer("reed", "reeds", 0.75, 2.2, 16, (0.7, 1.5), 0.42, 0.8, 14, shore=(-0.40, 0.25)),
        Layer("tuft", "grass", 0.5, 1.2, 14, (0.2, 0.42), 0.7, 0.3, 6, shore=(0.22, 5)),
        *_blooms(("daisy", "spike"), 0.36, 0.30),
        *_trees("pine", (9, 18), near=14, share=0.9, patches=0.45, clear=0.22),
        Layer("pine", "trees", 13, 300, 1300, (12, 21), 0.95, 0.3, 300, shore=(0.5, 90)),
    ],
    "river": [
        *_grass(0.36, 0.95),
        *_blooms(("daisy", "poppy", "spike"), 0.4, 0.34),
        Layer("rock", "rocks", 1.3, 2, 60, (0.12, 0.6), 0.30, 0.4, 12, shore=(-0.5, 0.35), sunk=0.25),
        Layer("reed", "reeds", 0.8, 2.5, 40, (0.7, 1.3), 0.40, 0.7, 16, shore=(-0.15, 0.25)),
        *_trees("broadleaf", (7, 14), near=20, share=0.5, patches=0.6, clear=0.18),
        *_trees("pine", (8, 15), near=34, share=0.35, patches=0.7, clear=0.18),
    ],
    "waterfall": [
        *_grass(0.32, 0.8),
        Layer("fern", "ferns", 1.3, 2, 45, (0.35, 0.9), 0.5, 0.4, 10, shore=(0.1, 60)),
        *_blooms(("spike", "daisy"), 0.34, 0.2),
        Layer("rock", "rocks", 2.0, 3, 44, (0.25, 1.3), 0.42, 0.3, 14, shore=(-0.7, 2.0), sunk=0.22),
        Layer("bush", "bushes", 2.6, 8, 90, (0.7, 2.0), 0.45, 0.3, 14, 0.14, (0.3, 90)),
        Layer("broadleaf", "trees", 6.5, 12, 160, (7, 13), 0.5, 0.3, 30, 0.22, (0.5, 200)),
        Layer("pine", "trees", 6.5, 20, 220, (8, 15), 0.5, 0.3, 40, 0.16, (0.5, 200)),
    ],
    "sea": [],
    "beach": [
        Layer("palm", "palms", 6.5, 8, 160, (6, 11), 0.72, 0.2, 40, 0.16, (0.55, 6)),
        Layer("rock", "rocks", 4.5, 4, 70, (0.15, 0.9), 0.22, 0.7, 26, 0.08, (-0.25, 1.0), sunk=0.3),
        Layer("tuft", "grass", 1.0, 2.5, 60, (0.25, 0.55), 0.42, 0.6, 10, 0.05, (0.6, 6)),
        Layer("fern", "ferns", 3.0, 6, 80, (0.5, 1.1), 0.4, 0.5, 16, 0.14, (0.75, 6)),
        Layer("bush", "bushes", 6, 14, 140, (0.8, 1.8), 0.4, 0.4, 30, 0.2, (0.8, 7)),
    ],
    "island": [
        Layer("palm", "palms", 6.5, 60, 420, (7, 12), 0.62, 0.25, 50, 0, (0.9, 12)),
        Layer("broadleaf", "trees", 7.5, 70, 420, (6, 11), 0.62, 0.2, 60, 0, (4.5, 60)),
        Layer("bush", "bushes", 4.5, 60, 300, (1.2, 2.6), 0.5, 0.3, 40, 0, (1.2, 40)),
        Layer("rock", "rocks", 7, 40, 300, (0.8, 2.6), 0.3, 0.4, 40, 0, (-0.8, 1.0), sunk=0.25),
    ],
    "volcano": [
        Layer("rock", "rocks", 2.3, 2.5, 60, (0.12, 0.7), 0.45, 0.4, 20, sunk=0.22),
        Layer("rock", "rocks", 9, 10, 140, (0.7, 2.4), 0.42, 0.4, 40, 0.08, sunk=0.2),
        Layer("dead_tree", "trees", 13, 14, 130, (3, 6), 0.34, 0.4, 60, 0.12),
        Layer("tuft", "grass", 1.4, 2, 35, (0.15, 0.35), 0.24, 0.7, 14),
    ],
    "arctic": [
        Layer("rock", "ice", 5, 4, 40, (0.2, 0.9), 0.22, 0.4, 20, 0.06, (0.1, 3), sunk=0.2),
        Layer("rock", "ice", 16, 30, 260, (0.8, 3.2), 0.32, 0.4, 60, 0.04, (-1, 3), sunk=0.25),
    ],
    "mars": [
        Layer("rock", "rocks", 1.5, 2, 40, (0.05, 0.32), 0.42, 0.4, 20, sunk=0.25),
        Layer("rock", "rocks", 7, 7, 120, (0.3, 1.4), 0.36, 0.5, 40, 0.05, sunk=0.25),
    ],
    "moon": [
        Layer("rock", "rocks", 1.6, 2, 40, (0.04, 0.25), 0.34, 0.5, 20, sunk=0.25),
        Layer("rock", "rocks", 8, 8, 120, (0.3, 1.5), 0.28, 0.5, 40, 0.06, sunk=0.25),
    ],
}


_WATERY = frozenset(("lake", "river", "waterfall", "beach", "island", "arctic"))


LANDMARKS: dict[str, tuple[str, str, float, float]] = {"castle_grounds": ("castle", "castle", 150.0, 74.0)}
"""Place → the one big thing in it: kind, word, distance and height in metres."""

LAYERS["underwater"] = [
    Layer("coral", "corals", 1.7, 3.5, 26, (0.35, 1.1), 0.55, 0.35, 9, 0.10),
    Layer("sea_fan", "corals", 2.1, 4, 26, (0.5, 1.3), 0.42, 0.4, 10, 0.12),
    Layer("sponge", "corals", 2.0, 3.5, 24, (0.35, 0.8), 0.45, 0.4, 8, 0.10),
    Layer("kelp", "kelp", 2.4, 5, 30, (2.2, 5.5), 0.40, 0.5, 14, 0.22),
    Layer("rock", "rocks", 1.8, 3, 24, (0.15, 0.7), 0.4, 0.4, 12, 0.04, sunk=0.25),
    Layer("tuft", "kelp", 0.9, 2.5, 18, (0.15, 0.45), 0.35, 0.6, 8),
]
LAYERS["city_street"] = []
LAYERS["village"] = [
    *_WILD,
    Layer("cottage", "houses", 14, 18, 62, (6.0, 8.0), 0.88, 0.0, 60, 0.07, sunk=0.02),
    Layer("cottage", "houses", 20, 62, 200, (7.0, 10.0), 0.85, 0.1, 120, 0.02, sunk=0.02),
    *_trees("broadleaf", (6, 12), near=22, share=0.45, patches=0.5, clear=0.12),
]
LAYERS["castle_grounds"] = LAYERS["hills"]


def layers_of(place: str, wanted: frozenset[str]) -> list[Layer]:
    """What grows in a place; of flowers only the kind that the words name."""
    layers = LAYERS.get(place, [])
    if "sunflowers" not in wanted:
        return layers
    rest = [layer for layer in layers if layer.name != "flowers"]
    return [*rest, *(Layer("sunflower", "flowers", c, n, f, (0.8, 1.3), 0.9) for c, n, f in _SUNFLOWERS)]


_SUNFLOWERS = ((0.85, 2.2, 18.0), (1.2, 18.0, 60.0))
"""Cell, near and far of the rows of sunflowers."""
