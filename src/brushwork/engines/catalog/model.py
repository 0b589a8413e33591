"""A model as the catalog describes it: where its files come from, under which licence, and what it is good for.

Values only. They are read from TOML by `reading.py`; what a field means is said here and nowhere else.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from brushwork.engines.base import Op

Kind = Literal["image", "video", "tool"]
Negative = Literal["native", "emulated", "none"]

VERSIONS = ("6", "6.1", "7", "8", "8.1", "niji 6")
"""Every version of the API that draws pictures, as in `Row.model`."""

FILM = "video"
"""As in `Row.model` of clips; a profile of that name says how a model draws them."""

PARAMS = frozenset({
    "ar", "chaos", "weird", "stylize", "seed", "stop", "quality", "niji", "raw", "tile", "hd", "draft", "exp", "no",
    "iw", "sref", "sw", "cref", "cw", "oref", "ow",
})  # fmt: skip
"""Prompt parameters that a model can have an effect for."""


@dataclass(frozen=True)
class Licence:
    """Under which terms the weights may be used."""

    name: str
    """SPDX name where there is one: "Apache-2.0", "CreativeML-OpenRAIL++-M"."""
    url: str = ""
    permissive: bool = True
    """False: it has to be accepted by name before anything is downloaded or loaded."""


@dataclass(frozen=True)
class Checkpoint:
    """Where files come from."""

    repository: str = ""
    """Name on the model hub, "owner/name"; empty for a folder of the operator's."""
    revision: str = "main"
    """A commit, so that the files are the same tomorrow."""
    folder: str = ""
    """A folder on this machine instead, in the layout of diffusers."""
    include: tuple[str, ...] = ()
    """Glob patterns of the files that are needed; empty: all safetensors, JSON and text files."""
    variant: str = ""
    """"fp16" for files named *.fp16.safetensors or *_fp16.json: they are taken instead of those without it.

    On this machine they are kept without it, so no loader has to know.
    """


@dataclass(frozen=True)
class Range:
    """Bounds and the usual value."""

    least: float
    usual: float
    most: float


@dataclass(frozen=True)
class Adapter:
    """Weights that are added to a model: a LoRA, a ControlNet, an IP-Adapter, a tiny decoder."""

    name: str
    kind: Literal["lora", "controlnet", "ip_adapter", "tiny_vae"]
    checkpoint: Checkpoint
    licence: Licence
    file: str = ""
    """The weights inside the checkpoint, where it has several."""
    weight: float = 1.0
    controls: tuple[str, ...] = ()
    """What a ControlNet follows: "tile", "canny", "depth"; its index in a union is its place here."""


@dataclass(frozen=True)
class Profile:
    """How one version of the API is drawn with a model."""

    version: str
    """As in `Row.model`: "7", "8.1", "niji 6"."""
    steps: int
    guidance: float
    draft_steps: int = 0
    """With --draft; 0 is half of `steps`."""
    negative: str = ""
    """Said in addition to `--no`, except with --raw."""
    suffix: str = ""
    """Words added to the prompt, except with --raw."""
    adapters: tuple[str, ...] = ()
    """Names of LoRAs that are always on."""
    fallback: bool = False
    """The model draws this version only when no better suited one is installed."""


@dataclass(frozen=True)
class Model:
    """One entry of the catalog."""

    name: str
    title: str
    kind: Kind
    family: str
    """Which adapter steps it: "sdxl", "sd", "zimage", "flux2", "qwen", "pipe"; of clips "wan-i2v", "wan-ti2v",
    "wan-vace"; of a tool, what it does."""
    checkpoint: Checkpoint
    licence: Licence
    summary: str = ""
    side: int = 1024
    """Pixels of a side of the usual square; other shapes have the same area."""
    max_side: int = 2048
    steps: Range = field(default_factory=lambda: Range(1, 28, 50))
    guidance: Range = field(default_factory=lambda: Range(0, 5, 12))
    negative: Negative = "none"
    distilled: bool = False
    """Draws in few steps and ignores guidance."""
    vram_gb: float = 0.0
    """Estimate of what it needs in bfloat16 at its usual size, a grid of four, weights included."""
    download_gb: float = 0.0
    """With its adapters."""
    ops: frozenset[Op] = frozenset()
    params: frozenset[str] = frozenset()
    """Prompt parameters with a real effect with this model; all others are reported in `degraded`."""
    profiles: Mapping[str, Profile] = field(default_factory=dict)
    """API version → profile."""
    adapters: Mapping[str, Adapter] = field(default_factory=dict)
    references: int = 0
    """Pictures that it can look at beside the prompt, in its own sequence; an IP-Adapter is not counted."""
    edits_with: str = ""
    """Name of the model that draws what this one cannot (references, blend, retexture); empty for none."""
