"""What a row asks for, and what every operation gives back. Knows no pixels and no engine."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from PIL import Image

from brushwork.engines.base import Place, Reference, Row, Source
from brushwork.engines.diorama.layout.compose import compose
from brushwork.engines.diorama.noise import Field
from brushwork.engines.diorama.params import knobs_of
from brushwork.engines.diorama.recipe import words_of
from brushwork.engines.diorama.scene import Scene
from brushwork.engines.diorama.words.forbidden import forbid
from brushwork.engines.diorama.words.reading import Understanding, understand_all
from brushwork.errors import InvalidField

OnPass = Callable[[str], None]
"""Told the name of each pass as it begins. What it raises stops the work."""
Segments = tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Made:
    """A picture, and how it came to be."""

    picture: Field
    """(H, W, 3) display colours 0..1."""
    recipe: Mapping[str, Any]
    applied: Mapping[str, str] = field(default_factory=dict)
    degraded: tuple[str, ...] = ()


Operation = Callable[[Row, OnPass], Made]


def words(row: Row) -> Segments:
    """The row's words with their weights; none where it has none."""
    return tuple((text, weight) for text, weight in row.segments or ((row.text, 1.0),) if text.strip())


def understood(row: Row) -> Understanding:
    return understand_all(words(row))


def asks_anew(row: Row) -> bool:
    """Whether the row has words, and others than those which made its source."""
    asked = words(row)
    return bool(asked) and (row.source is None or asked != words_of(row.source.recipe))


def lasting_words(row: Row) -> Segments:
    """The row's words, or those that its source was made of."""
    return words(row) or (words_of(row.source.recipe) if row.source else ())


def source_of(row: Row) -> Source:
    """The picture that is worked on."""
    if row.source is None:
        raise InvalidField("source", f"{row.op.value} needs a picture.")
    return row.source


def scene_for(row: Row) -> Scene:
    """What a new picture of the row's words will show, in the row's shape."""
    names, _ = forbid(row.negative)
    common = math.gcd(row.width, row.height)
    return compose(
        understood(row),
        knobs=knobs_of(row.params, row.model),
        seed=row.seed,
        index=row.index,
        aspect=(row.width // common, row.height // common),
        forbidden=frozenset(names),
    )


def reduced(row: Row, width: int, height: int) -> Row:
    """The same row for a thumbnail: everything that has pixels is smaller."""
    across, down = width / row.width, height / row.height
    place = row.place
    if place:
        left, top = round(place.left * across), round(place.top * down)
        place = Place(left, top, max(8, round(place.width * across)), max(8, round(place.height * down)))
    return replace(
        row,
        width=width,
        height=height,
        place=place,
        mask=row.mask.resize((width, height), Image.Resampling.NEAREST) if row.mask else None,
        source=smaller(row.source, width / row.width) if row.source else None,
        references=tuple(smaller_reference(reference, width) for reference in row.references),
    )


def smaller(source: Source, scale: float) -> Source:
    size = (max(8, round(source.image.width * scale)), max(8, round(source.image.height * scale)))
    recipe = dict(source.recipe, width=size[0], height=size[1]) if source.recipe else None
    return Source(source.image.resize(size, Image.Resampling.BOX), recipe)


def smaller_reference(reference: Reference, width: int) -> Reference:
    scale = min(1.0, width / reference.source.image.width)
    return replace(reference, source=smaller(reference.source, scale))
