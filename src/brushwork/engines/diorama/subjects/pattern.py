"""Subjects on a tile: tossed over the periodic ground again and again, wrapped round its borders.

The ground itself is tile.py's. Knows scenes and artwork, no light but the shadow under each thing.
"""

import cv2
import numpy as np

from brushwork.engines.diorama.looks.brushes import Field
from brushwork.engines.diorama.scene import Scene
from brushwork.engines.diorama.subjects.recolour import recoloured
from brushwork.engines.diorama.subjects.sprites import aspect, drawn
from brushwork.engines.diorama.words.lexicon import concepts

ACROSS = 4
"""Things along the shorter side."""


def toss_subjects(ground: Field, scene: Scene) -> None:
    """The scene's subjects on a jittered grid, every second row shifted by half a step."""
    height, width = ground.shape[:2]
    rng = np.random.default_rng([scene.seed, 59])
    cell = min(width, height) / ACROSS
    columns, rows = max(2, round(width / cell)), 2 * max(1, round(height / cell / 2))
    kinds = list(dict.fromkeys((subject.concept, subject.colour) for subject in scene.subjects))
    for number in range(columns * rows if kinds else 0):
        row, column = divmod(number, columns)
        name, colour = kinds[(number + row) % len(kinds)]
        concept = concepts()[name]
        artwork = concept.artwork[int(rng.integers(0, len(concept.artwork)))]
        size = cell * float(rng.uniform(0.70, 0.90)) / max(1.0, aspect(artwork))
        picture = drawn(artwork, height=round(size), flip=bool(rng.random() < 0.5), tilt=float(rng.uniform(-18, 18)))
        if colour:
            picture = recoloured(picture, colour, person=concept.kind == "person")
        x = (column + 0.5 + 0.5 * (row % 2) + float(rng.uniform(-0.06, 0.06))) * width / columns
        y = (row + 0.5 + float(rng.uniform(-0.06, 0.06))) * height / rows
        stamp(ground, picture, round(x - picture.shape[1] / 2), round(y - picture.shape[0] / 2))


def stamp(out: Field, picture: Field, left: int, top: int) -> None:
    """Put a premultiplied picture with a soft shadow onto a torus."""
    pad = max(4, picture.shape[0] // 12)
    picture = np.pad(picture, ((pad, pad), (pad, pad), (0, 0)))
    shadow = cv2.GaussianBlur(picture[..., 3], (0, 0), pad * 0.4)
    shadow = np.roll(shadow, (pad // 2, pad // 4), axis=(0, 1)) * 0.4
    ys = (np.arange(picture.shape[0]) + top - pad) % out.shape[0]
    xs = (np.arange(picture.shape[1]) + left - pad) % out.shape[1]
    under = out[np.ix_(ys, xs)] * (1 - shadow[..., None])
    out[np.ix_(ys, xs)] = under * (1 - picture[..., 3:]) + picture[..., :3]
