"""The part of the diffusers engine that makes clips: what it can do with the models that are here, and doing it."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from brushwork.engines.base import CLIP_OPS, Capability, Cost, Op, Row, RowCancelled, RowResult, Sink
from brushwork.engines.catalog.model import Model
from brushwork.engines.diffusion.loop import Loop
from brushwork.engines.diffusion.models import InstalledModels
from brushwork.engines.diffusion.video.choosing import can_film, facts_of, film_model_for
from brushwork.engines.diffusion.video.facts import CLIP_STRIDE
from brushwork.engines.diffusion.video.filming import Shot, Studio
from brushwork.engines.diffusion.video.planning import clip_of, plan_film, profile_of, sizes_of, timing_for
from brushwork.engines.diffusion.video.recipe import film_recipe, replay_film
from brushwork.errors import Unavailable

SECONDS_PER_MEGAPIXEL = 0.02
"""And frame, and step; of a model of 5 billion parameters on a large GPU, computed and not measured."""
BYTES_PER_PIXEL = 400
"""And frame, of activations in a step."""


class Films:
    """Clips of every installed video model. Safe to use from several threads."""

    def __init__(self, shelf: InstalledModels, loop: Loop) -> None:
        self.shelf = shelf
        self.studio = Studio(loop, shelf.film_parts)

    @cached_property
    def abilities(self) -> tuple[Capability, ...]:
        """Empty where no video model is installed."""
        return tuple(
            self.capability(op, able)
            for op in sorted(CLIP_OPS)
            if (able := [m for m in self.models if can_film(m, op)])
        )

    @property
    def models(self) -> list[Model]:
        return list(self.shelf.films.values())

    def capability(self, op: Op, models: list[Model]) -> Capability:
        facts = [facts_of(model) for model in models]
        honoured = {"motion", "raw", "bs", "seed", "ar"} | (
            {"loop", "end"} if any(one.last for one in facts) else set()
        )
        is_guided = any(not model.distilled and profile_of(model).guidance > 1 for model in models)
        return Capability(
            op=op,
            max_side=max(model.max_side for model in models),
            passes=profile_of(models[0]).steps,
            params=frozenset(honoured | ({"no"} if is_guided else set())),
            negative="native" if is_guided else "none",
            batch_max=1,
            preview=True,
            joins=True,
        )

    def model_of(self, row: Row) -> Model:
        """Raises Unavailable, and says what could be pulled."""
        known = [model for model in self.shelf.known.values() if model.kind == "video"]
        return film_model_for(row, self.models, known=known)

    def cost(self, row: Row) -> Cost:
        model = self.model_of(row)
        facts, steps = facts_of(model), profile_of(model).steps
        timing = timing_for(clip_of(row), facts, has_picture=True)
        _, (width, height) = sizes_of(row, model, facts)
        pixels = width * height * timing.drawn
        latents = (timing.drawn - 1) // CLIP_STRIDE + 1
        return Cost(
            seconds=SECONDS_PER_MEGAPIXEL * pixels / 1e6 * steps,
            bytes=pixels * BYTES_PER_PIXEL // CLIP_STRIDE,
            passes=1 + steps + latents,
        )

    def batch_key(self, row: Row) -> str | None:
        try:
            return f"{self.model_of(row).name}|film"
        except Unavailable:
            return None

    def film(self, row: Row, sink: Sink) -> RowResult | None:
        """Make the clip; None when nobody wants it any more."""
        try:
            sink.step(row, 0, 1)
        except RowCancelled:
            return None
        shot = self.studio.film(plan_film(row, self.model_of(row)), sink)
        return self.result(shot) if shot else None

    def result(self, shot: Shot) -> RowResult:
        plan = shot.plan
        recipe = film_recipe(plan, sha256=self.shelf.digest(plan.model), policy=self.shelf.policy(plan.model))
        return RowResult(plan.row.index, shot.first, applied=plan.applied, degraded=plan.degraded, recipe=recipe)

    def replay(self, recipe: Mapping[str, Any], row: Row, sink: Sink) -> RowResult:
        """The same frames again, given to the row's clip. Raises Unavailable when the model is not the same."""
        name = recipe["model"]
        if name not in self.shelf.films or self.shelf.digest(name) != recipe["sha256"]:
            raise Unavailable(f"The model {name!r} of this recipe is not installed, or is another one.")
        shot = self.studio.film(replay_film(recipe, row, self.shelf.films[name]), sink)
        if shot is None:
            raise RowCancelled
        return self.result(shot)
