"""What each operation is drawn from, and how far from it."""

import json
from typing import Any

import numpy as np
import pytest
from PIL import Image

from brushwork.engines.base import PICTURE_OPS, Op, Place, Source
from brushwork.engines.catalog.model import Model
from brushwork.engines.diffusion.planning import finish, passes, recipe_of
from brushwork.engines.diffusion.planning.seeds import mix64
from tests.engines.planning.models import (
    ANIME,
    BASE,
    CATALOG,
    EDIT,
    KLEIN,
    PIPE,
    SDXL,
    TOOLS,
    TURBO,
    picture,
    planned,
    reference,
    source,
)

# ---------------------------------------------------------------- variations


@pytest.mark.parametrize(("strength", "amount"), [(0.15, 0.15), (0.5, 0.45), (0.0, 0.0)])
def test_a_variation_of_ones_own_picture_turns_its_noise(strength: float, amount: float) -> None:
    parent = planned(BASE, model="8", seed=3, index=2)
    own = Source(picture(), recipe_of(parent))

    plan = planned(BASE, model="8", op=Op.VARY, source=own, strength=strength, seed=9, index=1)

    assert plan.noise.seed == parent.noise.seed == mix64(3, 2)
    assert plan.noise.towards == mix64(9, 1)
    assert plan.noise.amount == pytest.approx(amount)
    assert (plan.width, plan.height, plan.start, plan.init) == (parent.width, parent.height, 0, None)


@pytest.mark.parametrize(
    ("model", "recipe"),
    [
        (TURBO, recipe_of(planned(TURBO))),  # few steps: noise and picture are far apart
        (BASE, recipe_of(planned(SDXL))),
        (BASE, {"engine": "diorama"}),
        (BASE, None),
        (BASE, {"engine": "diffusers", "model": "z-image"}),
        (BASE, recipe_of(planned(BASE, references=[reference("image")]))),
    ],
)
def test_any_other_picture_is_drawn_over(model: Model, recipe: object) -> None:
    subtle, strong = (
        planned(model, op=Op.VARY, source=Source(picture(), recipe), strength=strength)  # type: ignore[arg-type]
        for strength in (0.15, 0.5)
    )

    assert subtle.init is not None
    assert subtle.init.size == (subtle.width, subtle.height)
    assert 0 < strong.start / strong.steps < subtle.start / subtle.steps
    assert subtle.noise.towards is None


def test_a_variation_of_a_variation_is_drawn_over() -> None:
    first = planned(BASE, op=Op.VARY, source=Source(picture(), recipe_of(planned(BASE))), strength=0.15)

    second = planned(BASE, op=Op.VARY, source=Source(picture(), recipe_of(first)), strength=0.15)

    assert second.init is not None


def test_new_words_are_drawn_over_the_parent_by_their_own_measure() -> None:
    own = Source(picture(), recipe_of(planned(BASE, "a red fox")))

    subtle = planned(BASE, "a blue fox", op=Op.VARY, source=own, strength=0.4)
    strong = planned(BASE, "a blue fox", op=Op.VARY, source=own, strength=0.75)

    assert subtle.notes["variation"] == "remix"
    assert subtle.start == pytest.approx(0.6 * subtle.steps, abs=0.6)
    assert strong.start == pytest.approx(0.25 * strong.steps, abs=0.6)


# ---------------------------------------------------------------- blends and retextures


def test_a_blend_is_read_by_a_model_that_reads_pictures() -> None:
    plan = planned(KLEIN, "", op=Op.BLEND, references=[reference("blend")] * 5)

    assert [seen.role for seen in plan.seen] == ["blend"] * 5
    assert plan.texts[0].text == "One new picture that blends image 1, image 2, image 3, image 4 and image 5."
    assert plan.degraded == ()


def test_a_blend_of_more_pictures_than_can_be_read_says_so() -> None:
    plan = planned(EDIT, "", op=Op.BLEND, references=[reference("blend")] * 4)

    assert len(plan.seen) == 3
    assert plan.degraded == ("too_many_references",)


def test_a_blend_goes_through_an_adapter_where_there_is_one() -> None:
    plan = planned(SDXL, "", op=Op.BLEND, model="6.1", references=[reference("blend")] * 4)

    assert [(seen.how, seen.weight) for seen in plan.seen] == [("image_prompt", 0.25)] * 4
    assert plan.start == 0


def test_a_blend_by_a_model_without_either_is_a_mixture_that_is_drawn_over_and_says_so() -> None:
    parts = [reference("blend"), reference("blend")]
    grid = [planned(BASE, "", op=Op.BLEND, index=index, references=parts) for index in range(3)]

    assert [plan.notes["leader"] for plan in grid] == [0, 1, 0]
    assert all(plan.degraded == ("no_references",) for plan in grid)
    assert all(plan.start == pytest.approx(0.4 * plan.steps, abs=0.6) for plan in grid)


def test_a_retexture_is_bound_to_depth_where_there_is_a_control_net() -> None:
    plan = planned(SDXL, "ice", op=Op.RETEXTURE, model="6.1", source=source())

    assert plan.control is not None
    assert (plan.control.kind, plan.control.adapter) == ("depth", "controlnet-union-sdxl")
    assert plan.control.image.size == (plan.width, plan.height)
    assert plan.control.image.mode == "RGB"
    assert (plan.init, plan.start, plan.degraded) == (None, 0, ())


def test_a_retexture_is_an_instruction_to_a_model_that_edits() -> None:
    plan = planned(KLEIN, "ice", op=Op.RETEXTURE, source=source())

    assert plan.texts[0].text.startswith("Keep the shapes")
    assert plan.texts[0].text.endswith("ice")
    assert [seen.how for seen in plan.seen] == ["reference"]


def test_a_retexture_without_either_is_drawn_over_and_says_so() -> None:
    plan = planned(BASE, "ice", op=Op.RETEXTURE, source=source())

    assert plan.init is not None
    assert plan.degraded == ("no_structure",)


# ---------------------------------------------------------------- larger


def test_an_upscale_is_enlarged_first_and_then_drawn_over_a_little_in_panes() -> None:
    subtle = planned(SDXL, op=Op.UPSCALE, model="6.1", width=2048, height=2048, source=source(1024, 1024))
    creative = planned(
        SDXL, op=Op.UPSCALE, model="6.1", width=2048, height=2048, source=source(1024, 1024), strength=0.45
    )

    assert (subtle.width, subtle.height, subtle.panes) == (2048, 2048, 1024)
    assert subtle.start / subtle.steps == pytest.approx(0.82, abs=0.03)
    assert creative.start / creative.steps == pytest.approx(0.6, abs=0.03)
    assert subtle.control is not None
    assert subtle.control.kind == "tile"
    assert subtle.control.image is subtle.init


def test_a_creative_upscale_in_panes_is_held_back_without_a_control_net() -> None:
    plan = planned(BASE, op=Op.UPSCALE, width=2048, height=2048, source=source(), strength=0.45)

    assert plan.start / plan.steps == pytest.approx(0.65, abs=0.03)


def test_an_upscale_by_a_model_that_cannot_draw_over_pictures_is_only_enlarged_and_says_so() -> None:
    plan = planned(PIPE, op=Op.UPSCALE, width=512, height=512, source=source())

    assert plan.degraded == ("no_refine",)
    assert plan.start == plan.end
    assert passes(plan) == 0
    assert plan.init is not None
    assert plan.init.size == (512, 512)


def test_a_draft_is_finished_at_its_full_size_with_the_steps_of_a_picture() -> None:
    plan = planned(TURBO, op=Op.ENHANCE, model="7", source=source(512, 512))

    assert (plan.width, plan.height, plan.steps) == (1024, 1024, 9)
    assert plan.start == 4


def test_what_the_source_shows_already_is_not_asked_for_again() -> None:
    plan = planned(
        SDXL, op=Op.UPSCALE, model="6.1", source=source(), params={"chaos": 50, "stop": 50, "exp": 50, "quality": 2}
    )

    assert plan.end == plan.steps
    assert plan.conditioning_noise == 0
    assert plan.applied == {"quality": "native"}
    assert plan.degraded == ()


# ---------------------------------------------------------------- the same for all


def row_of(op: Op) -> dict[str, Any]:
    mask = Image.new("L", (256, 256))
    mask.paste(255, (100, 100, 160, 160))
    rows: dict[Op, dict[str, Any]] = {
        Op.TEXT_TO_IMAGE: {},
        Op.VARY: {"source": source(), "strength": 0.4},
        Op.INPAINT: {"source": source(), "mask": mask, "place": Place(0, 0, 256, 256)},
        Op.BLEND: {"references": [reference("blend")] * 2},
        Op.RETEXTURE: {"source": source()},
        Op.UPSCALE: {"source": source()},
        Op.ENHANCE: {"source": source()},
    }
    return rows[op]


@pytest.mark.parametrize("op", sorted(PICTURE_OPS))
@pytest.mark.parametrize("model", CATALOG.values(), ids=CATALOG)
def test_every_model_plans_every_operation_and_finishes_it_the_same_way_twice(model: Model, op: Op) -> None:
    more: dict[str, Any] = {"op": op, "width": 256, "height": 256, "model": "6", **row_of(op)}
    plan, again = (planned(model, **more) for _ in range(2))
    drawn = picture(plan.width, plan.height, seed=5)

    finished, same = finish(plan, drawn, TOOLS), finish(again, drawn, TOOLS)

    assert json.loads(json.dumps(recipe_of(plan))) == recipe_of(again)
    assert finished.size == (256, 256)
    assert np.array_equal(np.asarray(finished), np.asarray(same))
    for image in (plan.init, plan.mask, plan.control.image if plan.control else None):
        assert image is None or image.size == (plan.width, plan.height)


def test_a_source_with_transparency_is_taken() -> None:
    clear = picture()
    clear.putalpha(0)

    plan = planned(ANIME, op=Op.VARY, source=Source(clear), strength=0.2)

    assert plan.init is not None
    assert plan.init.mode == "RGB"
    assert plan.init.getpixel((9, 9)) == (255, 255, 255)
