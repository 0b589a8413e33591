import io
import re
import time
from datetime import datetime
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from brushwork.database.tables import files
from brushwork.errors import UnreachablePicture
from tests.api.conftest import Api
from tests.files.hostile import hostile_files

PIXELS = np.random.default_rng(5).integers(0, 255, (20, 30, 3), dtype=np.uint8)


def encoded(kind: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(PIXELS).save(buffer, kind, **options)
    return buffer.getvalue()


async def upload(api: Api, data: bytes, *, name: str = "file", **options: Any) -> httpx.Response:
    return await api.client.post("/api/v1/files", files={name: ("picture", data)}, **options)


async def test_an_upload_gives_a_url_that_opens_the_picture(each_api: Api) -> None:
    answer = await upload(each_api, encoded("WEBP", lossless=True))

    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert set(told) == {"id", "url", "width", "height", "content_type", "expires_at"}
    assert (told["width"], told["height"], told["content_type"]) == (30, 20, "image/png")
    assert told["url"].startswith(f"http://brushwork.test/files/{told['id']}.png?")
    shown = await each_api.client.get(told["url"])
    assert shown.headers["content-type"] == "image/png"
    assert (np.asarray(Image.open(io.BytesIO(shown.content))) == PIXELS).all()


async def test_the_url_can_be_given_wherever_a_url_is_asked_for(each_api: Api) -> None:
    url = (await upload(each_api, encoded())).json()["url"]

    picture = await each_api.services.pictures.take(url, field="imgUrl")

    assert (np.asarray(picture.image()) == PIXELS).all()


async def test_link_and_file_end_together_after_the_days_of_a_result(api: Api) -> None:
    told = (await upload(api, encoded())).json()

    ends = datetime.fromisoformat(told["expires_at"]).timestamp()
    assert 0 <= ends - time.time() - api.settings.result_days * 86400 <= 3600
    assert f"expires={ends:.0f}&" in told["url"]
    with pytest.raises(UnreachablePicture):
        await api.services.pictures.take(re.sub(r"expires=\d+", "expires=9999999999", told["url"]), field="url")


@pytest.mark.parametrize("kind", ["image/png", "image/anything", "IMAGE/PNG", "application/octet-stream"])
async def test_the_body_may_be_the_picture_itself(api: Api, kind: str) -> None:
    answer = await api.client.post("/v1/files", content=encoded(), headers={"content-type": kind})

    assert (answer.status_code, answer.json()["width"]) == (200, 30)


async def test_where_a_photo_was_taken_is_not_kept(api: Api) -> None:
    exif = Image.Exif()
    exif[0x010E], exif[0x8825] = "SECRET", {1: "N", 2: (48.0, 8.0, 0.0)}

    shown = await api.client.get((await upload(api, encoded("JPEG", exif=exif))).json()["url"])

    assert b"Exif" not in shown.content
    assert b"SECRET" not in shown.content


@pytest.mark.parametrize(
    ("sent", "problem"),
    [
        ({"files": {"picture": ("a.png", b"x")}}, "file: is required"),
        ({"data": {"file": "text"}, "files": {"other": ("a.png", b"x")}}, "file: must be a file"),
        ({"json": {"file": "x"}}, "Send the picture as multipart/form-data"),
        ({"content": b""}, "Send the picture as multipart/form-data"),
        ({"content": b"x", "headers": {"content-type": "multipart/form-data"}}, "cannot be read"),
    ],
)
async def test_what_is_no_upload_is_told_how_to_be_one(api: Api, sent: dict[str, Any], problem: str) -> None:
    answer = await api.client.post("/api/v1/files", **sent)

    assert answer.status_code == 400
    assert problem in answer.json()["message"]


async def test_what_is_no_picture_is_refused_and_not_kept(each_api: Api) -> None:
    for name in ["empty", "svg", "html", "gif", "pdf", "png: and a zip", "jpeg: cut in its pixels", "webp: animated"]:
        answer = await upload(each_api, dict(hostile_files())[name]())
        assert (answer.status_code, answer.json()["detail"]["code"]) == (422, "unreadable_picture"), name
        assert answer.json()["message"].startswith("file: ")

    large = await upload(each_api, dict(hostile_files())["png: longer than any side"]())
    assert (large.status_code, large.json()["detail"]["code"]) == (413, "picture_too_large")
    folder = each_api.settings.data_dir / "files"
    assert [file for file in folder.rglob("*") if file.is_file()] == []


async def test_a_body_beyond_the_limit_is_a_413(api: Api) -> None:
    answer = await upload(api, bytes(api.services.max_body_bytes))

    assert (answer.status_code, answer.json()["detail"]["code"]) == (413, "payload_too_large")


async def test_an_upload_needs_a_key(api: Api) -> None:
    answer = await upload(api, encoded(), headers={"x-api-key": "bw_wrong"})

    assert answer.status_code == 401


async def test_a_store_that_fails_leaves_no_trace_of_the_upload(api: Api) -> None:
    folder = api.settings.data_dir / "files"
    folder.rmdir()
    folder.write_text("not a folder")

    answer = await upload(api, encoded())

    assert answer.status_code == 503
    async with api.services.database.read() as tx:
        assert (await tx.execute(files.select())).all() == []
