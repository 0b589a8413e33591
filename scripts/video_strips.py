"""Draw contact strips of what `video-diffusion` and its followers make: `python scripts/video_strips.py strips.webp`.

Each row is a clip as an MP4 has it, eight of its frames from the first to the last.
"""

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from brushwork.engines.base import Clip, NullSink, Op, Row, RowResult, Source
from brushwork.engines.diorama.engine import DioramaEngine
from brushwork.engines.tools.video import Film, Reel, join

WIDTH, HEIGHT, FPS = 256, 144, 24
FRAMES = 8


@dataclass(frozen=True)
class Case:
    """One strip."""

    label: str
    picture: str
    """The prompt of the first frame."""
    text: str = ""
    index: int = 0
    is_own: bool = True
    """Whether the recipe of the first frame is known; a picture from outside has none."""
    end: str = ""
    extended: str | None = None
    """What happens in four more seconds."""
    motion: Any = "low"
    loop: bool = False


CASES: Sequence[Case] = (
    Case("a sailboat at sunrise --motion low", "a sailboat on a mountain lake at sunrise"),
    Case("a waterfall --motion high", "a waterfall in the jungle", motion="high"),
    Case("a meadow, and: snow falls at night", "a red fox in a flower meadow", "snow falls at night"),
    Case("aurora --loop", "aurora over an arctic lake at night", loop=True),
    Case("beach --end <volcano>", "a tropical beach with palms", end="volcano eruption at night"),
    Case(
        "a village --motion high, extended: heavy rain",
        "a village street at noon",
        motion="high",
        extended="heavy rain",
    ),
    Case(
        "from outside: moves to the left", "a lighthouse by the sea", "camera moves left", is_own=False, motion="high"
    ),
    Case("from outside: snow falls", "a red fox in a winter forest at dusk", "snow falls", is_own=False, motion="high"),
)


def still(engine: DioramaEngine, prompt: str, *, seed: int = 7) -> RowResult:
    return engine.run([Row(0, seed, prompt, WIDTH, HEIGHT, model="7")], NullSink())[0]


def row_of(case: Case, op: Op, text: str, source: Source, clip: Clip) -> Row:
    return Row(case.index, 7, text, WIDTH, HEIGHT, model="video", op=op, source=source, clip=clip)


def filmed(engine: DioramaEngine, case: Case, folder: Path) -> Reel:
    first = still(engine, case.picture)
    source = Source(first.image, first.recipe if case.is_own else None)
    end = still(engine, case.end, seed=8) if case.end else None
    with Film(folder / "clip.mp4", width=WIDTH, height=HEIGHT, fps=FPS) as film:
        goal = Source(end.image, end.recipe) if end else None
        clip = Clip(5 * FPS, film.write, fps=FPS, motion=case.motion, loop=case.loop, end=goal)
        (result,) = engine.run([row_of(case, Op.ANIMATE, case.text or case.picture, source, clip)], NullSink())
    reel = Reel(folder / "clip.mp4")
    if case.extended is None:
        return reel
    key = reel.last_key()
    with Film(folder / "more.mp4", width=WIDTH, height=HEIGHT, fps=FPS) as film:
        for frame in reel.frames(key):
            film.write(frame)
        clip = Clip(4 * FPS, film.write, fps=FPS, motion=case.motion, before=reel)
        last = Source(reel.frame(reel.count - 1), result.recipe)
        engine.run([row_of(case, Op.EXTEND, case.extended, last, clip)], NullSink())
    join(reel, key, Reel(folder / "more.mp4"), folder / "whole.mp4")
    return Reel(folder / "whole.mp4")


def strip_of(reel: Reel, label: str) -> Image.Image:
    numbers = [round(place * (reel.count - 1) / (FRAMES - 1)) for place in range(FRAMES)]
    strip = Image.fromarray(np.concatenate([np.asarray(reel.frame(number)) for number in numbers], axis=1))
    draw = ImageDraw.Draw(strip)
    draw.text((7, 5), label, fill=(0, 0, 0))
    draw.text((6, 4), label, fill=(255, 255, 255))
    return strip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    asked = parser.parse_args()
    engine = DioramaEngine()
    sheet = Image.new("RGB", (WIDTH * FRAMES, HEIGHT * len(CASES)))
    with tempfile.TemporaryDirectory() as folder:
        for number, case in enumerate(CASES):
            sheet.paste(strip_of(filmed(engine, case, Path(folder)), case.label), (0, number * HEIGHT))
    sheet.save(asked.out, quality=82)


if __name__ == "__main__":
    main()
