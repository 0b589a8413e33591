"""What each operation draws, from what, and how far from it. One function each; words and steps come later."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
from PIL.Image import Image, Resampling

from brushwork.engines.base import Op, Place, Source
from brushwork.engines.diffusion.plan import Noise, Seen
from brushwork.engines.diffusion.planning import canvas as canvases
from brushwork.engines.diffusion.planning.case import Case
from brushwork.engines.diffusion.planning.choosing import can_do
from brushwork.engines.diffusion.planning.controls import control_of
from brushwork.engines.diffusion.planning.drawing import Drawing
from brushwork.engines.diffusion.planning.pictures import covering, looked_at, mean_of, opaque, stretched
from brushwork.engines.diffusion.planning.recipes import Parent, parent_of
from brushwork.engines.diffusion.planning.references import ADAPTED, has_image_prompts
from brushwork.engines.diffusion.planning.schedule import is_few
from brushwork.engines.diffusion.planning.seeds import seed_of
from brushwork.engines.diffusion.planning.sizes import Size, drawn_size, multiple_of, whole_size

Numbers = tuple[float, ...]
HD_SIDE = 2048
"""Models that can be so large draw large pictures at once; of others, a larger one would repeat itself."""
TURNED: tuple[Numbers, Numbers] = ((0.0, 0.15, 0.5, 1.0), (0.0, 0.15, 0.45, 1.0))
"""Strength of a variation → how far the parent's noise is turned to another one."""
REDRAWN: tuple[Numbers, Numbers] = ((0.0, 0.15, 0.5, 1.0), (0.1, 0.35, 0.65, 1.0))
"""Strength of a variation → how much of the schedule is drawn over the parent."""
REMIXED: tuple[Numbers, Numbers] = ((0.0, 0.4, 0.75, 1.0), (0.1, 0.4, 0.75, 1.0))
"""The same with new words."""
REPAINTED = 0.95
"""A little of the smooth filling stays, so that colours run on; nothing of what was there, for it is not in it."""
REPAINTED_AREA = 1.5
"""Times the model's, of a canvas drawn as a whole: what is known of it holds it together."""
MIXED = 0.6
HEAVIER = 2.0
"""Share of the picture that leads, in a mixture of several: in a grid each of them leads once."""
RETEXTURED = 0.6
SUBTLE = 0.18
CREATIVE: tuple[Numbers, Numbers] = ((0.0, 0.45, 1.0), (SUBTLE, 0.4, 0.6))
"""Strength of an upscale → how much is drawn over the enlarged picture."""
CREATIVE_FREE = 0.35
"""At most, in panes without a ControlNet that keeps each of them to its place."""
TILE_SCALE, TILE_UNTIL = 0.8, 0.9
FINISHED = 0.55
"""How much of a schedule is drawn over an enlarged draft."""
KEEP_SHAPES = "Keep the shapes, the composition and the camera of image 1, and change what everything is made of:"
BLEND_ALL = "One new picture that blends {}."
STRUCTURE: tuple[tuple[str, float, float], ...] = (("depth", 0.85, 0.8), ("canny", 0.7, 0.7))
"""What keeps shapes in a retexture, best first: kind, scale, share of the steps."""


def source_of(case: Case) -> Source:
    assert case.row.source is not None  # all operations but TEXT_TO_IMAGE and BLEND have one
    return case.row.source


def between(points: tuple[Numbers, Numbers], value: float) -> float:
    return float(np.interp(value, *points))


def usual_size(case: Case) -> Size:
    row, model = case.row, case.model
    is_taught = "hd" in model.params and model.max_side >= HD_SIDE
    most = (model.max_side / model.side) ** 2 if is_taught else 1.0
    return drawn_size(row.width, row.height, model=model, draft=case.is_on("draft"), most=most)


def text_to_image(case: Case) -> Drawing:
    """From noise."""
    return Drawing(usual_size(case))


def vary(case: Case) -> Drawing:
    """From the parent's noise, turned; else over the parent."""
    row, parent = case.row, parent_of(source_of(case).recipe)
    is_remix = parent is not None and bool(row.text) and parent.text != row.text
    if parent and not is_remix and leads_again(case, parent):
        noise = Noise(parent.noise.seed, towards=seed_of(row), amount=between(TURNED, row.strength))
        size = replace(usual_size(case), width=parent.width, height=parent.height)
        return Drawing(size, noise=noise, notes={"variation": "noise"})
    size = usual_size(case)
    return Drawing(
        size,
        strength=between(REMIXED if is_remix else REDRAWN, row.strength),
        init=stretched(source_of(case).image, size.width, size.height),
        notes={"variation": "remix" if is_remix else "picture"},
    )


def leads_again(case: Case, parent: Parent) -> bool:
    """Whether a little other noise gives a picture a little other than the parent."""
    is_same = parent.model == case.model.name and parent.is_pure and parent.noise.towards is None
    fits = all(side % multiple_of(case.model) == 0 for side in (parent.width, parent.height))
    return is_same and fits and not is_few(case) and case.model.family != "pipe"  # a pipeline draws its own noise


def inpaint(case: Case) -> Drawing:
    """The hole of a canvas, alone and from near where it is a small part of it."""
    row = case.row
    canvas = canvases.laid(row)
    part = canvases.part_of(canvas.hole, side=case.model.side)
    place = part or Place(0, 0, row.width, row.height)
    size = drawn_size(place.width, place.height, model=case.model, most=REPAINTED_AREA)
    shown, drawn = canvas.part(place), (size.width, size.height)
    mask = canvases.as_image(canvases.softened(shown.hole, canvas.reach))
    return Drawing(
        size,
        strength=row.strength or REPAINTED,
        init=canvases.filled(shown, drawn, seed=seed_of(row)),
        mask=mask.resize(drawn, Resampling.BICUBIC),
        part=part,
        notes={"part": list(part)} if part else {},
    )


def blend(case: Case) -> Drawing:
    """By looking at all of them; else a mixture of their pixels, drawn over."""
    row, size = case.row, usual_size(case)
    parts = [reference for reference in row.references if reference.role == "blend"]
    images = [reference.source.image for reference in parts]
    if case.looks:
        kept = parts[: case.looks]
        seen = tuple(Seen(looked_at(part.source.image, case.model), part.weight, "blend") for part in kept)
        names = [f"image {number}" for number, _ in enumerate(seen, 1)]
        said = BLEND_ALL.format(" and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0])
        return Drawing(
            size, seen=seen, before=said, degraded=("too_many_references",) if len(parts) > len(kept) else ()
        )
    if has_image_prompts(case.model):
        share = 2 / max(1, len(parts))
        weights = [round(ADAPTED["blend"](part.weight) * share, 4) for part in parts]
        pictures = [looked_at(image, case.model) for image in images]
        return Drawing(
            size,
            seen=tuple(
                Seen(picture, weight, "blend", how="image_prompt")
                for picture, weight in zip(pictures, weights, strict=True)
            ),
        )
    leader = row.index % len(parts)
    weights = [part.weight * (HEAVIER if number == leader else 1.0) for number, part in enumerate(parts)]
    mixture = mean_of([covering(image, size.width, size.height) for image in images], weights)
    return Drawing(size, strength=MIXED, init=mixture, degraded=("no_references",), notes={"leader": leader})


def retexture(case: Case) -> Drawing:
    """Bound to the depth or the edges of the source; else by instruction; else drawn over it."""
    size = usual_size(case)
    image = stretched(source_of(case).image, size.width, size.height)
    for kind, scale, until in STRUCTURE:
        control = control_of(case.model, image, kind, tools=case.tools, scale=scale, until=until)
        if control:
            return Drawing(size, control=control, notes={"structure": kind})
    if case.looks:
        return Drawing(
            size,
            seen=(Seen(looked_at(image, case.model), role="image"),),
            before=KEEP_SHAPES,
            notes={"structure": "instruction"},
        )
    return Drawing(size, strength=RETEXTURED, init=image, degraded=("no_structure",), notes={"structure": "drawn over"})


def upscale(case: Case) -> Drawing:
    """Enlarged by super-resolution, and a little drawn over in panes."""
    row = case.row
    size = whole_size(row.width, row.height, model=case.model)
    image = enlarged(case, size)
    if not can_do(case.model, Op.UPSCALE):
        return Drawing(size, strength=0, init=image, degraded=("no_refine",))
    control = control_of(case.model, image, "tile", tools=case.tools, scale=TILE_SCALE, until=TILE_UNTIL)
    strength = between(CREATIVE, row.strength)
    if size.panes and not control:
        strength = min(strength, CREATIVE_FREE)
    return Drawing(size, strength=strength, init=image, control=control)


def enhance(case: Case) -> Drawing:
    """The draft, enlarged and finished."""
    size = whole_size(case.row.width, case.row.height, model=case.model)
    image = enlarged(case, size)
    control = control_of(case.model, image, "tile", tools=case.tools, scale=TILE_SCALE, until=TILE_UNTIL / 2)
    return Drawing(size, strength=case.row.strength or FINISHED, init=image, control=control)


def enlarged(case: Case, size: Size) -> Image:
    return case.tools.enlarge(opaque(source_of(case).image), size.width, size.height)


OPERATIONS: Mapping[Op, Callable[[Case], Drawing]] = {
    Op.TEXT_TO_IMAGE: text_to_image,
    Op.VARY: vary,
    Op.INPAINT: inpaint,
    Op.BLEND: blend,
    Op.RETEXTURE: retexture,
    Op.UPSCALE: upscale,
    Op.ENHANCE: enhance,
}
