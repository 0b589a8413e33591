"""Rows of clips, plans of them, and the studio with tiny models: what the tests of clips draw with."""

import importlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from brushwork.engines.base import Clip, Frame, Op, Row, Source
from brushwork.engines.catalog.model import FILM, Checkpoint, Licence, Model, Profile, Range
from brushwork.engines.diffusion.loop import Loop
from brushwork.engines.diffusion.parts import ResidentParts
from brushwork.engines.diffusion.video.filming import Studio
from tests.engines.diffusion.shelf import TinyShelf, loop_of, picture

SIZE = (48, 32)
"""Sides that suit no model."""
STEPS, GUIDANCE = 3, 4.0


def film_model(family: str, folder: Path = Path(), **how: Any) -> Model:
    usual: dict[str, Any] = {
        "side": 512,
        "max_side": 1280,
        "negative": "native",
        "guidance": Range(0, GUIDANCE, 10),
        "profiles": {FILM: Profile(FILM, STEPS, GUIDANCE, negative="dull", suffix="splendid")},
    }
    checkpoint = Checkpoint(folder=str(folder))
    return Model(family, family, "video", family, checkpoint, Licence("MIT"), **{**usual, **how})


@dataclass
class Written:
    """A clip's frames, as they were written."""

    frames: list[Frame] = field(default_factory=list)

    def __call__(self, frame: Frame) -> None:
        self.frames.append(frame.copy())


@dataclass(frozen=True)
class Footage:
    """A clip that was there before."""

    count: int = 12
    size: tuple[int, int] = SIZE

    def frames(self, start: int, stop: int) -> Iterator[Frame]:
        for number in range(start, min(stop, self.count)):
            yield np.asarray(picture(50 + number, self.size))


def clip_row(
    written: Written | None = None, *, frames: int = 9, fps: int = 16, size: tuple[int, int] = SIZE, **how: Any
) -> Row:
    """`clip`: fields of the clip; the other names are those of the row."""
    clip = Clip(frames=frames, write=written or Written(), fps=fps, **how.pop("clip", {}))
    before = clip.before
    last = next(iter(before.frames(before.count - 1, before.count))) if before else None
    still = picture(1, size) if last is None else _image(last)
    usual: dict[str, Any] = {
        "index": 0,
        "seed": 5,
        "text": "a red fox",
        "model": FILM,
        "op": Op.EXTEND if before else Op.ANIMATE,
        "source": Source(still),
    }
    return Row(width=size[0], height=size[1], clip=clip, **{**usual, **how})


def _image(frame: Frame) -> Any:
    from PIL import Image

    return Image.fromarray(frame)


def saved(root: Path, family: str) -> Path:
    folder = root / family
    if not folder.exists():
        module = importlib.import_module("tests.engines.diffusion.tiny_wan")
        getattr(module, f"save_{family.replace('-', '_')}")(folder)
    return folder


@dataclass
class Set:
    """A studio with tiny models, and all that it holds."""

    root: Path
    parts: dict[str, ResidentParts] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.loop: Loop = loop_of(TinyShelf(self.root))
        self.studio = Studio(self.loop, self.parts_of)

    def parts_of(self, family: str) -> ResidentParts:
        return self.parts.setdefault(family, ResidentParts(saved(self.root, family)))
