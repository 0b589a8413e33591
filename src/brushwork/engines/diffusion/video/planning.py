"""A row of a clip into a plan: sizes, words, times, and the truth about what was asked for. Knows no torch."""

from collections.abc import Mapping
from dataclasses import replace
from math import ceil

import numpy as np
from PIL import Image

from brushwork.engines.base import Clip, Frame, Motion, Row
from brushwork.engines.catalog.model import FILM, Model, Profile
from brushwork.engines.diffusion.planning.seeds import seed_of
from brushwork.engines.diffusion.video.choosing import facts_of, unmet_by
from brushwork.engines.diffusion.video.facts import FilmFacts
from brushwork.engines.diffusion.video.plan import FilmPlan
from brushwork.engines.diffusion.video.timing import Timing, frames_at, head_places, timing_of
from brushwork.errors import InvalidField

MOVES: Mapping[Motion, str] = {
    "low": "slow, subtle movement, steady camera",
    "high": "fast, large movement, dynamic camera",
}
"""Said after the prompt, except with --raw."""
SHIFTS: Mapping[Motion, float] = {"low": 1.0, "high": 1.6}
"""Times the usual shift of the size, except with --raw."""
SHIFT_SMALL, SHIFT_LARGE = 3.0, 5.0
"""Usual shifts of a Wan model, below and from `LARGE_SIDE` on."""
LARGE_SIDE = 600
"""Pixels of the shorter side."""
SETTLED = frozenset({"video", "seed", "ar", "fast", "turbo"})
"""Parameters that tasks settle, or that say nothing."""
BLENDED = "frames_blended"
"""The model draws fewer frames a second than the clip has; those between are blended."""
ENLARGED = "frames_enlarged"
"""The model draws no frames as large as the clip's."""


def profile_of(model: Model) -> Profile:
    return model.profiles.get(FILM) or Profile(FILM, int(model.steps.usual), model.guidance.usual)


def plan_film(row: Row, model: Model) -> FilmPlan:
    """Raises InvalidField where the row is none of a clip."""
    clip = clip_of(row)
    facts, profile = facts_of(model), profile_of(model)
    is_raw = bool(row.params.get("raw"))
    inner, (width, height) = sizes_of(row, model, facts)
    timing = timing_for(clip, facts, has_picture=row.source is not None)
    last = last_of(clip, row) if facts.last else None
    negative = negative_of(row, profile, is_raw=is_raw)
    is_guided = profile.guidance > 1 and not model.distilled
    plan = FilmPlan(
        row=row,
        model=model.name,
        family=model.family,
        text=text_of(row, profile, clip, is_raw=is_raw),
        negative=negative if is_guided else "",
        width=width,
        height=height,
        inner=inner,
        steps=profile.steps,
        guidance=profile.guidance if is_guided else 1.0,
        shift=0.0 if is_raw else shift_of(row) * SHIFTS[clip.motion],
        seed=seed_of(row),
        timing=timing,
        head=[placed(image, inner, (width, height)) for image in head_of(row, clip, timing)],
        last=placed(last, inner, (width, height)) if last else None,
    )
    return told(plan, model, is_guided=is_guided)


def clip_of(row: Row) -> Clip:
    if row.clip is None:
        raise InvalidField("clip", f"{row.op.value} needs to know of its frames.")
    return row.clip


# ── time ──


def timing_for(clip: Clip, facts: FilmFacts, *, has_picture: bool) -> Timing:
    """The head is what the clip goes on from; a first frame that belongs to the clip is none."""
    pinned = facts.last and (clip.loop or clip.end is not None)
    head = facts.head if clip.before is not None else 0
    if clip.before is not None and not has_picture:
        raise InvalidField("source", "a clip goes on from its last frame.")
    return timing_of(wanted=clip.frames, fps=clip.fps, own_fps=facts.fps, most=facts.most, head=head, pinned=pinned)


def head_of(row: Row, clip: Clip, timing: Timing) -> list[Image.Image]:
    """The last of them is the row's source as it came: the frame that the next one follows."""
    if row.source is None:
        return []
    source = row.source.image.convert("RGB")
    if clip.before is None or timing.head < 2:
        return [source]
    count = clip.before.count
    places = head_places(count, fps=clip.fps, own_fps=timing.fps, head=timing.head)
    first = int(places[0])
    earlier = frames_at(places[:-1], clip.before.frames(first, count), first=first)
    return [*(Image.fromarray(frame) for frame in earlier), source]


def last_of(clip: Clip, row: Row) -> Image.Image | None:
    """--end wins over --loop: both cannot be."""
    if clip.end is not None:
        return clip.end.image.convert("RGB")
    if not clip.loop:
        return None
    if clip.before is not None:
        return Image.fromarray(next(iter(clip.before.frames(0, 1))))
    return row.source.image.convert("RGB") if row.source else None


# ── size ──


def sizes_of(row: Row, model: Model, facts: FilmFacts) -> tuple[tuple[int, int], tuple[int, int]]:
    """(width, height) of the picture as the model sees it, and of the whole frame that it draws."""
    scale = min(1.0, model.max_side / max(row.width, row.height))
    inner = (max(1, round(row.width * scale)), max(1, round(row.height * scale)))
    return inner, (facts.multiple * ceil(inner[0] / facts.multiple), facts.multiple * ceil(inner[1] / facts.multiple))


def placed(image: Image.Image, inner: tuple[int, int], size: tuple[int, int]) -> Image.Image:
    """The picture, top left in a frame of this size; its edges go on where it ends."""
    if image.size != inner:
        image = image.resize(inner, Image.Resampling.LANCZOS)
    right, below = size[0] - inner[0], size[1] - inner[1]
    if not (right or below):
        return image
    return Image.fromarray(np.pad(np.asarray(image), ((0, below), (0, right), (0, 0)), mode="edge"))


def finished(frame: Frame, plan: FilmPlan) -> Frame:
    """A drawn frame as the clip wants it."""
    cut = frame[: plan.inner[1], : plan.inner[0]]
    size = (plan.row.width, plan.row.height)
    if plan.inner == size:
        return np.ascontiguousarray(cut)
    return np.asarray(Image.fromarray(cut).resize(size, Image.Resampling.LANCZOS), np.uint8)


def shift_of(row: Row) -> float:
    return SHIFT_LARGE if min(row.width, row.height) >= LARGE_SIDE else SHIFT_SMALL


# ── words ──


def text_of(row: Row, profile: Profile, clip: Clip, *, is_raw: bool) -> str:
    wanted = [text for text, weight in row.segments if weight > 0 and text] or ([row.text] if row.text else [])
    said = ", ".join(wanted)
    added = [] if is_raw else [MOVES[clip.motion], profile.suffix]
    return ", ".join(part for part in (said, *added) if part)


def negative_of(row: Row, profile: Profile, *, is_raw: bool) -> str:
    unwanted = [*row.negative, *(text for text, weight in row.segments if weight < 0 and text)]
    return ", ".join(part for part in (*unwanted, "" if is_raw else profile.negative) if part)


# ── truth ──


def told(plan: FilmPlan, model: Model, *, is_guided: bool) -> FilmPlan:
    """The plan with what is honoured, and what is not."""
    row = plan.row
    unmet = list(unmet_by(model, row))
    how = {"motion": "emulated", "raw": "native", "loop": "native", "end": "native", "no": "native", "bs": "native"}
    asked = {name for name, value in row.params.items() if value not in (None, False, (), "")} | (
        {"no"} if row.negative else set()
    )
    if "raw" in asked:  # nothing is added, so nothing says how it moves
        how.pop("motion")
    if not is_guided and row.negative:
        unmet.append(f"negative:{', '.join(row.negative)}")
        how.pop("no")
    clip = clip_of(row)
    if clip.loop and clip.end is not None:
        unmet.append("parameter:loop")
    unmet += [f"parameter:{name}" for name in sorted(asked - how.keys() - SETTLED - {"no"})]
    if any(weight not in (1.0, 0.0) and weight > 0 for _, weight in row.segments):
        unmet.append("parameter:weights")
    if plan.timing.is_blended:
        unmet.append(BLENDED)
    if plan.inner != (row.width, row.height):
        unmet.append(ENLARGED)
    honoured = {name: how[name] for name in sorted(asked & how.keys()) if f"parameter:{name}" not in unmet}
    return replace(plan, applied=honoured, degraded=tuple(dict.fromkeys(unmet)))
