"""Which of the installed video models draws a clip: the one that can do most of what is asked, else the first."""

from collections.abc import Collection, Iterator

from brushwork.engines.base import Op, Row
from brushwork.engines.catalog.model import Model
from brushwork.engines.diffusion.video.facts import FILM_FAMILIES, FilmFacts
from brushwork.errors import Unavailable

LAST_FRAME_ONLY = "motion_not_continued"
"""The model saw where things were at the end of the clip before, not where they were going."""


def facts_of(model: Model) -> FilmFacts:
    return FILM_FAMILIES[model.family]


def can_film(model: Model, op: Op) -> bool:
    return not model.ops or op in model.ops


def film_model_for(row: Row, installed: Collection[Model], *, known: Collection[Model] = ()) -> Model:
    """`installed` and `known` are video models, best first. Raises Unavailable, and says what could be pulled."""
    able = [model for model in installed if can_film(model, row.op) and can_begin(model, row)]
    if not able:
        names = ", ".join(model.name for model in known if can_film(model, row.op) and can_begin(model, row))
        pull = f" Pull one of these with `brushwork models pull NAME`: {names}." if names else ""
        raise Unavailable(f"No installed model makes clips ({row.op.value}).{pull}")
    return min(able, key=lambda model: len(list(unmet_by(model, row))))


def can_begin(model: Model, row: Row) -> bool:
    return row.source is not None or row.clip is None or facts_of(model).begins == "words_alone"


def unmet_by(model: Model, row: Row) -> Iterator[str]:
    """What of the row the model would leave aside in silence, as in `RowResult.degraded`."""
    facts, clip = facts_of(model), row.clip
    if clip is None:
        return
    if clip.loop and not facts.last:
        yield "parameter:loop"
    if clip.end is not None and not facts.last:
        yield "parameter:end"
    if clip.before is not None and facts.head == 1:
        yield LAST_FRAME_ONLY
