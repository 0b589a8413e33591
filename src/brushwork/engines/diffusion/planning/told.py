"""What became of each prompt parameter of a row, and what came of defaults: the honest part of a plan."""

from collections.abc import Mapping
from typing import Any

from brushwork.engines.base import Op, Row
from brushwork.engines.catalog.model import Model
from brushwork.engines.diffusion.planning.case import ORDINARY, Case, profile_of
from brushwork.engines.diffusion.planning.choosing import WITHOUT_DRAWING, can_do
from brushwork.engines.diffusion.planning.drawing import Drawing
from brushwork.engines.diffusion.planning.parameters import TREATMENTS
from brushwork.engines.diffusion.planning.references import ONLY_SEEN, PARAMETERS, can_look, draws_over
from brushwork.engines.diffusion.planning.schedule import Schedule, steps_of, usual_steps
from brushwork.engines.diffusion.planning.words import Said, style_codes, way_of

REDRAWING = frozenset({"quality", "stylize", "raw", "style", "tile", "no", "niji"})
CONCERNS: Mapping[Op, frozenset[str]] = {Op.UPSCALE: REDRAWING, Op.ENHANCE: REDRAWING}
"""Operation → the parameters that it can honour again; the source, from which it has the others, shows those."""
NOTHING = (None, False, (), "")
CODES = ("sref", "sw")
"""Style codes are words, which every model reads."""


def concerns(op: Op, name: str) -> bool:
    if name == "exp" and op is Op.INPAINT:  # the kept part has none of it, or its own already
        return False
    return name in CONCERNS.get(op, TREATMENTS)


def applied_and_degraded(
    case: Case, drawing: Drawing, schedule: Schedule, said: Said
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Parameter → how; and all that is not as it was asked for."""
    applied = {**drawing.applied, **said.applied}
    unmet = {*drawing.unmet, *without_effect(case, drawing, schedule)}
    degraded = list(drawing.degraded)
    asked = [name for name, value in case.row.params.items() if value not in NOTHING]
    if case.row.model.startswith("niji"):
        asked.append("niji")
    for name in dict.fromkeys(asked):
        treatment = TREATMENTS.get(name)
        if treatment and (treatment.settled or not concerns(case.row.op, name)):
            continue
        how = applied.get(name)
        if how is None and treatment and (treatment.granted or case.heeds(name)):
            how = treatment.how(case)
        if how is None or name in unmet:
            unmet.add(name)
        else:
            applied[name] = how
    if case.row.model and case.row.model not in case.model.profiles and "niji" not in unmet:
        unmet.add("version")
    if not schedule.drawn:  # tools did it alone
        unmet |= {name for name in applied if name != "exp"}
    degraded += [f"adapter:{name}" for name in case.profile.adapters if name not in case.model.adapters]
    honoured = {name: how for name, how in applied.items() if name not in unmet}
    return honoured, (*(f"parameter:{name}" for name in sorted(unmet)), *dict.fromkeys(degraded), *said.degraded)


def without_effect(case: Case, drawing: Drawing, schedule: Schedule) -> set[str]:
    """Parameters that the numbers swallow."""
    row = case.row
    found: set[str] = set()
    if drawing.init is not None and drawing.size.panes:  # a pane does not see the opposite edge
        found |= {"tile"} & case.row.params.keys()
    if case.number("stop") < 100 and concerns(row.op, "stop") and not schedule.stop:
        found.add("stop")
    if case.number("quality") != 1 and steps_of(case) == usual_steps(case):
        found.add("quality")
    if row.model.startswith("niji") and row.model not in case.model.profiles:
        found.add("niji")
    return found


def notes_of(case: Case, drawing: Drawing, said: Said, *, guided: bool) -> dict[str, Any]:
    """What belongs into the recipe beside a plan's own numbers."""
    silent = {name: value for name, value in ORDINARY.items() if case.row.params.get(name) is None}
    profile = case.profile
    codes = {"style_codes": [code for code, _ in style_codes(case)]} if case.row.params.get("sref") else {}
    return {
        **drawing.notes,
        **codes,
        "version": case.row.model,
        "profile": profile.version,
        "guided": guided,
        "defaults": {
            **silent,
            "steps": usual_steps(case),
            "guidance": profile.guidance,
            "suffix": profile.suffix if any(profile.suffix in words.text for words in said.texts) else "",
            "negative": profile.negative if profile.negative and profile.negative in said.negative else "",
        },
    }


def params_of(model: Model, version: str = "", op: Op = Op.TEXT_TO_IMAGE) -> frozenset[str]:
    """Prompt parameters with a real effect, by canonical name: what an engine promises for this model."""
    if op in WITHOUT_DRAWING and not can_do(model, op):
        return frozenset()
    row = Row(index=0, seed=0, text="", width=model.side, height=model.side, model=version)
    case = Case(row, model, profile_of(row, model))
    granted = {name for name, treatment in TREATMENTS.items() if treatment.granted or case.heeds(name)}
    looked_at = {name for role in ONLY_SEEN if can_look(model, role) for name in PARAMETERS[role]}
    begun_from = {"iw"} if can_look(model, "image") or draws_over(model) else set()
    kept_out = {"no"} if way_of(case) != "none" else set()
    by_numbers = {name for name, treatment in TREATMENTS.items() if treatment.how(case)}
    if not version.startswith("niji") or version not in model.profiles:
        by_numbers -= {"niji"}
    effective = {"ar", "seed", *CODES, *looked_at, *begun_from, *kept_out, *by_numbers} - {"style"}  # that is `raw`
    return frozenset(name for name in granted & effective if TREATMENTS[name].settled or concerns(op, name))
