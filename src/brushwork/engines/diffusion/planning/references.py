"""Pictures that a row is to be like in some way: read beside the prompt, or through an IP-Adapter, or begun from.

What a reference is for is said in words where it is read beside the prompt, and so is most of its weight.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from brushwork.engines.base import Reference, Role
from brushwork.engines.catalog.model import Model
from brushwork.engines.diffusion.facts import FAMILIES
from brushwork.engines.diffusion.plan import Seen
from brushwork.engines.diffusion.planning.case import Case
from brushwork.engines.diffusion.planning.drawing import Drawing
from brushwork.engines.diffusion.planning.pictures import covering, looked_at

PARAMETERS: Mapping[str, tuple[str, ...]] = {
    "image": ("iw",),
    "style": ("sref", "sw"),
    "character": ("cref", "cw"),
    "omni": ("oref", "ow"),
    "blend": (),
}
"""Role → its prompt parameter, and the one that weighs it."""
ONLY_SEEN: tuple[Role, ...] = ("style", "character", "omni")
"""References that a model looks at, or that have no effect."""
WORDS: Mapping[Role, tuple[tuple[float, str], ...]] = {
    "image": ((0.5, "loosely inspired by image {}"), (1.5, "based on image {}"), (99, "following image {} closely")),
    "style": ((0.5, "with a hint of the style of image {}"), (2, "in the style of image {}"),
              (99, "in exactly the style of image {}")),
    "character": ((0.5, "with the face of the person in image {}"), (99, "with the person in image {}")),
    "omni": ((0.5, "with something like the subject of image {}"), (4, "with the subject of image {}"),
             (99, "with exactly the subject of image {}, unchanged")),
}  # fmt: skip
"""Role → up to which weight → how it is said."""
TWICE_FROM = 4.0
"""`--ow` / 100 from which the picture is shown twice."""
ADAPTED: Mapping[Role, Callable[[float], float]] = {
    "image": lambda weight: min(1.05, 0.35 * weight),
    "style": lambda weight: min(1.2, 0.6 * weight),
    "character": lambda weight: min(1.0, 0.7 * weight),
    "omni": lambda weight: min(1.0, 0.6 * weight),
    "blend": lambda weight: min(1.0, 0.5 * weight),
}
"""Role → scale of the IP-Adapter for a weight."""
HOW_ADAPTED: Mapping[Role, str] = {"image": "native", "style": "native", "character": "emulated", "omni": "emulated"}
"""Role → what is told of it: the adapter that ships was made for whole pictures and their style."""
WEAKER_BY = 0.25
"""An image prompt that can only be begun from: so much less is drawn over it for each unit of `--iw`."""
LEAST_STRENGTH = 0.25


@dataclass(frozen=True)
class Shown:
    """References as a model gets them."""

    seen: tuple[Seen, ...] = ()
    words: tuple[str, ...] = ()
    applied: Mapping[str, str] = field(default_factory=dict)
    unmet: tuple[str, ...] = ()
    degraded: tuple[str, ...] = ()


def can_look(model: Model, role: Role) -> bool:
    """Whether a picture in that role can be looked at, not only begun from."""
    heeded = not model.params or all(name in model.params for name in PARAMETERS[role][:1])
    reads = FAMILIES[model.family].references > 0 and model.references > 0
    return heeded and (reads or has_image_prompts(model))


def has_image_prompts(model: Model) -> bool:
    adapters = any(adapter.kind == "ip_adapter" for adapter in model.adapters.values())
    return FAMILIES[model.family].image_prompts and adapters


def with_references(case: Case, drawing: Drawing) -> Drawing:
    """The drawing, with the row's references in the best way that this model has."""
    asked = [reference for reference in case.row.references if reference.role in WORDS]
    weightless = [reference for reference in asked if reference.weight <= 0]
    asked = [reference for reference in asked if reference.weight > 0]
    drawing = replace(drawing, applied={**drawing.applied, **names_of(case, weightless, "native")})
    if not asked:
        return drawing
    can = [reference for reference in asked if can_look(case.model, reference.role)]
    cannot = [reference for reference in asked if reference not in can]
    if can:
        is_read = case.looks > 0
        shown = (read if is_read else adapted)(case, can, taken=len(drawing.seen))
        drawing = replace(
            drawing, seen=(*drawing.seen, *shown.seen), after=(*drawing.after, *shown.words),
            applied={**drawing.applied, **shown.applied}, unmet=(*drawing.unmet, *shown.unmet),
            degraded=(*drawing.degraded, *shown.degraded),
        )  # fmt: skip
    return begun_from(case, drawing, cannot) if cannot else drawing


def read(case: Case, references: list[Reference], *, taken: int) -> Shown:
    """In the model's own sequence, after those that the operation put there."""
    room = case.looks - taken
    kept, left = references[: max(0, room)], references[max(0, room) :]
    seen: list[Seen] = []
    words: list[str] = []
    for reference in kept:
        picture = Seen(looked_at(reference.source.image, case.model), reference.weight, reference.role)
        words.append(phrase(reference, taken + len(seen) + 1))
        seen.append(picture)
        spare = room - len(seen) - (len(kept) - len(words))
        if reference.role == "omni" and reference.weight >= TWICE_FROM and spare > 0:
            seen.append(picture)
    applied = {
        name: "native" if number == 0 and reference.role != "image" else "emulated"
        for reference in kept
        for number, name in enumerate(asked_for(case, reference.role))
    }
    roles = {reference.role for reference in kept}
    unmet = tuple(PARAMETERS[role][0] for role in dict.fromkeys(r.role for r in left) if role not in roles)
    return Shown(tuple(seen), tuple(words), applied, unmet, ("too_many_references",) if left else ())


def phrase(reference: Reference, number: int) -> str:
    """What the picture of that number is for."""
    steps = WORDS[reference.role]
    return next((words for most, words in steps if reference.weight < most), steps[-1][1]).format(number)


def adapted(case: Case, references: list[Reference], *, taken: int) -> Shown:  # noqa: ARG001  # it shares no sequence
    """Through the model's IP-Adapter."""
    seen = tuple(
        Seen(
            looked_at(reference.source.image, case.model),
            round(ADAPTED[reference.role](reference.weight), 4),
            reference.role,
            how="image_prompt",
        )
        for reference in references
    )
    applied: dict[str, str] = {}
    for reference in references:
        applied |= names_of(case, [reference], HOW_ADAPTED[reference.role])
    return Shown(seen, applied=applied)


def begun_from(case: Case, drawing: Drawing, references: list[Reference]) -> Drawing:
    """Of what cannot be looked at, one image prompt is drawn over, where nothing else is; the rest is not honoured."""
    images = [reference for reference in references if reference.role == "image"]
    others = dict.fromkeys(PARAMETERS[reference.role][0] for reference in references if reference.role != "image")
    drawing = replace(drawing, unmet=(*drawing.unmet, *others))
    if not images:
        return drawing
    is_free = drawing.init is None and drawing.noise is None and drawing.control is None and case.heeds("iw")
    if not is_free or not draws_over(case.model):
        return replace(drawing, unmet=(*drawing.unmet, "iw"))
    size = drawing.size
    return replace(
        drawing,
        init=covering(images[0].source.image, size.width, size.height),
        strength=max(LEAST_STRENGTH, 1 - WEAKER_BY * images[0].weight),
        applied={**drawing.applied, "iw": "emulated"},
        degraded=(*drawing.degraded, *(("too_many_references",) if len(images) > 1 else ())),
    )


def draws_over(model: Model) -> bool:
    """Whether drawing can begin with a picture: the generic pipeline only knows words."""
    return model.family != "pipe"


def names_of(case: Case, references: list[Reference], how: str) -> dict[str, str]:
    return {name: how for reference in references for name in asked_for(case, reference.role)}


def asked_for(case: Case, role: Role) -> tuple[str, ...]:
    """The role's own parameter, and its weight where the row has it."""
    first, *rest = PARAMETERS[role]
    return (first, *(name for name in rest if case.row.params.get(name) is not None))
