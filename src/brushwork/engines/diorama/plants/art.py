"""Plants and stones as artwork: drawn leaf by leaf, once per kind and variant, without colour or light.

A piece of art holds, per pixel, how much is covered, a tone (dark to light), a surface normal and which part it is
(leaf, wood, bloom, heart). `dress` turns it into coloured light for one scene; so one drawing serves every season and
hour. All drawing is seeded by kind and variant alone.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from brushwork.engines.diorama.noise import Field, as_f32, blend, smooth
from brushwork.engines.diorama.plants import builds, herbs, trees
from brushwork.engines.diorama.plants.easel import Art, Easel
from brushwork.engines.diorama.sky.light import Light

_LOCK = threading.Lock()


# ---------------------------------------------------------------- the kinds


@dataclass(frozen=True)
class Kind:
    """How a kind is drawn: height in pixels of the drawing, width in heights, and how many variants there are."""

    draw: Callable[[Easel], None]
    pixels: int
    width: float
    variants: int


KINDS: dict[str, Kind] = {
    "tuft": Kind(herbs.draw_tuft, 220, 2.1, 6),
    "meadow_tuft": Kind(herbs.draw_meadow_tuft, 260, 2.1, 6),
    "daisy": Kind(herbs.draw_daisy, 260, 1.5, 5),
    "poppy": Kind(herbs.draw_poppy, 260, 1.5, 5),
    "tulip": Kind(herbs.draw_tulip, 260, 1.4, 5),
    "spike": Kind(herbs.draw_spike, 260, 1.6, 5),
    "sunflower": Kind(herbs.draw_sunflower, 420, 0.7, 4),
    "wheat": Kind(herbs.draw_wheat, 260, 1.9, 5),
    "reed": Kind(herbs.draw_reed, 360, 1.1, 5),
    "broadleaf": Kind(trees.draw_broadleaf, 640, 1.0, 5),
    "birch": Kind(trees.draw_birch, 640, 0.6, 4),
    "bush": Kind(trees.draw_bush, 260, 1.6, 5),
    "pine": Kind(trees.draw_pine, 720, 0.52, 6),
    "palm": Kind(trees.draw_palm, 600, 1.1, 5),
    "fern": Kind(herbs.draw_fern, 260, 1.8, 4),
    "cactus": Kind(herbs.draw_cactus, 420, 0.55, 4),
    "dead_tree": Kind(trees.draw_dead_tree, 560, 1.0, 4),
    "rock": Kind(builds.draw_rock, 220, 1.5, 6),
    "cottage": Kind(builds.draw_cottage, 360, 1.5, 5),
    "castle": Kind(builds.draw_castle, 900, 1.2, 2),
    "coral": Kind(builds.draw_coral, 260, 1.3, 5),
    "sea_fan": Kind(builds.draw_sea_fan, 260, 1.5, 4),
    "sponge": Kind(builds.draw_sponge, 240, 1.2, 4),
    "kelp": Kind(herbs.draw_kelp, 560, 0.45, 4),
    "mushroom": Kind(herbs.draw_mushroom, 160, 1.3, 3),
}


@lru_cache(maxsize=64)
def _drawn(kind: str, variant: int) -> tuple[Art, ...]:
    k = KINDS[kind]
    order = sorted(KINDS).index(kind)
    easel = Easel(1000 * order + variant, height=k.pixels, width=k.width)
    k.draw(easel)
    return easel.finish()


def art(kind: str, variant: int) -> tuple[Art, ...]:
    """A drawing at all its sizes, largest first; made on first use, by one thread."""
    with _LOCK:
        return _drawn(kind, variant % KINDS[kind].variants)


# ---------------------------------------------------------------- colour and light


@dataclass(frozen=True)
class Dress:
    """Colours of a kind in a scene: ramps of light colours (k, 3), dark to bright."""

    leaf: Field
    wood: Field
    bloom: Field
    heart: Field
    snow: float = 0.0
    shine_through: float = 0.5
    glow: float = 0.0
    """Light that the heart part gives by itself: lit windows."""
    """How much light a leaf lets through from behind."""


def _table(tones: Field) -> Field:
    """A ramp (k, 3) as a table for byte tones: (256, 3)."""
    at = np.linspace(0, 255, len(tones))
    return as_f32(np.stack([np.interp(np.arange(256), at, tones[:, c]) for c in range(3)], axis=-1))


def dress(drawing: Art, look: Dress, light: Light) -> Field:
    """Light of a drawing under the scene's sun: premultiplied (h, w, 4)."""
    inside = drawing.cover > 1
    cover = drawing.cover[inside].astype(np.float32) / 255
    tone8 = drawing.tone[inside]
    tone = tone8.astype(np.float32) / 255
    nx, ny = (drawing.normal[inside].astype(np.float32) / 127.5 - 1).T
    parts = drawing.parts[inside].astype(np.float32) / 255
    colour = _table(look.leaf)[tone8]
    for k, tones in enumerate((look.wood, look.bloom, look.heart)):
        if parts[:, k].any():
            colour = blend(colour, _table(tones)[tone8], parts[:, k])
    if look.snow > 0:
        lie = smooth(0.52 - 0.45 * look.snow, 0.72 - 0.45 * look.snow, ny * 0.6 + tone * 0.55)
        colour = blend(colour, as_f32([0.36, 0.40, 0.46]), as_f32(lie * 0.95))
    nz = np.sqrt(np.clip(1 - nx * nx - ny * ny, 0, 1))
    facing = nx * light.sun[0] + ny * light.sun[1] - nz * light.sun[2]
    behind = max(float(light.sun[2]), 0.0)
    through = look.shine_through * behind * np.clip(tone * 1.15 - 0.12, 0, 1) * (1 - parts[:, 0])
    sun = np.clip(facing * 0.85 + 0.12, 0, 1) + through * 0.85
    shade = 0.45 + 0.35 * np.clip(ny + 0.3, 0, 1) + 0.25 * tone
    lit = colour * (sun[:, None] * light.sun_colour + shade[:, None] * light.ambient + 0.35 * light.bounce)
    if look.glow > 0:
        lit = lit + (parts[:, 2] * look.glow)[:, None] * as_f32([3.2, 1.9, 0.7])
    out = np.zeros((*drawing.cover.shape, 4), np.float32)
    out[inside] = np.concatenate([lit * cover[:, None], cover[:, None]], axis=-1)
    return out
