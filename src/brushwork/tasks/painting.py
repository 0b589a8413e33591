"""Repainting a canvas where a mask says: what pan, outpaint, inpaint, edit and upload-paint have in common."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from brushwork.engines.base import Op, Place
from brushwork.errors import InvalidField
from brushwork.tasks.base import Outcome, Run
from brushwork.tasks.canvas import WHITE, Covered, as_mask, can_cover, fill, lay, old_share, put_together, white
from brushwork.tasks.fields import Canvas, CanvasImg, Mask, Polygon
from brushwork.tasks.followup import flat
from brushwork.tasks.prompted import Prompted
from brushwork.tasks.rows import rows_of
from brushwork.tasks.sources import FromUrl, Wanted

AS_IT_IS = ("RGB", "RGBA")
"""Modes of pictures that engines take."""

NOTHING = "covers no part of the picture, so nothing would be repainted"


def mask_wanted(mask: Mask | None) -> Sequence[Wanted]:
    return (FromUrl(mask.url, "mask.url"),) if mask and mask.url else ()


def check_mask(mask: Mask | None, *, field: str = "mask") -> None:
    """Refuse polygons that cannot cover anything. Mask pictures are looked at when they are there."""
    if mask and mask.areas and not mask.url and not any(map(has_area, mask.areas)):
        raise InvalidField(f"{field}.areas", NOTHING)


def has_area(area: Polygon) -> bool:
    return can_cover(area.points, (area.width, area.height))


def place_of(position: CanvasImg) -> Place:
    return Place(position.x, position.y, position.width, position.height)


def check_place(canvas: Canvas, position: CanvasImg) -> None:
    place = place_of(position)
    across = min(place.left + place.width, canvas.width) - max(place.left, 0)
    down = min(place.top + place.height, canvas.height) - max(place.top, 0)
    if across <= 0 or down <= 0:
        raise InvalidField("imgPos", "lies outside the canvas")


def fills(canvas: Canvas, position: CanvasImg) -> bool:
    """Whether no part of the canvas is left beside the picture."""
    covers_width = position.x <= 0 and position.x + position.width >= canvas.width
    return covers_width and position.y <= 0 and position.y + position.height >= canvas.height


def covered_by(mask: Mask | None, job: Run, canvas: tuple[int, int], place: Place) -> Covered:
    """What the client's mask covers of the canvas; its picture is the one after the source."""
    covered = np.zeros((canvas[1], canvas[0]), bool)
    if mask is None:
        return covered
    for area in mask.areas or ():
        covered |= fill(area.points, (area.width, area.height), canvas, place)
    if mask.url:
        covered |= white(job.picture(1).image, canvas, place)
    return covered


def repaint(task: Prompted, job: Run, *, canvas: tuple[int, int], place: Place, mask: Mask | None = None) -> Outcome:
    """Four canvases on which all is new that the source does not show, or that the mask covers."""
    task = task.settled(job.given)
    source = job.picture()
    laid = lay(source.image, canvas, place)
    repainted = covered_by(mask, job, canvas, place) | (laid.alpha < WHITE)
    if not repainted.any():
        raise InvalidField("mask", NOTHING)
    rows = rows_of(
        task.prompt,
        seed=job.seed,
        size=canvas,
        references=task.references(job),
        op=Op.INPAINT,
        source=source if source.image.mode in AS_IT_IS else flat(source, source.image.size),
        place=place,
        mask=as_mask(repainted),
    )
    outcome = task.drawn(rows, job)
    kept = old_share(laid, repainted)
    return replace(outcome, images=[put_together(laid, image, kept) for image in outcome.images])
