"""Clips of the painter: they begin with the picture, move as asked, end where they should, and go on without a jump."""

import itertools
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from brushwork.engines.base import Clip, Frame, NullSink, Op, Row, RowCancelled, RowResult, Source
from brushwork.engines.diorama.engine import DioramaEngine
from brushwork.engines.diorama.follow.animate import direction_of
from brushwork.engines.tools.video import Film, Reel, join

WIDTH, HEIGHT, FPS = 128, 96, 12
FRAMES = 20
ENGINE = DioramaEngine(workers=2)


def drawn(text: str = "a sailboat on a mountain lake at sunrise") -> Source:
    (result,) = ENGINE.run([Row(0, 7, text, WIDTH, HEIGHT, model="7")], NullSink())
    return Source(result.image, result.recipe)


@pytest.fixture(scope="module")
def own() -> Source:
    return drawn()


@pytest.fixture(scope="module")
def foreign(own: Source) -> Source:
    return Source(own.image)


def clip_row(source: Source, write: Callable[[Frame], None], text: str = "", **more: Any) -> Row:
    shaped = {"frames": FRAMES, "fps": FPS, "motion": "high", **{k: v for k, v in more.items() if k in CLIP_FIELDS}}
    rest = {name: value for name, value in more.items() if name not in CLIP_FIELDS}
    clip = Clip(write=write, **shaped)
    return Row(
        rest.pop("index", 0), 7, text, WIDTH, HEIGHT, model="video", op=Op.ANIMATE, source=source, clip=clip, **rest
    )


CLIP_FIELDS = frozenset(Clip.__dataclass_fields__) - {"write"}


def animated(source: Source, text: str = "", **more: Any) -> tuple[list[Frame], RowResult]:
    frames: list[Frame] = []
    (result,) = ENGINE.run([clip_row(source, frames.append, text, **more)], NullSink())
    return frames, result


def apart(one: Any, other: Any) -> float:
    return float(np.abs(np.asarray(one).astype(int) - np.asarray(other)).mean())


def steps(frames: list[Frame]) -> list[float]:
    return [apart(one, other) for one, other in itertools.pairwise(frames)]


@pytest.mark.parametrize("kind", ["own", "foreign"])
def test_a_clip_begins_with_the_picture_and_moves_steadily(kind: str, own: Source, foreign: Source) -> None:
    source = own if kind == "own" else foreign
    frames, result = animated(source)

    assert len(frames) == FRAMES
    assert {frame.shape for frame in frames} == {(HEIGHT, WIDTH, 3)}
    assert apart(frames[0], source.image) < 1
    assert apart(frames[0], frames[-1]) > 3
    assert max(steps(frames)) < 4 * np.median(steps(frames))
    assert "no_video_model" in result.degraded
    assert json.loads(json.dumps(result.recipe)) == result.recipe
    assert apart(result.image, frames[0]) == 0


@pytest.mark.parametrize("kind", ["own", "foreign"])
def test_a_loop_ends_on_its_first_frame_and_moves_in_between(kind: str, own: Source, foreign: Source) -> None:
    frames, result = animated(own if kind == "own" else foreign, loop=True, params={"loop": True})

    assert apart(frames[0], frames[-1]) < 0.1
    assert apart(frames[0], frames[FRAMES // 2]) > 2
    assert result.applied["loop"] == "native"


@pytest.mark.parametrize("is_own", [True, False])
def test_the_last_frame_is_the_end_picture(own: Source, is_own: bool) -> None:
    end = drawn("volcano eruption at night")

    frames, _ = animated(own, end=end if is_own else Source(end.image))

    assert apart(frames[-1], end.image) < 1
    assert apart(frames[0], own.image) < 1
    assert max(steps(frames)) < 0.5 * apart(own.image, end.image)


def test_the_clips_of_a_job_differ(own: Source, foreign: Source) -> None:
    for source in (own, foreign):
        last = [animated(source, index=index, frames=10)[0][-1] for index in range(4)]
        assert min(apart(a, b) for n, a in enumerate(last) for b in last[:n]) > 0.5


def test_words_change_the_hour_and_the_weather_on_the_way(own: Source) -> None:
    frames, result = animated(own, "night falls", motion="low")
    plain, _ = animated(own, motion="low")

    assert apart(frames[0], plain[0]) < 1
    assert frames[-1].mean() < 0.7 * plain[-1].mean()
    assert "word:night" not in result.degraded


def test_snow_falls_into_a_picture_from_outside_when_asked(foreign: Source) -> None:
    with_snow, result = animated(foreign, "snow", motion="low")
    without, _ = animated(foreign, "", motion="low", params={"raw": True})

    assert apart(with_snow[0], without[0]) == 0
    assert apart(with_snow[-1], without[-1]) > 1
    assert result.recipe["clip"]["air"] == "snow"


def test_the_camera_goes_where_it_is_told(foreign: Source) -> None:
    left, _ = animated(foreign, "the camera pans left", motion="high")
    right, _ = animated(foreign, "the camera pans right", motion="high")
    still, _ = animated(foreign, "static camera", motion="high", params={"raw": True})

    assert apart(left[-1], right[-1]) > 5
    assert apart(still[0], still[-1]) < 0.5


@pytest.mark.parametrize(
    ("words", "way"),
    [
        ("The camera moves to the left", (-1, 0)),
        ("panning slowly right across the valley", (1, 0)),
        ("tilt the camera up", (0, -1)),
        ("the shot drifts downwards", (0, 1)),
        ("she turns left", (0, 0)),
        ("a lamp to the right", (0, 0)),
    ],
)
def test_words_of_a_direction_are_understood(words: str, way: tuple[float, float]) -> None:
    assert direction_of(Row(index=0, seed=1, text=words, width=64, height=64)) == way


def test_a_scene_that_cannot_go_up_says_so_and_a_picture_goes_there(own: Source, foreign: Source) -> None:
    _, up = animated(foreign, "tilts up", frames=2)
    _, fixed = animated(own, "tilts up", frames=2)
    _, left = animated(foreign, "the camera pans left", frames=2)

    assert up.recipe["clip"]["rise"] == -1
    assert fixed.recipe["clip"]["rise"] == 0
    assert "word:tilts" in fixed.degraded
    assert up.degraded == left.degraded == ("no_video_model",)


def test_words_that_a_clip_does_not_show_are_told(own: Source) -> None:
    _, result = animated(own, "an elephant dances", frames=3)

    assert {"word:elephant", "no_video_model"} <= set(result.degraded)


@pytest.mark.parametrize("kind", ["own", "foreign", "end", "stranger"])
def test_a_clip_goes_on_without_a_jump(kind: str, own: Source, foreign: Source, tmp_path: Path) -> None:
    source = foreign if kind == "foreign" else own
    end = foreign if kind == "end" else None
    path = tmp_path / "0.mp4"
    with Film(path, width=WIDTH, height=HEIGHT, fps=FPS) as film:
        (result,) = ENGINE.run([clip_row(source, film.write, end=end, frames=60)], NullSink())
    for turn in (1, 2):
        reel, longer = Reel(path), tmp_path / f"{turn}.mp4"
        key, count = reel.last_key(), reel.count
        recipe = None if kind == "stranger" else json.loads(json.dumps(result.recipe))
        with Film(tmp_path / "more.mp4", width=WIDTH, height=HEIGHT, fps=FPS) as film:
            for frame in reel.frames(key):
                film.write(frame)
            row = clip_row(Source(reel.frame(count - 1), recipe), film.write, before=reel, index=turn - 1)
            (result,) = ENGINE.run([replace(row, op=Op.EXTEND)], NullSink())
        join(reel, key, Reel(tmp_path / "more.mp4"), longer)
        path = longer

        between = steps(list(Reel(path).frames()))
        assert len(between) == count + FRAMES - 1
        assert between[count - 1] <= 1.5 * np.median(between)


def test_a_clip_that_goes_on_can_come_back_to_its_first_frame(own: Source, tmp_path: Path) -> None:
    with Film(tmp_path / "a.mp4", width=WIDTH, height=HEIGHT, fps=FPS) as film:
        (result,) = ENGINE.run([clip_row(own, film.write)], NullSink())
    reel, frames = Reel(tmp_path / "a.mp4"), list[Frame]()
    row = clip_row(Source(reel.frame(FRAMES - 1), result.recipe), frames.append, before=reel, loop=True)

    ENGINE.run([replace(row, op=Op.EXTEND)], NullSink())

    assert len(frames) == FRAMES
    assert apart(frames[-1], reel.frame(0)) < 1


def test_a_clip_is_cancelled_between_two_frames(own: Source) -> None:
    class Impatient(NullSink):
        def step(self, row: Row, done: int, total: int) -> None:
            assert total == FRAMES
            if done == 3:
                raise RowCancelled

    frames: list[Frame] = []

    assert ENGINE.run([clip_row(own, frames.append)], Impatient()) == []
    assert len(frames) == 3


def test_memory_does_not_grow_with_the_length() -> None:
    script = (
        "import sys, tempfile, pathlib\n"
        "from brushwork.engines.base import Clip, NullSink, Op, Row\n"
        "from brushwork.engines.diorama.engine import DioramaEngine\n"
        "from brushwork.engines.tools.video import Film\n"
        "from tests.peak import peak_bytes\n"
        "path = pathlib.Path(tempfile.mkdtemp()) / 'a.mp4'\n"
        "with Film(path, width=160, height=120, fps=6) as film:\n"
        "    clip = Clip(int(sys.argv[1]), film.write, fps=6, motion='low')\n"
        "    row = Row(0, 7, 'a calm sea at noon', 160, 120, model='video', op=Op.ANIMATE, clip=clip)\n"
        "    assert DioramaEngine(workers=2).run([row], NullSink())\n"
        "print(peak_bytes())\n"
    )

    short, long = (
        int(subprocess.run([sys.executable, "-c", script, count], capture_output=True, text=True, check=True).stdout)
        for count in ("12", "50")
    )

    assert long < short + 24 * 2**20
