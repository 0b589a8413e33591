"""A picture may be given as a URL, as its own data, or as a link of ours; what comes out is the same."""

import asyncio
import base64
import io
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from brushwork.accounts.directory import create_account
from brushwork.database.session import Database
from brushwork.errors import (
    BrushworkError,
    InvalidField,
    PictureTooLarge,
    TooManyRequests,
    Unavailable,
    UnreachablePicture,
)
from brushwork.files import pictures as pictures_chapter
from brushwork.files import store as store_chapter
from brushwork.files.addresses import Allowed
from brushwork.files.decode import ENHANCE_LIMITS, CleanPicture, Limits
from brushwork.files.fetch import FetchRules
from brushwork.files.links import Links
from brushwork.files.pictures import Pictures
from brushwork.files.store import Files, open_store
from brushwork.files.stored import StoredFile
from brushwork.jobs.retention import remove_expired
from tests.files.hostile import hostile_files
from tests.files.network import answer, serving, watched

NOW = time.time()
PIXELS = np.random.default_rng(3).integers(0, 255, (20, 30, 3), dtype=np.uint8)


def encoded(kind: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(PIXELS).save(buffer, kind, **options)
    return buffer.getvalue()


def data_url(data: bytes, kind: str = "image/png") -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def is_ours(picture: CleanPicture) -> bool:
    return bool((np.asarray(picture.image()) == PIXELS).all())


@pytest.fixture
def files(database: Database, tmp_path: Path) -> Files:
    return Files(database, open_store(f"file://{tmp_path}"), Links("http://127.0.0.1:1", b"secret", seconds=3600))


@pytest.fixture
async def account_id(database: Database) -> int:
    async with database.write() as tx:
        return (await create_account(tx, "anna", plan="free", max_inflight=1, now=NOW)).id


@pytest.fixture
def pictures(files: Files) -> Pictures:
    return Pictures(files)


async def kept(files: Files, account_id: int, data: bytes | None = None, *, ends: float = NOW + 9999) -> str:
    """The link to an upload."""
    file = await files.keep(account_id, data or encoded(), size=(30, 20), now=NOW, ends=ends)
    return files.link(file.id, file.content_type, now=NOW)


async def test_a_url_is_fetched(files: Files) -> None:
    async with serving({"/a.webp": answer(encoded("WEBP", lossless=True))}) as web:
        pictures = Pictures(files, FetchRules(allowed=Allowed.parse("127.0.0.1")))

        assert is_ours(await pictures.take(f"{web.url}/a.webp", field="imgUrl"))


@pytest.mark.parametrize("kind", ["image/png", "image/jpeg", "IMAGE/PNG", "", "image/png;name=a.png", "image/svg+xml"])
async def test_a_data_url_is_read_as_what_it_holds(pictures: Pictures, kind: str) -> None:
    with watched() as connections:
        assert is_ours(await pictures.take(data_url(encoded(), kind), field="imgUrl"))
    assert connections == []


@pytest.mark.parametrize(
    "url",
    [
        "data:",
        "data:,hello",
        "data:image/png,%89PNG",
        "data:image/png;base64",
        "data:image/png;base64,%%%",
        "data:image/png;base64,iVBORw0KGgo",
        "data:image/png;base64,iVBO Rw0K",
        "data:text/html;base64,aGVsbG8=",
        "data:image/png;base64,\u00e9\u00e9\u00e9\u00e9",
    ],
)
async def test_a_data_url_of_another_form_is_the_clients_mistake(pictures: Pictures, url: str) -> None:
    with pytest.raises(InvalidField) as refused:
        await pictures.take(url, field="imgUrl")

    assert refused.value.detail["field"] == "imgUrl"


async def test_a_data_url_has_the_limits_of_a_file(pictures: Pictures) -> None:
    data = encoded()

    assert is_ours(await pictures.take(data_url(data), field="x", limits=Limits(max_bytes=len(data))))
    with pytest.raises(PictureTooLarge):
        await pictures.take(data_url(data), field="x", limits=Limits(max_bytes=len(data) - 1))
    with pytest.raises(PictureTooLarge):
        await pictures.take(data_url(data * 9), field="x", limits=Limits(max_bytes=len(data)))


async def test_hostile_data_is_refused_through_every_entrance(files: Files, account_id: int) -> None:
    hostile = dict(hostile_files())["png: and a page"]()
    link = await kept(files, account_id, hostile)

    async with serving({"/a.png": answer(hostile)}) as web:
        pictures = Pictures(files, FetchRules(allowed=Allowed.parse("127.0.0.1")))
        for url in (f"{web.url}/a.png", data_url(hostile), link):
            with pytest.raises(BrushworkError) as refused:
                await pictures.take(url, field="mask.url")
            assert refused.value.message == "mask.url: is another kind of file as well"


async def test_a_link_of_ours_needs_no_network(pictures: Pictures, files: Files, account_id: int) -> None:
    link = await kept(files, account_id)

    with watched() as connections:
        assert is_ours(await pictures.take(link, field="imgUrl"))
    assert connections == []


async def test_a_result_of_a_job_is_a_picture_like_others_however_large(
    pictures: Pictures, files: Files, account_id: int
) -> None:
    data = encoded()
    stored = StoredFile("e" * 32, "jobs/j/t/0.png", "image", "image/png", len(data), 30, 20)
    await files.put(stored.path, data, "image/png")
    async with files.database.write() as tx:
        await files.publish(tx, account_id=account_id, job_id="j", files=[stored], now=NOW, expires_at=NOW + 99_999)

    link = files.link(stored.id, "image/png", now=NOW)

    assert is_ours(await pictures.take(link, field="imgUrl", limits=Limits(max_bytes=10)))


async def test_a_link_that_was_altered_or_has_ended_gives_nothing_and_asks_nobody(
    pictures: Pictures, files: Files, account_id: int
) -> None:
    link = await kept(files, account_id)
    file_id = link.rsplit("/", 1)[1].split(".")[0]
    gone = await kept(files, account_id)
    await files.delete([f"uploads/{gone.rsplit('/', 1)[1].split('.')[0]}.png"])

    for bad in [
        link[:-1] + ("0" if link[-1] != "0" else "1"),
        link.split("?", maxsplit=1)[0],
        link.replace(".png", ".jpg"),
        link.replace("expires=", "expires=9"),
        link.replace("/files/", "/files/../files/"),
        files.link(file_id, "image/png", now=NOW - 99_999),
        files.link("d" * 32, "image/png", now=NOW),
        await kept(files, account_id, ends=NOW - 1),
        gone,
    ]:
        with watched() as connections, pytest.raises(UnreachablePicture, match="does not work any more"):
            await pictures.take(bad, field="imgUrl")
        assert connections == []


async def test_a_host_whose_name_begins_like_ours_is_a_stranger(pictures: Pictures) -> None:
    with watched() as connections, pytest.raises(InvalidField):
        await pictures.take("http://127.0.0.1:11/files/x.png", field="imgUrl")
    assert connections == []


async def test_slow_urls_of_one_do_not_keep_others_waiting_for_ever(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def silent(_: asyncio.StreamWriter) -> None:
        await asyncio.sleep(9)

    monkeypatch.setattr(pictures_chapter, "TURN_SECONDS", 0.1)
    async with serving({"/slow": silent, "/a.png": answer(encoded())}) as web:
        pictures = Pictures(files, FetchRules(allowed=Allowed.parse("127.0.0.1"), seconds=0.6))
        slow = [
            asyncio.create_task(pictures.take(f"{web.url}/slow", field="x")) for _ in range(pictures_chapter.FETCHES)
        ]
        await asyncio.sleep(0)

        with pytest.raises(Unavailable):
            await pictures.take(f"{web.url}/a.png", field="x")
        assert is_ours(await pictures.take(data_url(encoded()), field="x"))
        ended = await asyncio.gather(*slow, return_exceptions=True)

        assert {type(error) for error in ended} == {UnreachablePicture}
        assert is_ours(await pictures.take(f"{web.url}/a.png", field="x"))


async def test_decoding_holds_nothing_else_up(pictures: Pictures) -> None:
    buffer = io.BytesIO()
    Image.effect_noise((1000, 1000), 50).save(buffer, "PNG", compress_level=1)
    pauses: list[float] = []

    async def look() -> None:
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0.005)
            pauses.append(time.perf_counter() - before)

    looking = asyncio.create_task(look())
    started = time.perf_counter()
    await asyncio.gather(*(pictures.clean(buffer.getvalue(), field="x") for _ in range(3)))
    seconds = time.perf_counter() - started
    looking.cancel()

    assert max(pauses) < seconds / 2


async def test_an_upload_ends_with_its_time(files: Files, account_id: int) -> None:
    link = await kept(files, account_id, ends=NOW + 100)
    path = f"uploads/{link.rsplit('/', 1)[1].split('.')[0]}.png"

    assert await remove_expired(files.database, files, now=NOW + 99) == 0
    assert await files.open_link(link, now=NOW)
    assert await remove_expired(files.database, files, now=NOW + 101) == 1

    root = getattr(files.store, "prefix", None)
    assert root is not None
    assert not (Path(root) / path).exists()


async def test_an_account_cannot_fill_the_disk(files: Files, account_id: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_chapter, "UPLOADED_BYTES", int(len(encoded()) * 2.5))
    await kept(files, account_id)
    await kept(files, account_id, ends=NOW + 50)
    async with files.database.write() as tx:
        other = (await create_account(tx, "bob", plan="free", max_inflight=1, now=NOW)).id

    with pytest.raises(TooManyRequests) as refused:
        await kept(files, account_id)

    assert refused.value.retry_after == 50
    await kept(files, other)
    await files.keep(account_id, encoded(), size=(30, 20), now=NOW + 51, ends=NOW + 99)


async def test_enhance_takes_a_tiff_and_others_do_not(pictures: Pictures) -> None:
    url = data_url(encoded("TIFF"), "image/tiff")

    assert is_ours(await pictures.take(url, field="image_url", limits=ENHANCE_LIMITS))
    with pytest.raises(BrushworkError, match="neither a PNG, a JPEG nor a WebP"):
        await pictures.take(url, field="image_url")


async def test_nobody_with_a_small_picture_waits_behind_large_ones(pictures: Pictures) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (4200, 4000), "navy").save(buffer, "JPEG")
    large = [asyncio.create_task(pictures.clean(buffer.getvalue(), field="x")) for _ in range(4)]
    await asyncio.sleep(0)

    await pictures.clean(encoded(), field="x")

    assert not large[1].done()
    assert {(await one).width for one in large} == {4200}
