"""Clips: they begin with the still picture, move without jumps, loop exactly and go on where they ended."""

import hashlib
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from brushwork.engines.diorama.drawing import paint
from brushwork.engines.diorama.motion.clip import Frame, frames, render
from brushwork.engines.diorama.motion.towards import frames_towards
from brushwork.engines.diorama.scene import Scene, Subject
from brushwork.engines.diorama.worlds.places import PLACES

WIDTH, HEIGHT = 128, 72
FPS = 24


def scene_of(place: str, **changes: object) -> Scene:
    row = PLACES[place]
    hour, season = row.default_time, row.default_season
    base = Scene(
        seed=7, place=place, time=hour, season=season, eye=row.eye, pitch=row.pitch, focal=row.focal, aspect=(16, 9)
    )
    return replace(base, **changes)  # type: ignore[arg-type]  # test data


def clip(scene: Scene, seconds: float = 4 / FPS, **asked: object) -> list[Frame]:
    return list(frames(scene, width=WIDTH, height=HEIGHT, seconds=seconds, fps=FPS, **asked))  # type: ignore[arg-type]


def apart(one: Frame, other: Frame) -> float:
    """Mean difference of two frames, 0-255."""
    return float(np.abs(one.astype(np.int16) - other).mean())


FOX = Subject("fox", x=0.4, z=6.0, height=1.2)
BOAT = Subject("sailboat", x=1.0, z=16.0, height=5.0)
BALLOON = Subject("hot air balloon", x=-6.0, z=60.0, height=22.0, lift=900.0)
FISH = Subject("fish", x=0.4, z=5.0, height=0.8, lift=1.2)

SCENES = {
    "meadow": scene_of("meadow", subjects=(FOX,)),
    "wind": scene_of("wheat_field", weather="windy"),
    "lake": scene_of("lake", subjects=(BOAT,)),
    "beach": scene_of("beach"),
    "storm": scene_of("sea", weather="storm"),
    "rain": scene_of("city_street", weather="rain", time="night"),
    "snow": scene_of("winter_forest", weather="snow"),
    "aurora": scene_of("arctic", weather="aurora", time="night"),
    "stars": scene_of("desert", time="midnight"),
    "lava": scene_of("volcano", time="night"),
    "waterfall": scene_of("waterfall"),
    "forest": scene_of("forest"),
    "neon": scene_of("cyberpunk"),
    "skyline": scene_of("skyline", time="night"),
    "sky": scene_of("sky", subjects=(BALLOON,)),
    "underwater": scene_of("underwater", subjects=(FISH,)),
    "space": scene_of("space"),
    "studio": scene_of("studio", subjects=(replace(FOX, z=5.0),)),
    "tile": scene_of("flower_field", tile=True),
}
"""One scene for each thing that moves."""


@pytest.mark.parametrize("name", SCENES)
def test_a_clip_begins_with_the_still_picture_and_moves_on_without_a_jump(name: str) -> None:
    scene = SCENES[name]

    found = clip(scene)

    still = (paint(scene, WIDTH, HEIGHT) * 255 + 0.5).astype(np.uint8)
    assert (found[0] == still).all()
    steps = [apart(one, other) for one, other in pairwise(found)]
    assert min(steps) > 0
    assert apart(found[1], found[-1]) > 0.015, "it stands still"
    assert max(steps) < 22, "it jumps"
    assert steps[0] < 3 * max(steps[1:]) + 1.5, "it jumps away from the still picture"


@pytest.mark.parametrize("motion", ["low", "high"])
@pytest.mark.parametrize("name", ["meadow", "lake", "snow", "neon", "underwater", "lava"])
def test_a_loop_is_exact(name: str, motion: str) -> None:
    first = clip(SCENES[name], 0.5, motion=motion, loop=True)
    second = clip(SCENES[name], 0.5, motion=motion, loop=True, start=0.5)

    assert all((one == other).all() for one, other in zip(first, second, strict=True))
    steps = [apart(one, other) for one, other in zip(first, [*first[1:], first[0]], strict=True)]
    assert steps[-1] < 2.0 * max(steps[:-1]) + 0.5


@pytest.mark.parametrize("motion", ["low", "high"])
@pytest.mark.parametrize("name", ["meadow", "lake"])
def test_a_continuation_is_what_a_longer_clip_would_have_shown(name: str, motion: str) -> None:
    whole = clip(SCENES[name], 10 / FPS, motion=motion)
    rest = clip(SCENES[name], 5 / FPS, motion=motion, start=5 / FPS)

    assert all((one == other).all() for one, other in zip(whole[5:], rest, strict=True))


def test_a_frame_alone_is_the_one_of_the_clip() -> None:
    whole = clip(SCENES["lake"], 4 / FPS, motion="high")

    alone = render(SCENES["lake"], 3 / FPS, width=WIDTH, height=HEIGHT, motion="high")

    assert (alone == whole[3]).all()


def test_high_motion_goes_farther_than_low() -> None:
    low, high = (list(clip(SCENES["forest"], 1.0, motion=motion)) for motion in ("low", "high"))

    assert apart(high[0], high[-1]) > apart(low[0], low[-1])


@pytest.mark.parametrize("style", ["watercolor", "pixel", "low_poly", "ukiyo_e", "pencil", "oil", "neon"])
def test_a_style_keeps_its_paper_and_palette(style: str) -> None:
    scene = replace(SCENES["meadow"], style=style)

    found = clip(scene, 6 / FPS)

    steps = [apart(one, other) for one, other in pairwise(found)]
    assert max(steps) < 9


def test_the_same_bytes_in_another_process_and_with_another_number_of_workers() -> None:
    code = (
        "import hashlib\n"
        "from tests.engines.diorama.motion.test_clip import SCENES, clip\n"
        "print(hashlib.sha256(b''.join(f.tobytes() for f in clip(SCENES['lake'], motion='high'))).hexdigest())"
    )
    there = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()

    here = hashlib.sha256(b"".join(f.tobytes() for f in clip(SCENES["lake"], motion="high", workers=1))).hexdigest()

    assert here == there


def test_a_clip_stops_when_it_is_told_to() -> None:
    class Enough(Exception):
        """Stop."""

    seen: list[int] = []

    def on_frame(number: int, count: int) -> None:
        assert count == 24
        if number == 3:
            raise Enough
        seen.append(number)

    with pytest.raises(Enough):
        clip(SCENES["studio"], 1.0, on_frame=on_frame)
    assert seen == [0, 1, 2]


def test_a_clip_towards_another_picture_ends_on_it() -> None:
    scene, end = SCENES["meadow"], replace(SCENES["meadow"], time="sunset", subjects=())

    found = list(frames_towards(scene, end, width=WIDTH, height=HEIGHT, seconds=0.5, fps=FPS))

    first, last = ((paint(one, WIDTH, HEIGHT) * 255 + 0.5).astype(np.uint8) for one in (scene, end))
    assert len(found) == 12
    assert (found[0] == first).all()
    assert (found[-1] == last).all()
    steps = [apart(one, other) for one, other in pairwise(found)]
    assert max(steps) < 0.5 * apart(first, last)
