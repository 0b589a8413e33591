"""The value a prompt becomes. A prompt is text only once; everything after the parser works on this.

Knows nothing of flags' spelling (see `parameters.py`) or of how to read them (see `parser.py`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from brushwork.prompts.versions import Plan, required_plan

Task = Literal["image", "video"]


@dataclass(frozen=True)
class Segment:
    """One part of a multi-prompt: `tulips:: red::-0.5` has two."""

    text: str
    weight: float = 1.0
    """-1000 to 1000; 1 when nothing is written."""


@dataclass(frozen=True)
class Reference:
    """One item of `--sref`, `--cref` or `--oref`: exactly one of url, code and random is set."""

    url: str | None = None
    code: int | None = None
    random: bool = False
    weight: float = 1.0


@dataclass(frozen=True)
class Warning:  # noqa: A001  # the prompt language's own word
    """Something that was repaired, snapped or ignored: never silently."""

    code: str
    message: str
    param: str | None = None


@dataclass(frozen=True)
class Prompt:
    """A parsed prompt. `params` has canonical names and only what was written; defaults are in `parameters.py`."""

    version: str
    """"6", "6.1", "7", "8", "8.1", "niji 6" or "video"."""
    text: str
    segments: tuple[Segment, ...] = ()
    image_urls: tuple[str, ...] = ()
    params: Mapping[str, Any] = field(default_factory=dict)
    """ar: "16:9" · chaos, weird, stylize, seed, stop, sw, cw, ow, exp, sv, bs: int · quality, iw: float ·
    raw, tile, hd, draft, fast, turbo, loop, video: True · sref, cref, oref: tuple[Reference, ...] ·
    p: True or tuple[str, ...] · motion: "low" | "high" · end: url"""
    no: tuple[str, ...] = ()
    cost_multiplier: float = 1.0
    warnings: tuple[Warning, ...] = field(default=(), compare=False)
    """About how it was written, so two prompts that mean the same are equal whatever they warn of."""
    task: Task = "image"

    @property
    def speed(self) -> Literal["turbo", "fast", "draft"]:
        """Which lane of the queue this asks for."""
        if self.params.get("turbo"):
            return "turbo"
        return "draft" if self.params.get("draft") else "fast"

    @property
    def plan(self) -> Plan:
        """The least plan that includes this prompt's version."""
        return required_plan(self.version)

    @property
    def aspect_ratio(self) -> tuple[int, int]:
        """(width, height) as reduced integers; (1, 1) when `--ar` is not given."""
        width, _, height = str(self.params.get("ar", "1:1")).partition(":")
        return int(width), int(height)
