"""What plants and stones wear: colours by season and place, and the dressed drawings of one picture."""

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass

import cv2
import numpy as np

from brushwork.engines.diorama.noise import Field, as_f32, smooth
from brushwork.engines.diorama.plants.art import KINDS, Dress, art, dress
from brushwork.engines.diorama.scene import Scene
from brushwork.engines.diorama.sky.light import Light, hexes

_SOFT_FOOT = frozenset(
    ("tuft", "meadow_tuft", "daisy", "poppy", "tulip", "spike", "wheat", "fern", "reed", "bush", "sunflower")
)


_LEAVES = {
    "spring": ("#234d1f", "#4f8a35", "#a6cf62"),
    "summer": ("#1b4220", "#3d7a33", "#93bf55"),
    "autumn": ("#6e2f14", "#cf6a22", "#f7b83f"),
    "winter": ("#3a3b33", "#6c6b58", "#a09d86"),
}


_NEEDLES = {
    "spring": ("#12352a", "#2a6441", "#6ea565"),
    "summer": ("#0f2f28", "#235a3d", "#5f9858"),
    "autumn": ("#14332a", "#2f5a3c", "#79935a"),
    "winter": ("#12302f", "#285149", "#6d958a"),
}


_BLADES = {
    "spring": ("#1f4a1a", "#5f9c35", "#bfdf76"),
    "summer": ("#1f4618", "#5a9130", "#b3c95f"),
    "autumn": ("#4d4016", "#a1853a", "#e0c074"),
    "winter": ("#4f5038", "#93906a", "#cfc9a4"),
}


_PETALS: dict[str, tuple[tuple[str, str, str], ...]] = {
    "daisy": (("#a9aec4", "#f2f1ee", "#ffffff"), ("#b98a2a", "#f3cf3f", "#fff3a0"), ("#a0527f", "#eda5c4", "#ffe0ee")),
    "poppy": (("#6e0f12", "#d8281f", "#ff7a54"), ("#8a1a10", "#e8461f", "#ff9a5a"), ("#7e1030", "#d63a5c", "#ff9fa8")),
    "tulip": (
        ("#8a1020", "#e23a3a", "#ff9a7a"),
        ("#a86a10", "#f6c22f", "#fff09a"),
        ("#6a2a86", "#b067cf", "#eab8f7"),
        ("#a83a6a", "#f288ae", "#ffd3e2"),
    ),
    "spike": (("#33246e", "#6f55c4", "#bda6f0"), ("#5a2a7a", "#a05cc4", "#e0b0f2"), ("#24449a", "#5b86e0", "#b5d3fa")),
    "coral": (
        ("#7a1f3a", "#f0627a", "#ffc0b8"),
        ("#8a3a10", "#ff9a3f", "#ffe0a0"),
        ("#4a2070", "#a76ae0", "#ecc8ff"),
        ("#7a2060", "#f070b8", "#ffd0ea"),
    ),
    "sea_fan": (
        ("#5a1a5a", "#c050b0", "#f5b0e0"),
        ("#7a2a10", "#e87040", "#ffc890"),
        ("#5a4a10", "#e0c040", "#fff0a0"),
    ),
    "sponge": (("#6a4a08", "#f0b830", "#ffeea0"), ("#10505a", "#3ac0c0", "#c0fff0"), ("#6a1a3a", "#d85088", "#ffc0d8")),
    "cottage": (
        ("#8a8070", "#e6dcc4", "#fffaf0"),
        ("#8a6a48", "#e0bf90", "#fbe6c4"),
        ("#6a7078", "#c3ccd0", "#f0f4f4"),
        ("#8a5048", "#d89a86", "#f8d0c0"),
    ),
    "castle": (("#4a463f", "#a89f8f", "#e6decb"), ("#40454d", "#929ba6", "#d3dae0")),
    "sunflower": (("#a8620a", "#f5b21c", "#ffe46a"),),
    "mushroom": (("#7a1712", "#cf3a2a", "#ff7a5a"), ("#6a4520", "#b5834a", "#e6c08a")),
}


_AUTUMN_TINTS = (
    ("#6e2f14", "#cf6a22", "#f7b83f"),
    ("#7a1d12", "#c43a20", "#f2803a"),
    ("#7a5a12", "#d9a02c", "#ffe07a"),
    ("#4a4a1a", "#98903a", "#d9c860"),
)


_BLOSSOM = ("#9a4a6e", "#f0a0c0", "#ffe0ee")
"""Crowns in flower: cherry trees."""


_STONE = {
    "desert": ("#6b3f22", "#b87b48", "#ecbd8a"),
    "canyon": ("#5e2a1b", "#b0623a", "#eaad78"),
    "mars": ("#4d2116", "#a3532f", "#dd9a68"),
    "moon": ("#3d3d42", "#85858a", "#cfcdc8"),
    "volcano": ("#191619", "#3d3638", "#6f625c"),
    "underwater": ("#2a3440", "#6a7880", "#b0b5a8"),
    "arctic": ("#6fa9cf", "#c3e0f0", "#fbfdff"),
    "beach": ("#4d4039", "#8f7d6c", "#c9b59b"),
    "island": ("#4d4039", "#8f7d6c", "#c9b59b"),
}


_SOLID = frozenset(("cottage", "castle", "rock"))


def tint_count(scene: Scene, kind: str) -> int:
    if kind in _PETALS:
        return 1 if scene.place == "lavender_field" else len(_PETALS[kind])
    if kind in ("broadleaf", "birch", "bush") and scene.season == "autumn":
        return len(_AUTUMN_TINTS)
    return 1


def _leaf_tones(scene: Scene, kind: str, tint: int) -> tuple[str, ...]:
    """Colours of leaves, blades or tiles, dark to bright."""
    season = scene.season
    leaf: tuple[str, ...] = _BLADES[season]
    if kind == "bush" and scene.place in ("canyon", "desert"):
        leaf = ("#3d4420", "#7d8046", "#b5b070")
    elif kind in ("broadleaf", "birch", "bush", "fern", "palm"):
        blooms = season == "spring" and any(name == "blossoms" for name, _ in scene.emphasis)
        leaf = (
            _BLOSSOM
            if blooms and kind in ("broadleaf", "birch")
            else _AUTUMN_TINTS[tint]
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
    return leaf


def dress_for(scene: Scene, kind: str, tint: int) -> Dress:
    """What a kind wears in a scene."""
    season = scene.season
    leaf = _leaf_tones(scene, kind, tint)
    snow = 0.0
    if season == "winter" or scene.weather == "snow":
        snow = (
            0.0
            if "snow" in scene.forbidden
            else (
                0.5 if kind in ("pine", "rock", "bush", "broadleaf", "dead_tree", "birch", "cottage", "castle") else 0.3
            )
        )
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
        "daisy": ("#a86a10", "#f0b820", "#ffe66a"),
        "poppy": ("#120a0a", "#2a1a1a", "#5a4a3a"),
        "sunflower": ("#2a170a", "#5a3416", "#9a6a30"),
        "mushroom": ("#e0d8c8", "#fffaf0", "#ffffff"),
        "wheat": ("#9a6c20", "#dfae4a", "#ffe79a"),
        "meadow_tuft": ("#8a7a3a", "#c9b568", "#f0e3a8"),
    }.get(kind, ("#a86a10", "#f0b820", "#ffe66a"))
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
        snow,
        0.0 if kind in _SOLID else 0.6,
        glow,
    )


class Shelf:
    """Drawings used lately, up to a number of bytes. Things are painted from far to near, so small sizes go first."""

    def __init__(self, room: int) -> None:
        self.room = room
        self._kept: OrderedDict[Hashable, Field] = OrderedDict()
        self._bytes = 0

    def get(self, key: Hashable) -> Field | None:
        drawing = self._kept.get(key)
        if drawing is not None:
            self._kept.move_to_end(key)
        return drawing

    def keep(self, key: Hashable, drawing: Field) -> Field:
        self._kept[key] = drawing
        self._bytes += drawing.nbytes
        while self._bytes > self.room and len(self._kept) > 1:
            self._bytes -= self._kept.popitem(last=False)[1].nbytes
        return drawing


class Wardrobe:
    """Dressed drawings of one picture, at the sizes it needs."""

    def __init__(self, scene: Scene, light: Light) -> None:
        self.scene, self.light = scene, light
        self._dressed = Shelf(40_000_000)
        self._sized = Shelf(24_000_000)

    def _dress(self, kind: str, variant: int, tint: int, pixels: int) -> Field:
        """The dressed drawing at its smallest size that is not below `pixels`."""
        levels = art(kind, variant)
        fits = [n for n, level in enumerate(levels) if level.cover.shape[0] >= pixels]
        level = fits[-1] if fits else 0
        key = (kind, variant, tint, level)
        kept = self._dressed.get(key)
        if kept is None:
            full = dress(levels[level], dress_for(self.scene, kind, tint), self.light)
            if kind in _SOFT_FOOT:  # roots melt into the ground
                rise = np.linspace(1, 0, full.shape[0], dtype=np.float32)
                full = full * smooth(0.0, 0.22, rise)[:, None, None]
            kept = self._dressed.keep(key, as_f32(full))
        return kept

    def pick(self, kind: str, draw: float, height: float) -> "Cut":
        """Which drawing, and its exact size in pixels, for a thing with this random number and height."""
        variant = int(draw * 997) % KINDS[kind].variants
        tint = int(draw * 7919) % tint_count(self.scene, kind)
        flip = int(draw * 104729) % 2 == 1
        if height < _SHARED:  # neighbours in size share one cut-out
            height = float(1.05 ** round(np.log(max(height, 1.0)) / np.log(1.05)))
        pixels = max(round(height), 2)
        source = self._dress(kind, variant, tint, pixels)
        width = max(round(pixels * source.shape[1] / source.shape[0]), 2)
        return Cut((kind, variant, tint, flip, pixels), source, pixels, width)

    def cut(self, kind: str, draw: float, height: float) -> Field:
        """A whole premultiplied (h, w, 4) cut-out of about `height` pixels."""
        cut = self.pick(kind, draw, height)
        return self.window(cut, 0, 0, cut.width, cut.height)

    def window(self, cut: "Cut", left: int, top: int, right: int, bottom: int) -> Field:
        """A part of a cut-out; of large ones only that part is ever made."""
        if cut.height < _SHARED:
            kept = self._sized.get(cut.key)
            if kept is None:
                out = cv2.resize(cut.source, (cut.width, cut.height), interpolation=cv2.INTER_AREA)
                kept = self._sized.keep(cut.key, as_f32(out[:, ::-1] if cut.key[3] else out))
            return kept[top:bottom, left:right]
        if cut.key[3]:
            left, right = cut.width - right, cut.width - left
        sx, sy = cut.source.shape[1] / cut.width, cut.source.shape[0] / cut.height
        to_source = np.array([[sx, 0, (left + 0.5) * sx - 0.5], [0, sy, (top + 0.5) * sy - 0.5]])
        way = cv2.INTER_LINEAR if sy > 0.75 else cv2.INTER_CUBIC
        out = cv2.warpAffine(
            cut.source,
            to_source,
            (right - left, bottom - top),
            flags=way | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_CONSTANT,
        )
        return as_f32(out[:, ::-1] if cut.key[3] else out)


_SHARED = 160
"""Cut-outs lower than this are kept, in steps of 5 % in size. Pixels."""


@dataclass(frozen=True)
class Cut:
    """A dressed drawing and the size it is wanted in."""

    key: tuple[str, int, int, bool, int]
    source: Field
    height: int
    width: int
