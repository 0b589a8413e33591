"""Styles and grades: each is its own, deterministic, and does what its name says."""

import time
from dataclasses import replace

import numpy as np
import pytest

from brushwork.engines.diorama.looks import brushes
from brushwork.engines.diorama.looks.brushes import Field
from brushwork.engines.diorama.looks.grade import MOODS, finished, in_mood
from brushwork.engines.diorama.looks.styles import STYLES as TABLE
from brushwork.engines.diorama.scene import STYLES, Scene, natural_view
from brushwork.engines.diorama.subjects.recolour import COLOURS, recoloured
from brushwork.engines.diorama.subjects.sprites import drawn
from brushwork.engines.diorama.subjects.standing import paint_subjects
from brushwork.engines.diorama.worlds.world import paint_world
from tests.engines.diorama.test_compose import scene_of

SIZE = 256


@pytest.fixture(scope="module")
def painted() -> tuple[Field, Field, Scene]:
    scene = scene_of("a fox in a meadow", seed=4)
    world = paint_world(scene, natural_view(scene, SIZE, SIZE))
    paint_subjects(world, scene)
    return world.color, world.depth, scene


def in_style(painted: tuple[Field, Field, Scene], style: str, **changes: float) -> Field:
    color, depth, scene = painted
    return finished(color.copy(), depth.copy(), replace(scene, style=style, **changes))  # type: ignore[arg-type]


def test_every_style_of_the_contract_is_in_the_table() -> None:
    assert set(TABLE) == set(STYLES)


@pytest.mark.parametrize("style", STYLES)
def test_a_style_is_a_deterministic_change_of_the_whole_picture(
    painted: tuple[Field, Field, Scene], style: str
) -> None:
    plain, once, twice = in_style(painted, "none"), in_style(painted, style), in_style(painted, style)

    assert once.shape == (SIZE, SIZE, 3)
    assert once.dtype == np.float32
    assert np.isfinite(once).all()
    assert once.min() >= 0
    assert once.max() <= 1
    assert once.std() > 0.05, "it is nearly empty"
    assert np.array_equal(once, twice)
    if style != "none":
        assert np.abs(once - plain).mean() > 0.02


def test_styles_differ_from_each_other(painted: tuple[Field, Field, Scene]) -> None:
    pictures = {style: in_style(painted, style) for style in STYLES}

    for a in STYLES:
        for b in STYLES:
            assert a == b or np.abs(pictures[a] - pictures[b]).mean() > 0.015, (a, b)


def test_black_and_white_has_no_colour(painted: tuple[Field, Field, Scene]) -> None:
    picture = in_style(painted, "mono")

    assert float((picture.max(2) - picture.min(2)).max()) < 1e-3


def test_pixel_art_has_few_colours_in_square_cells(painted: tuple[Field, Field, Scene]) -> None:
    picture = (in_style(painted, "pixel") * 255).round().astype(np.uint8)

    assert len(np.unique(picture.reshape(-1, 3), axis=0)) <= 32


def test_flat_vector_is_flatter_than_the_plain_picture(painted: tuple[Field, Field, Scene]) -> None:
    def rough(picture: Field) -> float:
        grey = brushes.luma(picture)
        return float((np.abs(np.diff(grey, axis=1)) > 0.012).mean())

    assert rough(in_style(painted, "flat")) < 0.6 * rough(in_style(painted, "none"))


def test_a_pencil_drawing_is_grey_on_paper_and_not_pale(painted: tuple[Field, Field, Scene]) -> None:
    picture = in_style(painted, "pencil")

    assert float((picture.max(2) - picture.min(2)).mean()) < 0.06
    assert np.quantile(picture, 0.05) < 0.35
    assert np.quantile(picture, 0.95) > 0.8


def test_stylize_strengthens_the_finish(painted: tuple[Field, Field, Scene]) -> None:
    color = np.clip(painted[0], 0, 1)
    changes = [np.abs(in_style(painted, "none", stylize=amount) - color).mean() for amount in (0.0, 0.1, 0.5, 1.0)]

    assert changes == sorted(changes)
    assert changes[-1] > 2.5 * changes[0]


@pytest.mark.parametrize("mood", [*MOODS, *COLOURS])
def test_every_palette_tints_the_picture(painted: tuple[Field, Field, Scene], mood: str) -> None:
    picture = np.clip(painted[0], 0, 1)

    assert np.abs(in_mood(picture, mood) - picture).mean() > 0.015


@pytest.mark.parametrize("colour", sorted(COLOURS))
def test_a_recoloured_thing_has_that_colour_and_keeps_its_shading(colour: str) -> None:
    plain = drawn("f-1F697", height=200)

    painted = recoloured(plain, colour)

    changed = (np.abs(painted - plain).max(2) > 0.06) & (plain[..., 3] > 0.99)
    if colour != "red":  # it is red
        assert changed.mean() > 0.08
        mean = painted[changed][:, :3].mean(0)
        others = {name: float(np.abs(mean - np.array(value)).sum()) for name, value in COLOURS.items()}
        assert others[colour] < 0.75, (mean, others)
    assert np.array_equal(painted[..., 3], plain[..., 3])
    assert painted[plain[..., 3] > 0.99][:, :3].std() > 0.08


def test_a_style_pass_is_quick() -> None:
    picture = np.random.default_rng(0).random((512, 512, 3), dtype=np.float32)
    depth = np.full((512, 512), 20, np.float32)
    for style in STYLES:
        began = time.perf_counter()
        finished(picture, depth, Scene(seed=1, style=style))
        assert time.perf_counter() - began < 3, style
