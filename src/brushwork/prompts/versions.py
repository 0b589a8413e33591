"""One row a model version: what it costs, which plan it needs, which values and follow-ups it has.

Which parameters a version knows is said once, in `parameters.py`. Knows nothing of how a prompt is read.
"""

from dataclasses import dataclass, field
from typing import Any, Literal

Plan = Literal["free", "pro"]

DEFAULT_VERSION = "7"
VIDEO = "video"
"""The one version of the video task; it is never written in a prompt."""


@dataclass(frozen=True)
class PriceFactor:
    """The parameter multiplies the price; with `value`, only when it has that value."""

    param: str
    factor: float
    value: Any = None


TURBO = PriceFactor("turbo", 2.0)
OMNI = PriceFactor("oref", 2.0)


@dataclass(frozen=True)
class Version:
    """A model version."""

    name: str
    """As in `Prompt.version`."""
    flag: str
    """How a prompt asks for it; "" for the video model, which is chosen by the endpoint."""
    description: str
    qualities: tuple[float, ...] = ()
    """What `--quality` can be; other members of the parameter's list snap to the nearest."""
    style_versions: tuple[int, ...] = (1, 2, 3, 4)
    """What `--sv` can be."""
    no_effect: frozenset[str] = field(default_factory=frozenset)
    """Parameters that are accepted and ignored, with a warning."""
    price_factors: tuple[PriceFactor, ...] = ()
    plan: Plan = "free"
    """The least plan that includes it."""
    always_hd: bool = False
    """Pictures have twice the side without asking."""
    lacks: frozenset[str] = field(default_factory=frozenset)
    """Follow-up operations that a picture of this version cannot have."""


NO_CANVAS_WORK = frozenset({"inpaint", "outpaint", "pan", "upscale"})

ROWS = (
    Version(
        name="7",
        flag="--v 7",
        description="The default: draft mode, omni reference, personalisation.",
        qualities=(1.0, 2.0, 4.0),
        price_factors=(TURBO, OMNI, PriceFactor("draft", 0.5)),
    ),
    Version(
        name="8.1",
        flag="--v 8.1",
        description="HD by default, at one price whatever is asked.",
        no_effect=frozenset({"hd"}),
        plan="pro",
        always_hd=True,
        lacks=NO_CANVAS_WORK,
    ),
    Version(
        name="8",
        flag="--v 8",
        description="Better text, hands and composition; HD, coherence and the old style references cost four times.",
        qualities=(1.0, 4.0),
        style_versions=(6,),
        price_factors=(
            OMNI,
            PriceFactor("hd", 4.0),
            PriceFactor("quality", 4.0, value=4.0),
            PriceFactor("sv", 4.0, value=6),
        ),
        plan="pro",
        lacks=NO_CANVAS_WORK,
    ),
    Version(
        name="6.1",
        flag="--v 6.1",
        description="More coherent and quicker than version 6.",
        qualities=(0.5, 1.0, 2.0),
        price_factors=(TURBO,),
    ),
    Version(
        name="6",
        flag="--v 6",
        description="The oldest version that is served.",
        qualities=(1.0, 2.0),
        price_factors=(TURBO,),
    ),
    Version(
        name="niji 6",
        flag="--niji 6",
        description="Anime, manga and other Eastern illustration.",
        qualities=(0.5, 1.0, 2.0),
        price_factors=(TURBO,),
    ),
    Version(
        name=VIDEO,
        flag="",
        description="The video model, used by the video tasks.",
        style_versions=(),
        price_factors=(TURBO,),
        lacks=NO_CANVAS_WORK,
    ),
)

VERSIONS: dict[str, Version] = {row.name: row for row in ROWS}

NUMBERED = tuple(row.name for row in ROWS if row.flag.startswith("--v "))
NIJI = tuple(row.name.removeprefix("niji ") for row in ROWS if row.flag.startswith("--niji "))


def required_plan(version: str) -> Plan:
    """The least plan that includes this version."""
    return VERSIONS[version].plan
