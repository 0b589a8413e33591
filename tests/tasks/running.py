"""Running a task directly: a small engine that draws noise, and pictures to give it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image

from brushwork.engines.base import Ask, Capability, Cost, NullSink, Op, Row, RowResult, Sink, Source, always_wanted
from brushwork.tasks.base import Outcome, Run, Task
from brushwork.tasks.sources import Given, Parent, pictures_of


class NoiseEngine:
    """Draws noise of the asked size, other noise for each seed and index, and remembers what was asked."""

    name = "noise"

    def __init__(self, *ops: Op) -> None:
        self.ops = ops or tuple(Op)
        self.asked: list[Row] = []

    def capabilities(self) -> Mapping[str, tuple[Capability, ...]]:
        return {"7": tuple(Capability(op=op, max_side=4096, passes=1) for op in self.ops)}

    def cost(self, row: Row) -> Cost:
        return Cost(seconds=0, bytes=row.width * row.height * 3, passes=1)

    def batch_key(self, row: Row) -> str | None:
        return None

    def warm(self) -> None: ...

    def run(self, rows: Sequence[Row], sink: Sink) -> list[RowResult]:
        self.asked += rows
        return [
            RowResult(row.index, noise(row.width, row.height, seed=row.seed + row.index), recipe={"row": row.index})
            for row in reversed(rows)
        ]

    def describe(self, source: Source, *, ask: Ask = always_wanted) -> Sequence[str]:
        return [f"a {word} picture" for word in ("red", "green", "blue", "grey")]

    def word_weights(self, words: Sequence[str]) -> Sequence[float]:
        return [min(len(word), 10) / 10 for word in words]


def noise(width: int, height: int, *, seed: int = 0, mode: str = "RGB") -> Image.Image:
    values = np.random.default_rng(seed).integers(0, 256, (height, width, len(mode)), np.uint8)
    return Image.fromarray(values, mode)


def png(image: Image.Image) -> bytes:
    target = BytesIO()
    image.save(target, "PNG")
    return target.getvalue()


def parent(prompt: str = "a fox", *, task: str = "diffusion", **more: Any) -> Parent:
    fields: dict[str, Any] = {"job_id": "a", "number": 0, "input": {"text": prompt}, "seed": 1, **more}
    return Parent(task=task, prompt=prompt, **fields)


def given_from(image: Image.Image, source: Parent | None = None, *, path: str = "0") -> Given:
    return Given(path, image.width, image.height, recipe={"row": 0} if source else None, parent=source)


def run(
    task: Task,
    pictures: Sequence[Image.Image] = (),
    *,
    source: Parent | None = None,
    engine: Any = None,
    seed: int = 7,
    given: Sequence[Given] | None = None,
) -> Outcome:
    """The task's result, when its first picture comes from `source` and the others from outside."""
    if given is None:
        given = [given_from(image, source if n == 0 else None, path=str(n)) for n, image in enumerate(pictures)]
    assert len(pictures_of(given)) == len(pictures)
    task.check()
    task.check_given(given)
    job = Run(engine or NoiseEngine(), seed, NullSink(), given=given, data=[png(image) for image in pictures])
    return task.run(replace(job))


def pixels(image: Image.Image) -> np.ndarray[Any, Any]:
    return np.asarray(image)
