"""⑤ How pixels are made: what an engine promises, and the values that go in and come out.

One `Row` is one output picture or clip; a grid of four is four rows. An engine knows no job, account, prompt text
syntax, URL or database. Whoever calls it brings a `Sink`, through which progress and previews go out and cancelling
comes in.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal, NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image


class Op(StrEnum):
    """What can be asked of an engine."""

    TEXT_TO_IMAGE = "text_to_image"
    VARY = "vary"
    """A picture like `source`, as far from it as `strength` says: variation, remix."""
    INPAINT = "inpaint"
    """Repaint the canvas where `mask` says, going on from `source`, which lies at `place`: pan, outpaint, edit."""
    BLEND = "blend"
    """One picture out of all `references`."""
    RETEXTURE = "retexture"
    """The shapes of `source` with other materials."""
    UPSCALE = "upscale"
    """`source`, larger: the same at strength 0, with invented detail above."""
    ENHANCE = "enhance"
    """The finished picture of which `source` is the draft."""
    ANIMATE = "animate"
    """The frames of `clip`, of which the first is `source`."""
    EXTEND = "extend"
    """The frames that come after those of `clip.before`. `source` is the last of these, with the recipe of all."""


CLIP_OPS = frozenset({Op.ANIMATE, Op.EXTEND})
"""What makes frames."""
PICTURE_OPS = frozenset(Op) - CLIP_OPS


class Place(NamedTuple):
    """Where a picture lies on a canvas, in pixels; parts of it may be outside."""

    left: int
    top: int
    width: int
    height: int


@dataclass(frozen=True)
class Source:
    """A picture that is worked on."""

    image: Image
    """Upright, RGB or RGBA."""
    recipe: Mapping[str, Any] | None = None
    """How an engine of ours made it; None for a picture from outside. An engine may use a recipe of its own."""


Motion = Literal["low", "high"]
Frame = NDArray[np.uint8]
"""(H, W, 3), RGB."""


class Footage(Protocol):
    """A finished clip that can be looked into."""

    @property
    def count(self) -> int:
        """How many frames it has."""

    def frames(self, start: int, stop: int) -> Iterator[Frame]:
        """Those from `start` up to but not including `stop`, decoded one after the other."""


@dataclass(frozen=True)
class Clip:
    """The moving part of a row: how many frames are made, how they move, and where they go. None is kept."""

    frames: int
    """How many; a model that can only make other numbers may make a few more or less."""
    write: Callable[[Frame], None]
    """Takes each frame of the row's size, in order, as soon as it is made, and comes back when it is encoded."""
    fps: int = 24
    motion: Motion = "low"
    loop: bool = False
    """The last frame is the first again; in an EXTEND row the first of `before`."""
    end: Source | None = None
    """A picture of the row's size that is the last frame."""
    before: Footage | None = None
    """The clip that an EXTEND row goes on from. Its fps and size are the row's."""


Role = Literal["image", "style", "character", "omni", "blend"]
"""What a reference is for: image prompt, `--sref`, `--cref`, `--oref`, a part of a blend."""


@dataclass(frozen=True)
class Reference:
    """A picture that a row is to be like in some way."""

    role: Role
    source: Source
    weight: float = 1.0
    """Share of it, 1 is normal: `--iw` 0-3 as it is, `--sw` and `--cw` / 100, `--ow` / 100."""


@dataclass(frozen=True)
class Capability:
    """One per (model, op), written by hand and checked by contract tests: a call that did not raise proves nothing."""

    op: Op
    max_side: int
    """Largest side of a picture, in pixels."""
    passes: int
    """Denoising steps, or rendering passes, of one picture at normal quality."""
    params: frozenset[str] = frozenset()
    """Prompt parameters with a real effect, by canonical name; all others are reported in `degraded`."""
    negative: Literal["native", "emulated", "none"] = "none"
    batch_max: int = 1
    """How many rows may be worked on together."""
    step_cancel: bool = True
    preview: bool = False
    joins: bool = False
    """Whether rows of a later `run`, from another thread, are taken in while earlier ones are drawn: a caller need not
    wait until a batch is through before it brings more."""


@dataclass(frozen=True)
class Row:
    """One output picture to be made. Everything is resolved: sizes in pixels, a seed, no prompt syntax."""

    index: int
    """Place in the grid, from 0."""
    seed: int
    """0 to 2**32 - 1. Rows of one grid share the job's seed; the engine mixes in `index`."""
    text: str
    width: int
    height: int
    segments: tuple[tuple[str, float], ...] = ()
    """(text, weight) of a multi-prompt; one segment of weight 1 otherwise."""
    negative: tuple[str, ...] = ()
    """What must not be seen (`--no`)."""
    model: str = ""
    """API version that was asked for ("7", "niji 6"); an engine maps it to a profile."""
    params: Mapping[str, Any] = field(default_factory=dict)
    """Explicit prompt parameters by canonical name: chaos 0-100, stylize 0-1000, weird 0-3000, stop 10-100,
    quality .25-4, tile, raw, draft, hd, exp 0-100, and those the engine may not know."""
    warnings: tuple[str, ...] = ()
    op: Op = Op.TEXT_TO_IMAGE
    source: Source | None = None
    place: Place | None = None
    """Where `source` lies on the canvas of an INPAINT row; None: it fills it."""
    mask: Image | None = None
    """Mode L, (width, height) of the row: 255 is repainted, 0 is kept. Whoever asks puts the kept pixels back."""
    strength: float = 0.0
    """0-1: how far from `source`."""
    references: tuple[Reference, ...] = ()
    clip: Clip | None = None
    """Of ANIMATE and EXTEND rows."""


@dataclass(frozen=True)
class RowResult:
    """What became of a row: a picture, and the truth about how it came to be."""

    index: int
    image: Image
    """The first frame, where a clip was made."""
    applied: Mapping[str, str] = field(default_factory=dict)
    """Parameter → "native" or "emulated"."""
    degraded: tuple[str, ...] = ()
    """What was not understood or not honoured, as `parameter:<name>`, `word:<text>`, `place:<name>` or
    `negative:<text>`; `no_video_model` where frames were not made by a model that has learnt how things move."""
    recipe: Mapping[str, Any] = field(default_factory=dict)
    """All that is needed to make the same bytes again; plain JSON."""


@dataclass(frozen=True)
class Cost:
    """What a row is expected to need."""

    seconds: float
    bytes: int
    passes: int


class RowCancelled(Exception):  # not an error: the caller no longer wants the row
    """Raised by `Sink.step` inside an engine: drop the row and everything it holds."""


Ask = Callable[[], None]
"""Raises RowCancelled when nobody wants any more what is being made. Called several times a second, at best."""


def always_wanted() -> None:
    """The `Ask` of somebody who does not change their mind."""


class DeviceLost(Exception):  # no client's business: whoever owns the process ends it
    """Raised by `run`: the device is gone, and with it whatever this process could still draw. The rows are not to
    blame; another process may draw them."""


class Sink(Protocol):
    """Where an engine reports to. Methods may be called from any thread and return at once."""

    def step(self, row: Row, done: int, total: int) -> None:
        """Pass `done` of `total` of this row is finished. Raises RowCancelled when nobody wants it any more."""

    def preview(self, row: Row, image: Image) -> None:
        """An early, small view of the row."""

    def stage(self, name: str) -> None:
        """A named stage begins: "loading", "drawing", ..."""


class Engine(Protocol):
    """Every backend: the embedded painter, the no-op engine, diffusers, a remote server."""

    name: str

    def capabilities(self) -> Mapping[str, tuple[Capability, ...]]:
        """Model name → what it can do."""

    def cost(self, row: Row) -> Cost:
        """Estimate one row."""

    def batch_key(self, row: Row) -> str | None:
        """Rows with the same key may be drawn together; None means alone."""

    def warm(self) -> None:
        """Load what is slow to load. Safe to call twice."""

    def run(self, rows: Sequence[Row], sink: Sink) -> list[RowResult]:
        """Draw the rows; blocks. Cancelled rows are left out. Raises DeviceLost when this process cannot go on.

        Same rows, same bytes, whoever shares the batch; but for the last digit of a pixel where arithmetic depends on
        the size of a batch and the operator did not ask for fixed ones.
        """

    def describe(self, source: Source, *, ask: Ask = always_wanted) -> Sequence[str]:
        """Four different prompts, without parameters, that would give such a picture. Raises what `ask` raises."""

    def word_weights(self, words: Sequence[str]) -> Sequence[float]:
        """How much of a prompt's meaning is lost without each of its words, 0-1, in their order."""


class Figure(NamedTuple):
    """A number that an engine has counted or measured of itself, for the operator."""

    name: str
    """One of FIGURES."""
    value: float
    labels: Mapping[str, str] = {}


FIGURES: Mapping[str, str] = {
    "models_resident": "Models with weights in memory.",
    "model_bytes": "Bytes of weights, by place: device or host.",
    "model_reserve_bytes": "Bytes of the device that are kept free of weights, for activations.",
    "model_loads_total": "Components read from disk.",
    "model_moves_total": "Components moved from the host to the device.",
    "model_evictions_total": "Components that made way for others on the device.",
    "model_load_seconds_total": "Seconds spent on reading from disk.",
    "model_move_seconds_total": "Seconds spent on moving to the device.",
    "model_steps_total": "Denoising steps of rows, by model.",
    "model_step_seconds_total": "Seconds that the device spent on steps, by model.",
}
"""Names → what is counted. Those that end in `_total` only grow while the process lives; the others go up and down."""


@runtime_checkable
class Measured(Protocol):
    """An engine that has figures to tell."""

    def figures(self) -> Sequence[Figure]:
        """As they are now. May be called from any thread and returns at once."""


def figures_of(engine: Engine) -> Sequence[Figure]:
    """None of an engine that counts nothing."""
    return engine.figures() if isinstance(engine, Measured) else ()


class NullSink:
    """A sink that nobody reads, for scripts and benchmarks."""

    def step(self, row: Row, done: int, total: int) -> None: ...

    def preview(self, row: Row, image: Image) -> None: ...

    def stage(self, name: str) -> None: ...
