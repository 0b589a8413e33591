"""The recipe of a clip, as plain JSON, and the way back: the same plan, and with it the same frames."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from brushwork import __version__
from brushwork.engines.base import Row
from brushwork.engines.catalog.model import Model
from brushwork.engines.diffusion.pixels import digest
from brushwork.engines.diffusion.video.plan import FilmPlan
from brushwork.engines.diffusion.video.planning import plan_film
from brushwork.engines.diffusion.video.timing import Timing

NUMBERS = ("text", "negative", "width", "height", "steps", "guidance", "shift")
"""Fields of a plan that are in its recipe as they are."""


def film_recipe(plan: FilmPlan, *, sha256: str, policy: Mapping[str, Any]) -> dict[str, Any]:
    """All that is needed to make the same frames again."""
    row = plan.row
    return {
        "engine": "diffusers",
        "brushwork": __version__,
        "model": plan.model,
        "family": plan.family,
        "sha256": sha256,
        "op": row.op.value,
        "version": row.model,
        "index": row.index,
        "seed": row.seed,
        "noise": plan.seed,
        "size": [row.width, row.height],
        "inner": list(plan.inner),
        **{name: getattr(plan, name) for name in NUMBERS},
        "timing": asdict(plan.timing),
        "blended": plan.timing.is_blended,
        "params": {name: value for name, value in row.params.items() if isinstance(value, str | int | float)},
        "applied": dict(plan.applied),
        "pictures": hashes_of(plan),
        "policy": dict(policy),
    }


def hashes_of(plan: FilmPlan) -> dict[str, Any]:
    return {"head": [digest(image) for image in plan.head], "last": digest(plan.last)}


def replay_film(recipe: Mapping[str, Any], row: Row, model: Model) -> FilmPlan:
    """The plan that the recipe was made of, for a row that brings the same pictures and takes the frames.

    Raises ValueError when its pictures are not these.
    """
    plan = replace(
        plan_film(replace(row, seed=recipe["seed"], index=recipe["index"]), model),
        **{name: recipe[name] for name in NUMBERS},
        inner=tuple(recipe["inner"]),
        seed=recipe["noise"],
        timing=Timing(**recipe["timing"]),
    )
    if hashes_of(plan) != recipe["pictures"]:
        raise ValueError("these are not the pictures that the recipe was made with")
    return plan
