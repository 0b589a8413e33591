"""Where things stand: big enough, apart from each other, on the side the words say, in tempered proportion."""

import math
from itertools import combinations

import numpy as np
import pytest

from brushwork.engines.diorama.layout.compose import compose
from brushwork.engines.diorama.params import Knobs
from brushwork.engines.diorama.scene import Scene, Subject
from brushwork.engines.diorama.subjects.sprites import aspect
from brushwork.engines.diorama.words.forbidden import forbid
from brushwork.engines.diorama.words.lexicon import concepts
from brushwork.engines.diorama.words.reading import understand, understand_all

Box = tuple[float, float, float, float]
CROWDS = (
    "a cat and a dog",
    "three foxes in a meadow",
    "seven sheep on a hill",
    "five penguins on the ice",
    "a man, a woman and a dog",
    "nine colorful balloons",
    "four hot air balloons over the mountains",
    "a shark and three tropical fish",
    "two elephants",
    "a rocket near a ringed planet",
    "a wizard next to a castle",
    "six ducks on a lake",
    "a bee and a sunflower",
    "a lion, a tiger and a bear",
    "two cars on a city street",
    "an apple, a banana and a pear",
    "a mermaid and a dolphin",
)


def scene_of(text: str, *, seed: int = 1, index: int = 0, aspect_: tuple[int, int] = (1, 1), **knobs: float) -> Scene:
    return compose(understand(text), knobs=Knobs(**knobs), seed=seed, index=index, aspect=aspect_)  # type: ignore[arg-type]


def box(subject: Subject, scene: Scene) -> Box:
    """(left, top, right, bottom) on the image plane, in units, on level ground."""
    tilt = math.tan(math.radians(scene.pitch))
    bottom = (tilt - (subject.lift - scene.eye) / subject.z) * scene.focal
    tall = subject.height * scene.focal / subject.z
    u, wide = subject.x * scene.focal / subject.z, tall * aspect(concepts()[subject.concept].artwork[0])
    return u - wide / 2, bottom - tall, u + wide / 2, bottom


def overlap(a: Box, b: Box) -> float:
    """Shared area as a part of the smaller box."""
    across, along = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    smaller = min((a[2] - a[0]) * (a[3] - a[1]), (b[2] - b[0]) * (b[3] - b[1]))
    return max(across, 0) * max(along, 0) / smaller


@pytest.mark.parametrize("text", CROWDS)
@pytest.mark.parametrize("seed", range(6))
def test_things_do_not_collide(text: str, seed: int) -> None:
    scene = scene_of(text, seed=seed, index=seed % 4)
    boxes = [(subject, box(subject, scene)) for subject in scene.subjects if subject.concept != "rock"]

    for (one, a), (other, b) in combinations(boxes, 2):
        assert one is not other
        rear = len(boxes) > 4 or {concepts()[one.concept].kind, concepts()[other.concept].kind} & {"building", "plant"}
        assert overlap(a, b) < (0.45 if rear else 0.15), (text, one, other)


@pytest.mark.parametrize("text", CROWDS)
@pytest.mark.parametrize("shape", [(1, 1), (16, 9), (9, 16), (3, 1)])
def test_everything_asked_for_is_within_the_picture(text: str, shape: tuple[int, int]) -> None:
    scene = scene_of(text, aspect_=shape, seed=5)
    asked = understand(text)

    wide, tall = (shape[0] / shape[1], 1.0) if shape[0] >= shape[1] else (1.0, shape[1] / shape[0])
    assert sum(s.concept != "rock" for s in scene.subjects) == sum(mention.count for mention in asked.mentions)
    for subject in scene.subjects:
        left, top, right, bottom = box(subject, scene)
        assert -wide - 0.15 < left, subject
        assert right < wide + 0.15, subject
        assert -tall - 0.1 < (top + bottom) / 2 < tall, subject


@pytest.mark.parametrize(
    "text", ["a fox", "an ant", "a castle", "a sailboat", "an eagle", "an apple", "a whale", "a mouse", "a girl"]
)
def test_a_lone_subject_is_the_star(text: str) -> None:
    scene = scene_of(text)
    hero = next(subject for subject in scene.subjects if subject.concept != "rock")

    left, top, right, bottom = box(hero, scene)

    assert max(bottom - top, right - left) > 0.55
    assert abs(left + right) / 2 < 0.5


def test_left_and_right_are_where_the_words_say() -> None:
    for seed in range(8):
        scene = scene_of("a cat to the left of a dog", seed=seed)
        at = {subject.concept: subject.x / subject.z for subject in scene.subjects}
        assert at["cat"] < at["dog"]

        scene = scene_of("a lighthouse on the right, a ship on the left, at sea", seed=seed)
        at = {subject.concept: subject.x / subject.z for subject in scene.subjects}
        assert at["ship"] < at["lighthouse"]


def test_what_is_in_the_background_is_smaller_than_what_is_in_the_foreground() -> None:
    scene = scene_of("a wolf in the background, a fox in the foreground")
    tall = {subject.concept: subject.height / subject.z for subject in scene.subjects}

    assert tall["wolf"] < tall["fox"]


def test_a_mouse_stays_smaller_than_an_elephant_and_visible() -> None:
    scene = scene_of("a mouse and an elephant")
    tall = {subject.concept: subject.height * scene.focal / subject.z for subject in scene.subjects}

    assert 0.1 < tall["mouse"] < 0.6 * tall["elephant"]


def test_on_and_above_lift_the_first_thing_over_the_second() -> None:
    for text in ("a cat on a sofa", "an owl above a castle"):
        scene = scene_of(text)
        boxes = {subject.concept: box(subject, scene) for subject in scene.subjects}
        first, second = boxes[text.split()[1]], boxes[text.split()[-1]]
        assert (first[1] + first[3]) / 2 < (second[1] + second[3]) / 2


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a fox", "forest"),
        ("an octopus", "underwater"),
        ("a camel", "desert"),
        ("a cupcake", "studio"),
        ("an astronaut", "moon"),
        ("a rocket", "space"),
        ("a portrait of a woman", "studio"),
        ("a polar bear", "arctic"),
        ("a cat and snow", "winter_forest"),
    ],
)
def test_a_thing_without_a_place_is_shown_where_it_is_at_home(text: str, place: str) -> None:
    assert scene_of(text).place == place


@pytest.mark.parametrize("text", ["", "glorp", "watercolor", "8k masterpiece", "northern lights"])
def test_a_prompt_without_a_subject_still_becomes_a_scene(text: str) -> None:
    scene = scene_of(text)

    assert scene.subjects == ()
    assert scene.place


def test_flyers_fly_swimmers_swim_and_the_rest_stands() -> None:
    assert scene_of("a hot air balloon over the hills").subjects[0].lift > 1
    assert scene_of("a sailboat").subjects[0].lift < 0
    assert scene_of("a horse").subjects[0].lift == 0


def test_what_cannot_swim_gets_a_rock() -> None:
    assert {subject.concept for subject in scene_of("a fox on the open sea").subjects} == {"fox", "rock"}
    assert {subject.concept for subject in scene_of("a duck on a lake").subjects} == {"duck"}


def test_chaos_widens_what_differs_within_a_grid() -> None:
    def family(chaos: float) -> set[tuple[str, str, str | None]]:
        scenes = [scene_of("a horse", seed=seed, index=i, chaos=chaos) for seed in range(6) for i in range(4)]
        return {(scene.place, scene.weather, scene.palette) for scene in scenes}

    def spread(chaos: float) -> float:
        scenes = [scene_of("a horse", seed=3, index=i, chaos=chaos) for i in range(24)]
        return float(np.std([scene.pitch for scene in scenes]) + np.std([scene.focal for scene in scenes]))

    assert len(family(0)) == 1 < len(family(0.5)) < len(family(1.0))
    assert spread(0) < spread(0.5) < spread(1.0)


def test_the_four_pictures_of_a_grid_differ_even_without_chaos() -> None:
    scenes = [scene_of("a horse in a meadow", index=i) for i in range(4)]

    assert len({scene.seed for scene in scenes}) == 4
    assert len({scene.subjects[0].x for scene in scenes}) == 4
    assert {scene.place for scene in scenes} == {"meadow"}


def test_a_weight_makes_its_subject_larger() -> None:
    def tall(weight: float) -> float:
        asked = understand_all([("a cat", 1.0), ("a dog", weight)])
        scene = compose(asked, knobs=Knobs(), seed=1, index=0)
        sizes = {subject.concept: subject.height / subject.z for subject in scene.subjects}
        return sizes["dog"] / sizes["cat"]

    assert tall(0.3) < tall(1.0) <= tall(3.0)
    assert tall(0.3) < tall(3.0)


def test_forbidden_things_are_left_out() -> None:
    names, _ = forbid(("dogs",))

    scene = compose(understand("a cat and a dog"), knobs=Knobs(), seed=1, index=0, forbidden=frozenset(names))

    assert [subject.concept for subject in scene.subjects] == ["cat"]


def test_weird_changes_scales_and_loosens_gravity() -> None:
    plain = [scene_of("three horses in a meadow", seed=seed) for seed in range(6)]
    odd = [scene_of("three horses in a meadow", seed=seed, weird=1.0) for seed in range(6)]

    assert all(subject.lift == 0 and subject.tilt == 0 for scene in plain for subject in scene.subjects)
    assert any(subject.lift > 0.2 for scene in odd for subject in scene.subjects)
    assert np.std([s.height for scene in odd for s in scene.subjects]) > np.std(
        [s.height for scene in plain for s in scene.subjects]
    )


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_several_things_sit_side_by_side_on_one(seed: int) -> None:
    scene = scene_of("two cats on a sofa", seed=seed)

    left, right = sorted((subject for subject in scene.subjects if subject.concept == "cat"), key=lambda s: s.x)
    sofa = next(subject for subject in scene.subjects if subject.concept == "sofa")
    first, second, seat = (box(subject, scene) for subject in (left, right, sofa))
    assert seat[0] < (first[0] + first[2]) / 2 < (second[0] + second[2]) / 2 < seat[2]
    assert overlap(first, second) < 0.25


def test_a_closed_sky_has_no_evening_glow_unless_asked() -> None:
    glowing = {"golden_hour", "sunset", "dawn"}

    assert not any(scene_of("a waterfall, overcast", index=index).time in glowing for index in range(4))
    assert scene_of("a waterfall at sunset, overcast").time == "sunset"
