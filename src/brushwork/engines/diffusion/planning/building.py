"""A row and a model become a plan: the operation decides on pictures, the prompt on words and numbers."""

import math

from brushwork.engines.base import Row
from brushwork.engines.catalog.model import Model
from brushwork.engines.diffusion.plan import Noise, Plan
from brushwork.engines.diffusion.planning.case import Case, profile_of
from brushwork.engines.diffusion.planning.guided import is_guided
from brushwork.engines.diffusion.planning.operations import OPERATIONS
from brushwork.engines.diffusion.planning.references import with_references
from brushwork.engines.diffusion.planning.schedule import schedule_of, steps_of
from brushwork.engines.diffusion.planning.seeds import seed_of
from brushwork.engines.diffusion.planning.told import applied_and_degraded, concerns, notes_of
from brushwork.engines.diffusion.planning.tools import BUILT_IN, Tools
from brushwork.engines.diffusion.planning.words import said_of

PUSHED = 0.3
"""How far `--weird 3000` pushes the text embedding, relative to its deviation."""
OVERLAP = 0.25
"""Of a pane, about, where two of them meet."""


def plan_row(row: Row, model: Model, *, tools: Tools = BUILT_IN) -> Plan:
    """Every number that drawing this row with this model needs. The same row gives the same plan."""
    case = Case(row, model, profile_of(row, model), tools)
    drawing = with_references(case, OPERATIONS[row.op](case))
    stop = case.number("stop") if concerns(row.op, "stop") and case.model.family != "pipe" else 100.0
    schedule = schedule_of(steps_of(case), strength=drawing.strength, stop=stop)
    said = said_of(case, drawing, schedule)
    guided = is_guided(model.family, said.guidance) and (case.is_guided or bool(said.guidance_end))
    applied, degraded = applied_and_degraded(case, drawing, schedule, said)
    return Plan(
        row=row,
        model=model.name,
        texts=said.texts,
        width=drawing.size.width,
        height=drawing.size.height,
        steps=schedule.steps,
        noise=drawing.noise or Noise(seed_of(row)),
        start=schedule.start,
        stop=schedule.stop,
        guidance=said.guidance,
        guidance_end=said.guidance_end,
        negative=said.negative,
        init=drawing.init,
        mask=drawing.mask,
        part=drawing.part,
        seen=drawing.seen,
        control=drawing.control,
        tile="tile" in applied,
        panes=0 if "tile" in applied and not drawing.init else drawing.size.panes,
        conditioning_noise=case.number("chaos") / 100 if "chaos" in applied else 0.0,
        push=PUSHED * case.number("weird") / 3000 if "weird" in applied else 0.0,
        adapters=tuple((name, model.adapters[name].weight) for name in case.profile.adapters if name in model.adapters),
        applied=applied,
        degraded=degraded,
        notes=notes_of(case, drawing, said, guided=guided),
    )


def passes(plan: Plan) -> int:
    """How often the denoiser is evaluated for one picture: one a step and text, one more where it is guided."""
    drawn = plan.end - plan.start
    guided = min(drawn, (plan.guidance_end or plan.end) - plan.start) if plan.notes.get("guided") else 0
    panes = panes_along(plan.width, plan.panes) * panes_along(plan.height, plan.panes)
    return (drawn * len(plan.texts) + guided) * panes


def panes_along(length: int, pane: int) -> int:
    if not pane or pane >= length:
        return 1
    overlap = pane * OVERLAP
    return math.ceil((length - overlap) / (pane - overlap))
