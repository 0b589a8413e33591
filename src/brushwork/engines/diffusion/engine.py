"""Open checkpoints behind the interface of every engine: rows become plans, plans are drawn, and the truth is told.

Knows no job. Models are those of the catalog that are installed; which one draws a row is said by `planning`.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import TypeVar

import structlog

from brushwork.engines.base import (
    CLIP_OPS,
    Ask,
    Capability,
    Cost,
    Figure,
    Op,
    Row,
    RowCancelled,
    RowResult,
    Sink,
    Source,
    always_wanted,
)
from brushwork.engines.catalog.installed import folder_of
from brushwork.engines.catalog.model import FILM, VERSIONS, Model
from brushwork.engines.diffusion.describe import Describer
from brushwork.engines.diffusion.facts import FAMILIES
from brushwork.engines.diffusion.loop import Loop
from brushwork.engines.diffusion.models import InstalledModels
from brushwork.engines.diffusion.options import DiffusionOptions
from brushwork.engines.diffusion.plan import Plan
from brushwork.engines.diffusion.planning import finish, model_for, params_of, plan_row
from brushwork.engines.diffusion.planning.case import Case, profile_of
from brushwork.engines.diffusion.planning.schedule import steps_of
from brushwork.engines.diffusion.policies.policy import precision_of
from brushwork.engines.diffusion.pooled import pooled
from brushwork.engines.diffusion.recipe import NONE, Pictures, full_recipe, replay
from brushwork.engines.diffusion.state import Drawn
from brushwork.engines.diffusion.tools.kit import Installed, Kit
from brushwork.engines.diffusion.trouble import is_memory
from brushwork.engines.diffusion.video.engine import Films
from brushwork.engines.diffusion.words import Vector, word_weights
from brushwork.engines.tools.describe import describe as describe_plainly
from brushwork.engines.tools.toolbox import Toolbox
from brushwork.errors import BrushworkError, Unavailable

log = structlog.get_logger(__name__)

SECONDS_PER_PASS = 0.25
"""Of a megapixel, until something better was measured: about a large model on a large GPU."""
BYTES_PER_PIXEL = 2000
"""Of activations while a picture is decoded, at most."""

T = TypeVar("T")


class DiffusionEngine:
    """Draws with every installed model, the rows of all callers together. Safe to use from several threads."""

    name = "diffusers"

    def __init__(self, options: DiffusionOptions) -> None:
        self.options = options
        self.shelf = InstalledModels(options)
        self.loop = Loop(self.shelf, options)
        self.films = Films(self.shelf, self.loop)

    # ── what it can do ──

    def capabilities(self) -> Mapping[str, tuple[Capability, ...]]:
        return self.abilities

    @cached_property
    def abilities(self) -> Mapping[str, tuple[Capability, ...]]:
        """Version of the API → what it can do with the models that are installed."""
        can = {**{version: self.capabilities_of(version) for version in VERSIONS}, FILM: self.films.abilities}
        return {version: able for version, able in can.items() if able}

    def capabilities_of(self, version: str) -> tuple[Capability, ...]:
        able = []
        for op in Op:
            row = Row(index=0, seed=0, text="", width=1, height=1, model=version, op=op)
            try:
                model = self.model_of(row)
            except Unavailable:
                continue
            able.append(self.capability(op, model, row))
        return tuple(able)

    def capability(self, op: Op, model: Model, row: Row) -> Capability:
        profile = profile_of(row, model)
        return Capability(
            op=op,
            max_side=model.max_side,
            passes=profile.steps,
            params=params_of(model, row.model, op),
            negative=model.negative,
            batch_max=self.options.batch,
            preview=True,
            joins=True,
        )

    def model_of(self, row: Row) -> Model:
        """The model that draws the row. Raises Unavailable, and says what could be pulled."""
        return model_for(row, list(self.shelf.models.values()), known=list(self.shelf.known.values()))

    def cost(self, row: Row) -> Cost:
        if row.op in CLIP_OPS:
            return self.films.cost(row)
        model = self.model_of(row)
        steps = steps_of(Case(row, model, profile_of(row, model)))
        megapixels = row.width * row.height / 1e6
        seconds = SECONDS_PER_PASS * megapixels * (steps + 2)
        return Cost(seconds=seconds, bytes=row.width * row.height * BYTES_PER_PIXEL, passes=steps)

    def batch_key(self, row: Row) -> str | None:
        """What can be told before the row is planned: its model, its size and whether it is a tile."""
        if row.op in CLIP_OPS:
            return self.films.batch_key(row)
        try:
            model = self.model_of(row)
        except Unavailable:
            return None
        size = "" if FAMILIES[model.family].ragged else f"{row.width}x{row.height}"
        return f"{model.name}|{size}|{row.op.value}|{bool(row.params.get('tile'))}"

    # ── drawing ──

    def warm(self) -> None:
        """Load the best of the installed models. Safe to call twice."""
        if not self.shelf.models:
            raise Unavailable("No model is installed; see `brushwork models list`.")
        best = next(iter(self.shelf.models))
        log.info("models.found", models=list(self.shelf.models), device=self.options.device)
        try:
            self.loop.done(lambda: self.shelf.warm(best))
        except BrushworkError as error:  # its jobs will say so; other models may well draw
            log.warning("model.not_loaded", model=best, reason=error.message)

    def run(self, rows: Sequence[Row], sink: Sink) -> list[RowResult]:
        """Draw the rows together with those of all other callers, and clips one after the other; blocks."""
        pictures, clips = [[row for row in rows if (row.op in CLIP_OPS) is is_clip] for is_clip in (False, True)]
        plans = [plan for row in pictures if (plan := self.planned(row, sink)) is not None]
        drawn = self.drawn(plans, sink)
        results = [result for one in drawn if (result := unless_cancelled(partial(self.result, one, sink)))]
        return results + [result for row in clips if (result := self.films.film(row, sink)) is not None]

    def drawn(self, plans: Sequence[Plan], sink: Sink) -> list[Drawn]:
        """In the step loop; models of a family that has none, by their own pipeline."""
        stepped = [plan for plan in plans if not self.is_piped(plan)]
        drawn = self.loop.draw(stepped, sink) if stepped else []
        return drawn + [one for plan in plans if self.is_piped(plan) and (one := self.piped(plan, sink)) is not None]

    def is_piped(self, plan: Plan) -> bool:
        return self.shelf.models[plan.model].family == "pipe"

    def piped(self, plan: Plan, sink: Sink) -> Drawn | None:
        begun = time.monotonic()

        def draw() -> Drawn:
            runner = self.shelf.pipe(plan.model)
            told = replace(plan, degraded=(*plan.degraded, *runner.unheard(plan)))
            with self.shelf.drawing(plan.model, plan.width * plan.height):
                return Drawn(told, runner.draw(plan, sink), (), time.monotonic() - begun)

        return unless_cancelled(lambda: self.loop.done(draw, lambda: sink.step(plan.row, 0, 1)))

    def planned(self, row: Row, sink: Sink) -> Plan | None:
        """None when nobody wants the row any more: planning may enlarge pictures, which takes its time."""

        def ask() -> None:
            sink.step(row, 0, 1)

        def plan() -> Plan:
            ask()
            return plan_row(row, self.model_of(row), tools=self.kit.asking(ask))

        return unless_cancelled(plan)

    def result(self, drawn: Drawn, sink: Sink) -> RowResult:
        """The finished picture. Raises RowCancelled when nobody wants it any more while it is enlarged."""
        plan = drawn.plan
        tools = self.kit.asking(lambda: sink.step(plan.row, 1, 1))
        return RowResult(
            index=plan.row.index,
            image=finish(plan, drawn.image, tools),
            applied=plan.applied,
            degraded=plan.degraded,
            recipe=full_recipe(
                drawn,
                sha256=self.shelf.digest(plan.model),
                policy=self.shelf.policy(plan.model),
                added=self.shelf.added(plan),
            ),
        )

    def replay(
        self, recipe: Mapping[str, object], sink: Sink, pictures: Pictures = NONE, *, row: Row | None = None
    ) -> RowResult:
        """The same picture again, byte by byte; of a clip, the same frames, which need its row.

        Raises Unavailable when the model is not the same.
        """
        if recipe["op"] in CLIP_OPS:
            if row is None:
                raise ValueError("a clip is made again for a row that takes its frames")
            return self.films.replay(recipe, row, sink)
        plan = replay(recipe, pictures, row=row)
        if plan.model not in self.shelf.models or self.shelf.digest(plan.model) != recipe["sha256"]:
            raise Unavailable(f"The model {plan.model!r} of this recipe is not installed, or is another one.")
        if self.shelf.added(plan) != recipe.get("added", {}):
            raise Unavailable("A LoRA, ControlNet or IP-Adapter of this recipe is not installed, or is another one.")
        drawn = self.drawn([plan], sink)
        if not drawn:
            raise RowCancelled
        return self.result(drawn[0], sink)

    def figures(self) -> Sequence[Figure]:
        """Of memory, and of the steps that were drawn."""
        stats = self.shelf.stats()
        return [*(stats.figures() if stats else ()), *self.loop.times.figures()]

    def close(self) -> None:
        """End the loop's thread."""
        self.loop.close()

    # ── tools ──

    @cached_property
    def kit(self) -> Kit:
        found = [(tool, self.tool_folder(tool)) for tool in self.shelf.known.values() if tool.kind == "tool"]
        return Kit([Installed(tool, folder) for tool, folder in found if folder], device=self.options.device)

    def tool_folder(self, tool: Model) -> Path | None:
        try:
            return folder_of(tool, self.options.models_dir)
        except BrushworkError:
            return None

    @property
    def tools(self) -> Toolbox:
        return self.kit.toolbox

    @cached_property
    def describer(self) -> Describer | None:
        installed = self.kit.describer
        if installed is None:
            return None
        describer = Describer(installed.folder, device=self.options.device, dtype=precision_of(self.options))
        self.loop.done(lambda: self.shelf.residency.neighbours.append(describer.drop))
        return describer

    def describe(self, source: Source, *, ask: Ask = always_wanted) -> Sequence[str]:
        """In the words of a vision language model, where one is installed."""
        if self.describer is None:
            return describe_plainly(source.image, facts=source.recipe)
        try:
            return self.describer.describe(source.image, facts=source.recipe, ask=ask)
        except Exception as error:
            if not is_memory(error):
                raise
            log.warning("memory.short", describer=True)
        self.loop.done(self.shelf.relieve)  # models come back when they are drawn with
        return self.describer.describe(source.image, facts=source.recipe, ask=ask)

    def word_weights(self, words: Sequence[str]) -> Sequence[float]:
        """How far the best model's idea of the prompt turns without each word."""
        return word_weights(words, self.embedded if self.shelf.models else None)

    def embedded(self, texts: Sequence[str]) -> Sequence[Vector]:
        """Texts as the first model's encoder understands them, encoded between two steps of the loop."""
        model = next(iter(self.shelf.models))
        return [pooled(one) for one in self.loop.encode(model, texts)]


def unless_cancelled(act: Callable[[], T]) -> T | None:
    """What it returns; None when it turns out meanwhile that nobody wants it any more."""
    try:
        return act()
    except RowCancelled:
        return None
