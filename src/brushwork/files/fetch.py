"""Opening a client's URL: the only code that does. A stranger chooses the URL, so nothing in it is believed.

    text ──▶ target_of ──▶ resolve, once ──▶ every address judged ──▶ connect to one of just those ──▶ bytes, counted
                 ▲                                                          │
                 └───────────────── a redirect begins again ◀───────────────┘

The name is resolved here and the connection goes to the address that was judged, so a name that changes its answer
gains nothing; TLS still checks the name. No proxy, cookie, key or compression takes part. Messages tell what a client
could see for itself, never an address or a body. Knows no picture.
"""

import asyncio
import re
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import cache
from ipaddress import ip_address
from typing import Any

import httpcore
import httpx

from brushwork.errors import InvalidField, PictureTooLarge, UnreachablePicture
from brushwork.files.addresses import Address, Allowed, literal

MAX_URL = 8192
"""Characters; nothing that a browser takes is longer in practice."""

TRIED_ADDRESSES = 3
REDIRECTS = (301, 302, 303, 307, 308)

BEGINNING = re.compile(r"https?://(?:\[[^\]/?#@]*\]|[^:/?#@\[\]]+)(?::[0-9]{0,5})?(?:[/?#]|$)", re.IGNORECASE)
"""A host, perhaps a port, and never an @: whatever else could be read into a URL is not tried."""

NOT_IN_URL = re.compile(r"[\x00-\x20\x7f-\xa0\u2000-\u200f\u2028-\u202f\ufeff\\\ud800-\udfff]")
"""White space, control characters, backslashes: what programs that read URLs disagree about."""

NO_WEB_URL = "must be an http(s) URL of a host, without a user name"
NOT_PUBLIC = "leads to a host that is unknown or not on the public internet"

NOTHING = Allowed()

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""(host, port) → addresses as text. Raises OSError when there are none."""


async def resolve_by_system(host: str, port: int) -> Sequence[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


@dataclass(frozen=True)
class FetchRules:
    """How far a URL may lead."""

    allowed: Allowed = NOTHING
    seconds: float = 10.0
    """For everything: names, redirects, the last byte."""
    max_redirects: int = 3
    resolve: Resolve = resolve_by_system


@dataclass(frozen=True)
class Target:
    """A URL that was read once; what is judged is what is connected to."""

    url: httpx.URL
    host: str
    """ASCII, lower case, without a dot at the end."""
    port: int
    address: Address | None
    """Where the URL holds an address instead of a name."""


async def fetch(url: str, *, max_bytes: int, rules: FetchRules = FetchRules(), field: str = "url") -> bytes:
    """The bytes behind a URL.

    InvalidField: it is no URL that may be asked for. UnreachablePicture: nothing was to be had. PictureTooLarge.
    """
    target = target_of(url, field=field, allowed=rules.allowed)
    try:
        async with asyncio.timeout(rules.seconds):
            for _ in range(rules.max_redirects + 1):
                answer = await ask(target, rules=rules, max_bytes=max_bytes, field=field)
                if isinstance(answer, bytes):
                    return answer
                target = redirected(target, answer, field=field, allowed=rules.allowed)
    except TimeoutError:
        raise UnreachablePicture(field, f"did not arrive within {rules.seconds:g} seconds") from None
    raise UnreachablePicture(field, f"is redirected more than {rules.max_redirects} times")


def target_of(url: str, *, field: str, allowed: Allowed) -> Target:
    """Read a URL. Raises InvalidField for what no name server needs to be asked about."""
    if len(url) > MAX_URL:
        raise InvalidField(field, f"has more than {MAX_URL} characters")
    if NOT_IN_URL.search(url):
        raise InvalidField(field, "holds spaces, backslashes or control characters")
    if not BEGINNING.match(url):
        raise InvalidField(field, NO_WEB_URL)
    try:
        parsed = httpx.URL(url)
        host = parsed.raw_host.decode("ascii").lower().removesuffix(".")
        address = literal(host)
    except (httpx.InvalidURL, ValueError):
        raise InvalidField(field, "has a host or port that cannot be read") from None
    if parsed.userinfo:
        raise InvalidField(field, NO_WEB_URL)
    port = {"http": 80, "https": 443}[parsed.scheme] if parsed.port is None else parsed.port
    if not allowed.takes_port(host, port):
        raise InvalidField(field, "may only use the ports 80 and 443")
    if address and not allowed.takes(host, port, address):
        raise InvalidField(field, "leads to an address that is not on the public internet")
    return Target(parsed, host, port, address)


def redirected(target: Target, location: str, *, field: str, allowed: Allowed) -> Target:
    """Where a redirect leads, judged like the first URL. It is not the client's field that is wrong, though."""
    try:
        return target_of(str(target.url.join(location)), field=field, allowed=allowed)
    except (InvalidField, httpx.InvalidURL, ValueError):
        raise UnreachablePicture(field, "is redirected to where this server does not go") from None


async def ask(target: Target, *, rules: FetchRules, max_bytes: int, field: str) -> bytes | str:
    """One request: the body, or where a redirect points."""
    addresses = await judged_addresses(target, rules=rules, field=field)
    timeout = dict.fromkeys(("connect", "read", "write", "pool"), rules.seconds)
    wanted = httpcore.URL(
        scheme=target.url.scheme.encode(), host=target.host.encode(), port=target.port, target=target.url.raw_path
    )
    try:
        async with (
            httpcore.AsyncConnectionPool(ssl_context=tls(), network_backend=Pinned(addresses)) as pool,
            pool.stream("GET", wanted, headers=headers_for(target), extensions={"timeout": timeout}) as response,
        ):
            headers = {name.lower(): value for name, value in response.headers}
            if response.status in REDIRECTS and b"location" in headers:
                return headers[b"location"].decode(errors="replace")
            return await body_of(response, headers, max_bytes=max_bytes, field=field)
    except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError, OSError):
        raise UnreachablePicture(field, "could not be loaded: the server there does not answer as it should") from None


async def judged_addresses(target: Target, *, rules: FetchRules, field: str) -> Sequence[str]:
    """The addresses of a target. All must be fine: a name that mixes public and private ones is up to something."""
    if target.address:
        return [str(target.address)]
    try:
        found = [ip_address(text) for text in await rules.resolve(target.host, target.port)]
    except (OSError, UnicodeError, ValueError):
        raise UnreachablePicture(field, NOT_PUBLIC) from None
    if not found or not all(rules.allowed.takes(target.host, target.port, address) for address in found):
        raise UnreachablePicture(field, NOT_PUBLIC)  # the same words: names inside are nobody's business
    return [str(address) for address in dict.fromkeys(found)][:TRIED_ADDRESSES]


def headers_for(target: Target) -> list[tuple[bytes, bytes]]:
    return [
        (b"Host", target.url.netloc),
        (b"User-Agent", b"Brushwork"),
        (b"Accept", b"image/*"),
        (b"Accept-Encoding", b"identity"),
        (b"Connection", b"close"),
    ]


async def body_of(response: httpcore.Response, headers: dict[bytes, bytes], *, max_bytes: int, field: str) -> bytes:
    if response.status != 200:
        raise UnreachablePicture(field, f"could not be loaded: the server there answered with status {response.status}")
    if headers.get(b"content-encoding", b"identity").strip().lower() not in (b"", b"identity"):
        raise UnreachablePicture(field, "is sent in compressed form, though that was not asked for")
    too_large = PictureTooLarge(field, f"has more than the {max_bytes} bytes that are taken", limit=max_bytes)
    declared = headers.get(b"content-length", b"")
    if declared.isdigit() and int(declared) > max_bytes:
        raise too_large
    body = bytearray()
    async for chunk in response.aiter_stream():
        body += chunk
        if len(body) > max_bytes:
            raise too_large
    return bytes(body)


class Pinned(httpcore.AsyncNetworkBackend):
    """Connects to these addresses, whatever name is asked for."""

    def __init__(self, addresses: Sequence[str]) -> None:
        self.addresses = addresses
        self.network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, *_: Any, **__: Any
    ) -> httpcore.AsyncNetworkStream:
        del host
        for address in self.addresses[:-1]:
            try:
                return await self.network.connect_tcp(address, port, timeout=2.0)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return await self.network.connect_tcp(self.addresses[-1], port, timeout=timeout)

    async def sleep(self, seconds: float) -> None:
        await self.network.sleep(seconds)


@cache
def tls() -> ssl.SSLContext:
    """Certificates are checked, against the name in the URL. SSL_CERT_FILE names other authorities."""
    return httpx.create_ssl_context()
