"""Fields that several task types have: which job, which picture, a picture from outside, a canvas, a mask.

Takes what real clients send: masks as `{"type": "url", "value": …}`, as a bare URL or as the bytes of a form's file.
"""

import base64
import re
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from brushwork.prompts.references import is_url, url_problem

LARGEST_SIDE = 4096
"""Of a canvas, in pixels."""
SMALLEST_SIDE = 64
FARTHEST = 2 * LARGEST_SIDE
"""Of a picture from the corner of the canvas."""
MOST_AREAS = 64
MOST_NUMBERS = 2048
"""Of one polygon: two a point."""
BEYOND = 100_000
"""Points may lie outside the picture, but not where arithmetic would suffer."""

STORED = re.compile(r"data:sha256,[0-9a-f]{64}")
"""What stands in a stored job for a `data:` URL, which may have megabytes."""
INLINE = re.compile(r"data:[^,]{0,120};base64,", re.IGNORECASE)


def as_data_url(value: Any) -> Any:
    """A form's file part is as good as a URL."""
    if isinstance(value, bytes | bytearray):
        return f"data:;base64,{base64.b64encode(value).decode()}"
    return value


def is_picture_url(url: str) -> str:
    if STORED.fullmatch(url) or INLINE.match(url):
        return url
    if not is_url(url):
        raise ValueError("must be an http(s) URL, or a data: URL in base64")
    problem = url_problem(url)
    if problem:
        raise ValueError(problem)
    return url


JobId = Annotated[str, Field(min_length=1, max_length=128, description="The job to follow")]
ImageNo = Annotated[int, Field(ge=0, le=3, description="Which of its pictures, from 0")]
PictureUrl = Annotated[
    str,
    BeforeValidator(as_data_url),
    AfterValidator(is_picture_url),
    Field(description="http(s) URL of at most 1024 characters, or a data: URL"),
]
RemixPrompt = Annotated[
    str, Field(min_length=1, max_length=8192, description="What the new picture shows, with --parameters")
]
NewPrompt = Annotated[
    str | None,
    Field(min_length=1, max_length=8192, description="What to show instead; without it the source's prompt holds"),
]


class Part(BaseModel):
    """An object inside a body."""

    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True)


class Canvas(Part):
    """The size of the new picture."""

    width: Annotated[int, Field(ge=SMALLEST_SIDE, le=LARGEST_SIDE, description="In pixels")]
    height: Annotated[int, Field(ge=SMALLEST_SIDE, le=LARGEST_SIDE, description="In pixels")]


class CanvasImg(Part):
    """Where the source lies on the canvas, and how large; parts of it may be outside."""

    width: Annotated[int, Field(ge=1, le=LARGEST_SIDE, description="In pixels")]
    height: Annotated[int, Field(ge=1, le=LARGEST_SIDE, description="In pixels")]
    x: Annotated[int, Field(ge=-FARTHEST, le=FARTHEST, description="From the left side of the canvas")]
    y: Annotated[int, Field(ge=-FARTHEST, le=FARTHEST, description="From the top of the canvas")]


Coordinate = Annotated[int, Field(ge=-BEYOND, le=BEYOND)]


def are_points(numbers: tuple[int, ...]) -> tuple[int, ...]:
    if len(numbers) % 2:
        raise ValueError(f"must be pairs of x and y, but there are {len(numbers)} numbers")
    return numbers


class Polygon(Part):
    """An area of the source, in a coordinate space of its own."""

    width: Annotated[int, Field(ge=500, le=4096, description="Of the space: the source's right side is here")]
    height: Annotated[int, Field(ge=500, le=4096, description="Likewise, its lower side")]
    points: Annotated[
        tuple[Coordinate, ...],
        Field(min_length=6, max_length=MOST_NUMBERS, description="x, y, x, y …; what lies outside is cut off"),
        AfterValidator(are_points),
    ]


class Mask(Part):
    """What is repainted: polygons, or a picture that is white there. With both, what either says."""

    areas: Annotated[tuple[Polygon, ...] | None, Field(max_length=MOST_AREAS, description="Polygons")] = None
    url: Annotated[PictureUrl | None, Field(description="A black and white picture; white is repainted")] = None

    @model_validator(mode="before")
    @classmethod
    def from_other_spellings(cls, value: Any) -> Any:
        if isinstance(value, str | bytes | bytearray):
            return {"url": value}
        if not isinstance(value, dict):
            return value
        given = {name: inner for name, inner in value.items() if inner is not None and inner != ""}
        if "url" not in given and "value" in given:
            given["url"] = given["value"]
        return given

    @model_validator(mode="after")
    def says_something(self) -> "Mask":
        if not self.areas and not self.url:
            raise ValueError("must have areas or a url")
        return self
