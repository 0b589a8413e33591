"""The painter as an engine: rows in, pictures out. Passes from coarse to fine, each of which can be the last.

What a prompt means is in words/, where things stand in layout/, how a Scene becomes pixels in drawing.py, and what can
follow a picture in follow/; this chapter only runs them in order, reports each pass, and tells what was honoured. Knows
no job and no network.
"""

import ctypes
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TypeVar

import cv2

from brushwork.engines.base import Capability, Cost, Op, Row, RowCancelled, RowResult, Sink, Source
from brushwork.engines.diorama import noise
from brushwork.engines.diorama.drawing import as_image, paint, paint_shot
from brushwork.engines.diorama.follow.operations import OPERATIONS
from brushwork.engines.diorama.params import HONOURED, Knobs, honoured, knobs_of, not_honoured
from brushwork.engines.diorama.recipe import natural_shot, recipe_of
from brushwork.engines.diorama.rows import Made, OnPass, reduced, scene_for, understood, words
from brushwork.engines.diorama.subjects import sprites
from brushwork.engines.diorama.words import lexicon
from brushwork.engines.diorama.words.forbidden import forbid
from brushwork.errors import Unavailable

__all__ = ["MODELS", "PASSES", "DioramaEngine", "as_image", "draw", "paint", "scene_for", "unmet"]

MODELS = ("6", "6.1", "7", "8", "8.1", "niji 6")
WORLD_PASSES = 5
PASSES = WORLD_PASSES + 3
"""Sketch, the world's passes, subjects, finish."""
SKETCH = 176
"""Shorter side of the first preview, pixels."""
TOO_SMALL = frozenset({"flowers", "grass", "reeds", "bushes"})
"""Not worth drawing in a sketch."""
SECONDS_PER_MEGAPIXEL = 2.2
"""One row on one quiet core."""
BYTES_PER_PIXEL = 160
T = TypeVar("T")


class DioramaEngine:
    """Paints scenes on the CPU."""

    name = "diorama"

    def __init__(self, *, workers: int | None = None) -> None:
        self.workers = workers or max(1, min(8, os.cpu_count() or 1))

    def capabilities(self) -> Mapping[str, tuple[Capability, ...]]:
        can = Capability(
            op=Op.TEXT_TO_IMAGE,
            max_side=4096,
            passes=PASSES,
            params=frozenset(HONOURED),
            negative="native",
            batch_max=8,
            preview=True,
        )
        return dict.fromkeys(MODELS, (can, *(replace(can, op=op) for op in OPERATIONS if op != can.op)))

    def cost(self, row: Row) -> Cost:
        quality = float(row.params.get("quality") or 1)
        megapixels = row.width * row.height / 1e6
        seconds = 0.2 + SECONDS_PER_MEGAPIXEL * megapixels * (0.7 + 0.3 * quality)
        return Cost(seconds=seconds, bytes=row.width * row.height * BYTES_PER_PIXEL, passes=PASSES)

    def batch_key(self, row: Row) -> str | None:  # noqa: ARG002  # rows share nothing, so any may run side by side
        return "diorama"

    def warm(self) -> None:
        """Read the dictionary and the list of artwork, draw the grain of the world. Safe to call twice."""
        lexicon.phrases()
        lexicon.longest()
        sprites.names()
        if noise.draw_textures():
            give_back_memory()

    def run(self, rows: Sequence[Row], sink: Sink) -> list[RowResult]:
        """Sketches of all rows first, then the pictures."""
        self.warm()
        sink.stage("drawing")
        workers = max(1, min(self.workers, len(rows)))
        cv2.setNumThreads(max(1, (os.cpu_count() or 1) // workers))
        first = [wanted(row, sink, sketch) for row in rows[:1]]  # alone, so that something is seen at once
        with ThreadPoolExecutor(workers, thread_name_prefix="diorama") as pool:
            sketched = [*first, *pool.map(lambda row: wanted(row, sink, sketch), rows[1:])]
            give_back_memory()
            drawn = list(pool.map(lambda row: wanted(row, sink, draw), [row for row in sketched if row]))
        give_back_memory()
        return [result for result in drawn if result]

    def describe(self, source: Source) -> Sequence[str]:  # noqa: ARG002
        raise Unavailable("The painter cannot describe pictures yet.")

    def word_weights(self, words: Sequence[str]) -> Sequence[float]:  # noqa: ARG002
        raise Unavailable("The painter cannot weigh words yet.")


def give_back_memory() -> None:
    """Hand what the C library keeps of freed pictures back to the system, where it can (glibc)."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim:
        trim(0)


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
    return RowResult(
        index=row.index,
        image=image,
        applied={**honoured(row.params, negative=bool(row.negative), model=row.model), **made.applied},
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
    asked, (_, meaningless) = understood(row), forbid(row.negative)
    return (
        *not_honoured(row.params),
        *(f"word:{word}" for word in asked.unknown),
        *(f"place:{name}" for name in asked.left_out),
        *(f"negative:{term}" for term in meaningless),
    )


def detail_of(knobs: Knobs) -> float:
    """Fine detail of the world besides what `--quality` and `--stop` say: a draft has less."""
    return 0.6 if knobs.draft else 1.0
