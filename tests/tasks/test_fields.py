"""Fields: what real clients send is taken, what is wrong is refused with the name of the field."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brushwork.api.bodies import fields_of, unwrap_nested_json
from brushwork.errors import InvalidField, PromptGrammarError, PromptValueError
from brushwork.tasks import TASKS
from brushwork.tasks.base import PROMPT_FIELDS
from brushwork.tasks.fields import Mask
from brushwork.tasks.inpaint import Inpaint
from brushwork.tasks.upload_paint import UploadPaint

JOB = {"jobId": "5dd94ec3-7282-4f04-9445-59e850ef1822", "imageNo": 0}
AREA = {"width": 500, "height": 500, "points": [10, 10, 10, 100, 100, 100, 100, 10]}
FIELDS = {name: {field.alias or inner for inner, field in task.model_fields.items()} for name, task in TASKS.items()}
NAMES = ("areas", "url", "value", "type", "points", "width", "height", "x", "y")
PNG = b"\x89PNG\r\n\x1a\n..."


def problem(name: str, body: dict[str, Any]) -> str:
    """The field that is named when the body is refused, or "" when it is taken."""
    try:
        fields_of(body, TASKS[name]).check()
    except InvalidField as error:
        return str(error.detail["field"])
    return ""


@pytest.mark.parametrize(
    ("name", "body", "field"),
    [
        ("variation", {**JOB, "type": 1}, ""),
        ("variation", JOB, ""),
        ("variation", {"job_id": "a", "image_no": "0", "type": "0"}, ""),
        ("variation", {**JOB, "imageNo": 3.0, "type": 1.0, "remixPrompt": None, "callback": None}, ""),
        ("variation", {**JOB, "imageNo": 4}, "imageNo"),
        ("variation", {**JOB, "imageNo": 1.5}, "imageNo"),
        ("variation", {**JOB, "type": 2}, "type"),
        ("variation", {**JOB, "jobId": ""}, "jobId"),
        ("variation", {**JOB, "remixPrompt": "x" * 8193}, "remixPrompt"),
        ("upscale", JOB, ""),
        ("upscale", {**JOB, "type": 3}, ""),
        ("upscale", {**JOB, "type": 4}, "type"),
        ("upscale", {**JOB, "type": -1}, "type"),
        ("reroll", {"jobId": "a"}, ""),
        ("reroll", {"job_id": "a", "imageNo": "left"}, ""),
        ("reroll", {}, "jobId"),
        ("blend", {"imgUrls": ["https://e.com/a.png"] * 2, "aspect_ratio": "2:3"}, ""),
        ("blend", {"imgUrls": ["https://e.com/a.png"] * 5, "aspect_ratio": "1:1", "aspectRatio": "9:9"}, ""),
        ("blend", {"imgUrls": ["https://e.com/a.png"], "aspect_ratio": "1:1"}, "imgUrls"),
        ("blend", {"imgUrls": ["https://e.com/a.png"] * 6, "aspect_ratio": "1:1"}, "imgUrls"),
        ("blend", {"imgUrls": ["https://e.com/a.png"] * 2, "aspect_ratio": "16:9"}, "aspect_ratio"),
        ("blend", {"imgUrls": ["https://e.com/a.png"] * 2}, "aspect_ratio"),
        ("blend", {"imgUrls": ["https://e.com/a.png", "b"], "aspect_ratio": "1:1"}, "imgUrls[1]"),
        ("describe", {"imgUrl": "https://e.com/a.png", "callback": None}, ""),
        ("describe", {"imgUrl": "data:image/png;base64,AAAA"}, ""),
        ("describe", {"imgUrl": f"data:sha256,{'0' * 64}"}, ""),
        ("describe", {"imgUrl": "data:sha256,0"}, "imgUrl"),
        ("describe", {"imgUrl": "data:image/png,AAAA"}, "imgUrl"),
        ("describe", {"imgUrl": "ftp://e.com/a.png"}, "imgUrl"),
        ("describe", {"imgUrl": "a.png"}, "imgUrl"),
        ("describe", {"imgUrl": "https://me@e.com/a.png"}, "imgUrl"),
        ("describe", {"imgUrl": f"https://e.com/{'a' * 1024}"}, "imgUrl"),
        ("describe", {"imgUrl": f"https://e.com/{'a' * 1010}"}, ""),
        ("shorten", {"prompt": "a fox"}, ""),
        ("shorten", {"prompt": ""}, "prompt"),
        ("pan", {**JOB, "direction": 3, "scale": 1.1}, ""),
        ("pan", {**JOB, "direction": "3", "scale": "3"}, ""),
        ("pan", {**JOB, "direction": "left", "scale": 1.5}, "direction"),
        ("pan", {**JOB, "direction": 4, "scale": 1.5}, "direction"),
        ("pan", {**JOB, "direction": 0}, "scale"),
        ("pan", {**JOB, "direction": 0, "scale": 3.01}, "scale"),
        ("pan", {**JOB, "direction": 0, "scale": 1.0}, "scale"),
        ("outpaint", {**JOB, "scale": 2.0, "remixPrompt": "", "callback": ""}, ""),
        ("outpaint", {**JOB, "scale": 2.1}, "scale"),
        ("outpaint", {**JOB, "scale": 1}, "scale"),
        ("inpaint", {**JOB, "mask": {"areas": [AREA]}}, ""),
        ("inpaint", {**JOB, "mask": {"areas": [AREA], "url": None}}, ""),
        ("inpaint", {**JOB, "mask": {"areas": None, "url": "https://e.com/m.png"}}, ""),
        ("inpaint", {**JOB, "mask": {"type": "url", "value": "https://e.com/m.png"}}, ""),
        ("inpaint", {**JOB, "mask": {"type": "url", "url": "https://e.com/m.png"}}, ""),
        ("inpaint", {**JOB, "mask": PNG}, ""),
        ("inpaint", {**JOB, "area": AREA}, ""),
        ("inpaint", JOB, "mask"),
        ("inpaint", {**JOB, "mask": {"areas": None, "url": None}}, "mask"),
        ("inpaint", {**JOB, "mask": {"areas": [], "url": ""}}, "mask"),
        ("inpaint", {**JOB, "mask": 7}, "mask"),
        ("inpaint", {**JOB, "mask": {"url": "m.png"}}, "mask.url"),
        ("inpaint", {**JOB, "mask": {"areas": [{**AREA, "width": 499}]}}, "mask.areas[0].width"),
        ("inpaint", {**JOB, "mask": {"areas": [AREA, {**AREA, "height": 4097}]}}, "mask.areas[1].height"),
        ("inpaint", {**JOB, "mask": {"areas": [{**AREA, "points": [1, 2, 3, 4, 5, 6, 7]}]}}, "mask.areas[0].points"),
        ("inpaint", {**JOB, "mask": {"areas": [{**AREA, "points": [1, 2, 3, 4]}]}}, "mask.areas[0].points"),
        ("inpaint", {**JOB, "mask": {"areas": [{**AREA, "points": [1, 2, 3, 4, 5, 6.5]}]}}, "mask.areas[0].points[5]"),
        ("inpaint", {**JOB, "mask": {"areas": [{**AREA, "points": [0] * 5 + [2**30]}]}}, "mask.areas[0].points[5]"),
        ("inpaint", {**JOB, "mask": {"areas": [{**AREA, "points": [600, 0, 700, 0, 700, 99]}]}}, "mask.areas"),
        ("inpaint", {**JOB, "area": {**AREA, "points": [9, 9, 9, 9, 9, 9]}}, "mask.areas"),
        ("remix", {**JOB, "remixPrompt": "a fox", "mode": None}, ""),
        ("remix", {**JOB, "remixPrompt": "a fox", "mode": 2}, "mode"),
        ("remix", JOB, "remixPrompt"),
        ("remix", {**JOB, "remixPrompt": ""}, "remixPrompt"),
        ("retexture", {"imgUrl": "https://e.com/a.png", "remixPrompt": "of gold"}, ""),
        ("retexture", {"imgUrl": "https://e.com/a.png"}, "remixPrompt"),
        ("remove-background", {"imgUrl": "https://e.com/a.png"}, ""),
        ("enhance", JOB, ""),
    ],
)  # fmt: skip
def test_bodies_are_taken_or_refused_by_the_name_of_a_field(name: str, body: dict[str, Any], field: str) -> None:
    assert problem(name, body) == field


EDIT = {
    **JOB,
    "canvas": {"width": 1024, "height": 768},
    "imgPos": {"width": 512, "height": 512, "x": 0, "y": 0},
    "remixPrompt": "a hill",
}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({}, ""),
        ({"mask": {"areas": [AREA], "url": None}}, ""),
        ({"mask": {"areas": None, "url": None}}, "mask"),
        ({"canvas": {"width": 4097, "height": 100}}, "canvas.width"),
        ({"canvas": {"width": 100, "height": 0}}, "canvas.height"),
        ({"canvas": {"width": 100}}, "canvas.height"),
        ({"canvas": None}, "canvas"),
        ({"canvas": "1024x1024"}, "canvas"),
        ({"imgPos": {"width": 512, "height": 512, "x": 0}}, "imgPos.y"),
        ({"imgPos": {"width": 0, "height": 512, "x": 0, "y": 0}}, "imgPos.width"),
        ({"imgPos": {"width": 512, "height": 512, "x": -511, "y": 767}}, ""),
        ({"imgPos": {"width": 512, "height": 512, "x": -512, "y": 0}}, "imgPos"),
        ({"imgPos": {"width": 512, "height": 512, "x": 0, "y": 768}}, "imgPos"),
        ({"remixPrompt": None}, "remixPrompt"),
    ],
)
def test_a_canvas_and_the_place_of_a_picture_are_checked(change: dict[str, Any], field: str) -> None:
    assert problem("edit", {**EDIT, **change}) == field


def test_an_upload_paint_needs_a_mask() -> None:
    body = {**EDIT, "imgUrl": "https://e.com/a.png"}

    assert problem("upload-paint", body) == "mask"
    assert problem("upload-paint", {**body, "mask": {"areas": [AREA]}}) == ""


def test_a_form_may_bring_files_and_objects_as_text() -> None:
    form: dict[str, Any] = {
        "imgUrl": PNG,
        "canvas": '{"width": "1024", "height": 768}',
        "imgPos": '{"width": 512, "height": 512, "x": 0, "y": 0}',
        "mask": '{"areas": null, "url": "https://e.com/m.png"}',
        "remixPrompt": "{a hill",
    }

    task = fields_of(unwrap_nested_json({**form, "remixPrompt": "a hill"}, UploadPaint), UploadPaint)

    assert task.img_url == "data:;base64,iVBORw0KGgouLi4="
    assert (task.canvas.width, task.img_pos.height, task.mask.url) == (1024, 512, "https://e.com/m.png")


def test_a_mask_file_of_the_python_client_becomes_its_url() -> None:
    task = fields_of({"jobId": "a", "imageNo": "0", "mask": PNG}, Inpaint)

    assert task.whole_mask == Mask(url="data:;base64,iVBORw0KGgouLi4=")
    assert [getattr(one, "field", "") for one in task.wanted()] == ["", "mask.url"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=7) | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=5), inner),
    max_leaves=12,
)


@pytest.mark.parametrize("name", TASKS)
@settings(max_examples=40)
@given(data=st.data())
def test_whatever_stands_in_a_field_is_refused_in_a_sentence_or_can_be_stored(name: str, data: st.DataObject) -> None:
    body = {**TASKS[name].example}
    for field in data.draw(st.lists(st.sampled_from(sorted(FIELDS[name])), max_size=3)):
        body[field] = data.draw(JSON | st.binary(max_size=9))

    with suppress(InvalidField, PromptGrammarError, PromptValueError):
        task = fields_of(body, TASKS[name])
        task.check()
        assert TASKS[name].model_validate(task.model_dump(mode="json")) == task


@pytest.mark.parametrize("name", TASKS)
def test_every_task_survives_the_database(name: str) -> None:
    task = TASKS[name].model_validate(TASKS[name].example)

    assert TASKS[name].model_validate(task.model_dump(mode="json")) == task


WORDS = [(name, inner) for name, task in TASKS.items() for inner in task.model_fields if inner in PROMPT_FIELDS]


@pytest.mark.parametrize(("name", "inner"), WORDS)
def test_whatever_words_a_task_takes_a_policy_gets_to_see(name: str, inner: str) -> None:
    words: dict[str, Any] = {inner: "a field of gore"}
    task = TASKS[name].model_construct(**words)

    assert list(task.texts().values()) == ["a field of gore"]


def test_no_task_takes_words_by_a_name_that_no_policy_knows() -> None:
    spellings = {"prompt", "text", "remixprompt", "endprompt", "negativeprompt", "caption"}
    words = {
        (name, inner)
        for name, task in TASKS.items()
        for inner, field in task.model_fields.items()
        if (field.alias or inner).replace("_", "").lower() in spellings
    }

    assert words == set(WORDS)
    assert len(words) > 10
