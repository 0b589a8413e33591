"""Which model draws: the one of the version, the one it edits with, or an error that says what to pull."""

from dataclasses import replace

import pytest

from brushwork.engines.base import Op
from brushwork.engines.diffusion.planning import can_do, model_for
from brushwork.errors import Unavailable
from tests.engines.planning.models import (
    ANIME,
    BASE,
    CATALOG,
    KLEIN,
    PIPE,
    SDXL,
    TURBO,
    a_row,
    planned,
    reference,
    source,
)

ALL = list(CATALOG.values())


@pytest.mark.parametrize(
    ("version", "name"),
    [("7", "z-image-turbo"), ("8", "z-image"), ("6.1", "sdxl"), ("6", "sdxl"), ("niji 6", "animagine-xl-4")],
)
def test_each_version_is_drawn_by_the_model_that_suits_it(version: str, name: str) -> None:
    assert model_for(a_row(model=version), ALL).name == name


def test_a_model_that_has_the_version_as_a_fallback_steps_in() -> None:
    assert model_for(a_row(model="7"), [SDXL, ANIME]) is SDXL
    assert model_for(a_row(model="niji 6"), [SDXL, ANIME]) is ANIME


@pytest.mark.parametrize("op", [Op.BLEND, Op.RETEXTURE])
def test_what_a_model_cannot_do_is_drawn_by_the_one_it_edits_with(op: Op) -> None:
    row = a_row(model="7", op=op, source=source(), references=(reference("blend"),))

    assert not can_do(TURBO, op)
    assert model_for(row, [TURBO, KLEIN]) is KLEIN


def test_references_are_looked_at_by_the_model_that_can() -> None:
    styled = a_row(model="7", references=(reference("style"),))
    prompted = a_row(model="7", references=(reference("image"),))

    assert model_for(styled, [TURBO, KLEIN]) is KLEIN
    assert model_for(styled, [TURBO]) is TURBO
    assert model_for(prompted, [TURBO, KLEIN]) is TURBO


def test_a_model_that_only_edits_makes_new_pictures_from_references() -> None:
    plain, styled = a_row(model="8.1"), a_row(model="8.1", references=(reference("style"),))

    assert model_for(plain, ALL).name == "qwen-image-2512"
    assert model_for(styled, ALL).name == "qwen-image-edit-2511"


def test_a_version_for_which_nothing_is_installed_says_what_to_pull() -> None:
    with pytest.raises(Unavailable, match=r"version 8\.1.*models pull.*z-image"):
        model_for(a_row(model="8.1"), [PIPE], known=ALL)
    with pytest.raises(Unavailable, match=r"version 7.*z-image-turbo"):
        model_for(a_row(model="7"), [], known=ALL)


def test_an_operation_that_nothing_installed_can_do_says_what_to_pull() -> None:
    row = a_row(model="7", op=Op.BLEND, references=(reference("blend"),))

    with pytest.raises(Unavailable, match=r"blend with version 7.*flux2-klein-4b"):
        model_for(row, [TURBO], known=ALL)


def test_a_version_that_no_entry_knows_is_drawn_by_the_first_model_and_that_is_told() -> None:
    row = a_row(model="9")

    model = model_for(row, [BASE, TURBO], known=ALL)
    plan = planned(model, model="9")

    assert model is BASE
    assert plan.degraded == ("parameter:version",)
    assert plan.notes["profile"] == next(iter(BASE.profiles))


def test_a_model_without_profiles_draws_with_its_usual_numbers() -> None:
    plan = planned(replace(SDXL, profiles={}), model="7")

    assert (plan.steps, plan.guidance) == (28, 6)
    assert plan.degraded == ("parameter:version",)


def test_pictures_are_enlarged_even_when_no_installed_model_can_draw_over_them() -> None:
    assert model_for(a_row(op=Op.UPSCALE, source=source()), [PIPE]) is PIPE


def test_tools_do_not_draw() -> None:
    with pytest.raises(Unavailable):
        model_for(a_row(), [replace(PIPE, kind="tool")])
