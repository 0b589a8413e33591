"""One row a --parameter: names, values, bounds, default, and the versions that know it.

The parser, the generated reference and the tests of both read these rows. `kind` says how a value is read (see
`values.py`). A parameter that no version knows is in `REFUSED`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from brushwork.prompts.versions import VIDEO

Kind = Literal[
    "aspect",
    "decimal",
    "end",
    "integer",
    "list",
    "motion",
    "niji",
    "one of",
    "optional integer",
    "profile",
    "references",
    "style",
    "switch",
    "version",
]

ALL = frozenset({"6", "6.1", "7", "8", "8.1", "niji 6"})
"""Every version that draws pictures."""
FILM = frozenset({VIDEO})


@dataclass(frozen=True)
class Parameter:
    """A --parameter."""

    name: str
    """Canonical, without dashes: the key in `Prompt.params`."""
    aliases: tuple[str, ...]
    """Every other spelling, without dashes."""
    kind: Kind
    values: str
    """What may be written, for people."""
    description: str
    example: str
    """A prompt that works and uses it."""
    versions: frozenset[str]
    default: Any = None
    """What holds when it is not written; None when nothing does."""
    low: float = 0
    high: float = 0
    bare: Any = None
    """The value of the flag alone, where it needs none."""
    members: tuple[float, ...] = ()
    """What a "one of" can be, over all versions."""
    most: int | None = None
    """How many references it takes."""
    codes: bool = False
    """Whether references may be style codes or `random` besides URLs."""
    weighs: tuple[str, ...] = ()
    """Without any of these it has no effect, and a warning says so."""
    ignored_on: Mapping[str, str] = field(default_factory=dict)
    """Task → why the parameter is ignored there, with a warning, rather than refused."""

    @property
    def spellings(self) -> tuple[str, ...]:
        """With dashes, canonical name first."""
        return tuple(f"--{name}" for name in (self.name, *self.aliases))


ROWS = (
    Parameter(
        "ar",
        ("aspect",),
        "aspect",
        "width:height in whole numbers, at most 14:1",
        "The shape of the picture; beyond 4:1 results are experimental.",
        "A lighthouse at dawn --ar 16:9",
        ALL | FILM,
        default="1:1",
    ),
    Parameter(
        "chaos",
        ("c",),
        "integer",
        "0 to 100",
        "How much the four pictures differ from each other.",
        "A bowl of fruit --chaos 60",
        ALL,
        default=0,
        high=100,
    ),
    Parameter(
        "weird",
        ("w",),
        "integer",
        "0 to 3000",
        "How unconventional the picture may become.",
        "A city street --weird 500",
        ALL,
        default=0,
        high=3000,
    ),
    Parameter(
        "stylize",
        ("s",),
        "integer",
        "0 to 1000",
        "How much of the house style is applied; low values stay close to the words.",
        "A forest path --stylize 250",
        ALL,
        default=100,
        high=1000,
    ),
    Parameter(
        "seed",
        (),
        "integer",
        "0 to 4294967295",
        "The same seed and prompt give the same picture; without it one is chosen and reported.",
        "A red fox --seed 42",
        ALL,
        high=4294967295,
    ),
    Parameter(
        "stop",
        (),
        "integer",
        "10 to 100",
        "Stop after this percentage of the work, for a softer picture.",
        "A misty lake --stop 80",
        ALL - {"8", "8.1"},
        default=100,
        low=10,
        high=100,
    ),
    Parameter(
        "quality",
        ("q",),
        "one of",
        "0.25, 0.5, 1, 2 or 4; a version that lacks the value takes the nearest it has",
        "How much work goes into the details.",
        "A clockwork owl --quality 2",
        ALL - {"8.1"},
        default=1.0,
        members=(0.25, 0.5, 1.0, 2.0, 4.0),
    ),
    Parameter(
        "version",
        ("v",),
        "version",
        "6, 6.1, 7, 8 or 8.1",
        "The model version; 8 and 8.1 need the Pro plan.",
        "A glass house --v 6.1",
        ALL,
        default="7",
    ),
    Parameter(
        "niji",
        (),
        "niji",
        "alone or 6",
        "The model for anime and illustration, instead of a version.",
        "A girl with a kite --niji 6",
        ALL,
        bare="niji 6",
    ),
    Parameter(
        "raw",
        (),
        "switch",
        "alone; `--style raw` is the same",
        "Less of the house style, more of the words.",
        "A portrait of a sailor --raw",
        ALL | FILM,
        bare=True,
    ),
    Parameter(
        "style",
        (),
        "style",
        "raw",
        "The older way to write `--raw`.",
        "A portrait of a sailor --style raw",
        ALL | FILM,
    ),
    Parameter(
        "tile",
        (),
        "switch",
        "alone",
        "A picture that repeats without seams.",
        "Blue and white ceramic pattern --tile",
        ALL,
        bare=True,
    ),
    Parameter(
        "fast",
        (),
        "switch",
        "alone",
        "The fast lane of the queue, which is the default.",
        "A sailing boat --fast",
        ALL | FILM,
        bare=True,
    ),
    Parameter(
        "turbo",
        (),
        "switch",
        "alone",
        "The first lane of the queue, at twice the price.",
        "A sailing boat --turbo",
        (ALL - {"8", "8.1"}) | FILM,
        bare=True,
    ),
    Parameter(
        "hd",
        (),
        "switch",
        "alone",
        "Twice the side, at four times the price; version 8.1 does it always and at no extra price.",
        "A mountain village --v 8 --hd",
        frozenset({"8", "8.1"}),
        bare=True,
    ),
    Parameter(
        "draft",
        (),
        "switch",
        "alone",
        "A quick sketch at half the price, which can be enhanced later.",
        "A mountain village --draft",
        frozenset({"7"}),
        bare=True,
    ),
    Parameter(
        "exp",
        (),
        "optional integer",
        "0 to 100, or alone for 25",
        "An experimental aesthetic: more detail and drama.",
        "A storm at sea --exp 25",
        frozenset({"7", "8", "8.1"}),
        high=100,
        bare=25,
    ),
    Parameter(
        "iw",
        (),
        "decimal",
        "0 to 3",
        "How much the image URLs at the front of the prompt count against the words.",
        "https://example.com/cat.png a cat on the moon --iw 1.5",
        ALL,
        default=1.0,
        high=3,
        weighs=("image_urls",),
    ),
    Parameter(
        "sref",
        (),
        "references",
        "image URLs, style codes from 1 to 4294967295, or `random`, each with an optional ::weight",
        "Take the style of these pictures or codes.",
        "A quiet harbour --sref https://example.com/style.png 1234::2",
        ALL,
        codes=True,
    ),
    Parameter(
        "sw",
        (),
        "integer",
        "0 to 1000",
        "How strongly the style references count.",
        "A quiet harbour --sref 1234 --sw 300",
        ALL,
        default=100,
        high=1000,
        weighs=("sref",),
    ),
    Parameter(
        "sv",
        (),
        "one of",
        "1, 2, 3 or 4; on version 8 only 6, at four times the price",
        "The version of the style reference algorithm.",
        "A quiet harbour --sref 1234 --sv 3",
        ALL,
        default=4,
        members=(1, 2, 3, 4, 6),
    ),
    Parameter(
        "cref",
        (),
        "references",
        "image URLs, each with an optional ::weight",
        "Draw the character of these pictures.",
        "A knight in a library --cref https://example.com/knight.png",
        ALL - {"8", "8.1"},
    ),
    Parameter(
        "cw",
        (),
        "integer",
        "0 to 100",
        "How much of the character is kept: 100 all of it, 0 only the face.",
        "A knight in a library --cref https://example.com/knight.png --cw 50",
        ALL - {"8", "8.1"},
        default=100,
        high=100,
        weighs=("cref",),
    ),
    Parameter(
        "oref",
        (),
        "references",
        "exactly one image URL",
        "Draw the person or object of this picture, at twice the price.",
        "A small duck holding a magic wand --oref https://example.com/duck.png",
        frozenset({"7", "8"}),
        most=1,
    ),
    Parameter(
        "ow",
        (),
        "integer",
        "1 to 1000",
        "How strongly the omni reference counts.",
        "A small duck holding a magic wand --oref https://example.com/duck.png --ow 400",
        frozenset({"7", "8"}),
        default=100,
        low=1,
        high=1000,
        weighs=("oref",),
    ),
    Parameter(
        "p",
        ("profile",),
        "profile",
        "alone, or personalisation codes, profile ids and moodboard ids",
        "Draw to a taste: your own when alone, otherwise that of the codes.",
        "A small garden --p ab12cd3",
        frozenset({"7", "8", "8.1"}),
        bare=True,
    ),
    Parameter(
        "no",
        (),
        "list",
        "a list with commas, up to the next parameter",
        "What should not be in the picture.",
        "A still life --no fruit, flowers",
        frozenset({"6.1", "7", "8"}),
    ),
    Parameter(
        "motion",
        (),
        "motion",
        "low or high; 1 and 2 mean low, 3 and 4 high",
        "How much a video moves.",
        "https://example.com/image.jpg A waterfall --motion high",
        FILM,
        default="low",
        low=1,
        high=4,
        ignored_on={"image": "it only moves videos"},
    ),
    Parameter(
        "bs",
        ("batchsize",),
        "one of",
        "1, 2 or 4",
        "How many videos are made.",
        "https://example.com/image.jpg A waterfall --bs 1",
        FILM,
        default=4,
        members=(1, 2, 4),
    ),
    Parameter(
        "loop",
        (),
        "switch",
        "alone",
        "The video ends on its first frame.",
        "https://example.com/image.jpg A carousel --loop",
        FILM,
        bare=True,
    ),
    Parameter(
        "end",
        (),
        "end",
        "an image URL",
        "The video ends on this picture.",
        "https://example.com/start.jpg A flower opens --end https://example.com/end.jpg",
        FILM,
    ),
    Parameter(
        "video",
        (),
        "switch",
        "alone",
        "Says that a video is wanted; the video endpoints know it anyway.",
        "https://example.com/image.jpg A waterfall --video",
        FILM,
        bare=True,
    ),
)

PARAMETERS: dict[str, Parameter] = {row.name: row for row in ROWS}

SPELLINGS: dict[str, Parameter] = {spelling: row for row in ROWS for spelling in (row.name, *row.aliases)}
"""Every spelling without dashes, in lower case."""


@dataclass(frozen=True)
class Refused:
    """A parameter of other services that is always refused."""

    reason: str
    switch: bool = True
    """Whether it stands alone there."""


REFUSED: dict[str, Refused] = {
    "repeat": Refused("submit the prompt several times instead", switch=False),
    "r": Refused("submit the prompt several times instead", switch=False),
    "personalize": Refused("use --p instead"),
    "stealth": Refused("who sees a picture is not said in a prompt"),
    "public": Refused("who sees a picture is not said in a prompt"),
    "relax": Refused("there is no relaxed lane; leave it out, or use --fast or --turbo"),
    "sd": Refused("the size is not said in this way; leave it out"),
}

REMOVED_IN: dict[str, frozenset[str]] = {"sd": frozenset({"8.1"})}
"""Refused parameters that a version once had: there the answer is `unsupported_for_version`."""
