"""New pictures with references: an image prompt gives colours, light and layout, a style reference its colours and
brushwork, a character or omni reference its subject. Pictures of ours give what their Scene knows besides.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from brushwork.engines.base import Reference, Row
from brushwork.engines.diorama.drawing import Figure, as_colours, paint_shot
from brushwork.engines.diorama.follow import pixels
from brushwork.engines.diorama.follow.cutout import cut_out, figure_of
from brushwork.engines.diorama.follow.plane import around, groups
from brushwork.engines.diorama.layout.compose import compose
from brushwork.engines.diorama.looks import brushes
from brushwork.engines.diorama.noise import Field
from brushwork.engines.diorama.params import knobs_of
from brushwork.engines.diorama.recipe import natural_shot, recipe_of, shot_hinted
from brushwork.engines.diorama.rows import Made, OnPass, understood, words
from brushwork.engines.diorama.scene import Scene, Subject
from brushwork.engines.diorama.words.forbidden import forbid
from brushwork.engines.diorama.words.lexicon import concepts
from brushwork.engines.diorama.words.reading import Mention, Understanding

ALIVE = frozenset({"person", "animal", "bird", "fish"})
STAND_IN = "woman"
"""Keeps a cut-out's place while the picture is arranged."""
PARAMETERS = {
    "image": ("iw",),
    "style": ("sref", "sw"),
    "character": ("cref", "cw"),
    "omni": ("oref", "ow"),
}
"""Role → the prompt parameters that it answers."""


@dataclass(frozen=True)
class Newcomer:
    """The subject of a reference: what our painter drew, or a cut-out."""

    reference: Reference
    drawn: Subject | None = None
    cut: Field | None = None
    """(h, w, 4) premultiplied."""

    @property
    def concept(self) -> str:
        return self.drawn.concept if self.drawn else STAND_IN


def referred(row: Row, tell: OnPass) -> Made:
    """A new picture of the row's words that is like its references."""
    newcomers, missed = subjects_of(by_role(row, "character", "omni"))
    knobs = knobs_of(row.params, row.model)
    asked = with_subjects(with_contents(understood(row), row), newcomers)
    names, _ = forbid(row.negative)
    common = math.gcd(row.width, row.height)
    scene = compose(
        asked,
        knobs=knobs,
        seed=row.seed,
        index=row.index,
        aspect=(row.width // common, row.height // common),
        forbidden=frozenset(names),
    )
    scene, figures = dressed(scene, newcomers)
    shot = natural_shot(scene, row.width, row.height, exp=knobs.exp, detail=0.6 if knobs.draft else 1.0)
    picture = paint_shot(shot, figures=figures, on_pass=tell)
    own = pixels.statistics(picture)
    picture, is_laid = in_layout(picture, by_role(row, "image"))
    picture, is_styled = in_manner(picture, by_role(row, "style"))
    grade = None if is_laid or is_styled else shot.grade
    if is_laid or is_styled:  # what a wider window of this picture is graded by
        grade = pixels.grade_towards(own, pixels.statistics(picture), 1.0)
    recipe = recipe_of(replace(shot, grade=grade), words=words(row), pixels=bool(figures) or is_laid or is_styled)
    met = {role for role in PARAMETERS if by_role(row, role)} - missed
    applied = {name: "emulated" for role in met for name in asked_for(row, role)}
    degraded = tuple(f"parameter:{name}" for role in sorted(missed) for name in PARAMETERS[role][:1])
    return Made(picture, recipe, applied, degraded)


def by_role(row: Row, *roles: str) -> tuple[Reference, ...]:
    return tuple(reference for reference in row.references if reference.role in roles)


def asked_for(row: Row, role: str) -> tuple[str, ...]:
    """The role's own parameter, and its weight where the row has it."""
    first, *rest = PARAMETERS[role]
    return (first, *(name for name in rest if row.params.get(name) is not None))


def share_of(weight: float, *, half: float) -> float:
    """0-1 of a weight without an upper end; a half at weight `half`."""
    return float(1 - 0.5 ** (max(weight, 0.0) / half))


# ---------------------------------------------------------------- contents


def with_contents(asked: Understanding, row: Row) -> Understanding:
    """What image prompts and style references of ours are known to show, where the words leave it open."""
    for reference in by_role(row, "image"):
        shot = shot_hinted(reference.source.recipe)
        if shot and reference.weight >= 0.5:
            known = shot.scene
            mentions = asked.mentions or tuple(mentions_in(known))
            asked = replace(
                asked, mentions=mentions, place=asked.place or known.place, time=asked.time or known.time,
                weather=asked.weather or known.weather, season=asked.season or known.season,
            )  # fmt: skip
    for reference in by_role(row, "style"):
        shot = shot_hinted(reference.source.recipe)
        if shot and reference.weight >= 0.3 and shot.scene.style != "none":
            asked = replace(asked, style=asked.style or shot.scene.style)
    return asked


def mentions_in(scene: Scene) -> Iterable[Mention]:
    """Its subjects as words would ask for them."""
    kinds = list(dict.fromkeys((s.concept, s.colour) for s in scene.subjects if s.concept != "rock"))
    for concept, colour in kinds:
        count = sum((s.concept, s.colour) == (concept, colour) for s in scene.subjects)
        yield Mention(concept, count=count, colour=colour)


def subjects_of(references: Iterable[Reference]) -> tuple[list[Newcomer], set[str]]:
    """The subject of each reference, and the roles of those in which none was found."""
    found: list[Newcomer] = []
    missed: set[str] = set()
    for reference in references:
        shot = shot_hinted(reference.source.recipe)
        if shot and shot.scene.subjects:
            group = max(groups(shot.scene), key=lambda group: around(group, shot.scene).height)
            hero = max(group, key=lambda subject: (concepts()[subject.concept].kind in ALIVE, subject.height))
            found.append(Newcomer(reference, drawn=hero))
            continue
        cut = cut_out(reference.source.image)
        if cut is None:
            missed.add(reference.role)
        else:
            found.append(Newcomer(reference, cut=cut))
    return found, missed


def with_subjects(asked: Understanding, newcomers: list[Newcomer]) -> Understanding:
    """The newcomers take the parts of those who live in the words, or come beside."""
    mentions = list(asked.mentions)
    free = [n for n, mention in enumerate(mentions) if concepts()[mention.concept].kind in ALIVE]
    for newcomer in newcomers:
        colour = newcomer.drawn.colour if newcomer.drawn else None
        if free:
            place = free.pop(0)
            mentions[place] = replace(mentions[place], concept=newcomer.concept, colour=colour, count=1)
        else:
            mentions.insert(0, Mention(newcomer.concept, colour=colour))
    return replace(
        asked, mentions=tuple(mentions), relations=asked.relations if len(mentions) == len(asked.mentions) else ()
    )


def dressed(scene: Scene, newcomers: list[Newcomer]) -> tuple[Scene, list[Figure]]:
    """The Scene with each newcomer as its reference shows it; cut-outs leave it and come as figures."""
    subjects, figures = list(scene.subjects), []
    for newcomer in newcomers:
        at = next((n for n, subject in enumerate(subjects) if subject.concept == newcomer.concept), None)
        if at is None:
            continue
        if newcomer.cut is not None:
            place = subjects.pop(at)
            figures.append(figure_of(newcomer.cut, place, replace(scene, subjects=())))
        elif newcomer.drawn and newcomer.drawn.artwork:
            subjects[at] = replace(subjects[at], artwork=newcomer.drawn.artwork)
    return replace(scene, subjects=tuple(subjects)), figures


# ---------------------------------------------------------------- colours, light, brushwork


def in_layout(picture: Field, references: tuple[Reference, ...]) -> tuple[Field, bool]:
    """Drawn towards the colours and broad forms of the image prompts; and whether it was."""
    height, width = picture.shape[:2]
    for reference in references:
        share = share_of(reference.weight, half=1.0)
        guide = pixels.covering(as_colours(reference.source.image), width, height)
        grade = pixels.grade_towards(pixels.statistics(picture), pixels.statistics(guide), share)
        picture = pixels.in_light_of(
            pixels.regraded(picture, grade), guide, 0.85 * share, sigma=min(height, width) / 14
        )
    return picture, bool(references)


def in_manner(picture: Field, references: tuple[Reference, ...]) -> tuple[Field, bool]:
    """In the colours of the style references, and as fine or as broad as they are painted; and whether it was."""
    for reference in references:
        share = share_of(reference.weight, half=0.6)
        guide = as_colours(reference.source.image)
        grade = pixels.grade_towards(pixels.statistics(picture), pixels.statistics(guide), share)
        picture = worked_like(pixels.regraded(picture, grade), guide, share)
    return picture, bool(references)


def worked_like(picture: Field, guide: Field, share: float) -> Field:
    """With as much of the finest and of the middle detail as the guide has: smooth, or grainy and rough."""
    guide = pixels.covering(guide, picture.shape[1], picture.shape[0])
    unit = brushes.unit_of(picture)
    out = picture
    for near, far in ((0.0, 1.6), (1.6, 7.0)):
        mine, theirs = band(out, near * unit, far * unit), band(guide, near * unit, far * unit)
        ratio = float(np.abs(theirs).mean() / max(float(np.abs(mine).mean()), 1e-4))
        out = out + mine * np.float32((np.clip(ratio, 0.35, 2.2) - 1) * share)
    return np.asarray(np.clip(out, 0, 1), np.float32)


def band(picture: Field, near: float, far: float) -> Field:
    return np.asarray(brushes.blurred(picture, near) - brushes.blurred(picture, max(far, 0.4)), np.float32)
