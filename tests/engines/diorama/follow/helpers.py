"""Rows, and pictures made by the engine, for the tests of what follows a picture."""

from functools import cache
from typing import Any

import numpy as np
from PIL import Image

from brushwork.engines.base import NullSink, Op, Place, Reference, Row, RowResult, Source
from brushwork.engines.diorama.drawing import as_colours
from brushwork.engines.diorama.engine import DioramaEngine
from brushwork.engines.diorama.follow.pixels import unlikeness
from brushwork.engines.diorama.noise import Field

SIDE = 128
ENGINE = DioramaEngine(workers=1)


def run(row: Row) -> RowResult:
    (result,) = ENGINE.run([row], NullSink())
    return result


@cache
def new(text: str, seed: int = 7, side: int = SIDE) -> RowResult:
    return run(Row(0, seed, text, side, side, model="7"))


def after(
    op: Op, source: RowResult | Image.Image, text: str = "", *, index: int = 0, seed: int = 9, **changes: Any
) -> RowResult:
    """The operation on a result, or on a picture from outside."""
    image = source if isinstance(source, Image.Image) else source.image
    recipe = None if isinstance(source, Image.Image) else source.recipe
    width, height = changes.pop("size", image.size)
    return run(Row(index, seed, text, width, height, model="7", op=op, source=Source(image, recipe), **changes))


def widened(
    source: RowResult | Image.Image, text: str = "", *, left: int = 0, top: int = 0, right: int = 0, bottom: int = 0,
    index: int = 0,
) -> RowResult:  # fmt: skip
    """The canvas grown by so many pixels, all of them to be painted."""
    image = source if isinstance(source, Image.Image) else source.image
    width, height = image.width + left + right, image.height + top + bottom
    mask = Image.new("L", (width, height), 255)
    mask.paste(0, (left, top, left + image.width, top + image.height))
    place = Place(left, top, image.width, image.height)
    return after(Op.INPAINT, source, text, index=index, size=(width, height), mask=mask, place=place)


def repainted(
    source: RowResult | Image.Image, box: tuple[int, int, int, int], text: str = "", *, index: int = 0
) -> RowResult:
    image = source if isinstance(source, Image.Image) else source.image
    mask = Image.new("L", image.size, 0)
    mask.paste(255, box)
    return after(Op.INPAINT, source, text, index=index, mask=mask)


def like(*references: Reference, text: str = "a horse in a meadow", **params: Any) -> RowResult:
    return run(Row(0, 5, text, SIDE, SIDE, model="7", references=references, params=params))


def refer(role: Any, source: RowResult | Image.Image, weight: float = 1.0) -> Reference:
    if isinstance(source, Image.Image):
        return Reference(role, Source(source), weight)
    return Reference(role, Source(source.image, source.recipe), weight)


def colours(result: RowResult | Image.Image) -> Field:
    return as_colours(result if isinstance(result, Image.Image) else result.image)


def apart(a: RowResult | Image.Image, b: RowResult | Image.Image) -> float:
    return unlikeness(colours(a), colours(b))


def difference(a: Field, b: Field) -> float:
    return float(np.abs(a - b).mean())
