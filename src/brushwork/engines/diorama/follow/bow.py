"""A rainbow in the sky of any picture, where there is room for it: round what is kept, or in what is repainted."""

from dataclasses import replace

import cv2
import numpy as np

from brushwork.engines.diorama.noise import Field, as_f32
from brushwork.engines.diorama.sky.heavens import rainbow
from brushwork.engines.diorama.sky.light import Light

OPENING = float(np.tan(np.radians(33.5)))
"""Radius of the painter's own bow, one unit away."""
WIDTHS = np.linspace(0.22, 1.3, 25)
"""Radii that are tried, in shares of the canvas's longer side."""
PLACES = np.linspace(-0.1, 1.1, 25)
"""Feet's middles that are tried, in shares of the width."""
SMALL = 160
"""Longer side of the copy on which they are tried."""
LEAST = 0.35
"""Share of its radius that must be seen of an arc."""
BRIGHT = 0.42


def with_bow(picture: Field, sky: Field, hole: Field, light: Light, *, level: float) -> bool:
    """Set a bow over the horizon (`level`, a row) into the sky (H, W) of the hole; False where it has no room.
    Changes `picture`.
    """
    height, width = hole.shape
    scale = SMALL / max(height, width)
    size = (max(2, round(width * scale)), max(2, round(height * scale)))
    free, seen = (cv2.resize(as_f32(f), size, interpolation=cv2.INTER_AREA) for f in (hole * sky, hole))
    best, most = (0.0, 0.0), LEAST
    for radius in WIDTHS:
        for middle in PLACES:
            score = free_share(as_f32(free), as_f32(seen), middle * size[0], level * scale, radius * SMALL)
            if score > most:
                best, most = (middle * width, radius * max(height, width)), score
    if best[1] == 0:
        return False
    bottom = int(np.clip(level, 0, height))
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(bottom, dtype=np.float32))
    unit = np.float32(OPENING / best[1])
    ahead = replace(light, sun=as_f32([0, 0, -1]))
    arc = rainbow(ahead, (x - np.float32(best[0])) * unit, (np.float32(level) - y) * unit)
    picture[:bottom] += arc * (np.float32(BRIGHT) * sky[:bottom])[..., None]
    np.clip(picture, 0, 1, out=picture)
    return True


def free_share(free: Field, hole: Field, middle: float, level: float, radius: float) -> float:
    """Length of an arc that lies in the free sky, in radii; what lies on kept parts counts against it."""
    turn = np.linspace(0.03, np.pi - 0.03, 90)
    x, y = np.round(middle + radius * np.cos(turn)).astype(int), np.round(level - radius * np.sin(turn)).astype(int)
    inside = (x >= 0) & (x < free.shape[1]) & (y >= 0) & (y < free.shape[0])
    x, y = x[inside], y[inside]
    return float((free[y, x] - 4 * (1 - hole[y, x])).sum()) * np.pi / len(turn) * min(1.0, radius / (0.4 * SMALL))
