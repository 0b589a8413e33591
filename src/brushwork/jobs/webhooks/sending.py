"""One attempt: a POST to an address that a stranger chose, and what came of it. Knows neither queue nor database.

The address is judged as a picture's is, see `files/egress.py`. A redirect is a failure, and what the receiver answers
beyond its status is nobody's business: it is not read, but for a little that keeps the connection polite.
"""

import asyncio
import contextlib
import time
from collections.abc import Mapping
from dataclasses import dataclass

import httpcore

from brushwork.errors import InvalidField
from brushwork.files.addresses import Allowed
from brushwork.files.egress import (
    Resolve,
    Target,
    Unreachable,
    exchange,
    judged_addresses,
    resolve_by_system,
    target_of,
)
from brushwork.jobs.webhooks.schedule import wished_pause

NOTHING = Allowed()
NOT_HTTPS = "must begin with https://"
ANSWER_BYTES = 4096
"""So much of an answer is read and thrown away,"""
ANSWER_SECONDS = 1.0
"""in so much time."""


@dataclass(frozen=True)
class SendRules:
    """How far a delivery may go."""

    allowed: Allowed = NOTHING
    http: bool = False
    """Whether plain http:// may be used anywhere; hosts that the operator has named are free to."""
    seconds: float = 15.0
    """For everything: name, connection, answer."""
    resolve: Resolve = resolve_by_system


@dataclass(frozen=True)
class Answer:
    """What came of an attempt: the status of the answer, or the problem when there was none."""

    seconds: float
    status: int | None = None
    problem: str = ""
    wished: float | None = None
    """For how many seconds the receiver asked to be left alone."""
    is_final: bool = False
    """Nothing was posted, and nothing will be: it is not the receiver's doing."""

    @property
    def is_taken(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def is_gone(self) -> bool:
        return self.status == 410


def judge(url: str, *, field: str, rules: SendRules) -> Target:
    """Read an address that somebody wants to be told at. Raises InvalidField for what would never be sent to."""
    target = target_of(url, field=field, allowed=rules.allowed)
    is_named = rules.allowed.names(target.host, target.port)
    # A name may lead into a network that the operator has opened; that is known when it is resolved.
    may_be_opened = rules.allowed.networks if target.address is None else False
    is_opened = target.address is not None and rules.allowed.opens(target.host, target.port, target.address)
    if target.url.scheme != "https" and not (rules.http or is_named or is_opened or may_be_opened):
        raise InvalidField(field, NOT_HTTPS)
    return target


async def post(url: str, body: bytes, headers: Mapping[str, str], *, rules: SendRules, now: float) -> Answer:
    """Send once. Never raises: whatever goes wrong is the answer."""
    began = time.monotonic()
    status, wished, problem = None, None, ""
    try:
        async with asyncio.timeout(rules.seconds):
            status, wished = await exchange_once(url, body, headers, rules=rules, now=now)
    except TimeoutError:
        problem = f"No answer within {rules.seconds:g} seconds."
    except InvalidField as error:
        problem = f"The URL {error.message.partition(': ')[2]}."
    except Unreachable as error:
        problem = f"Could not be sent: {error}."
    if status is not None and not 200 <= status < 300:
        problem = f"Answered with status {status}" + (", which is not followed." if 300 <= status < 400 else ".")
    return Answer(time.monotonic() - began, status, problem, wished)


async def exchange_once(
    url: str, body: bytes, headers: Mapping[str, str], *, rules: SendRules, now: float
) -> tuple[int, float | None]:
    target = judge(url, field="url", rules=rules)
    addresses = await judged_addresses(target, allowed=rules.allowed, resolve=rules.resolve)
    is_named = all(rules.allowed.opens(target.host, target.port, address) for address in addresses)
    if target.url.scheme != "https" and not (rules.http or is_named):
        raise InvalidField("url", NOT_HTTPS)
    lines = [(name.encode(), value.encode()) for name, value in headers.items()]
    lines.append((b"Content-Length", b"%d" % len(body)))
    async with exchange("POST", target, addresses, headers=lines, content=body, seconds=rules.seconds) as response:
        answer = {name.lower(): value for name, value in response.headers}
        await skim(response)
        retry_after = answer.get(b"retry-after")
        wished = None if retry_after is None else wished_pause(retry_after.decode("latin-1"), now=now)
        return response.status, wished


async def skim(response: httpcore.Response) -> None:
    """Read a little of the answer, so that the receiver is not cut off while it writes a few words."""
    seen = 0
    with contextlib.suppress(httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, TimeoutError):
        async with asyncio.timeout(ANSWER_SECONDS):
            async for chunk in response.aiter_stream():
                seen += len(chunk)
                if seen > ANSWER_BYTES:
                    return
