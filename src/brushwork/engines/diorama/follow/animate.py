"""A picture that comes to life, and a clip that goes on.

The painter's own pictures move in their Scene: its clock runs, the camera travels. Whatever else there is gets layers
by how near it is, and snow, rain or flickering light where its words or its looks ask for them. No model here has
learnt how things move; that is said. What a later row needs to go on is in the recipe; time is counted from the frame
that shows the still picture, the *anchor*.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from PIL import Image

from brushwork.engines.base import Clip, Frame, Motion, Row, RowResult, Sink, Source
from brushwork.engines.diorama.follow.shown import as_asked
from brushwork.engines.diorama.motion.course import (
    STANDING,
    TAKES,
    Course,
    Take,
    ThroughPicture,
    ThroughScene,
    Turn,
    joining,
    towards,
    turning,
    way_of,
)
from brushwork.engines.diorama.motion.still import Air, Drift, drift_of
from brushwork.engines.diorama.recipe import VERSION, Shot, natural_shot, recipe_of, shot_of
from brushwork.engines.diorama.rows import Segments, scene_for, source_of, understood, words
from brushwork.engines.diorama.scene import natural_view
from brushwork.engines.diorama.words.reading import Understanding
from brushwork.errors import InvalidField

APPLIED = {"motion": "native", "loop": "native", "end": "emulated", "raw": "emulated", "bs": "native"}
NO_MODEL = "no_video_model"
BELIEVED = 0.75
"""Least probability of a weather or an hour that a picture from outside is taken to have."""
FALLING: Mapping[str, Air] = {"snow": "snow", "rain": "rain", "storm": "rain"}
SHINING = frozenset({"dawn", "golden_hour", "sunset", "dusk", "night", "midnight"})
TURNS = ("time", "weather", "season", "palette", "style")
"""What of a Scene can become something else while it moves."""
STILL_CAMERA = re.compile(
    r"\b(?:(?:static|still|fixed|locked|motionless) (?:camera|shot)|no camera (?:movement|motion))"
)
SOMEWHERE = re.compile(
    r"\b(?:pan|move|moving|slide|sliding|truck|track|tilt|drift|travel|glide|gliding|crane)(?:s|ning|ing)?"
    r"(?: (?:the )?(?:camera|shot|slowly|gently|smoothly))* (?:to the )?(left|right|up|down|upwards?|downwards?)\b"
)
COMES_DOWN: Mapping[Air, re.Pattern[str]] = {
    "snow": re.compile(r"\b(?:snow(?:s|ing|fall|flakes)?|blizzard)\b"),
    "rain": re.compile(r"\b(?:rain(?:s|ing|fall|drops)?|drizzle|downpour)\b"),
}
CAMERA_WORDS = frozenset({
    "pan", "pans", "panning", "move", "moves", "moving", "slide", "slides", "truck", "trucks", "left", "right",
    "static", "still", "fixed", "locked", "motionless", "camera", "shot", "slow", "slowly", "gentle", "gently",
    "smooth", "smoothly", "zoom", "zooms", "zooming", "push", "pushes", "in", "dolly", "cinematic", "epic", "movement",
    "motion", "animate", "animated", "animation", "video", "clip", "loop", "looping", "seamless",
})  # fmt: skip
"""Words of a prompt that are about the camera, which moves anyway."""
PAN_WORDS = frozenset({
    "sliding", "trucking", "track", "tracks", "tracking", "tilt", "tilts", "tilting", "drift", "drifts", "drifting",
    "travel", "travels", "glide", "glides", "gliding", "crane", "cranes", "up", "down", "upward", "upwards", "downward",
    "downwards",
})  # fmt: skip
"""Further ones, of a clip that goes where they say."""
LEAST_PAN = 0.6
"""Share of the usual way that any clip of a job goes in the direction it was told."""


@dataclass(frozen=True)
class Way:
    """How a clip moves: all that a later one needs to go on in the same way. Plain JSON as `asdict`."""

    motion: Motion = "low"
    aside: float = 1.0
    ahead: float = 1.0
    side: float = 0.0
    """Where the words want it to go: -1 left, 1 right."""
    rise: float = 0.0
    """-1 up, 1 down: only a picture that no Scene describes can go there."""
    period: float | None = None
    anchor: int = 0
    """The frame of the whole clip that shows the still picture."""
    turns: tuple[Turn, ...] = ()
    air: Air | None = None
    glows: bool = False


@dataclass(frozen=True)
class Picture:
    """What moves: a Shot of ours, or pixels."""

    shot: Shot | None
    pixels: Image.Image | None = None

    @property
    def recipe(self) -> Mapping[str, Any] | None:
        return recipe_of(self.shot) if self.shot else None


def animated(row: Row, sink: Sink, *, workers: int) -> RowResult:
    """Make the frames of a row and hand them to its clip. Raises RowCancelled between two frames."""
    clip = clip_of(row)
    total = clip.before.count if clip.before else 0
    picture, way = gone_on(row, clip) if clip.before else begun(row, clip)
    stretch = (
        Stretch(clip.frames, clip.fps, 0) if clip.before is None else Stretch(clip.frames + 1, clip.fps, total - 1)
    )
    frames, picture, way, degraded = planned(row, stretch, picture, way, workers)
    if clip.before is not None:
        frames = joining(np.asarray(source_of(row).image.convert("RGB")), frames)
    first: Image.Image | None = None
    for number, frame in enumerate(frames):
        sink.step(row, number, clip.frames)
        if first is None:
            first = Image.fromarray(frame)
            sink.preview(row, first)
        clip.write(frame)
    sink.step(row, clip.frames, clip.frames)
    assert first is not None
    return RowResult(
        row.index,
        first,
        applied={name: how for name, how in APPLIED.items() if row.params.get(name)},
        degraded=(*degraded, *unknown_parameters(row), NO_MODEL),
        recipe=recipe_for(row, picture, way),
    )


def clip_of(row: Row) -> Clip:
    if row.clip is None:
        raise InvalidField("clip", f"{row.op.value} needs to know of its frames.")
    return row.clip


def unknown_parameters(row: Row) -> tuple[str, ...]:
    return tuple(f"parameter:{name}" for name, value in row.params.items() if value and name not in {*APPLIED, "video"})


def recipe_for(row: Row, picture: Picture, way: Way) -> dict[str, Any]:
    moves = {**way.__dict__, "turns": [list(turn) for turn in way.turns], "of": picture.recipe}
    return {
        "engine": "diorama", "version": VERSION, "width": row.width, "height": row.height, "model": row.model,
        "words": [list(pair) for pair in words(row)], "clip": moves,
    }  # fmt: skip


# ---------------------------------------------------------------- what moves, and how


def begun(row: Row, clip: Clip) -> tuple[Picture, Way]:
    """The picture of a new clip, and its way: another one for each clip of a job."""
    if row.source is None:
        picture = Picture(natural_shot(scene_for(row), row.width, row.height))
    else:
        picture = picture_of(row.source)
    take = TAKES[row.index % len(TAKES)]
    side, rise = direction_of(row)
    if STILL_CAMERA.search(row.text.lower()):
        take, side, rise = STANDING, 0.0, 0.0
    if row.params.get("raw"):
        take = Take(take.aside * 0.6, take.ahead * 0.6)
    period = round((clip.frames - 1) / clip.fps, 6) if clip.loop else None  # as exact as the clock
    way = Way(clip.motion, take.aside, take.ahead, side, period=period)
    if picture.pixels is not None:
        way = with_light_and_air(replace(way, rise=rise), row, picture.pixels)
    return picture, way


def gone_on(row: Row, clip: Clip) -> tuple[Picture, Way]:
    """The picture and the way of the clip that a row goes on from, as its recipe has them."""
    assert clip.before is not None
    recipe = (row.source.recipe if row.source else None) or {}
    told = recipe.get("clip") if recipe.get("engine") == "diorama" and recipe.get("version") == VERSION else None
    if not told:  # of another engine: its last frame is the still picture
        return Picture(None, source_of(row).image), Way(clip.motion, anchor=clip.before.count - 1)
    way = Way(**{name: told[name] for name in Way.__dataclass_fields__ if name in told})
    way = replace(way, turns=tuple((float(t), float(aside), float(ahead)) for t, aside, ahead in way.turns))
    other = turn_of(row)
    if other is not None:  # the first clip goes on as it did
        now = (clip.before.count - way.anchor) / clip.fps
        way = replace(way, turns=(*way.turns, (now, other.aside, other.ahead)))
    shot = shot_of(told["of"])
    if shot:
        return Picture(shot), way
    anchor = next(clip.before.frames(way.anchor, way.anchor + 1))
    return Picture(None, Image.fromarray(anchor)), way


def turn_of(row: Row) -> Take | None:
    """Where the camera turns to in a clip that goes on: another way for each clip of a job but the first."""
    return TAKES[row.index % len(TAKES)] if row.index % len(TAKES) else None


def picture_of(source: Source) -> Picture:
    """A Shot where the whole Scene is to be seen as it would be painted; pixels else."""
    shot = shot_of(source.recipe)
    if shot and shot.grade is None and shot.view == natural_view(shot.scene, shot.view.width, shot.view.height):
        return Picture(shot)
    return Picture(None, source.image)


def direction_of(row: Row) -> tuple[float, float]:
    """To the right and down, -1..1; (0, 0) when the words do not say."""
    said = SOMEWHERE.search(row.text.lower())
    if said is None:
        return 0.0, 0.0
    return {"left": (-1.0, 0.0), "right": (1.0, 0.0), "up": (0.0, -1.0), "down": (0.0, 1.0)}[said[1].split("ward")[0]]


def falling(text: str) -> Air | None:
    """What comes down from the sky, by the words: a still picture with snow in it shows snow that lies."""
    return next((air for air, words in COMES_DOWN.items() if words.search(text.lower())), None)


def with_light_and_air(way: Way, row: Row, pixels: Image.Image) -> Way:
    """What falls through the air, and whether lights flicker: by the words, else by what is to be seen."""
    asked = understood(row)
    weather, time = falling(row.text) or asked.weather, asked.time
    if not row.params.get("raw") and not (weather and time):
        from brushwork.engines.tools.tags import recognise  # brings the networks along

        seen = recognise(pixels)
        weather = weather or (seen.weather[0] if seen.weather[1] >= BELIEVED else None)
        time = time or (seen.time[0] if seen.time[1] >= BELIEVED or seen.light.brightness < 0.25 else None)
    return replace(way, air=FALLING.get(weather or ""), glows=time in SHINING)


# ---------------------------------------------------------------- frames


Planned = tuple[Iterator[Frame], Picture, Way, tuple[str, ...]]
"""The frames; the picture and the way on which the clip ends; what was not honoured."""


@dataclass(frozen=True)
class Stretch:
    """Which frames are drawn."""

    count: int
    fps: int
    first: int
    """Its number in the whole clip."""

    @property
    def last(self) -> int:
        return self.first + self.count - 1


def planned(row: Row, stretch: Stretch, picture: Picture, way: Way, workers: int) -> Planned:
    """The frames of a stretch."""
    clip, count, fps = clip_of(row), stretch.count, stretch.fps
    start = (stretch.first - way.anchor) / fps
    course = course_of(row, picture, way, workers)
    end = end_of(clip)
    if end is not None:
        back = replace(
            way, period=None, anchor=stretch.last, air=None, aside=-way.aside, side=-way.side, rise=-way.rise
        )
        frames = towards(course, course_of(row, end, back, workers), count=count, fps=fps, start=start)
        return frames, end, back, untold(row, None)
    turned = turned_into(row, picture)
    if turned is not None and not clip.loop:
        into = course_of(row, turned, way, workers, like=picture)
        frames = turning(course, into, count=count, fps=fps, start=start)
        return frames, turned, way, untold(row, turned)
    times = [start + number / fps for number in range(count)]
    return course.frames(times), picture, way, untold(row, picture if row.source is None else None, way)


def course_of(row: Row, picture: Picture, way: Way, workers: int, *, like: Picture | None = None) -> Course:
    """The way through a picture; `like`: the camera of another picture's."""
    take = Take(way.aside, way.ahead)
    if picture.shot:
        seen = like.shot if like and like.shot else picture.shot
        return ThroughScene(
            picture.shot.scene,
            row.width,
            row.height,
            way_of(seen.scene, way.motion, take, turns=way.turns, period=way.period, side=way.side),
            period=way.period,
            exp=picture.shot.exp,
            detail=picture.shot.detail,
            workers=workers,
        )
    assert picture.pixels is not None
    if way.side:
        take = replace(take, aside=abs(take.aside) * way.side)
    return ThroughPicture(drift_through(picture.pixels, row, way), take, way.turns)


def drift_through(pixels: Image.Image, row: Row, way: Way) -> Drift:
    from brushwork.engines.tools.depth import nearness
    from brushwork.engines.tools.matting import matte

    image = pixels.convert("RGB")
    if image.size != (row.width, row.height):
        image = image.resize((row.width, row.height), Image.Resampling.LANCZOS)
    share = max(abs(way.aside), LEAST_PAN)
    return drift_of(
        np.asarray(image),
        as_layers(nearness(image), matte(image)),
        motion=way.motion,
        period=way.period,
        air=way.air,
        glows=way.glows,
        pan=(way.side * share, way.rise * share),
    )


def as_layers(near: np.ndarray[Any, Any], alpha: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Nearness with the subject as one layer before the rest, so that it does not bend while one passes it."""
    inside = alpha > 0.5
    if not 0.002 < float(inside.mean()) < 0.9:
        return near
    subject = np.float32(np.quantile(near[inside], 0.7))
    return np.asarray(near * (1 - alpha) + np.maximum(subject, 0.6 * near + 0.4 * subject) * alpha, np.float32)


def end_of(clip: Clip) -> Picture | None:
    """The picture that the last frame shows, where one is asked for."""
    if clip.end is not None:
        return picture_of(clip.end)
    if clip.loop and clip.before is not None:
        return Picture(None, Image.fromarray(next(clip.before.frames(0, 1))))
    return None


# ---------------------------------------------------------------- words


def turned_into(row: Row, picture: Picture) -> Picture | None:
    """The picture as the row's words want it, where they want another hour or weather and a Scene can have it."""
    if picture.shot is None or row.source is None or words(row) == told_before(row):
        return None
    scene = picture.shot.scene
    asked = replace(understood(row), place=None)
    asked = replace(asked, weather=falling(row.text) or asked.weather)
    new = as_asked(scene, asked)
    changed = {name: getattr(new, name) for name in TURNS if getattr(new, name) != getattr(scene, name)}
    return Picture(replace(picture.shot, scene=replace(scene, **changed))) if changed else None


def told_before(row: Row) -> Segments:
    """The words that made what the row starts from."""
    recipe = (row.source.recipe if row.source else None) or {}
    return tuple((str(text), float(weight)) for text, weight in recipe.get("words", ()))


def untold(row: Row, shown: Picture | None, way: Way | None = None) -> tuple[str, ...]:
    """The words that the clip does not show, as `degraded` names them."""
    if not words(row) or words(row) == told_before(row):
        return ()
    asked = understood(row)
    heeded = CAMERA_WORDS | PAN_WORDS if way and (way.side or way.rise) else CAMERA_WORDS
    unknown = [word for word in asked.unknown if not heeded.issuperset(word.split())]
    if row.source is None:
        return (*(f"word:{word}" for word in unknown), *(f"place:{name}" for name in asked.left_out))
    named = [mention.concept for mention in asked.mentions if mention.concept not in heeded]
    things = [concept for concept in named if not is_in(concept, shown, row)]
    turns = (
        [] if shown else [value for name in TURNS if (value := getattr(asked, name)) and not falls(name, asked, way)]
    )
    return tuple(f"word:{word.replace('_', ' ')}" for word in dict.fromkeys((*unknown, *things, *turns)))


def falls(name: str, asked: Understanding, way: Way | None) -> bool:
    """Whether the weather that was asked for comes down in a picture of pixels."""
    if way is None or way.air is None:
        return False
    return (name == "weather" and FALLING.get(asked.weather or "") == way.air) or (
        name == "season" and way.air == "snow"
    )


def is_in(concept: str, shown: Picture | None, row: Row) -> bool:
    """Whether a subject that the words name is one that the picture has."""
    shot = (shown.shot if shown else None) or (shot_of(row.source.recipe) if row.source else None)
    return shot is not None and any(subject.concept == concept for subject in shot.scene.subjects)
