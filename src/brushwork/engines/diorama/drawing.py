"""From a Shot to pixels: the world, its subjects, the finish. One world, whatever the window.

Knows no rows and no prompts: engine.py runs it for new pictures, follow/ for what comes after them.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from PIL import Image

from brushwork.engines.diorama.follow.pixels import regraded
from brushwork.engines.diorama.looks.grade import finished
from brushwork.engines.diorama.memory import give_back_memory
from brushwork.engines.diorama.noise import Field
from brushwork.engines.diorama.recipe import Shot, natural_shot
from brushwork.engines.diorama.scene import Scene, View, natural_view
from brushwork.engines.diorama.subjects.pattern import toss_subjects
from brushwork.engines.diorama.subjects.standing import paint_subjects
from brushwork.engines.diorama.worlds.painted import World
from brushwork.engines.diorama.worlds.world import paint_world

OnPass = Callable[[str], None]
LARGE = 2_500_000
"""Pixels from which on what is freed half-way is worth handing back to the system at once."""
Figure = Callable[[World], None]
"""Puts something into a painted world: the cut-out of a reference."""


def paint(
    scene: Scene, width: int, height: int, *, detail: float = 1.0, exp: float = 0.0, on_pass: OnPass | None = None
) -> Field:
    """(H, W, 3) display colours 0..1 of a scene's natural picture."""
    return paint_shot(natural_shot(scene, width, height, exp=exp, detail=detail), on_pass=on_pass)


def paint_shot(shot: Shot, *, figures: Sequence[Figure] = (), on_pass: OnPass | None = None) -> Field:
    """(H, W, 3) display colours 0..1."""
    tell = on_pass or (lambda _name: None)
    scene = shot.scene
    world = paint_world(scene, shot.view, detail=shot.detail, on_pass=tell)
    tell("subjects")
    if scene.tile:
        toss_subjects(world.color, scene)
    else:
        paint_subjects(world, scene)
    for figure in figures:
        figure(world)
    tell("finish")
    colour, depth = world.color, world.depth
    del world  # a large picture's water and light are not needed any more
    if depth.size >= LARGE:
        give_back_memory()
    return finish(colour, depth, shot)


def finish(colour: Field, depth: Field, shot: Shot) -> Field:
    """What a lens and a brush make of painted colours."""
    unit, frame = framing(shot.scene, shot.view)
    out = finished(colour, depth, shot.scene, exp=shot.exp, unit=unit, frame=frame)
    return regraded(out, shot.grade) if shot.grade else out


def framing(scene: Scene, view: View) -> tuple[float | None, tuple[float, float, float, float] | None]:
    """How large, and where in this window, the natural picture lies; (None, None) when it is the window."""
    natural = natural_view(scene, view.width, view.height)
    if view == natural:
        return None, None
    across = view.width / (view.right - view.left)
    down = view.height / (view.bottom - view.top)
    left, right = (natural.left - view.left) * across, (natural.right - view.left) * across
    top, bottom = (natural.top - view.top) * down, (natural.bottom - view.top) * down
    return min(right - left, bottom - top) / 1024, (left, top, right, bottom)


def as_image(colours: Field) -> Image.Image:
    return Image.fromarray((colours * 255 + 0.5).astype(np.uint8), "RGB")


def as_colours(image: Image.Image) -> Field:
    """(H, W, 3) display colours 0..1; what is transparent lies on white."""
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        white = Image.new("RGBA", layer.size, "white")
        image = Image.alpha_composite(white, layer)
    return np.asarray(np.asarray(image.convert("RGB"), np.float32) / 255, np.float32)


def resized(shot: Shot, width: int, height: int) -> Shot:
    """The same window in other pixels."""
    return replace(shot, view=replace(shot.view, width=width, height=height))
