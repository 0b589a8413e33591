"""The remote engine against a server on loopback that stands for someone else's."""

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from email.utils import formatdate
from typing import Any

import numpy as np
import pytest
from PIL import Image

from brushwork.engines.base import PICTURE_OPS, NullSink, Op, Place, Reference, Row, RowCancelled, RowResult, Source
from brushwork.engines.diffusion.options import RemoteOptions
from brushwork.engines.remote import RemoteEngine, client, engine, pictures
from brushwork.errors import BrushworkError, EngineFailed, Unavailable, Unprocessable
from tests.engines.remote.server import Answer, Machine, machine

ROW = Row(index=0, seed=11, text="a red barn", width=320, height=192)


@pytest.fixture
def there() -> Iterator[Machine]:
    with machine() as found:
        yield found


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "FIRST_WAIT", 0.01)
    monkeypatch.setattr(engine, "WATCH_SECONDS", 0.02)


def remote(there: Machine, **named: Any) -> RemoteEngine:
    return RemoteEngine(RemoteOptions(**{"url": there.url, "timeout": 20.0, **named}))


def draw(there: Machine, *rows: Row, **named: Any) -> list[RowResult]:
    return sorted(remote(there, **named).run(rows, NullSink()), key=lambda result: result.index)


def picture(width: int = 320, height: int = 192, colour: tuple[int, int, int] = (200, 40, 40)) -> Image.Image:
    return Image.new("RGB", (width, height), colour)


def edit(op: Op, **named: Any) -> Row:
    return replace(ROW, op=op, source=Source(picture()), strength=0.3, **named)


def test_each_picture_is_asked_for_with_a_seed_of_its_own(there: Machine) -> None:
    rows = [replace(ROW, index=index) for index in range(4)]

    results = draw(there, *rows)

    assert [result.index for result in results] == [0, 1, 2, 3]
    assert len({request.fields["seed"] for request in there.requests}) == 4
    assert len({result.image.tobytes() for result in results}) == 4
    assert [one.image.tobytes() for one in draw(there, *rows)] == [one.image.tobytes() for one in results]
    assert {request.fields["n"] for request in there.requests} == {1}


def test_a_request_says_what_the_row_says(there: Machine) -> None:
    row = replace(ROW, negative=("people", "cars"), params={"quality": 2, "seed": 11, "no": "people, cars"})

    [result] = draw(there, row, steps=20, guidance=4.5, key="secret")

    [request] = there.requests
    assert request.path == "/v1/images/generations"
    assert request.headers["authorization"] == "Bearer secret"
    sent = dict(request.fields)
    assert sent.pop("seed") < 2**31
    assert sent == {
        "model": "painter", "prompt": "a red barn", "n": 1, "size": "320x192", "response_format": "b64_json",
        "negative_prompt": "people, cars", "num_inference_steps": 40, "guidance_scale": 4.5,
    }  # fmt: skip
    assert result.image.size == (320, 192)
    assert result.applied == {"seed": "native", "no": "native", "quality": "native"}
    assert result.degraded == ()
    assert result.recipe["request"]["seed"] == request.fields["seed"]
    assert "secret" not in json.dumps(result.recipe)
    assert there.url not in json.dumps(result.recipe)


def test_a_server_that_nobody_knows_is_sent_no_more_than_openai_has(there: Machine) -> None:
    there.owner = "someone"
    row = replace(ROW, negative=("people",), params={"seed": 11, "quality": 2, "chaos": 30, "ar": "5:3"})

    [result] = draw(there, row, steps=20)

    assert set(there.requests[0].fields) == {"model", "prompt", "n", "size", "response_format"}
    assert there.requests[0].fields["prompt"] == "a red barn. Without people."
    assert result.applied == {"no": "emulated"}
    assert set(result.degraded) == {"parameter:seed", "parameter:quality", "parameter:chaos"}


def test_an_operator_can_say_what_a_server_honours(there: Machine) -> None:
    there.owner = "someone"

    [result] = draw(there, replace(ROW, params={"seed": 11}), fields=frozenset({"seed"}))

    assert "seed" in there.requests[0].fields
    assert result.degraded == ()


def test_a_server_that_does_not_list_its_models_is_asked_all_the_same(there: Machine) -> None:
    there.lists_models = False

    [result] = draw(there, ROW, model="their-model")

    assert there.requests[0].fields["model"] == "their-model"
    assert result.image.size == (320, 192)


def test_openai_is_asked_for_sizes_that_it_has(there: Machine) -> None:
    there.owner = "openai"

    [result] = draw(there, replace(ROW, width=800, height=400))

    assert there.requests[0].fields["size"] == "1536x1024"
    assert "response_format" not in there.requests[0].fields
    assert result.image.size == (800, 400)
    assert result.degraded == ("size:1536x1024",)


@pytest.mark.parametrize(("asked", "drawn"), [((333, 200), None), ((320, 192), (64, 64)), ((5000, 1000), None)])
def test_a_picture_of_another_size_is_brought_to_the_size_of_the_row(
    there: Machine, asked: tuple[int, int], drawn: tuple[int, int] | None
) -> None:
    there.drawn_size = drawn

    [result] = draw(there, replace(ROW, width=asked[0], height=asked[1]))

    width, height = (int(side) for side in there.requests[0].fields["size"].split("x"))
    assert result.image.size == asked
    assert width % 16 == height % 16 == 0
    assert max(width, height) <= 2048
    assert bool(result.degraded) == (asked != (333, 200))


def test_multi_prompts_are_said_in_order_and_their_weights_are_reported(there: Machine) -> None:
    row = replace(ROW, segments=(("barn", 2.0), ("field", 1.0), ("rain", -0.5)))

    [result] = draw(there, row)

    assert there.requests[0].fields["prompt"] == "barn, field"
    assert there.requests[0].fields["negative_prompt"] == "rain"
    assert result.degraded == ("parameter:weights",)


# ── edits ──


def test_edits_are_offered_only_where_they_are_configured(there: Machine) -> None:
    def ops(found: RemoteEngine) -> set[Op]:
        return {can.op for cans in found.capabilities().values() for can in cans}

    assert ops(remote(there)) == {Op.TEXT_TO_IMAGE, Op.UPSCALE, Op.ENHANCE}
    assert ops(remote(there, edits=True)) == PICTURE_OPS


def test_a_variation_is_an_edit_of_its_source(there: Machine) -> None:
    draw(there, edit(Op.VARY), edits=True)

    [request] = there.requests
    assert request.path == "/v1/images/edits"
    assert request.fields["strength"] == "0.3"
    assert request.fields["prompt"] == "a red barn"
    [(name, sent)] = request.files
    assert (name, sent.size) == ("image", (320, 192))


def test_a_variation_is_put_in_words_where_there_is_no_strength(there: Machine) -> None:
    there.owner = "openai"

    draw(there, edit(Op.VARY), replace(edit(Op.VARY), index=1, strength=0.8), edits=True)

    prompts = sorted(request.fields["prompt"] for request in there.requests)
    assert prompts == ["A free variation of this picture. a red barn", "A slight variation of this picture. a red barn"]
    assert all("strength" not in request.fields for request in there.requests)


@pytest.mark.parametrize(("owner", "field"), [("vllm", "mask_image"), ("openai", "mask")])
def test_a_repainting_brings_its_canvas_and_a_mask_for_either_way_of_reading(
    there: Machine, owner: str, field: str
) -> None:
    there.owner = owner
    mask = Image.new("L", (320, 192), 0)
    mask.paste(255, (160, 0, 320, 192))

    [result] = draw(there, edit(Op.INPAINT, mask=mask, place=Place(-80, 0, 160, 192)), edits=True)

    (_, canvas), (name, sent) = there.requests[0].files
    assert name == field
    assert canvas.size == sent.size == (320, 192)
    assert canvas.getpixel((40, 100)) == (200, 40, 40)
    pixels = np.asarray(sent)
    assert pixels[50, 200].tolist() == [255, 255, 255, 0]
    assert pixels[50, 20].tolist() == [0, 0, 0, 255]
    kept, beyond, painted = (result.image.getpixel((left, 50)) for left in (20, 120, 200))
    assert kept == (200, 40, 40)  # what lies under no mask is the source's, whatever the server did to it
    assert beyond == painted != kept


def test_a_blend_shows_all_pictures(there: Machine) -> None:
    parts = tuple(Reference("blend", Source(picture(64, 64, (n, 0, 0)))) for n in (10, 20, 30))

    draw(there, replace(ROW, op=Op.BLEND, text="", references=parts), edits=True)

    [request] = there.requests
    assert [name for name, _ in request.files] == ["image[]"] * 3
    assert [image.getpixel((0, 0)) for _, image in request.files] == [(10, 0, 0), (20, 0, 0), (30, 0, 0)]
    assert "blends all" in request.fields["prompt"]


def test_a_retexture_is_told_to_keep_the_shapes(there: Machine) -> None:
    draw(there, edit(Op.RETEXTURE), edits=True)

    assert there.requests[0].fields["prompt"].startswith("Keep the shapes")
    assert there.requests[0].fields["prompt"].endswith("a red barn")


@pytest.mark.parametrize("edits", [True, False])
def test_references_are_shown_where_pictures_can_be_looked_at(there: Machine, edits: bool) -> None:
    style = Reference("style", Source(picture()), weight=1.0)

    [result] = draw(there, replace(ROW, references=(style,), params={"sw": 300}), edits=edits)

    [request] = there.requests
    if edits:
        assert (request.path, len(request.files)) == ("/v1/images/edits", 1)
        assert request.fields["prompt"] == "a red barn, in the style of image 1"
        assert result.applied["sref"] == "emulated"
        assert result.degraded == ("parameter:sw",)
    else:
        assert request.path == "/v1/images/generations"
        assert set(result.degraded) == {"parameter:sref", "parameter:sw"}


@pytest.mark.parametrize(("op", "strength", "told"), [
    (Op.UPSCALE, 0.0, ()), (Op.UPSCALE, 0.5, ("no_refine",)), (Op.ENHANCE, 0.0, ("no_refine",)),
])  # fmt: skip
def test_a_picture_is_enlarged_here(there: Machine, op: Op, strength: float, told: tuple[str, ...]) -> None:
    row = replace(ROW, op=op, source=Source(picture(64, 48)), width=128, height=96, strength=strength)

    [result] = draw(there, row)

    assert there.requests == []
    assert result.image.size == (128, 96)
    assert np.abs(np.asarray(result.image, int) - (200, 40, 40)).mean() < 8
    assert result.degraded == told


# ── answers ──


@pytest.mark.parametrize("address", ["SELF/files/one.png", "/files/one.png"])
def test_a_picture_by_its_address_is_fetched_from_the_same_server(there: Machine, address: str) -> None:
    plain = draw(there, ROW)[0]
    there.as_url = address

    assert draw(there, ROW)[0].image.tobytes() == plain.image.tobytes()


def test_nothing_is_fetched_from_another_server(there: Machine) -> None:
    with machine() as other:
        for address in (f"{other.url}/files/one.png", "file:///etc/hostname", "http://127.0.0.1:notaport/x.png"):
            there.as_url = address
            with pytest.raises(EngineFailed, match="another server"):
                draw(there, ROW)
    assert other.requests == []


def test_a_redirect_is_not_followed(there: Machine) -> None:
    with machine() as other:
        there.answers = [Answer(302, headers={"location": f"{other.url}/v1/images/generations"})]
        with pytest.raises(EngineFailed, match="302"):
            draw(there, ROW, key="secret")
    assert other.requests == []


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"not json", "cannot be understood"),
        (b"[]", "cannot be understood"),
        (b'{"data": []}', "without a picture"),
        (b'{"data": [{"b64_json": "%%%"}]}', "cannot be decoded"),
        (b'{"data": [{"b64_json": "aGVsbG8="}]}', "not a picture"),
    ],
)
def test_an_answer_without_a_picture_is_an_error(there: Machine, body: bytes, says: str) -> None:
    there.answers = [Answer(200, body)]

    with pytest.raises(EngineFailed, match=says):
        draw(there, ROW)


def test_an_answer_has_bounds(there: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "MOST_BYTES", 100_000)
    there.answers = [Answer(200, b'{"data": "' + b"x" * 200_000 + b'"}')]
    with pytest.raises(EngineFailed, match="larger than any picture"):
        draw(there, ROW)

    monkeypatch.setattr(pictures, "MOST_PIXELS", 10_000)
    there.drawn_size = (200, 100)
    with pytest.raises(EngineFailed, match="200 by 100"):
        draw(there, ROW)


# ── errors ──


@pytest.mark.parametrize(
    ("answer", "error", "says"),
    [
        (
            Answer(400, b'{"error": {"message": "Your prompt was rejected.", "code": "x"}}'),
            Unprocessable,
            "was rejected",
        ),
        (Answer(422, b'{"detail": [{"loc": ["size"], "msg": "too large"}]}'), Unprocessable, "too large"),
        (Answer(401, b""), Unavailable, "key"),
        (Answer(404, b""), Unavailable, "does not have the model"),
        (Answer(500, b"Traceback"), EngineFailed, r"failed \(500\)"),
    ],
)
def test_an_error_says_whose_fault_it_is(
    there: Machine, answer: Answer, error: type[BrushworkError], says: str
) -> None:
    there.answers = [answer]

    with pytest.raises(error, match=says):
        draw(there, ROW)

    assert len(there.requests) == 1


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_server_is_asked_again(there: Machine, status: int) -> None:
    there.answers = [Answer(status), Answer(status)]

    [result] = draw(there, ROW)

    assert len(there.requests) == 3
    assert result.image.size == (320, 192)


@pytest.mark.parametrize("header", ["0.3", "date"])
def test_a_busy_server_is_given_the_time_it_asks_for(there: Machine, header: str) -> None:
    after = formatdate(time.time() + 2, usegmt=True) if header == "date" else header
    there.answers = [Answer(429, headers={"retry-after": after})]
    begun = time.monotonic()

    draw(there, ROW)

    assert time.monotonic() - begun >= 0.3


def test_a_server_that_stays_busy_is_given_up(there: Machine) -> None:
    there.answers = [Answer(503, headers={"retry-after": "0"})] * 20

    with pytest.raises(Unavailable, match="too much to do"):
        draw(there, ROW)

    assert len(there.requests) == client.ATTEMPTS


def test_a_server_that_is_not_there_is_an_error_but_no_reason_not_to_start() -> None:
    with machine() as gone:
        pass
    found = remote(gone)

    found.warm()

    with pytest.raises(Unavailable, match="cannot be reached"):
        found.run([ROW], NullSink())


def test_a_server_that_says_nothing_is_not_waited_for_longer_than_configured(there: Machine) -> None:
    there.answers = [Answer(hangs=True)]

    with pytest.raises(EngineFailed, match=r"within 0\.3 seconds"):
        draw(there, ROW, timeout=0.3)

    assert there.hung_up.wait(5)


def test_one_failed_picture_ends_the_others(there: Machine) -> None:
    there.answers = [Answer(hangs=True), Answer(500)]

    with pytest.raises(EngineFailed, match="500"):
        draw(there, ROW, replace(ROW, index=1))

    assert there.hung_up.wait(5)


# ── cancelling ──


def test_cancelling_hangs_up_at_once_and_spares_the_others(there: Machine) -> None:
    there.answers = [Answer(hangs=True)]

    class CancelsOnceAsked(NullSink):
        def step(self, row: Row, done: int, total: int) -> None:
            if there.requests:
                raise RowCancelled

    assert remote(there).run([ROW], CancelsOnceAsked()) == []
    assert there.hung_up.wait(5)


def test_a_cancelled_row_is_left_out_and_the_others_are_drawn(there: Machine) -> None:
    rows = [replace(ROW, index=index) for index in range(3)]
    there.answers = [Answer(hangs=True), Answer(hangs=True)]

    class CancelsWhatHangs(NullSink):
        def step(self, row: Row, done: int, total: int) -> None:
            if done == 0 and time.monotonic() - begun > 1:
                raise RowCancelled

    begun = time.monotonic()
    results = remote(there).run(rows, CancelsWhatHangs())

    assert len(results) == 1
    assert there.hung_up.wait(5)


def test_enlarging_what_nobody_wants_ends_between_two_tiles(there: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("brushwork.engines.tools.super_resolution.SIDE", 16)
    monkeypatch.setattr(engine, "WATCH_SECONDS", 60)  # only the tiles ask
    source = Source(Image.new("RGB", (160, 96), "red"))
    asked = 0

    class Impatient(NullSink):
        def step(self, row: Row, done: int, total: int) -> None:
            nonlocal asked
            asked += 1
            if asked > 2:
                raise RowCancelled

    row = replace(ROW, op=Op.UPSCALE, source=source)
    assert remote(there).run([row], Impatient()) == []
    assert asked == 3


def test_only_a_few_pictures_are_asked_for_at_the_same_time(there: Machine) -> None:
    results = draw(there, *(replace(ROW, index=index) for index in range(9)))

    assert len(results) == 9
    assert 1 <= there.most_at_once <= engine.CONNECTIONS


# ── the rest of an engine ──


def test_capabilities_are_what_the_server_is_known_to_honour(there: Machine) -> None:
    found = remote(there, steps=20)
    before = found.capabilities()[found.name][0]

    found.warm()

    [name] = found.capabilities()
    can = found.capabilities()[name][0]
    assert name == "painter"
    assert not can.step_cancel
    assert {"seed", "quality", "no"} <= can.params
    assert (before.negative, can.negative) == ("emulated", "native")
    assert "seed" not in before.params


def test_it_learns_what_a_picture_takes(there: Machine) -> None:
    found = remote(there)
    before = found.cost(ROW).seconds

    found.run([ROW, replace(ROW, index=1)], NullSink())

    assert found.cost(ROW).seconds < before


def test_an_address_is_needed_and_may_end_in_v1(there: Machine) -> None:
    with pytest.raises(Unavailable, match="address"):
        RemoteEngine(RemoteOptions())
    [result] = RemoteEngine(RemoteOptions(url=f"{there.url}/v1/")).run([ROW], NullSink())
    assert result.image.size == (320, 192)


def test_it_weighs_words_without_the_server() -> None:
    found = RemoteEngine(RemoteOptions(url="http://127.0.0.1:9"))

    assert found.word_weights(["beautiful", "castle"])[1] > found.word_weights(["beautiful", "castle"])[0]
