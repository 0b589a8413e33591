"""What is said to the model: the parts of a prompt with their weights, and what is to be kept out of the picture.

A model without guidance has no negative prompt. There, what must not be seen is said in words where the text encoder is
a language model, or a few early steps are guided after all, or nothing is done; which of them is told.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from brushwork.engines.base import Op
from brushwork.engines.diffusion.plan import Words
from brushwork.engines.diffusion.planning import styles
from brushwork.engines.diffusion.planning.case import Case
from brushwork.engines.diffusion.planning.drawing import Drawing
from brushwork.engines.diffusion.planning.guided import off_of
from brushwork.engines.diffusion.planning.schedule import Schedule

Way = Literal["guidance", "early", "words", "none"]
"""How something is kept out: by a negative prompt, by one in the first steps only, by saying so, or not at all."""
UNGUIDED: Mapping[str, Way] = {"flux2": "words", "pipe": "words"}
"""Family → how a model that is not guided keeps something out; the others guide their first steps."""
EARLY_GUIDANCE = 1.0
"""Above where guidance is off: twice as far from the negative prompt as without."""
EARLY_SHARE, EARLY_MOST = 0.375, 3
"""Of the drawn steps, and steps, that are guided so: the ones in which things take their places."""
STYLED_FROM = 50
"""With a lower `--stylize`, the profile's own words are left out."""


@dataclass(frozen=True)
class Said:
    """Texts and guidance of a plan."""

    texts: tuple[Words, ...]
    negative: str = ""
    guidance: float = 0.0
    guidance_end: int = 0
    applied: Mapping[str, str] = field(default_factory=dict)
    degraded: tuple[str, ...] = ()


def said_of(case: Case, drawing: Drawing, schedule: Schedule) -> Said:
    """All that the model reads, for this drawing."""
    parts, pushed = segments_of(case)
    heard = case.row.negative if case.heeds("no") else ()
    unheard = () if heard else case.row.negative
    unwanted = tuple(dict.fromkeys([*heard, *pushed]))
    way = way_of(case)
    without = f"without {', '.join(unwanted)}" if unwanted and way == "words" else ""
    after = [*drawing.after, *style_words(case), own_words(case), without]
    texts = tuple(Words(joined(drawing.before, text, after), weight) for text, weight in parts)
    applied: dict[str, str] = {}
    unweighed: tuple[str, ...] = ()
    if len(case.row.segments) > 1 and case.model.family == "pipe":
        unweighed = ("weights",)
    elif len(parts) > 1:
        applied["weights"] = "native" if case.is_guided else "emulated"
    if case.row.negative and not unheard and way != "none":
        applied["no"] = "native" if way == "guidance" else "emulated"
    lost = unwanted if way == "none" else unheard
    guidance, guidance_end = guidance_of(case, schedule, early=bool(unwanted) and way == "early")
    return Said(
        texts,
        negative=negative_of(case, unwanted, way),
        applied=applied,
        degraded=(*unweighed, *(f"negative:{term}" for term in lost)),
        guidance=guidance,
        guidance_end=guidance_end,
    )


def segments_of(case: Case) -> tuple[list[tuple[str, float]], list[str]]:
    """Texts and weights, as shares of the positive ones, and what the generic pipeline can only be told to avoid."""
    kept = [(text, weight) for text, weight in case.row.segments if weight] or [(case.row.text, 1.0)]
    if case.model.family == "pipe":  # it reads one text
        positive = ", ".join(text for text, weight in kept if weight > 0)
        return [(positive, 1.0)], [text for text, weight in kept if weight < 0]
    whole = math.fsum(weight for _, weight in kept if weight > 0) or 1.0
    return [(text, weight / whole) for text, weight in kept], []


def way_of(case: Case) -> Way:
    """How this model keeps something out of a picture, as its catalog entry says, if it is guided at all."""
    if case.model.negative == "native" and case.is_guided:
        return "guidance"
    if case.model.negative == "none":
        return "none"
    return UNGUIDED.get(case.model.family, "early")


def negative_of(case: Case, unwanted: tuple[str, ...], way: Way) -> str:
    usual = case.profile.negative if way == "guidance" and not case.is_raw else ""
    terms = unwanted if way in ("guidance", "early") else ()
    return ", ".join(term for term in (usual, *terms) if term)


def guidance_of(case: Case, schedule: Schedule, *, early: bool) -> tuple[float, int]:
    """The guidance scale, and one past the last guided step; 0 when it does not end."""
    if case.is_guided:
        usual = case.profile.guidance
        off, most = off_of(case.model.family), max(usual, case.model.guidance.most)
        return min(most, max(off + 0.1, usual * stylize_factor(case))), 0
    off = off_of(case.model.family)
    if not early:
        return min(off, case.profile.guidance), 0
    guided = max(1, min(EARLY_MOST, round(EARLY_SHARE * schedule.drawn)))
    return off + EARLY_GUIDANCE, schedule.start + guided


def stylize_factor(case: Case) -> float:
    """1 at the usual 100; the more style is asked for, the less strictly the words are followed."""
    return (1.25 - 0.5 * case.number("stylize") / 1000) / 1.2


def own_words(case: Case) -> str:
    """The profile's."""
    return "" if case.is_raw or case.number("stylize") < STYLED_FROM else case.profile.suffix


def style_words(case: Case) -> list[str]:
    """Of numeric `--sref` codes, the heaviest first; with `--sw 0` none."""
    if case.row.params.get("sw") == 0 or case.row.op in (Op.UPSCALE, Op.ENHANCE):
        return []
    codes = [item for item in style_codes(case) if item[1] > 0]
    return [styles.words_of(code) for code, _ in sorted(codes, key=lambda item: -item[1])]


def style_codes(case: Case) -> list[tuple[int, float]]:
    """(code, weight) of the style codes that are left in the parameters: the pictures have become references.

    `random` is a code that follows from the seed, so a grid has one style, and a repetition the same.
    """
    items = case.row.params.get("sref") or ()
    return [(item.code or styles.chosen(case.row.seed), item.weight) for item in items if not item.url]


def joined(before: str, text: str, after: list[str]) -> str:
    """An instruction, the prompt, and what is added to it."""
    words = ", ".join(part for part in (text.strip().rstrip(","), *after) if part)
    return " ".join(part for part in (before, words) if part)
