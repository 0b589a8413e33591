"""Fetching what a client's URL leads to: bytes, counted, after a few redirects, each judged like the first URL.

Where a URL may lead, and that the connection goes nowhere else, is decided in `egress.py`. Nothing of ours is in the
request. Knows no picture.
"""

import asyncio
from dataclasses import dataclass

import httpcore
import httpx

from brushwork.errors import InvalidField, PictureTooLarge, UnreachablePicture
from brushwork.files.addresses import Allowed
from brushwork.files.egress import (
    NO_ANSWER,
    Resolve,
    Target,
    Unreachable,
    exchange,
    judged_addresses,
    resolve_by_system,
    target_of,
)

REDIRECTS = (301, 302, 303, 307, 308)

NOTHING = Allowed()


@dataclass(frozen=True)
class FetchRules:
    """How far a URL may lead."""

    allowed: Allowed = NOTHING
    seconds: float = 10.0
    """For everything: names, redirects, the last byte."""
    max_redirects: int = 3
    resolve: Resolve = resolve_by_system


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


def redirected(target: Target, location: str, *, field: str, allowed: Allowed) -> Target:
    """Where a redirect leads, judged like the first URL. It is not the client's field that is wrong, though."""
    try:
        return target_of(str(target.url.join(location)), field=field, allowed=allowed)
    except (InvalidField, httpx.InvalidURL, ValueError):
        raise UnreachablePicture(field, "is redirected to where this server does not go") from None


async def ask(target: Target, *, rules: FetchRules, max_bytes: int, field: str) -> bytes | str:
    """One request: the body, or where a redirect points."""
    try:
        addresses = await judged_addresses(target, allowed=rules.allowed, resolve=rules.resolve)
        wanted = [(b"Accept", b"image/*")]
        async with exchange("GET", target, addresses, headers=wanted, seconds=rules.seconds) as response:
            headers = {name.lower(): value for name, value in response.headers}
            if response.status in REDIRECTS and b"location" in headers:
                return headers[b"location"].decode(errors="replace")
            return await body_of(response, headers, max_bytes=max_bytes, field=field)
    except Unreachable as error:
        problem = f"could not be loaded: {NO_ANSWER}" if str(error) == NO_ANSWER else str(error)
        raise UnreachablePicture(field, problem) from None


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
