"""The engine that draws nothing: a flat colour per seed, at once. For benchmarks and fault tests only.

A clip is that colour, of the size that was asked for, frame by frame.
"""

import time
from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image

from brushwork.engines.base import Ask, Capability, Cost, Op, Row, RowCancelled, RowResult, Sink, Source, always_wanted


class NoopEngine:
    """Draws 8 by 8 pixels of one colour. `seconds` makes a job last, in ten cancellable steps."""

    name = "noop"

    def __init__(self, *, seconds: float = 0.0) -> None:
        self.seconds = seconds

    def capabilities(self) -> Mapping[str, tuple[Capability, ...]]:
        return {"noop": tuple(Capability(op=op, max_side=8, passes=10, batch_max=256) for op in Op)}

    def cost(self, row: Row) -> Cost:  # noqa: ARG002  # every row costs the same
        return Cost(seconds=self.seconds, bytes=256, passes=10)

    def batch_key(self, row: Row) -> str | None:  # noqa: ARG002
        return "noop"

    def warm(self) -> None: ...

    def run(self, rows: Sequence[Row], sink: Sink) -> list[RowResult]:
        wanted = list(rows)
        for done in range(1, 11):
            if self.seconds:
                time.sleep(self.seconds / 10)
            wanted = [row for row in wanted if still_wanted(row, done, sink)]
            if not wanted:
                break
        return [result for row in wanted if (result := drawn(row, sink))]

    def describe(self, source: Source, *, ask: Ask = always_wanted) -> Sequence[str]:  # noqa: ARG002  # it is quick
        return [f"a picture of {source.image.width} by {source.image.height} pixels, {word}" for word in "abcd"]

    def word_weights(self, words: Sequence[str]) -> Sequence[float]:
        return [1.0] * len(words)


def drawn(row: Row, sink: Sink) -> RowResult | None:
    """The picture of a row, after its frames where it has any; None when it was cancelled between two of them."""
    image = flat_colour(row.seed + row.index)
    if row.clip is not None:
        frame = np.broadcast_to(np.asarray(image)[:1, :1], (row.height, row.width, 3))
        for _ in range(row.clip.frames):
            if not still_wanted(row, 10, sink):
                return None
            row.clip.write(frame)
        image = image.resize((row.width, row.height))
    return RowResult(row.index, image, degraded=("engine:noop",))


def still_wanted(row: Row, done: int, sink: Sink) -> bool:
    try:
        sink.step(row, done, 10)
    except RowCancelled:
        return False
    return True


def flat_colour(seed: int) -> Image.Image:
    return Image.new("RGB", (8, 8), (seed & 255, seed >> 8 & 255, seed >> 16 & 255))
