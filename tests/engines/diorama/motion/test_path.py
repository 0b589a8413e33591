"""Camera paths: they begin where the still picture was taken, come back in a loop, and share their stops."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from brushwork.engines.diorama.motion.path import MARGIN, Stand, camera_on, path_of, stops_on
from brushwork.engines.diorama.motion.plates import plate_of, setting_of
from brushwork.engines.diorama.motion.reproject import moved, sight_of, softened
from brushwork.engines.diorama.scene import PLACES, Scene, Subject

FOX = Subject("fox", x=0.4, z=6.0, height=1.2)


@pytest.mark.parametrize("motion", ["low", "high"])
@pytest.mark.parametrize("place", PLACES)
def test_every_path_begins_at_the_still_picture_and_never_leaps(place: str, motion: str) -> None:
    for subjects in ((), (FOX,)):
        scene = Scene(seed=3, place=place, subjects=subjects)
        path = path_of(scene, motion)  # type: ignore[arg-type]  # parametrised
        reach = 80.0 if place == "sky" else 30.0

        assert path(0.0) == Stand()
        ways = [path(n / 24) for n in range(21 * 24)]
        steps = [abs(b.x - a.x) + abs(b.z - a.z) + abs(b.up - a.up) for a, b in pairwise(ways)]
        assert max(steps) < reach / 24
        assert all(not subjects or way.z < FOX.z - 1 for way in ways), "through its subject"


@pytest.mark.parametrize("place", PLACES)
def test_a_looping_path_comes_back(place: str) -> None:
    path = path_of(Scene(seed=3, place=place), "high", period=5.0)
    end = path(5.0)

    assert max(abs(end.x), abs(end.z), abs(end.up), abs(end.pan), abs(end.lift), abs(end.zoom - 1)) < 1e-9


def test_a_continuation_uses_the_stops_of_the_clip_before() -> None:
    scene = Scene(seed=3, place="forest")
    path = path_of(scene, "high")

    whole = stops_on(path, scene, start=0.0, end=9.0)
    rest = stops_on(path, scene, start=5.0, end=9.0)

    assert rest == whole[-len(rest) :]
    assert rest[0] <= 5.0 < rest[1]


def test_a_plate_seen_from_its_own_place_is_itself_and_near_by_it_is_like_one_painted_there() -> None:
    scene = Scene(seed=3, place="meadow", aspect=(16, 9))
    setting = setting_of(scene)
    wide = plate_of(setting, camera_on(scene, Stand(), 192, 108, margin=MARGIN), detail=1.0)
    soft = softened(wide.inverse)

    here = camera_on(scene, Stand(), 192, 108)
    there = camera_on(scene, Stand(0.05, 0.15), 192, 108)
    same = moved([sight_of(wide, here, soft)], [1.0], here, None)
    seen = moved([sight_of(wide, there, soft)], [1.0], there, None)

    painted, unmoved = plate_of(setting, there, detail=1.0), plate_of(setting, here, detail=1.0)
    assert np.abs(same.far - unmoved.far).mean() < 0.02
    assert np.abs(seen.far - painted.far).mean() < 0.6 * np.abs(unmoved.far - painted.far).mean()


def test_a_seed_decides_which_way_to_go() -> None:
    scene = Scene(seed=0, place="meadow", subjects=(FOX,))

    ways = {path_of(replace(scene, seed=seed), "high")(2.0).x > 0 for seed in range(12)}

    assert ways == {True, False}
