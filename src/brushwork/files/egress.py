"""The one way out to an address that a stranger chose: pictures are fetched and webhooks sent through here.

    text ──▶ target_of ──▶ resolve, once ──▶ every address judged ──▶ a connection to one of just those

The name is resolved here and the connection goes to the address that was judged, so a name that changes its answer
gains nothing; TLS still checks the name. No proxy, cookie or compression takes part, and no redirect is followed here.
Messages tell what a client could see for itself, never an address or a body. Knows neither pictures nor webhooks.
"""

import asyncio
import re
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from ipaddress import ip_address
from typing import Any

import httpcore
import httpx

from brushwork.errors import InvalidField
from brushwork.files.addresses import Address, Allowed, literal

MAX_URL = 8192
"""Characters; nothing that a browser takes is longer in practice."""

TRIED_ADDRESSES = 3

BEGINNING = re.compile(r"https?://(?:\[[^\]/?#@]*\]|[^:/?#@\[\]]+)(?::[0-9]{0,5})?(?:[/?#]|$)", re.IGNORECASE)
"""A host, perhaps a port, and never an @: whatever else could be read into a URL is not tried."""

NOT_IN_URL = re.compile(r"[\x00-\x20\x7f-\xa0\xad\u061c\u2000-\u200f\u2028-\u202f\u2060-\u206f\ufeff\\\ud800-\udfff]")
"""White space, control characters, backslashes: what programs that read URLs disagree about."""

NO_WEB_URL = "must be an http(s) URL of a host, without a user name"
NOT_PUBLIC = "leads to a host that is unknown or not on the public internet"
NO_ANSWER = "the server there does not answer as it should"

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""(host, port) → addresses as text. Raises OSError when there are none."""

Headers = Sequence[tuple[bytes, bytes]]


class Unreachable(Exception):
    """Nobody was reached, or nobody who speaks HTTP; the message says so without an address."""


async def resolve_by_system(host: str, port: int) -> Sequence[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


@dataclass(frozen=True)
class Target:
    """A URL that was read once; what is judged is what is connected to."""

    url: httpx.URL
    host: str
    """ASCII, lower case, without a dot at the end."""
    port: int
    address: Address | None
    """Where the URL holds an address instead of a name."""


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


async def judged_addresses(target: Target, *, allowed: Allowed, resolve: Resolve) -> Sequence[Address]:
    """The addresses of a target. All must be fine: a name that mixes public and private ones is up to something."""
    if target.address:
        return [target.address]
    try:
        found = [ip_address(text) for text in await resolve(target.host, target.port)]
    except (OSError, UnicodeError, ValueError):
        raise Unreachable(NOT_PUBLIC) from None
    if not found or not all(allowed.takes(target.host, target.port, address) for address in found):
        raise Unreachable(NOT_PUBLIC)  # the same words: names inside are nobody's business
    return list(dict.fromkeys(found))


@asynccontextmanager
async def exchange(
    method: str,
    target: Target,
    addresses: Sequence[Address],
    *,
    headers: Headers,
    content: bytes | None = None,
    seconds: float,
) -> AsyncIterator[httpcore.Response]:
    """Send one request to the judged addresses and stream the answer. Unreachable, whatever the network does."""
    timeout = dict.fromkeys(("connect", "read", "write", "pool"), seconds)
    wanted = httpcore.URL(
        scheme=target.url.scheme.encode(), host=target.host.encode(), port=target.port, target=target.url.raw_path
    )
    usual = [(b"Host", target.url.netloc), (b"User-Agent", b"Brushwork"), (b"Accept-Encoding", b"identity")]
    lines = [*usual, *headers, (b"Connection", b"close")]
    pinned = Pinned([str(address) for address in addresses][:TRIED_ADDRESSES])
    try:
        async with (
            httpcore.AsyncConnectionPool(ssl_context=tls(), network_backend=pinned) as pool,
            pool.stream(method, wanted, headers=lines, content=content, extensions={"timeout": timeout}) as response,
        ):
            yield response
    except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError, OSError):
        raise Unreachable(NO_ANSWER) from None


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
