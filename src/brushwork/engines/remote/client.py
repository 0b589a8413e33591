"""HTTP with a server of the OpenAI image API: one request, its retries, its limits, and its errors in our words.

Never follows a redirect, and fetches nothing from another server than the one that was configured.
"""

import asyncio
import base64
import binascii
import email.utils
import json
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx

from brushwork.engines.remote.asking import Asked, strings
from brushwork.errors import BrushworkError, EngineFailed, Unavailable, Unprocessable

MOST_BYTES = 128 * 2**20
"""Of one answer."""
MOST_ERROR_BYTES = 64 * 2**10
CONNECT_SECONDS = 10.0
ATTEMPTS = 5
FIRST_WAIT, LONGEST_WAIT = 1.0, 60.0
"""Seconds before it is asked again; twice as long each time, unless it says when."""
BUSY = frozenset({429, 503})
SHOWN = 300
"""Characters of the server's own words that are passed on."""

UNREACHABLE = "The image server cannot be reached."
REFUSED: Mapping[int, str] = {
    401: "The image server does not accept the key that is configured for it.",
    403: "The image server does not accept the key that is configured for it.",
    404: "The image server does not have the model, or this part of the API.",
}


class Client:
    """A connection pool to one server. To be used inside one event loop."""

    def __init__(self, url: str, *, key: str, timeout: float, connections: int) -> None:
        self.url = url.rstrip("/").removesuffix("/v1")
        self.timeout = timeout
        self.http = httpx.AsyncClient(
            headers={"authorization": f"Bearer {key}"} if key else {},
            timeout=httpx.Timeout(timeout, connect=CONNECT_SECONDS),
            limits=httpx.Limits(max_connections=connections),
            follow_redirects=False,
            trust_env=False,  # the key goes to the configured server, and through no proxy of the environment
        )

    async def close(self) -> None:
        await self.http.aclose()

    async def models(self) -> list[Mapping[str, Any]]:
        """What it says it has; raises when it does not say."""
        answer = self.as_json(await self.ask("GET", "/v1/models"))
        models = answer.get("data")
        return [model for model in models if isinstance(model, dict)] if isinstance(models, list) else []

    async def picture(self, asked: Asked) -> bytes:
        """The bytes of the picture that was asked for. Cancelling the task closes the connection."""
        try:
            async with asyncio.timeout(self.timeout):
                return await self.first_picture(self.as_json(await self.patiently(asked)))
        except TimeoutError:
            raise EngineFailed(f"The image server gave no picture within {self.timeout:g} seconds.") from None

    async def patiently(self, asked: Asked) -> bytes:
        """Ask, and ask again after a while as long as the server is busy or not there."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return await self.ask("POST", asked.path, asked)
            except Busy as busy:
                if attempt == ATTEMPTS:
                    raise
                pause = FIRST_WAIT * 2 ** (attempt - 1) if busy.after is None else busy.after
                await asyncio.sleep(min(LONGEST_WAIT, pause))
        raise AssertionError  # the last attempt returns or raises

    async def ask(self, method: str, path: str, asked: Asked | None = None) -> bytes:
        """The body of one answer. Raises our own errors for all others."""
        body: dict[str, Any] = {}
        if asked is not None and asked.files:
            files = [(name, (f"{number}.png", png, "image/png")) for number, (name, png) in enumerate(asked.files)]
            body = {"data": strings(asked.fields), "files": files}
        elif asked is not None:
            body = {"json": dict(asked.fields)}
        return await self.read(method, self.url + path, **body)

    async def read(self, method: str, url: str, **body: Any) -> bytes:
        try:
            async with self.http.stream(method, url, **body) as response:
                most = MOST_BYTES if response.is_success else MOST_ERROR_BYTES
                data = await limited(response, most)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout):
            raise Busy(UNREACHABLE, after=None) from None
        except httpx.TimeoutException:
            raise EngineFailed(f"The image server gave no answer within {self.timeout:g} seconds.") from None
        except httpx.HTTPError:
            raise EngineFailed("The connection to the image server broke; nothing was charged.") from None
        if not response.is_success:
            raise error_of(response, data)
        return data

    def as_json(self, data: bytes) -> dict[str, Any]:
        try:
            answer = json.loads(data)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise EngineFailed("The image server's answer cannot be understood; nothing was charged.")
        return answer

    async def first_picture(self, answer: Mapping[str, Any]) -> bytes:
        pictures = answer.get("data")
        first = pictures[0] if isinstance(pictures, list) and pictures else None
        if isinstance(first, dict) and isinstance(first.get("b64_json"), str):
            return decoded(first["b64_json"])
        if isinstance(first, dict) and isinstance(first.get("url"), str):
            return await self.fetch(first["url"])
        raise EngineFailed("The image server answered without a picture; nothing was charged.")

    async def fetch(self, url: str) -> bytes:
        """A picture by its address, which must be on the same server."""
        if url.startswith("data:"):
            return decoded(url.partition(",")[2])
        url = urljoin(f"{self.url}/", url)
        if origin(url) != origin(self.url):
            raise EngineFailed("The image server answered with an address on another server, which is not fetched.")
        return await self.read("GET", url)


class Busy(Unavailable):
    """The server is not there, or has too much to do. `after` seconds, it says, is another try worth while."""

    def __init__(self, message: str, *, after: float | None) -> None:
        super().__init__(message)
        self.after = after


async def limited(response: httpx.Response, most: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in response.aiter_bytes():
        size += len(part)
        if size > most:
            raise EngineFailed("The image server's answer is larger than any picture; nothing was charged.")
        parts.append(part)
    return b"".join(parts)


def error_of(response: httpx.Response, data: bytes) -> BrushworkError:
    """What the status means for the person who asked for a picture."""
    status = response.status_code
    if status in BUSY:
        return Busy("The image server has too much to do.", after=seconds_of(response.headers.get("retry-after")))
    if status in REFUSED:
        return Unavailable(REFUSED[status])
    if 400 <= status < 500:
        return Unprocessable(f"The image server refused this picture: {words_of(data) or status}.", status=status)
    return EngineFailed(f"The image server failed ({status}); nothing was charged.")


def words_of(data: bytes) -> str:
    """The message of an error in OpenAI's or FastAPI's form, short and on one line."""
    try:
        answer = json.loads(data)
    except ValueError:
        return ""
    error = answer.get("error", answer) if isinstance(answer, dict) else answer
    message = error.get("message", error.get("detail", "")) if isinstance(error, dict) else error
    text = message if isinstance(message, str) else json.dumps(message)
    return "".join(letter for letter in " ".join(text.split()) if letter.isprintable())[:SHOWN].rstrip(".")


def seconds_of(retry_after: str | None) -> float | None:
    """Retry-After, in seconds or as a date."""
    if not retry_after:
        return None
    try:
        return max(0.0, float(retry_after))
    except ValueError:
        pass
    try:
        return max(0.0, email.utils.parsedate_to_datetime(retry_after).timestamp() - time.time())
    except ValueError:
        return None


def origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    try:
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        port = None
    return parts.scheme, parts.hostname, port


def decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise EngineFailed("The image server's picture cannot be decoded; nothing was charged.") from None
