"""Pictures of the painter with what is true of them, as the tools' tests and nobody else need them."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from brushwork.engines.diorama.layout.compose import compose
from brushwork.engines.diorama.looks.grade import finished
from brushwork.engines.diorama.noise import Field
from brushwork.engines.diorama.params import Knobs
from brushwork.engines.diorama.scene import natural_view
from brushwork.engines.diorama.subjects.standing import paint_subjects
from brushwork.engines.diorama.words.reading import understand
from brushwork.engines.diorama.worlds.world import paint_world


@dataclass(frozen=True)
class Painted:
    image: Image.Image
    cover: Field
    """(H, W) 0..1: how much of each pixel subjects hide."""
    near: Field
    """(H, W) 1 / metres; 0 is the sky."""


def painted(prompt: str, *, size: int = 384, seed: int = 5) -> Painted:
    scene = compose(understand(prompt), knobs=Knobs(), seed=seed, index=0)
    world = paint_world(scene, natural_view(scene, size, size))
    world.cover = np.zeros(world.depth.shape, np.float32)
    paint_subjects(world, scene)
    colours = finished(world.color, world.depth, scene)
    image = Image.fromarray((colours * 255 + 0.5).astype(np.uint8))
    return Painted(image, world.cover, 1 / np.maximum(world.depth, 0.05))
