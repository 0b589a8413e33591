"""The painted world: the same for the same scene, one world through every window, and true to what is forbidden."""

import hashlib
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import cv2
import numpy as np
import pytest

from brushwork.engines.diorama import scene as scenes
from brushwork.engines.diorama.noise import Field
from brushwork.engines.diorama.plants.wardrobe import Shelf
from brushwork.engines.diorama.scene import Scene, View, natural_view
from brushwork.engines.diorama.worlds.places import PLACES
from brushwork.engines.diorama.worlds.world import World, paint_world

SIZE = 96


def scene_of(place: str, **changes: object) -> Scene:
    row = PLACES[place]
    hour, season = row.default_time, row.default_season
    base = Scene(seed=7, place=place, time=hour, season=season, eye=row.eye, pitch=row.pitch, focal=row.focal)
    return replace(base, **changes)  # type: ignore[arg-type]  # test data


def paint(place: str, size: int = SIZE, **changes: object) -> World:
    scene = scene_of(place, **changes)
    return paint_world(scene, natural_view(scene, size, size))


def digest(world: World) -> str:
    return hashlib.sha256(world.color.tobytes() + world.depth.tobytes() + world.water.tobytes()).hexdigest()


def fineness(color: Field) -> float:
    """Strength of the finest detail in the green channel."""
    return float(cv2.Laplacian(np.ascontiguousarray(color[..., 1]), cv2.CV_32F).std())


def assert_is_a_picture(world: World, size: int = SIZE) -> None:
    assert world.color.shape == (size, size, 3)
    assert world.color.dtype == world.depth.dtype == world.water.dtype == np.float32
    assert np.isfinite(world.color).all()
    assert not np.isnan(world.depth).any()
    assert world.color.min() >= 0
    shown = np.clip(world.color, 0, 1)
    assert shown.std() > 0.035, "flat"
    assert 0.06 < shown.mean() < 0.94, "black or burnt out"
    assert (shown.min(axis=2) > 0.985).mean() < 0.35, "too much pure white"


@pytest.mark.parametrize("place", scenes.PLACES)
@pytest.mark.parametrize("time", ["noon", "sunset", "night"])
def test_every_place_at_every_kind_of_hour_is_a_picture(place: str, time: str) -> None:
    world = paint(place, time=time)

    assert_is_a_picture(world)


@pytest.mark.parametrize("weather", scenes.WEATHERS)
def test_every_weather_is_a_picture(weather: str) -> None:
    world = paint("lake", weather=weather)

    assert_is_a_picture(world)


@pytest.mark.parametrize("place", ["meadow", "lake", "city_street", "underwater", "space"])
def test_the_same_scene_has_the_same_bytes_also_in_another_thread(place: str) -> None:
    alone = digest(paint(place))

    with ThreadPoolExecutor(3) as pool:
        together = list(pool.map(lambda _n: digest(paint(place)), range(3)))

    assert together == [alone] * 3


def test_the_same_scene_has_the_same_bytes_in_another_process() -> None:
    script = (
        "import hashlib; from brushwork.engines.diorama.scene import *;"
        "from brushwork.engines.diorama.worlds.world import paint_world;"
        "s = Scene(seed=11, place='forest', time='dawn');"
        "print(hashlib.sha256(paint_world(s, natural_view(s, 64, 64)).color.tobytes()).hexdigest())"
    )
    scene = Scene(seed=11, place="forest", time="dawn")

    here = hashlib.sha256(paint_world(scene, natural_view(scene, 64, 64)).color.tobytes()).hexdigest()
    there = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.strip()

    assert there == here


def test_another_seed_is_another_picture() -> None:
    one, other = paint("mountains"), paint("mountains", seed=8)

    assert np.abs(one.color - other.color).mean() > 0.03


@pytest.mark.parametrize(
    "place",
    ["meadow", "mountains", "lake", "beach", "forest", "city_street", "space", "underwater", "desert", "skyline"],
)
def test_a_wider_window_shows_the_same_world(place: str) -> None:
    scene = scene_of(place)
    middle = paint_world(scene, View(-1, -1, 1, 1, 128, 128))

    wide = paint_world(scene, View(-1.5, -1, 1.5, 1, 192, 128))

    same = np.abs(wide.color[:, 32:160] - middle.color)
    assert same.mean() < 0.004
    assert (same.max(axis=2) > 0.1).mean() < 0.01


@pytest.mark.parametrize("place", ["mountains", "meadow", "beach", "city_street", "space", "underwater"])
def test_a_larger_picture_shows_the_same_world_in_more_detail(place: str) -> None:
    small, large = paint(place, 96), paint(place, 288)

    shrunk = cv2.resize(large.color, (96, 96), interpolation=cv2.INTER_AREA)
    soft_small, soft_shrunk = (cv2.GaussianBlur(p, (0, 0), 2.5) for p in (small.color, shrunk))

    assert np.abs(soft_small - soft_shrunk).mean() < 0.035
    assert fineness(large.color) > fineness(cv2.resize(small.color, (288, 288)))


def test_forbidden_water_mask_and_depth_tell_the_truth() -> None:
    lake, meadow = paint("lake"), paint("meadow")

    assert lake.water.max() > 0.9
    assert meadow.water.max() == 0
    assert np.isinf(lake.depth[:5]).all()
    assert np.isfinite(lake.depth[-5:]).all()


def test_forbidden_clouds_leave_a_clear_sky() -> None:
    cloudy, clear = paint("sea", weather="cloudy"), paint("sea", weather="cloudy", forbidden=frozenset(["clouds"]))

    assert fineness(clear.color[:40]) < 0.35 * fineness(cloudy.color[:40])


def test_forbidden_trees_do_not_stand_before_the_sky() -> None:
    wooded, bare = paint("forest"), paint("forest", forbidden=frozenset(["trees"]))

    assert np.isfinite(wooded.depth[:30]).mean() > 0.25
    assert np.isfinite(bare.depth[:30]).mean() < 0.05


def test_forbidden_flowers_take_their_colours_away() -> None:
    def reds(world: World) -> float:
        c = world.color[60:]
        return float(((c[..., 0] > c[..., 1] * 1.25) & (c[..., 0] > 0.3)).mean())

    assert reds(paint("flower_field", 160, forbidden=frozenset(["flowers"]))) < 0.3 * reds(paint("flower_field", 160))


@pytest.mark.parametrize(
    ("place", "word"),
    [
        ("city_street", "buildings"),
        ("space", "planets"),
        ("space", "stars"),
        ("moon", "stars"),
        ("castle_grounds", "castle"),
    ],
)
def test_what_is_forbidden_is_gone(place: str, word: str) -> None:
    with_it, without = paint(place), paint(place, forbidden=frozenset([word]))

    assert np.abs(with_it.color - without.color).max() > 0.15


def test_emphasis_brings_more_of_it() -> None:
    few, many = paint("meadow", 160, emphasis=(("trees", 0.3),)), paint("meadow", 160, emphasis=(("trees", 3.0),))

    assert np.isfinite(many.depth).sum() > np.isfinite(few.depth).sum()


@pytest.mark.parametrize("place", ["meadow", "sea", "space", "desert"])
def test_a_tile_repeats_without_a_seam(place: str) -> None:
    scene = scene_of(place, tile=True)
    color = paint_world(scene, natural_view(scene, 128, 128)).color

    inner = np.abs(np.diff(color, axis=1)).mean(), np.abs(np.diff(color, axis=0)).mean()
    across = np.abs(color[:, 0] - color[:, -1]).mean(), np.abs(color[0] - color[-1]).mean()

    assert across[0] < 2.2 * inner[0]
    assert across[1] < 2.2 * inner[1]


def test_a_tile_seen_through_a_wide_window_shows_it_twice() -> None:
    scene = scene_of("meadow", tile=True)

    twice = paint_world(scene, View(-1, -1, 3, 1, 256, 128)).color

    np.testing.assert_array_equal(twice[:, :128], twice[:, 128:])


def test_stopping_early_leaves_the_picture_softer() -> None:
    assert fineness(paint("meadow", 256, stop=0.6).color) < 0.75 * fineness(paint("meadow", 256).color)


def test_weird_changes_the_palette() -> None:
    assert np.abs(paint("beach", weird=1.0).color - paint("beach").color).mean() > 0.05


def test_things_in_the_world_project_where_the_ground_is() -> None:
    world = paint("beach", 256)

    x, z = 0.5, 8.0
    px, py, scale = world.project(x, world.ground(x, z), z)

    assert 0 < px < 256
    assert 128 < py < 256
    assert scale == pytest.approx(1.6 * 128 / 8)
    assert world.depth[int(py), int(px)] == pytest.approx(z, rel=0.25)


def test_haze_grows_with_distance() -> None:
    world = paint("mountains")
    red = np.array([0.9, 0.1, 0.1], np.float32)

    near, far = world.haze(red, 5.0), world.haze(red, 30_000.0)

    assert np.abs(near - red).max() < 0.02
    assert np.abs(far - red).max() > 0.3


def test_passes_are_told_in_order() -> None:
    told: list[str] = []
    scene = scene_of("lake")

    paint_world(scene, natural_view(scene, 48, 48), on_pass=told.append)

    assert told == ["sky", "land", "plants", "water", "weather"]


def test_the_table_of_places_is_complete() -> None:
    assert set(PLACES) == set(scenes.PLACES)


def test_a_shelf_forgets_the_oldest_drawing_first() -> None:
    shelf, drawing = Shelf(room=2 * 64), np.zeros((4, 4), np.float32)  # 64 bytes each
    for key in "ab":
        shelf.keep(key, drawing)
    shelf.get("a")
    shelf.keep("c", drawing)

    assert [key for key in "abc" if shelf.get(key) is not None] == ["a", "c"]


def test_words_change_what_grows() -> None:
    field = Scene(3, place="flower_field", season="spring")
    sunny = paint_world(replace(field, emphasis=(("sunflowers", 1.6),)), natural_view(field, 96, 96)).color
    plain = paint_world(field, natural_view(field, 96, 96)).color

    lower = (slice(56, None), slice(None))
    yellow = [(picture[lower][..., :2].min(2) - picture[lower][..., 2]).mean() for picture in (sunny, plain)]
    assert yellow[0] > yellow[1]
