import time

import httpx
import pytest

from brushwork.files.stored import StoredFile
from tests.api.conftest import Api

DATA = bytes(range(256)) * 10
BIG = b"0123456789" * 250_000


async def link_to(api: Api, data: bytes, *, content_type: str = "image/png") -> str:
    """Publish a file and return its link."""
    now = time.time()
    file = StoredFile(
        id=f"{abs(hash(data)):032x}"[-32:], path="jobs/j/t/0", role="image", content_type=content_type, size=len(data)
    )
    files = api.services.files
    await files.put(file.path, data, content_type)
    async with api.services.database.write() as tx:
        await files.publish(tx, account_id=1, job_id="j", files=[file], now=now, expires_at=now + 1000)
    return files.link(file.id, content_type, now=now)


async def test_a_link_needs_no_key_and_gives_the_file_as_what_it_is(api: Api) -> None:
    link = await link_to(api, DATA)

    async with httpx.AsyncClient(transport=httpx.ASGITransport(api.app)) as stranger:
        answer = await stranger.get(link)

    assert (answer.status_code, answer.content) == (200, DATA)
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["content-length"] == str(len(DATA))
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["content-security-policy"].startswith("sandbox")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["content-disposition"].startswith('inline; filename="')
    assert answer.headers["cache-control"].startswith("private, max-age=")


async def test_a_part_can_be_asked_for(api: Api) -> None:
    link = await link_to(api, DATA)

    for wanted, first, last in [
        ("bytes=0-0", 0, 0),
        ("bytes=10-19", 10, 19),
        ("bytes=2550-", 2550, 2559),
        ("bytes=-10", 2550, 2559),
        ("bytes=2000-99999", 2000, 2559),
        ("bytes=-99999", 0, 2559),
    ]:
        answer = await api.client.get(link, headers={"range": wanted})
        assert answer.status_code == 206
        assert answer.content == DATA[first : last + 1]
        assert answer.headers["content-range"] == f"bytes {first}-{last}/{len(DATA)}"


async def test_a_part_outside_the_file_is_a_416_that_tells_its_size(api: Api) -> None:
    link = await link_to(api, DATA)

    for wanted in ["bytes=2560-", "bytes=9999-10000", "bytes=-0"]:
        answer = await api.client.get(link, headers={"range": wanted})
        assert (answer.status_code, answer.json()["error"]["code"]) == (416, 416)
        assert answer.headers["content-range"] == f"bytes */{len(DATA)}"


async def test_a_range_we_do_not_understand_gets_the_whole_file(api: Api) -> None:
    link = await link_to(api, DATA)

    for wanted in ["bytes=5-3", "bytes=-", "bytes=0-1,4-5", "pages=1-2", "bytes=a-b"]:
        answer = await api.client.get(link, headers={"range": wanted})
        assert (answer.status_code, answer.content) == (200, DATA)


async def test_a_large_file_comes_in_chunks_and_whole(api: Api) -> None:
    link = await link_to(api, BIG, content_type="video/mp4")

    whole = await api.client.get(link)
    part = await api.client.get(link, headers={"range": "bytes=5-2400000"})

    assert whole.content == BIG
    assert part.content == BIG[5:2_400_001]


async def test_what_the_client_has_is_not_sent_again(api: Api) -> None:
    link = await link_to(api, DATA)
    tag = (await api.client.get(link)).headers["etag"]

    known = await api.client.get(link, headers={"if-none-match": f'"other", W/{tag}'})
    resumed = await api.client.get(link, headers={"range": "bytes=0-1", "if-range": tag})
    changed = await api.client.get(link, headers={"range": "bytes=0-1", "if-range": '"other"'})

    assert (known.status_code, known.content) == (304, b"")
    assert (resumed.status_code, changed.status_code) == (206, 200)


async def test_head_tells_all_but_the_bytes(api: Api) -> None:
    link = await link_to(api, DATA)

    head, get = await api.client.head(link), await api.client.get(link)

    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == get.headers["content-length"]
    assert head.headers["etag"] == get.headers["etag"]


async def test_an_altered_expired_or_foreign_link_is_a_404(api: Api) -> None:
    link = await link_to(api, DATA)
    file_id = link.rsplit("/", 1)[1].split(".")[0]
    past = api.services.files.link(file_id, "image/png", now=1_000_000.0)
    elsewhere = api.services.files.link("f" * 32, "image/png", now=time.time())

    for bad in [
        link.replace("signature=", "signature=0"),
        link.replace("expires=", "expires=9"),
        link.split("?", maxsplit=1)[0],
        past,
        elsewhere,
        "/files/..%2f..%2fsecret",
        "/files/%00.png",
        link.replace("/files/", "/files/%20"),
    ]:
        answer = await api.client.get(bad)
        assert (answer.status_code, answer.json()["code"]) == (404, 404), bad


async def test_a_file_that_is_gone_from_the_store_is_a_404_and_not_a_broken_download(api: Api) -> None:
    link = await link_to(api, DATA)
    await api.services.files.delete(["jobs/j/t/0"])

    assert (await api.client.get(link)).status_code == 404


async def test_a_link_with_another_extension_is_no_link(api: Api) -> None:
    link = await link_to(api, DATA)

    for extension in ["html", "svg", "exe", "jpg"]:
        assert (await api.client.get(link.replace(".png", f".{extension}"))).status_code == 404


@pytest.mark.parametrize("left", [b"", DATA[:100]])
async def test_a_file_that_has_lost_its_end_is_not_passed_off_as_whole(api: Api, left: bytes) -> None:
    link = await link_to(api, DATA)
    await api.services.files.put("jobs/j/t/0", left, "image/png")

    for headers in ({}, {"range": "bytes=50-2000"}, {"range": "bytes=500-600"}):
        answer = await api.client.get(link, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (503, 503)
