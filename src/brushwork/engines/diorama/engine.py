"""The painter as an engine: rows in, pictures out. Passes from coarse to fine, each of which can be the last.

What a prompt means is in words/, where things stand in layout/, how a Scene becomes pixels in drawing.py, and what can
follow a picture in follow/; this chapter only runs them in order, reports each pass, and tells what was honoured. Knows
no job and no network.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Lock
from typing import TypeVar

import cv2

from brushwork.engines.base import (
    CLIP_OPS,
    PICTURE_OPS,
    Ask,
    Capability,
    Cost,
    Op,
    Row,
    RowCancelled,
    RowResult,
    Sink,
    Source,
    always_wanted,
)
from brushwork.engines.diorama import noise
from brushwork.engines.diorama.drawing import as_image, paint, paint_shot
from brushwork.engines.diorama.follow.animate import APPLIED, animated
from brushwork.engines.diorama.follow.materials import NAMES
from brushwork.engines.diorama.follow.operations import OPERATIONS
from brushwork.engines.diorama.follow.references import PARAMETERS
from brushwork.engines.diorama.memory import give_back_memory
from brushwork.engines.diorama.params import HONOURED, Knobs, honoured, knobs_of, not_honoured
from brushwork.engines.diorama.recipe import natural_shot, recipe_of
from brushwork.engines.diorama.rows import Made, OnPass, asks_anew, reduced, scene_for, understood, words
from brushwork.engines.diorama.subjects import sprites
from brushwork.engines.diorama.words import lexicon
from brushwork.engines.diorama.words.forbidden import forbid
from brushwork.engines.diorama.words.weigh import weigh

__all__ = ["MODELS", "PASSES", "DioramaEngine", "as_image", "draw", "paint", "scene_for", "unmet"]

MODELS = ("6", "6.1", "7", "8", "8.1", "niji 6")
FILM = "video"
"""The model of clips."""
WORLD_PASSES = 5
PASSES = WORLD_PASSES + 3
"""Sketch, the world's passes, subjects, finish."""
SKETCH = 176
"""Shorter side of the first preview, pixels."""
TOO_SMALL = frozenset({"flowers", "grass", "reeds", "bushes"})
"""Not worth drawing in a sketch."""
SECONDS_PER_MEGAPIXEL = 2.2
"""One row on one quiet core."""
BYTES_PER_PIXEL = 128
SECONDS_PER_MEGAPIXEL_OF_FRAME = 0.8
"""One frame of a clip on one quiet core."""
BYTES_PER_PIXEL_OF_CLIP = 900
MOST_FRAMES = 4
"""Frames of a clip that are made side by side."""
AT_ONCE = 640 * 2**20
"""Bytes that rows which are drawn side by side may need together; one alone may need more."""
EFFORT: Mapping[Op, tuple[float, float]] = {
    Op.TEXT_TO_IMAGE: (1.0, 0.0), Op.VARY: (1.0, 0.0), Op.INPAINT: (1.3, 1.5), Op.BLEND: (1.0, 1.5),
    Op.RETEXTURE: (0.3, 1.0), Op.UPSCALE: (1.0, 1.6), Op.ENHANCE: (1.0, 0.2),
}  # fmt: skip
"""Worlds that are painted for a row, and further seconds per megapixel."""
WORDLESS = frozenset({Op.BLEND, Op.UPSCALE, Op.ENHANCE})
"""Whatever their rows say, the pictures decide."""
OWN_WORDS = frozenset({"seed", "chaos", "stylize", "weird", "quality", "exp", "raw", "no", "niji"})
EFFECTIVE: Mapping[Op, frozenset[str]] = {
    Op.TEXT_TO_IMAGE: frozenset(HONOURED) | {name for names in PARAMETERS.values() for name in names},
    Op.VARY: OWN_WORDS, Op.INPAINT: frozenset({"seed", "no"}), Op.BLEND: frozenset({"seed"}),
    Op.RETEXTURE: frozenset({"seed", "stylize"}), Op.UPSCALE: frozenset({"seed"}), Op.ENHANCE: frozenset(),
    Op.ANIMATE: frozenset(APPLIED), Op.EXTEND: frozenset(APPLIED),
}  # fmt: skip
"""Operation → parameters with a real effect there. In a variation they change what new words ask for."""
T = TypeVar("T")


class DioramaEngine:
    """Paints scenes on the CPU."""

    name = "diorama"

    def __init__(self, *, workers: int | None = None) -> None:
        self.workers = workers or max(1, min(8, os.cpu_count() or 1))
        self.filming = Lock()

    def capabilities(self) -> Mapping[str, tuple[Capability, ...]]:
        pictures = tuple(capability(op) for op in Op if op in PICTURE_OPS)
        return {**dict.fromkeys(MODELS, pictures), FILM: tuple(capability(op) for op in sorted(CLIP_OPS))}

    def cost(self, row: Row) -> Cost:
        if row.clip is not None:
            return cost_of_clip(row, row.clip.frames, self.workers)
        quality = float(row.params.get("quality") or 1)
        pixels = row.width * row.height
        worlds, extra = EFFORT[row.op]
        seconds = 0.2 + pixels / 1e6 * (SECONDS_PER_MEGAPIXEL * worlds * (0.7 + 0.3 * quality) + extra)
        return Cost(seconds=seconds, bytes=pixels * BYTES_PER_PIXEL, passes=PASSES)

    def batch_key(self, row: Row) -> str | None:
        return (
            f"diorama {row.op.value}"  # rows share nothing, so any may run side by side; one kind lasts about as long
        )

    def warm(self) -> None:
        """Read the dictionary and the list of artwork, draw the grain of the world. Safe to call twice."""
        lexicon.phrases()
        lexicon.longest()
        sprites.names()
        if noise.draw_textures():
            give_back_memory()

    def run(self, rows: Sequence[Row], sink: Sink) -> list[RowResult]:
        """Sketches of all rows first, then the pictures. Clips one after the other: each takes all there is."""
        self.warm()
        sink.stage("drawing")
        if any(row.op in CLIP_OPS for row in rows):
            return [result for row in rows if (result := wanted(row, sink, self.filmed))]
        workers = self.side_by_side(rows)
        cv2.setNumThreads(max(1, (os.cpu_count() or 1) // workers))
        first = [wanted(row, sink, sketch) for row in rows[:1]]  # alone, so that something is seen at once
        with ThreadPoolExecutor(workers, thread_name_prefix="diorama") as pool:
            sketched = [*first, *pool.map(lambda row: wanted(row, sink, sketch), rows[1:])]
            give_back_memory()
            drawn = list(pool.map(lambda row: wanted(row, sink, draw), [row for row in sketched if row]))
        give_back_memory()
        return [result for result in drawn if result]

    def filmed(self, row: Row, sink: Sink) -> RowResult:
        """The frames of a row, when no other clip is being made."""
        while not self.filming.acquire(timeout=0.25):
            sink.step(row, 0, 1)
        try:
            return animated(row, sink, workers=min(self.workers, MOST_FRAMES))
        finally:
            self.filming.release()
            give_back_memory()

    def side_by_side(self, rows: Sequence[Row]) -> int:
        """How many of the rows are drawn at once: as many as have work and memory."""
        largest = max((self.cost(row).bytes for row in rows), default=1)
        return max(1, min(self.workers, len(rows), AT_ONCE // largest))

    def describe(self, source: Source, *, ask: Ask = always_wanted) -> Sequence[str]:  # noqa: ARG002  # it is quick
        from brushwork.engines.tools.describe import (
            describe,
        )  # brings the networks along, which a painter can do without

        return describe(source.image, facts=source.recipe)

    def word_weights(self, words: Sequence[str]) -> Sequence[float]:
        return weigh(words)


def cost_of_clip(row: Row, frames: int, workers: int) -> Cost:
    pixels = row.width * row.height
    seconds = 1.0 + frames * pixels / 1e6 * SECONDS_PER_MEGAPIXEL_OF_FRAME / min(workers, MOST_FRAMES)
    return Cost(seconds=seconds, bytes=pixels * BYTES_PER_PIXEL_OF_CLIP, passes=frames)


def capability(op: Op) -> Capability:
    return Capability(
        op=op,
        max_side=4096,
        passes=PASSES,
        params=EFFECTIVE[op],
        negative="native" if "no" in EFFECTIVE[op] else "none",
        batch_max=1 if op in CLIP_OPS else 8,
        preview=True,
    )


def wanted(row: Row, sink: Sink, work: Callable[[Row, Sink], T]) -> T | None:
    """The work's result, or None when the row was cancelled meanwhile."""
    try:
        return work(row, sink)
    except RowCancelled:
        return None


def sketch(row: Row, sink: Sink) -> Row:
    """A thumbnail at once, as first preview."""
    scale = min(1.0, SKETCH / min(row.width, row.height))
    width, height = max(16, round(row.width * scale)), max(16, round(row.height * scale))
    if row.op is Op.TEXT_TO_IMAGE and not row.references:
        knobs, scene = knobs_of(row.params, row.model), scene_for(row)
        scene = replace(scene, forbidden=scene.forbidden | TOO_SMALL)
        picture = paint(scene, width, height, detail=0.4, exp=knobs.exp)
    else:
        picture = operation(row)(reduced(row, width, height), lambda _name: None).picture
    sink.preview(row, as_image(picture))
    sink.step(row, 1, PASSES)
    return row


def draw(row: Row, sink: Sink) -> RowResult:
    """The whole picture, one reported pass after the other."""
    done = 1

    def on_pass(_name: str) -> None:
        nonlocal done
        if done < PASSES - 1:
            done += 1
        sink.step(row, done, PASSES)

    made = operation(row)(row, on_pass)
    image = as_image(made.picture)
    sink.step(row, PASSES, PASSES)
    own = honoured(row.params, negative=bool(row.negative), model=row.model)
    effective = {name: how for name, how in own.items() if name in EFFECTIVE[row.op]}
    return RowResult(
        index=row.index,
        image=image,
        applied={**effective, **made.applied},
        degraded=(*unmet(row), *made.degraded),
        recipe=made.recipe,
    )


def operation(row: Row) -> Callable[[Row, OnPass], Made]:
    """What does the row's work."""
    return new_picture if row.op is Op.TEXT_TO_IMAGE and not row.references else OPERATIONS[row.op]


def new_picture(row: Row, tell: OnPass) -> Made:
    """A picture of the row's words alone."""
    knobs = knobs_of(row.params, row.model)
    shot = natural_shot(scene_for(row), row.width, row.height, exp=knobs.exp, detail=detail_of(knobs))
    return Made(paint_shot(shot, on_pass=tell), recipe_of(shot, words=words(row)))


def unmet(row: Row) -> tuple[str, ...]:
    """What of the request the picture does not show: `parameter:…`, `word:…`, `place:…`, `negative:…`."""
    met = {name for reference in row.references for name in PARAMETERS.get(reference.role, ())}
    told = tuple(name for name in not_honoured(row.params) if name.removeprefix("parameter:") not in met)
    if row.op in WORDLESS or (row.source and not asks_anew(row)):
        return told  # the words are those of the source, which told what it could not show
    asked, (_, meaningless) = understood(row), forbid(row.negative)
    known = NAMES if row.op is Op.RETEXTURE else {}
    return (
        *told,
        *(f"word:{word}" for word in asked.unknown if word not in known),
        *(f"place:{name}" for name in asked.left_out),
        *(f"negative:{term}" for term in meaningless),
    )


def detail_of(knobs: Knobs) -> float:
    """Fine detail of the world besides what `--quality` and `--stop` say: a draft has less."""
    return 0.6 if knobs.draft else 1.0
