"""What of a plan a recipe keeps, and what a later plan can do with it: go on from the same noise."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from brushwork.engines.diffusion.plan import Noise, Plan

ENGINE = "diffusers"


@dataclass(frozen=True)
class Parent:
    """How the source of a row was drawn by this engine."""

    model: str
    text: str
    noise: Noise
    width: int
    height: int
    is_pure: bool
    """It was drawn from noise alone, so its noise leads to it again."""


def recipe_of(plan: Plan) -> dict[str, Any]:
    """All numbers of a plan, as plain JSON. Pictures are not in it: they are those of the row."""
    row, noise = plan.row, plan.noise
    return {
        "engine": ENGINE,
        "model": plan.model,
        "op": row.op.value,
        "text": row.text,
        "index": row.index,
        "version": row.model,
        "size": [row.width, row.height],
        "drawn": [plan.width, plan.height],
        "part": list(plan.part) if plan.part else None,
        "texts": [[words.text, words.weight] for words in plan.texts],
        "negative": plan.negative,
        "steps": plan.steps,
        "start": plan.start,
        "end": plan.end,
        "guidance": plan.guidance,
        "guidance_end": plan.guidance_end or plan.end,
        "noise": {"seed": noise.seed, "towards": noise.towards, "amount": noise.amount},
        "seen": [{"role": seen.role, "weight": seen.weight, "how": seen.how} for seen in plan.seen],
        "control": {"kind": plan.control.kind, "adapter": plan.control.adapter, "scale": plan.control.scale}
        if plan.control
        else None,
        "tile": plan.tile,
        "panes": plan.panes,
        "conditioning_noise": plan.conditioning_noise,
        "push": plan.push,
        "adapters": [list(adapter) for adapter in plan.adapters],
        "is_pure": plan.init is None and not plan.seen and plan.control is None,
        "notes": dict(plan.notes),
    }


def parent_of(recipe: Mapping[str, Any] | None) -> Parent | None:
    """Reads a recipe of ours, whatever else is in it; None when it is another's, or not whole."""
    if not recipe or recipe.get("engine") != ENGINE:
        return None
    try:
        noise, (width, height) = recipe["noise"], recipe["drawn"]
        towards = noise.get("towards")
        return Parent(
            model=str(recipe["model"]),
            text=str(recipe["text"]),
            noise=Noise(int(noise["seed"]), None if towards is None else int(towards), float(noise.get("amount", 0))),
            width=int(width),
            height=int(height),
            is_pure=bool(recipe.get("is_pure")),
        )
    except (KeyError, TypeError, ValueError):
        return None
