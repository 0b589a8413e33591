import asyncio
import json
from typing import Annotated, Any, ClassVar

import httpx
import pytest
from pydantic import BaseModel, Field
from starlette.requests import Request

from brushwork.api.bodies import read_bytes, read_task
from brushwork.engines.base import Op
from brushwork.errors import BadRequest, InvalidField, PayloadTooLarge, RequestTimeout
from brushwork.tasks.base import Kind, Task

LIMIT = 4000


class Canvas(BaseModel):
    width: int
    height: int


class Follow(Task):
    """A task with a field of each sort."""

    name: ClassVar[str] = "follow"
    needs: ClassVar[Op] = Op.TEXT_TO_IMAGE
    makes: ClassVar[Kind] = "grid"
    example: ClassVar[dict[str, Any]] = {"jobId": "x", "imageNo": 0}

    job_id: str
    image_no: Annotated[int, Field(ge=0, le=3)]
    remix_prompt: Annotated[str | None, Field(min_length=1, max_length=20)] = None
    scale: float = 1.5
    canvas: Canvas | None = None
    mask: bytes | None = None
    img_urls: tuple[str, ...] = ()


GOOD = {"jobId": "abc", "imageNo": 2}


async def read(body: bytes, content_type: str | None = "application/json", *, chunk: int = 1000) -> Follow:
    headers = [(b"content-type", content_type.encode())] if content_type else []
    pieces = [body[start : start + chunk] for start in range(0, len(body), chunk)] or [b""]

    async def receive() -> dict[str, Any]:
        piece = pieces.pop(0)
        return {"type": "http.request", "body": piece, "more_body": bool(pieces)}

    return await read_task(Request({"type": "http", "headers": headers}, receive), Follow, limit=LIMIT)


async def read_form(fields: dict[str, str], files: dict[str, Any] | None = None) -> Follow:
    request = httpx.Request("POST", "http://x", data=fields, files=files or {"nothing": b""})
    return await read(await request.aread(), request.headers["content-type"])


@pytest.mark.parametrize(
    "content_type",
    [None, "", "text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-8", "nonsense"],
)
@pytest.mark.parametrize(
    "wrap", [json.dumps, lambda body: json.dumps(json.dumps(body)), lambda body: "\ufeff" + json.dumps(body)]
)
async def test_json_is_read_whatever_the_content_type_and_the_wrapping(content_type: str | None, wrap: Any) -> None:
    task = await read(wrap(GOOD).encode(), content_type)

    assert (task.job_id, task.image_no) == ("abc", 2)


@pytest.mark.parametrize(
    "body",
    [
        {"job_id": "abc", "image_no": 2},
        {"jobId": "abc", "imageNo": 2.0},
        {"jobId": "abc", "imageNo": "2"},
        {"jobId": "abc", "imageNo": 2, "remixPrompt": None, "callback": "", "scale": None, "canvas": "", "mask": None},
        {"jobId": "abc", "imageNo": 2, "aspectRatio": "16:9", "unknown": {"a": [1]}},
        {"jobId": None, "job_id": "abc", "imageNo": 2},
    ],
)
async def test_other_spellings_blanks_and_unknown_fields_mean_the_same(body: dict[str, Any]) -> None:
    assert await read(json.dumps(body).encode()) == await read(json.dumps(GOOD).encode())


@pytest.mark.parametrize(
    ("change", "field", "problem"),
    [
        ({"jobId": ""}, "jobId", "must not be empty"),
        ({"jobId": None}, "jobId", "is required"),
        ({"jobId": 7}, "jobId", "must be a string"),
        ({"imageNo": "left"}, "imageNo", "must be a whole number"),
        ({"imageNo": 1.5}, "imageNo", "must be a whole number"),
        ({"imageNo": 4}, "imageNo", "must be at most 3"),
        ({"imageNo": -1}, "imageNo", "must be at least 0"),
        ({"imageNo": []}, "imageNo", "must be a whole number"),
        ({"scale": "wide"}, "scale", "must be a number"),
        ({"remixPrompt": "x" * 21}, "remixPrompt", "must have at most 20 characters"),
        ({"canvas": {"width": 5}}, "canvas.height", "is required"),
        ({"canvas": 5}, "canvas", "must be an object"),
        ({"imgUrls": "https://example.com/a.png"}, "imgUrls", "must be a list"),
        ({"callback": "ftp://example.com"}, "callback", "must begin with http:// or https://"),
        ({"callback": "http://"}, "callback", "must be a URL with a host"),
        ({"callback": "http://e.com/\r\nX: y"}, "callback", "must not hold spaces or control characters"),
        ({"remixPrompt": "a\u0000b"}, "remixPrompt", "holds a character that is not text"),
    ],
)
async def test_a_wrong_field_is_named_as_the_reference_spells_it(
    change: dict[str, Any], field: str, problem: str
) -> None:
    with pytest.raises(InvalidField) as caught:
        await read(json.dumps({**GOOD, **change}).encode())

    assert caught.value.detail["field"] == field
    assert problem in caught.value.message


async def test_all_wrong_fields_are_listed() -> None:
    with pytest.raises(InvalidField) as caught:
        await read(b'{"imageNo": 9}')

    assert [problem["field"] for problem in caught.value.detail["problems"]] == ["jobId", "imageNo"]


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"", "empty"),
        (b"   ", "empty"),
        (b"{", "not valid JSON"),
        (b"text=hello", "not valid JSON"),
        (b"[1]", "a list"),
        (b"5", "a number"),
        (b"null", "null"),
        (b"true", "true or false"),
        (b'"hello"', "not valid JSON"),
        (b'"\\"\\\\\\"x\\\\\\"\\""', "string"),
        (b'{"jobId": "\xff"}', "not valid JSON"),
        (b'{"jobId": "\\ud800", "imageNo": 1}', "not valid JSON"),
        (b'{"jobId": "a", "imageNo": NaN}', "not valid JSON"),
        (b'{"jobId": "a", "imageNo": 1, "scale": 1e999}', "finite"),
        (b'{"x": ' + b"[" * 1000 + b"]" * 1000 + b"}", "not valid JSON"),
        (b'{"x": ' + b"9" * 3900 + b"}", ""),
        ("{}".encode("utf-16"), "not valid JSON"),
    ],
)
async def test_what_is_not_a_json_object_is_a_bad_request_that_says_why(body: bytes, problem: str) -> None:
    with pytest.raises(BadRequest) as caught:
        await read(body)

    assert problem in caught.value.message
    assert caught.value.message.isprintable()


async def test_a_form_is_read_like_json() -> None:
    fields = {
        "jobId": "abc",
        "imageNo": "2",
        "remixPrompt": "{not json}",
        "callback": "",
        "canvas": '{"width":5,"height":6}',
    }

    task = await read_form(fields, {"mask": ("upload", b"\x89PNG\x00", "application/octet-stream")})

    assert (task.image_no, task.remix_prompt, task.callback) == (2, "{not json}", None)
    assert task.canvas == Canvas(width=5, height=6)
    assert task.mask == b"\x89PNG\x00"


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"", "multipart/form-data"),
        (b"--x\r\n", "multipart/form-data; boundary=x"),
        (b"garbage", "multipart/form-data; boundary=x"),
        (b"--x\r\nContent-Disposition: form-data\r\n\r\n1\r\n--x--\r\n", "multipart/form-data; boundary=x"),
        (
            b'--x\r\nContent-Disposition: form-data; name="jobId"\r\n\r\n\x00\r\n--x--\r\n',
            "multipart/form-data; boundary=x",
        ),
        (
            b'--x\r\nContent-Disposition: form-data; name="jobId"\r\n\r\n\\ud800\r\n--x--\r\n',
            "multipart/form-data; boundary=x; charset=raw_unicode_escape",
        ),
        (
            b'--x\r\nContent-Disposition: form-data; name="jobId"\r\n\r\na\r\n--x--\r\n',
            "multipart/form-data; boundary=x; charset=none",
        ),
        (
            b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n' * 70 + b"--x--\r\n",
            "multipart/form-data; boundary=x",
        ),
    ],
)
async def test_a_form_that_cannot_be_read_is_a_bad_request(body: bytes, content_type: str) -> None:
    with pytest.raises(BadRequest):
        await read(body, content_type)


async def test_a_field_of_a_form_that_should_hold_json_is_named() -> None:
    with pytest.raises(InvalidField, match="canvas: is not valid JSON"):
        await read_form({"jobId": "abc", "imageNo": "2", "canvas": "{broken"})


async def test_a_body_of_exactly_the_limit_is_read_and_one_byte_more_is_refused() -> None:
    body = json.dumps(GOOD).encode()

    await read(body + b" " * (LIMIT - len(body)))
    with pytest.raises(PayloadTooLarge):
        await read(body + b" " * (LIMIT - len(body) + 1))


@pytest.mark.parametrize("many", [b"[" + b"0," * 100_000 + b"0]", b'{"y":[' + b"{}," * 100_000 + b"0]}"])
async def test_more_values_than_anyone_needs_are_refused_before_they_are_looked_at(many: bytes) -> None:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b'{"jobId": "abc", "imageNo": 2, "x": ' + many + b"}"}

    with pytest.raises(BadRequest, match="more than 100000 values"):
        await read_task(Request({"type": "http", "headers": []}, receive), Follow, limit=10_000_000)


async def test_an_endless_body_is_cut_off_without_being_kept() -> None:
    sent = 0

    async def receive() -> dict[str, Any]:
        nonlocal sent
        sent += 1000
        return {"type": "http.request", "body": b"x" * 1000, "more_body": True}

    with pytest.raises(PayloadTooLarge):
        await read_task(Request({"type": "http", "headers": []}, receive), Follow, limit=LIMIT)

    assert sent <= LIMIT * 8 + 1000


async def test_a_body_that_is_announced_as_far_too_large_is_not_read_at_all() -> None:
    async def receive() -> dict[str, Any]:
        raise AssertionError("nothing should be read")

    request = Request({"type": "http", "headers": [(b"content-length", b"999999")]}, receive)

    with pytest.raises(PayloadTooLarge):
        await read_task(request, Follow, limit=LIMIT)


async def test_a_body_that_never_ends_is_not_waited_for() -> None:
    async def receive() -> dict[str, Any]:
        await asyncio.sleep(0.01)
        return {"type": "http.request", "body": b" ", "more_body": True}

    with pytest.raises(RequestTimeout, match=r"0\.1 seconds"):
        await read_bytes(Request({"type": "http", "headers": []}, receive), limit=LIMIT, seconds=0.1)
