"""URLs that would lead us where a client has no business: refused, and not one connection is opened for any of them."""

from collections.abc import AsyncIterator

import pytest

from brushwork.errors import BrushworkError, InvalidField, UnreachablePicture
from brushwork.files.addresses import Allowed
from brushwork.files.fetch import FetchRules, fetch
from tests.files.network import Names, Web, answer, redirect, serving, watched

LOOPBACK = [
    "http://127.0.0.1/",
    "https://127.0.0.1/",
    "http://127.0.0.1:80/",
    "http://127.255.255.254/",
    "http://127.0.0.1./",
    "http://127.1/",
    "http://127.0.1/",
    "http://2130706433/",
    "http://02130706433/",
    "http://017700000001/",
    "http://0x7f000001/",
    "http://0x7F.1/",
    "http://0177.0.0.1/",
    "http://0x7f.0x0.0x0.0x1/",
    "http://127.0.0.0x1/",
    "http://00127.0.0.1/",
    "http://127.000.000.001/",
    "http://4294967295/",
    "http://127.0.0.1.0/",
    "http://0/",
    "http://0.0.0.0/",
    "http://0x0/",
    "http://[::1]/",
    "http://[0:0:0:0:0:0:0:1]/",
    "http://[0000::0001]/",
    "http://[::]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[0:0:0:0:0:ffff:127.0.0.1]/",
    "http://[::127.0.0.1]/",
    "http://[::ffff:0:127.0.0.1]/",
    "http://[64:ff9b::127.0.0.1]/",
    "http://[64:ff9b:1::127.0.0.1]/",
    "http://[2002:7f00:1::]/",
    "http://[2001:0:7f00:1::]/",
    "http://[::1%25lo]/",
    "http://[::1%lo]/",
    "http://\u2460\u2461\u2466.0.0.1/",
    "http://127\u30020\uff0e0\uff611/",
    "http://\uff11\uff12\uff17.0.0.1/",
    "http://%31%32%37.0.0.1/",
    "http://127.0.0.1%2f@example.com/",
]
PRIVATE = [
    "http://10.0.0.1/",
    "http://172.16.0.1/",
    "http://172.31.255.255/",
    "http://192.168.0.1/",
    "http://100.64.0.1/",
    "http://192.0.0.8/",
    "http://192.0.2.1/",
    "http://198.18.0.1/",
    "http://198.51.100.1/",
    "http://203.0.113.1/",
    "http://192.88.99.1/",
    "http://224.0.0.1/",
    "http://239.255.255.250/",
    "http://240.0.0.1/",
    "http://255.255.255.255/",
    "http://0xa000001/",
    "http://3232235521/",
    "http://[fc00::1]/",
    "http://[fdff::1]/",
    "http://[fec0::1]/",
    "http://[ff02::1]/",
    "http://[2001:db8::1]/",
    "http://[3fff::1]/",
    "http://[100::1]/",
    "http://[::ffff:10.0.0.1]/",
    "http://[64:ff9b::10.0.0.1]/",
    "http://[2002:a00:1::1]/",
]
METADATA = [
    "http://169.254.169.254/latest/meta-data/",
    "http://[::ffff:169.254.169.254]/",
    "http://[::ffff:a9fe:a9fe]/",
    "http://[64:ff9b::a9fe:a9fe]/",
    "http://2852039166/",
    "http://0xa9fea9fe/",
    "http://0251.0376.0251.0376/",
    "http://169.254.43518/",
    "http://[fe80::1]/",
    "http://[fe80::a9fe:a9fe%25eth0]/",
    "http://[fd00:ec2::254]/latest/meta-data/",
    "http://100.100.100.200/latest/meta-data/",
    "http://192.0.0.192/opc/v1/instance/",
    "http://168.63.129.16/machine",
    "http://169.254.170.2/v2/credentials",
]
USER_INFO = [
    "http://user@example.com/",
    "http://user:password@example.com/",
    "http://example.com@127.0.0.1/",
    "http://@example.com/",
    "http://:@example.com/",
    "http://127.0.0.1@example.com/",
    "http://example.com:80@127.0.0.1/",
    "http://a@b@127.0.0.1/",
]
PORTS = [
    "http://example.com:22/",
    "http://example.com:6379/",
    "https://example.com:8443/",
    "http://example.com:8080/",
    "http://example.com:0/",
    "http://example.com:65616/",
    "http://example.com:-80/",
    "http://example.com:80a/",
    "http://example.com:80:80/",
    "http://example.com:\uff18\uff10/",
    "http://127.0.0.1:11211/",
    "http://[::1]:5432/",
]
SCHEMES = [
    "",
    "picture.png",
    "//127.0.0.1/",
    "/etc/passwd",
    "file:///etc/passwd",
    "file://127.0.0.1/etc/passwd",
    "ftp://127.0.0.1/",
    "gopher://127.0.0.1:6379/_FLUSHALL",
    "dict://127.0.0.1:11211/stats",
    "ldap://127.0.0.1/",
    "jar:http://127.0.0.1!/",
    "javascript:alert(1)",
    "ws://127.0.0.1/",
    "unix:///var/run/docker.sock",
    "http+unix://%2Fvar%2Frun%2Fdocker.sock/",
    "http:127.0.0.1",
    "http:/127.0.0.1/",
    "http:///127.0.0.1/",
    "http://",
    "http://?",
    "http://#127.0.0.1/",
    "https://:443/",
    "url:http://127.0.0.1/",
]
SPELLINGS = [
    " http://127.0.0.1/",
    "http://127.0.0.1/ ",
    "http://127.0.0.1\t/",
    "http://127.0.0.1\n/",
    "http://example.com/\r\nHost: 127.0.0.1",
    "http://example.com\x00.evil/",
    "http://exam\u200bple.com/",
    "http://exam\xadple..com/",
    "http://example.com\\@127.0.0.1/",
    "http:\\\\127.0.0.1\\",
    "http://127.0.0.1\\.example.com/",
    "http://example.com /",
    "http://\u2028127.0.0.1/",
    "http://[::1/",
    "http://::1/",
    "http://[127.0.0.1]/",
    "http://[v1.127]/",
    "http://-example.com/",
    "http://exa$mple.com/",
    "http://example..com/",
    "http://.example.com/",
    f"http://{'a' * 64}.com/",
    f"http://{'a.' * 130}com/",
    f"http://example.com/{'a' * 9000}",
    "http://\ud800.com/",
]
ALL = [*LOOPBACK, *PRIVATE, *METADATA, *USER_INFO, *PORTS, *SCHEMES, *SPELLINGS]

INSIDE = {
    "loopback": ["127.0.0.1"],
    "loopback.v6": ["::1"],
    "private": ["192.168.1.1"],
    "link-local": ["169.254.169.254"],
    "link-local.v6": ["fe80::1"],
    "zone": ["fe80::1%2"],
    "unspecified": ["0.0.0.0"],
    "mapped": ["::ffff:10.0.0.1"],
    "nat64": ["64:ff9b::a00:1"],
    "sixtofour": ["2002:a00:1::"],
    "unique-local": ["fd00::1"],
    "shared": ["100.64.0.1"],
    "multicast": ["224.0.0.1"],
    "mixed": ["8.8.8.8", "10.0.0.1"],
    "mixed.families": ["8.8.8.8", "::1"],
    "mixed.late": ["8.8.8.8", "8.8.4.4", "1.1.1.1", "9.9.9.9", "10.0.0.1"],
    "none": [],
    "nonsense": ["not an address"],
}


def test_there_are_many() -> None:
    assert len(set(ALL)) == len(ALL) >= 60


@pytest.mark.parametrize("url", ALL)
async def test_a_url_that_is_refused_asks_no_name_server_and_opens_nothing(url: str) -> None:
    names = Names({"example.com": [["127.0.0.1"]]})

    with watched() as connections, pytest.raises(InvalidField) as refused:
        await fetch(url, max_bytes=1000, rules=FetchRules(resolve=names), field="imgUrl")

    assert (connections, names.asked) == ([], [])
    assert refused.value.status == 400
    assert refused.value.message.startswith("imgUrl: ")


@pytest.mark.parametrize("name", INSIDE)
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_name_that_leads_inside_is_like_one_that_is_unknown(name: str, scheme: str) -> None:
    rules = FetchRules(resolve=Names({f"{name}.test": [INSIDE[name]]}))

    with watched() as connections:
        told = [await refusal(f"{scheme}://{host}.test/", rules) for host in (name, "unknown")]

    assert connections == []
    assert told[0] == told[1]
    assert told[0][0] == 422


async def refusal(url: str, rules: FetchRules) -> tuple[int, str]:
    with pytest.raises(UnreachablePicture) as refused:
        await fetch(url, max_bytes=1000, rules=rules)
    return refused.value.status, refused.value.message


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "localhost."])
async def test_the_systems_own_names_are_judged_too(host: str) -> None:
    with watched() as connections, pytest.raises(UnreachablePicture):
        await fetch(f"http://{host}/", max_bytes=1000)

    assert connections == []


@pytest.fixture
async def web() -> AsyncIterator[Web]:
    async with serving({"/picture": answer(b"bytes")}) as web:
        yield web


def only(web: Web, names: Names) -> FetchRules:
    """As if the server were the public internet, and all else were as it is."""
    return FetchRules(allowed=Allowed.parse(f"127.0.0.1:{web.port}"), resolve=names)


async def test_a_name_that_changes_its_answer_is_asked_once_and_what_was_judged_is_used(web: Web) -> None:
    names = Names({"rebinding.test": [["127.0.0.1"], ["10.0.0.1"]]})

    with watched() as connections:
        body = await fetch(f"http://rebinding.test:{web.port}/picture", max_bytes=1000, rules=only(web, names))

    assert body == b"bytes"
    assert names.asked == ["rebinding.test"]
    assert connections == [("127.0.0.1", web.port)]


async def test_a_name_that_changes_its_answer_between_two_redirects_is_judged_again(web: Web) -> None:
    names = Names({"rebinding.test": [["127.0.0.1"], ["127.0.0.2"]]})
    web.answers = {"/first": redirect("/second"), "/second": answer(b"secret")}

    with watched() as connections, pytest.raises(UnreachablePicture):
        await fetch(f"http://rebinding.test:{web.port}/first", max_bytes=1000, rules=only(web, names))

    assert names.asked == ["rebinding.test"] * 2
    assert connections == [("127.0.0.1", web.port)]


LOCATIONS = [
    *[url for url in ALL if url.startswith("http") and url.isascii() and url.isprintable() and len(url) < 8000],
    "http://private.test/",
    "http://mixed.test/",
    "//10.0.0.1/",
    "//private.test/",
    "file:///etc/passwd",
    "gopher://10.0.0.1/",
    "data:image/png;base64,AAAA",
    "/\\10.0.0.1/",
]
SAME_HOST = {"http:127.0.0.1", "http:/127.0.0.1/", "http:///127.0.0.1/", "http://", "http://?", "http://#127.0.0.1/"}


@pytest.mark.parametrize("location", [location for location in LOCATIONS if location not in SAME_HOST])
async def test_a_redirect_leads_nowhere_that_the_url_could_not(web: Web, location: str) -> None:
    names = Names({f"{name}.test": [addresses] for name, addresses in INSIDE.items()})
    web.answers = {"/": redirect(location)}

    with watched() as connections, pytest.raises(BrushworkError) as refused:
        await fetch(f"{web.url}/", max_bytes=1000, rules=only(web, names))

    assert connections == [("127.0.0.1", web.port)]
    assert (refused.value.status, len(web.requests)) == (422, 1)


async def test_a_redirect_stays_inside_the_port_that_was_opened(web: Web) -> None:
    web.answers = {"/": redirect(f"http://127.0.0.1:{web.port + 1}/")}

    with watched() as connections, pytest.raises(UnreachablePicture):
        await fetch(f"{web.url}/", max_bytes=1000, rules=only(web, Names({})))

    assert connections == [("127.0.0.1", web.port)]
