"""What a row asks for, as numbers of the sampler: levels, captions and their weights, guidance; and what cannot be had.

Knows rows and the facts of a model; runs no network but the one that reads captions.
"""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from brushwork.engines.base import Op, Row, RowResult
from brushwork.engines.flow.model import Facts, FlowModel
from brushwork.engines.flow.sampling import Plan, levels
from brushwork.engines.flow.shapes import PATCH
from brushwork.engines.flow.words import words_of

HONOURED = {
    "ar": "native", "seed": "native", "stylize": "native", "stop": "native", "quality": "native", "draft": "native",
    "no": "native",
}  # fmt: skip
"""Parameter → how. `stylize` is the guidance; `quality` and `draft` are the number of steps."""
DRAFTED = dict.fromkeys(("chaos", "weird", "raw", "niji"), "emulated")
"""Those that a draft of the embedded painter honours."""
NOT_OURS = frozenset({"fast", "turbo", "relax", "version", "v"})
"""Said to the queue or to the catalog, not to an engine."""
FOR_DRAFTS = frozenset({*DRAFTED, "ar", "stylize"})
"""All others are about the whole picture, or not honoured, and then not by half."""
SAID_AS = {"image": "iw", "style": "sref", "character": "cref", "omni": "oref", "blend": "blend"}
"""Role of a reference → the parameter it came with."""
STYLIZE, GUIDANCE = (0.0, 100.0, 1000.0), (0.5, 1.0, 2.0)
"""How strongly a caption is followed, in parts of what the model is used to."""
REPAINTED_FROM = 0.95
"""Noise level over what is repainted: a little of what lies around shines through."""


def level_of(row: Row, draft: float) -> float:
    """The noise level a row begins at."""
    if row.op is Op.TEXT_TO_IMAGE:
        return draft or 1.0
    if row.op is Op.INPAINT and not row.strength:
        return REPAINTED_FROM
    return max(0.05, math.sqrt(min(1.0, row.strength)))  # the first half of the noise hides little


def levels_of(row: Row, facts: Facts, draft: float) -> tuple[float, ...]:
    quality = number(row.params, "quality", 1) * (0.5 if row.params.get("draft") else 1)
    steps = max(1, round(facts.steps * quality))
    return levels(steps, start=level_of(row, draft), stop=number(row.params, "stop", 100) / 100)


def plan_of(row: Row, model: FlowModel, draft: float) -> Plan:
    segments = [(text, weight) for text, weight in row.segments if weight] or [(row.text, 1.0)]
    total = sum(weight for _, weight in segments)
    whole = total if total > 0 else sum(abs(weight) for _, weight in segments)
    stylize = float(np.interp(number(row.params, "stylize", 100), STYLIZE, GUIDANCE))
    return Plan(
        levels=levels_of(row, model.facts, draft),
        caption=model.read([", ".join(row.negative), *(text for text, _ in segments)]),
        weights=tuple(weight / whole for _, weight in segments),
        guidance=model.facts.guidance * stylize,
    )


def draft_row(row: Row, shape: tuple[int, int]) -> Row:
    """What the embedded painter is asked for: the same picture, small, twice as fine as it is looked at."""
    height, width = (2 * PATCH * length for length in shape)
    params = {name: value for name, value in row.params.items() if name in FOR_DRAFTS}
    return replace(row, width=width, height=height, params=params, references=())


def applied(row: Row, *, drafted: bool) -> dict[str, str]:
    """What of the request has an effect here, and how."""
    known = HONOURED | (DRAFTED if drafted else {})
    found = {name: known[name] for name, value in row.params.items() if name in known and value not in (None, False)}
    if row.negative:
        found["no"] = known["no"]
    if drafted and row.model.startswith("niji"):
        found["niji"] = known["niji"]
    return found


def degraded(row: Row, facts: Facts, drafted: RowResult | None) -> tuple[str, ...]:
    """What of it has none. A draft knows what it understood; without one, words never learned from are named."""
    known = {*HONOURED, *NOT_OURS, *(DRAFTED if drafted else ())}
    asked = (name for name, value in row.params.items() if value not in (None, False, (), ""))
    references = (SAID_AS[reference.role] for reference in row.references)
    unmet = dict.fromkeys(f"parameter:{name}" for name in (*asked, *references) if name not in known)
    said = [item for item in drafted.degraded if not item.startswith("parameter:")] if drafted else unread(row, facts)
    return (*unmet, *said)


def unread(row: Row, facts: Facts) -> list[str]:
    texts = [text for text, _ in row.segments] or [row.text]
    words = dict.fromkeys(word for text in texts for word in words_of(text))
    return [f"word:{word}" for word in words if word not in facts.words]


def number(params: Mapping[str, Any], name: str, default: float) -> float:
    value = params.get(name)
    return default if value is None else float(value)
