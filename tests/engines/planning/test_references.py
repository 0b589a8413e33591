"""References: looked at where a model can, begun from where it cannot, and never dropped in silence."""

import pytest

from brushwork.engines.base import Op, Role
from brushwork.engines.catalog.model import Model
from tests.engines.planning.models import BASE, EDIT, KLEIN, PIPE, SDXL, TURBO, planned, reference, source

ALL: tuple[Role, ...] = ("image", "style", "character", "omni")


def test_a_model_that_reads_pictures_is_told_what_each_of_them_is_for() -> None:
    plan = planned(KLEIN, "a knight", model="7", references=[reference(role) for role in ALL])

    assert [(seen.role, seen.how) for seen in plan.seen] == [(role, "reference") for role in ALL]
    assert plan.texts[0].text == (
        "a knight, based on image 1, in the style of image 2, with the person in image 3, with the subject of image 4"
    )
    assert plan.applied == {"iw": "emulated", "sref": "native", "cref": "native", "oref": "native"}
    assert plan.degraded == ()


def test_pictures_are_shown_in_sizes_that_the_model_takes() -> None:
    plan = planned(KLEIN, references=[reference("image"), reference("style")])

    for seen in plan.seen:
        assert seen.image.mode == "RGB"
        assert seen.image.width % 16 == seen.image.height % 16 == 0


@pytest.mark.parametrize(
    ("role", "weight", "words"),
    [
        ("image", 0.2, "loosely inspired by image 1"),
        ("image", 3.0, "following image 1 closely"),
        ("style", 10.0, "in exactly the style of image 1"),
        ("character", 0.1, "with the face of the person in image 1"),
        ("omni", 10.0, "with exactly the subject of image 1, unchanged"),
    ],
)
def test_a_weight_is_said_in_words(role: Role, weight: float, words: str) -> None:
    plan = planned(KLEIN, "a knight", references=[reference(role, weight)])

    assert plan.texts[0].text == f"a knight, {words}"


def test_a_heavy_omni_reference_is_shown_twice_where_there_is_room() -> None:
    alone = planned(KLEIN, references=[reference("omni", 5)])
    crowded = planned(KLEIN, references=[reference("omni", 5), *[reference("style")] * 4])

    assert [seen.role for seen in alone.seen] == ["omni", "omni"]
    assert [seen.role for seen in crowded.seen] == ["omni", *["style"] * 4]


def test_more_pictures_than_a_model_can_read_are_admitted() -> None:
    plan = planned(EDIT, references=[*[reference("image")] * 3, reference("style")])

    assert len(plan.seen) == 3
    assert set(plan.degraded) == {"parameter:sref", "too_many_references"}
    assert "sref" not in plan.applied


def test_an_adapter_takes_weights_as_its_scale() -> None:
    given = [reference("image", 2), reference("style", 10), reference("character", 0.5)]
    plan = planned(SDXL, "a knight", model="6.1", references=given, params={"sw": 1000})

    assert [(seen.role, seen.how, seen.weight) for seen in plan.seen] == [
        ("image", "image_prompt", 0.7),
        ("style", "image_prompt", 1.2),
        ("character", "image_prompt", 0.35),
    ]
    assert plan.texts[0].text == "a knight"
    assert plan.applied == {"iw": "native", "sref": "native", "sw": "native", "cref": "emulated"}


@pytest.mark.parametrize(("weight", "share"), [(0.5, 0.875), (1, 0.75), (3, 0.25)])
def test_an_image_prompt_that_cannot_be_looked_at_is_drawn_over(weight: float, share: float) -> None:
    plan = planned(BASE, model="8", references=[reference("image", weight)])

    assert plan.init is not None
    assert plan.init.size == (plan.width, plan.height)
    assert plan.start == pytest.approx(plan.steps * (1 - share), abs=0.6)
    assert plan.applied["iw"] == "emulated"


@pytest.mark.parametrize("model", [TURBO, BASE])
def test_styles_and_characters_that_cannot_be_looked_at_are_admitted(model: Model) -> None:
    plan = planned(model, references=[reference("style"), reference("character"), reference("omni")])

    assert {"parameter:sref", "parameter:cref", "parameter:oref"} <= set(plan.degraded)
    assert not plan.seen
    assert plan.init is None


def test_the_generic_pipeline_begins_with_no_picture() -> None:
    plan = planned(PIPE, references=[reference("image")])

    assert plan.init is None
    assert "parameter:iw" in plan.degraded


def test_an_image_prompt_without_weight_changes_nothing_and_that_is_what_was_asked_for() -> None:
    plain, weightless = planned(BASE, model="8"), planned(BASE, model="8", references=[reference("image", 0)])

    assert (weightless.init, weightless.start) == (plain.init, plain.start)
    assert weightless.applied["iw"] == "native"


def test_a_variation_keeps_its_source_when_there_is_an_image_prompt_too() -> None:
    plan = planned(TURBO, op=Op.VARY, source=source(), strength=0.15, references=[reference("image")])

    assert plan.notes["variation"] == "picture"
    assert "parameter:iw" in plan.degraded


def test_references_beside_a_retextured_picture_are_counted_after_it() -> None:
    plan = planned(KLEIN, "ice", op=Op.RETEXTURE, source=source(), references=[reference("style")])

    assert [seen.role for seen in plan.seen] == ["image", "style"]
    assert plan.texts[0].text.endswith("ice, in the style of image 2")
