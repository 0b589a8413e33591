"""Fetching what may be fetched: within its bytes and its time, and with nothing of ours in the request."""

import asyncio
import gzip
import time
from collections.abc import AsyncIterator
from ipaddress import ip_address

import pytest

from brushwork.errors import PictureTooLarge, UnreachablePicture
from brushwork.files.addresses import Allowed, is_public
from brushwork.files.egress import target_of
from brushwork.files.fetch import FetchRules, fetch
from tests.files.network import Names, Web, answer, redirect, serving, watched

BODY = bytes(range(256)) * 100
NAMES = Names({"pictures.test": [["127.0.0.1"]], "two.test": [["127.0.0.3", "127.0.0.1"]]})
RULES = FetchRules(allowed=Allowed.parse("127.0.0.0/8"), resolve=NAMES)


@pytest.fixture
async def web() -> AsyncIterator[Web]:
    async with serving({"/picture": answer(BODY), "/picture?a=b%20c": answer(b"query")}) as web:
        yield web


async def get(web: Web, path: str = "/picture", *, max_bytes: int = len(BODY), rules: FetchRules = RULES) -> bytes:
    return await fetch(f"{web.url}{path}", max_bytes=max_bytes, rules=rules, field="imgUrl")


async def refusal(web: Web, path: str = "/picture", *, rules: FetchRules = RULES) -> str:
    with pytest.raises(UnreachablePicture) as refused:
        await get(web, path, rules=rules)
    assert "127.0" not in refused.value.message
    return refused.value.message


async def test_a_body_arrives_whole(web: Web) -> None:
    assert await get(web) == BODY
    assert await get(web, "/picture?a=b%20c#part") == b"query"


async def test_a_request_tells_nothing_about_us(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.2:9")

    with watched() as connections:
        await get(web)

    assert connections == [("127.0.0.1", web.port)]
    lines = web.requests[0].strip().split("\r\n")
    assert lines[0] == "GET /picture HTTP/1.1"
    assert {line.split(":")[0].lower() for line in lines[1:]} == {
        "host",
        "user-agent",
        "accept",
        "accept-encoding",
        "connection",
    }
    assert f"Host: 127.0.0.1:{web.port}" in lines
    assert "Accept-Encoding: identity" in lines


async def test_the_server_is_asked_by_its_name_and_reached_by_its_address(web: Web) -> None:
    with watched() as connections:
        await fetch(f"http://pictures.test:{web.port}/picture", max_bytes=len(BODY), rules=RULES)

    assert connections == [("127.0.0.1", web.port)]
    assert f"Host: pictures.test:{web.port}\r\n" in web.requests[0]


async def test_the_next_address_is_tried_when_nobody_answers_at_the_first(web: Web) -> None:
    with watched() as connections:
        assert await fetch(f"http://two.test:{web.port}/picture", max_bytes=len(BODY), rules=RULES) == BODY

    assert [address for address, _ in connections] == ["127.0.0.3", "127.0.0.1"]


async def test_tls_asks_for_the_name_though_the_address_is_pinned() -> None:
    hello = asyncio.get_running_loop().create_future()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        hello.set_result(await reader.read(4096))
        writer.close()

    server = await asyncio.start_server(listen, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(UnreachablePicture, match="does not answer as it should"):
            await fetch(f"https://pictures.test:{port}/", max_bytes=9, rules=RULES)

    assert b"pictures.test" in await hello


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
async def test_three_redirects_are_followed_and_a_fourth_is_not(web: Web, status: str) -> None:
    web.answers = {f"/{left}": redirect(f"/{left - 1}", status) for left in range(1, 6)} | {"/0": answer(BODY)}

    assert await get(web, "/3") == BODY
    assert "redirected more than 3 times" in await refusal(web, "/4")
    assert len(web.requests) == 4 + 4


async def test_a_redirect_in_circles_ends(web: Web) -> None:
    web.answers = {"/picture": redirect("picture")}

    assert "redirected more than 3 times" in await refusal(web)
    assert len(web.requests) == 4


@pytest.mark.parametrize("status", ["204 No Content", "206 Partial", "304 Same", "400 Bad", "404 No", "500 Oh"])
async def test_any_other_status_is_told(web: Web, status: str) -> None:
    web.answers = {"/picture": answer(b"" if status[0] in "23" else b"the secret of the server", status=status)}

    message = await refusal(web)

    assert message == f"imgUrl: could not be loaded: the server there answered with status {status[:3]}"


async def test_a_redirect_to_nowhere_is_a_status_like_others(web: Web) -> None:
    web.answers = {"/picture": answer(status="302 Found")}

    assert "status 302" in await refusal(web)


async def endless(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"10000\r\n" + bytes(0x10000) + b"\r\n")
        await writer.drain()


async def test_a_body_that_is_too_long_is_not_read_to_its_end(web: Web) -> None:
    web.answers = {
        "/declared": answer(BODY + b"x"),
        "/lying": answer(BODY, content_length=str(10**12)),
        "/endless": endless,
        "/until-close": answer(BODY + b"x", content_length=""),
    }

    for path in web.answers:
        with pytest.raises(PictureTooLarge) as refused:
            await get(web, path)
        assert refused.value.status == 413
        assert refused.value.detail["limit"] == len(BODY)
    assert await get(web, "/until-close", max_bytes=len(BODY) + 1) == BODY + b"x"


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "gzip, identity", "GZIP"])
async def test_a_compressed_body_is_never_unpacked(web: Web, encoding: str) -> None:
    web.answers = {"/picture": answer(gzip.compress(bytes(100_000)), content_encoding=encoding)}

    assert "compressed" in await refusal(web)


async def silent(_: asyncio.StreamWriter) -> None:
    await asyncio.sleep(5)


async def dripping(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
    for _ in range(1000):
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.05)


async def dripping_headers(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    for number in range(1000):
        writer.write(f"x-{number}: y\r\n".encode())
        await writer.drain()
        await asyncio.sleep(0.05)


async def hints_for_ever(writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"HTTP/1.1 103 Early Hints\r\n\r\n")
        await writer.drain()
        await asyncio.sleep(0.01)


async def test_the_time_is_for_everything_together(web: Web) -> None:
    async def slow_names(_host: str, _port: int) -> list[str]:
        await asyncio.sleep(5)
        return ["127.0.0.1"]

    web.answers = {"/silent": silent, "/drip": dripping, "/headers": dripping_headers, "/hints": hints_for_ever}
    hurried = FetchRules(allowed=RULES.allowed, resolve=slow_names, seconds=0.4)

    started = time.perf_counter()
    for path in web.answers:
        assert "did not arrive within 0.4 seconds" in await refusal(web, path, rules=hurried)
    with pytest.raises(UnreachablePicture, match=r"within 0\.4 seconds"):
        await fetch("http://slow.test/", max_bytes=9, rules=hurried)
    assert time.perf_counter() - started < 5 * 0.4 + 2


async def cut(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nonly this")


async def nonsense(writer: asyncio.StreamWriter) -> None:
    writer.write(b"SSH-2.0-OpenSSH_9.6\r\n")


async def huge_headers(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n" + b"x: " + b"y" * 1_000_000)


async def two_lengths(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 9\r\n\r\nabcdefghi")


async def nothing(_: asyncio.StreamWriter) -> None: ...


@pytest.mark.parametrize("behaviour", [cut, nonsense, huge_headers, two_lengths, nothing])
async def test_a_server_that_speaks_no_http_gives_no_picture(web: Web, behaviour: object) -> None:
    web.answers = {"/picture": behaviour}  # type: ignore[dict-item]  # parametrize loses the type

    assert "does not answer as it should" in await refusal(web)


async def test_nobody_listening_is_told_like_any_failure() -> None:
    async with serving({}) as web:
        pass

    assert "does not answer as it should" in await refusal(web)


# What is public


@pytest.mark.parametrize(
    "text", ["8.8.8.8", "1.1.1.1", "93.184.216.34", "2606:4700::1111", "2001:4860:4860::8888", "64:ff9b::808:808"]
)
def test_hosts_on_the_internet_are_public(text: str) -> None:
    assert is_public(ip_address(text))
    assert target_of(f"http://{f'[{text}]' if ':' in text else text}/", field="url", allowed=Allowed()).address


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com",
        "HTTPS://Example.COM:443/A?b#c",
        "http://example.com./",
        "http://example.com:/",
        "http://bücher.example/ä?ö",
        "http://under_score.example/",
        "http://7-zip.org/a.png",
        "http://1.example/",
        "http://xn--bcher-kva.example/",
        "https://example.com/a@b:c/d.png?e=http://127.0.0.1/",
    ],
)
def test_usual_urls_are_acceptable(url: str) -> None:
    target = target_of(url, field="url", allowed=Allowed())

    assert (target.address, target.port) == (None, 443 if url.lower().startswith("https") else 80)
    assert target.host.isascii()
    assert target.host == target.host.lower().rstrip(".")


# What an operator opens


def test_what_is_opened_is_opened_and_no_more() -> None:
    allowed = Allowed.parse(" images.internal, CDN.internal:8080,10.0.0.0/8, 192.168.1.7:9000 ,[fd00::1]:81,::1,")
    inside, there, host, v6 = map(ip_address, ("10.1.2.3", "192.168.1.7", "172.16.0.1", "fd00::1"))

    for name, port, address, is_opened in [
        ("images.internal", 80, host, True),
        ("images.internal", 8443, host, True),
        ("cdn.internal", 8080, host, True),
        ("cdn.internal", 80, host, False),
        ("other.internal", 80, host, False),
        ("sub.images.internal", 80, host, False),
        ("anything", 5000, inside, True),
        ("anything", 9000, there, True),
        ("anything", 80, there, False),
        ("anything", 81, v6, True),
        ("anything", 80, v6, False),
        ("anything", 7, ip_address("::1"), True),
        ("anything", 80, ip_address("8.8.8.8"), True),
        ("anything", 81, ip_address("8.8.8.8"), False),
    ]:
        assert allowed.takes(name, port, address) is is_opened, (name, port, address)
    assert Allowed.parse("") == Allowed.parse(" , ") == Allowed()


@pytest.mark.parametrize(
    "item",
    [
        "10.0.0.1/8",
        "10.0.0.0/33",
        "host:0",
        "host:65536",
        "host:x",
        "127.1",
        "a b",
        "http://x",
        "[::1",
        "x/y",
        "*",
        "::1:",
    ],
)
def test_what_cannot_be_opened_is_named(item: str) -> None:
    with pytest.raises(ValueError, match="is no host, address or network"):
        Allowed.parse(f"fine.internal,{item}")
