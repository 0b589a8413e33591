"""What the pipelines of diffusers do with what they are given, written by hand: many take an argument and ignore it.

Knows no torch. A pipeline that is not named here is taken at its signature, with guidance as most of them have it.
"""

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from typing import Any

from brushwork.engines.catalog.model import Model
from brushwork.engines.diffusion.plan import Plan

ROLE_NAMES: Mapping[str, str] = {
    "image": "image",
    "style": "sref",
    "character": "cref",
    "omni": "oref",
    "blend": "blend",
}
"""Role of a picture that is looked at → how it is called in a report."""


@dataclass(frozen=True)
class Habits:
    """One kind of pipeline."""

    guidance: str = "guidance_scale"
    """The argument that a plan's guidance is."""
    negative_from: float | None = 1.0
    """A negative prompt has an effect with guidance above this; None: it never has."""
    steps: str = "num_inference_steps"


USUAL = Habits()

HABITS: Mapping[str, Habits] = {
    "Flux": Habits(negative_from=None),  # its guidance is told to the model; negatives need a second one beside it
    "FluxControl": Habits(negative_from=None),
    "Flux2": Habits(negative_from=None),
    "LatentConsistencyModel": Habits(negative_from=None),
    "QwenImage": Habits(guidance="true_cfg_scale"),  # takes guidance_scale, for models that do not exist
    "Krea2": Habits(negative_from=0.0),
    "ZImage": Habits(negative_from=0.0),
    "StableCascade": Habits(guidance="prior_guidance_scale", steps="prior_num_inference_steps"),
    "WuerstchenCombined": Habits(guidance="prior_guidance_scale", steps="prior_num_inference_steps"),
}
"""Beginning of a class's name → its habits; the longest counts."""

ALWAYS: Mapping[str, Any] = {
    "output_type": "pil",
    "num_images_per_prompt": 1,
    "use_resolution_binning": False,  # else a size of its own choice is drawn, and stretched
    "clean_caption": False,  # rewrites the prompt, with packages that are not here
}
"""Said to every pipeline that has the argument."""


def habits_of(class_name: str) -> Habits:
    names = [name for name in HABITS if class_name.startswith(name)]
    return HABITS[max(names, key=len)] if names else USUAL


def prompt_of(plan: Plan) -> str:
    """All that is wanted, in one text."""
    return ", ".join(words.text for words in plan.texts if words.weight > 0 and words.text)


def has_negative(plan: Plan, model: Model, habits: Habits, accepted: Set[str]) -> bool:
    """Whether the pipeline would heed a negative prompt."""
    is_guided = habits.negative_from is not None and plan.guidance > habits.negative_from
    return is_guided and not model.distilled and "negative_prompt" in accepted


def unheard(plan: Plan, model: Model, habits: Habits, accepted: Set[str]) -> Iterator[str]:
    """What of the plan such a pipeline would leave aside, as in `RowResult.degraded`."""
    if plan.negative and not has_negative(plan, model, habits, accepted):
        yield f"negative:{plan.negative}"
    if any(words.weight != 1.0 for words in plan.texts):
        yield "parameter:weights"
    if plan.end < plan.steps or habits.steps not in accepted:
        yield "parameter:stop" if plan.end < plan.steps else "parameter:quality"
    if plan.init is not None and "strength" not in accepted:
        yield "parameter:strength"
    if plan.noise.towards is not None:
        yield "no_parent_noise"
    yield from (f"parameter:{ROLE_NAMES.get(seen.role, seen.role)}" for seen in plan.seen)
    yield from (f"lora:{name}" for name, _ in plan.adapters)
    missing = {
        "no_structure": plan.control is not None,
        "no_panes": plan.panes > 0,
        "parameter:tile": plan.tile,
        "parameter:chaos": plan.conditioning_noise > 0,
        "parameter:weird": plan.push > 0,
        "seed": "generator" not in accepted,
    }
    yield from (name for name, is_missing in missing.items() if is_missing)
