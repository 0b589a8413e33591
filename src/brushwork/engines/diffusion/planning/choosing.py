"""Which of the installed models draws a row."""

from collections.abc import Collection, Mapping, Sequence

from brushwork.engines.base import PICTURE_OPS, Op, Row
from brushwork.engines.catalog.model import Model
from brushwork.engines.diffusion.planning.references import ONLY_SEEN, can_look
from brushwork.errors import Unavailable

EVERYTHING = PICTURE_OPS
OPS: Mapping[str, frozenset[Op]] = {"pipe": frozenset({Op.TEXT_TO_IMAGE})}
"""Family → what a model of it can do whose entry says nothing; all others can do everything."""
WITHOUT_DRAWING = frozenset({Op.UPSCALE})
"""What tools can do alone, if need be."""


def can_do(model: Model, op: Op) -> bool:
    return op in (model.ops or OPS.get(model.family, EVERYTHING))


def model_for(row: Row, installed: Collection[Model], *, known: Collection[Model] = ()) -> Model:
    """The model that draws the row: the first installed one that has its version, or the one it edits with.

    `installed` is best first, `known` the whole catalog. A version that no entry knows is drawn by the first model.
    Raises Unavailable, and says what could be pulled.
    """
    here = [model for model in installed if model.kind == "image"]
    whole = [model for model in known if model.kind == "image"]
    mapped = [model for model in here if row.model in model.profiles]
    mapped.sort(key=lambda model: model.profiles[row.model].fallback)  # those that suit it first, else in their order
    if not mapped and (not here or any(row.model in model.profiles for model in whole)):
        raise Unavailable(missing(f"version {row.model or '(any)'}", [m for m in whole if row.model in m.profiles]))
    named = {model.name: model for model in here}
    candidates: dict[str, Model] = {}
    for model in mapped or here:
        candidates.setdefault(model.name, model)
        if model.edits_with in named:
            candidates.setdefault(model.edits_with, named[model.edits_with])
    able = [model for model in candidates.values() if draws(model, row)]
    if not able and row.op in WITHOUT_DRAWING:
        able = list(candidates.values())
    if not able:
        what = f"{row.op.value.replace('_', ' ')} with version {row.model or '(any)'}"
        editors = {model.edits_with for model in candidates.values()}
        could = [m for m in whole if m.name not in named and can_do(m, row.op)]
        raise Unavailable(missing(what, [m for m in could if m.name in editors or row.model in m.profiles] or could))
    return next((model for model in able if looks(model, row)), able[0])


def draws(model: Model, row: Row) -> bool:
    """Whether it can: one that only edits makes new pictures too, from those that it is shown."""
    is_shown = row.op is Op.TEXT_TO_IMAGE and any(reference.role in ONLY_SEEN for reference in row.references)
    return can_do(model, row.op) or (is_shown and model.references > 0)


def looks(model: Model, row: Row) -> bool:
    """Whether the row's references can be looked at."""
    return all(can_look(model, reference.role) for reference in row.references if reference.role in ONLY_SEEN)


def missing(what: str, models: Sequence[Model]) -> str:
    names = ", ".join(model.name for model in models)
    pull = f" Pull one of these with `brushwork models pull NAME`: {names}." if names else ""
    return f"No installed model draws {what}.{pull}"
