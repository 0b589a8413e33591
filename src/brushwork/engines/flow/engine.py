"""The learned painter as an engine: a small network that follows captions out of noise, in real denoising steps.

It was trained on pictures of the embedded painter, and draws small; super-resolution makes the rest. Most models begin
with a draft of the embedded painter, put under noise: composition from the one, brush from the other. Knows no job.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from brushwork.engines.base import (
    Ask,
    Capability,
    Cost,
    NullSink,
    Op,
    Row,
    RowCancelled,
    RowResult,
    Sink,
    Source,
    always_wanted,
)
from brushwork.engines.diorama.engine import DioramaEngine
from brushwork.engines.flow.canvas import as_image, enlarged, free_latents, laid_out, small
from brushwork.engines.flow.model import PACKAGED, Facts, FlowModel, facts_of
from brushwork.engines.flow.plans import DRAFTED, HONOURED, applied, degraded, draft_row, levels_of, plan_of
from brushwork.engines.flow.sampling import Drawing, begin, noise_of, step
from brushwork.engines.flow.shapes import nearest
from brushwork.errors import Unavailable

OPS = (Op.TEXT_TO_IMAGE, Op.VARY, Op.INPAINT)
MOST_THREADS = 4
PREVIEWS = 4
"""Of one row."""
SECONDS_PER_STEP = 0.05
"""And caption."""
SECONDS_PER_MEGAPIXEL = 1.5
"""Of enlarging, on two cores."""
BYTES = 400 << 20


@dataclass
class Work:
    """A row on its way."""

    row: Row
    drawing: Drawing
    drafted: RowResult | None

    @property
    def total(self) -> int:
        """Steps, and the finish."""
        return len(self.drawing.plan.levels)


class FlowEngine:
    """Draws rows step by step."""

    name = "flow"

    def __init__(self, folder: Path | None = None, *, threads: int | None = None, draft: float | None = None) -> None:
        """`draft` is the noise level from which drafts are taken over, 0 for none; None does as the model says."""
        self.folder = folder or PACKAGED
        self.threads = threads or max(1, min(MOST_THREADS, os.cpu_count() or 1))
        self.asked_draft = draft
        self.painter = DioramaEngine(workers=1)

    @cached_property
    def facts(self) -> Facts:
        return facts_of(self.folder)

    @cached_property
    def model(self) -> FlowModel:
        return FlowModel(self.folder, threads=self.threads)

    @property
    def draft(self) -> float:
        return self.facts.draft if self.asked_draft is None else self.asked_draft

    def capabilities(self) -> Mapping[str, tuple[Capability, ...]]:
        params = frozenset({**HONOURED, **(DRAFTED if self.draft else {})})
        can = tuple(
            Capability(
                op=op,
                max_side=2048,
                passes=self.facts.steps + 1,
                params=params if op is Op.TEXT_TO_IMAGE else frozenset(HONOURED),
                negative="native",
                batch_max=4,
                preview=True,
            )
            for op in OPS
        )
        return dict.fromkeys(self.painter.capabilities(), can)

    def cost(self, row: Row) -> Cost:
        passes, captions = len(levels_of(row, self.facts, self.draft)), 1 + max(1, len(row.segments))
        enlarging = SECONDS_PER_MEGAPIXEL * row.width * row.height / 1e6
        return Cost(seconds=SECONDS_PER_STEP * captions * passes + enlarging, bytes=BYTES, passes=passes)

    def batch_key(self, row: Row) -> str | None:  # noqa: ARG002  # each row is computed by itself
        return "flow"

    def warm(self) -> None:
        """Load the networks. Safe to call twice."""
        self.model.read([""])
        if self.draft:
            self.painter.warm()

    def run(self, rows: Sequence[Row], sink: Sink) -> list[RowResult]:
        """One step of each row, then the next of each, so that all of them are seen to grow."""
        if unable := next((row.op for row in rows if row.op not in OPS), None):
            raise Unavailable(f"The learned painter cannot do this ({unable.replace('_', ' ')}).")
        sink.stage("loading")
        self.warm()
        sink.stage("drawing")
        going = [self.begun(row) for row in rows]
        while any(not work.drawing.finished for work in going):
            going = [work for work in going if work.drawing.finished or self.stepped(work, sink)]
        sink.stage("enlarging")
        results = (self.finished(work, sink) for work in going)
        return [result for result in results if result]

    def begun(self, row: Row) -> Work:
        """The row under its first noise."""
        shape = nearest(self.facts.side, row.width / row.height)
        plan = plan_of(row, self.model, self.draft)
        noise = noise_of(row.seed, row.index, (self.facts.channels, *shape))
        if row.op is not Op.TEXT_TO_IMAGE:
            picture = self.model.encode(laid_out(source_of(row), row.place, (row.width, row.height), shape))
            free = free_latents(row.mask, shape) if row.op is Op.INPAINT else None
            return Work(row, begin(plan, noise, picture=picture, known=picture, free=free), None)
        if not self.draft:
            return Work(row, begin(plan, noise), None)
        (drafted,) = self.painter.run([draft_row(row, shape)], NullSink())
        picture = self.model.encode(small(drafted.image, shape))
        return Work(row, begin(plan, noise, picture=picture), drafted)

    def stepped(self, work: Work, sink: Sink) -> bool:
        """One step; whether anybody still wants the row."""
        drawing = work.drawing
        step(drawing, self.model)
        if drawing.done % max(1, work.total // PREVIEWS) == 1 % max(1, work.total // PREVIEWS):
            sink.preview(work.row, as_image(self.model.plain(drawing.clear)))
        try:
            sink.step(work.row, drawing.done, work.total)
        except RowCancelled:
            return False
        return True

    def finished(self, work: Work, sink: Sink) -> RowResult | None:
        """The picture at the size that was asked for, or None when nobody wants it any more."""
        row = work.row
        image = as_image(self.model.decode(work.drawing.clear))
        try:
            large = enlarged(
                image,
                (row.width, row.height),
                crop=row.op is Op.TEXT_TO_IMAGE,
                on_tile=lambda _done, _tiles: sink.step(row, work.total - 1, work.total),
                threads=self.threads,
            )
            sink.step(row, work.total, work.total)
        except RowCancelled:
            return None
        return RowResult(
            index=row.index,
            image=large,
            applied=applied(row, drafted=work.drafted is not None),
            degraded=degraded(row, self.facts, work.drafted),
            recipe=self.recipe(work, drawn=image.size),
        )

    def recipe(self, work: Work, *, drawn: tuple[int, int]) -> dict[str, Any]:
        row, plan = work.row, work.drawing.plan
        return {
            "engine": self.name,
            "model": self.facts.sha256,
            "op": row.op.value,
            "seed": row.seed,
            "index": row.index,
            "size": [row.width, row.height],
            "drawn": list(drawn),
            "from_level": round(plan.levels[0], 4),
            "steps": work.total - 1,
            "guidance": round(plan.guidance, 4),
            "segments": [list(segment) for segment in row.segments or ((row.text, 1.0),)],
            "negative": list(row.negative),
            **({"draft": dict(work.drafted.recipe)} if work.drafted else {}),
        }

    def describe(self, source: Source, *, ask: Ask = always_wanted) -> Sequence[str]:  # noqa: ARG002  # it is quick
        """In the words of the embedded painter."""
        return self.painter.describe(source)

    def word_weights(self, words: Sequence[str]) -> Sequence[float]:
        """How far the network's idea of a caption moves without each word, the weightiest 1."""
        without = [" ".join((*words[:at], *words[at + 1 :])) for at in range(len(words))]
        caption = self.model.read([" ".join(words), *without])
        means = caption.words.sum(1) / caption.there.sum(1, keepdims=True)
        moved = np.linalg.norm(means[1:] - means[0], axis=1)
        return [float(each) for each in moved / max(float(moved.max(initial=0)), 1e-9)]


def source_of(row: Row) -> Source:
    if row.source is None:
        raise ValueError(f"a row of {row.op} has no source")
    return row.source
