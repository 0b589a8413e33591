"""A picture from whatever a client may write for one: a URL, a `data:` URL, or a link to a file of this server.

Whichever it was, what comes back has been through `decode`. Links of this server never touch the network: they work on
a machine that cannot reach itself, and their signature is the permission. Knows no job and no task.
"""

import asyncio
import base64
import binascii
import re
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import replace

from brushwork.errors import FileNotFound, InvalidField, PictureTooLarge, Unavailable, UnreachablePicture
from brushwork.files.decode import CleanPicture, Limits, checked_header, cleaned, is_large
from brushwork.files.fetch import FetchRules, fetch
from brushwork.files.store import Files

DECODERS = 2
"""Pictures decoded at once, besides a large one, which takes a core for seconds, and hundreds of megabytes."""

FETCHES = 32
"""Strangers' servers waited for at once; each may send as many bytes as the limits allow."""

TURN_SECONDS = 20.0
"""How long one waits to be among them: somebody who sends many slow URLs must not keep all others waiting for ever."""

OWN_BYTES = 100_000_000
"""A result of ours may be larger than a stranger's picture; its pixels are limited all the same."""

DATA_URL = re.compile(r"data:(?:image/[a-z0-9.+-]{1,40})?(?:;[a-z0-9=.+-]{1,40})?;base64,", re.IGNORECASE)


class Pictures:
    """Takes pictures from outside, a few at a time."""

    def __init__(self, files: Files, rules: FetchRules = FetchRules()) -> None:
        self.files = files
        self.rules = rules
        self.fetches = asyncio.Semaphore(FETCHES)
        # Threads of their own: name servers that do not answer must not hold up decoding, nor decoding anything else.
        self.decoders = ThreadPoolExecutor(DECODERS, "decode")
        # Large ones stand in a line of their own: nobody with a small one waits behind them.
        self.large = ThreadPoolExecutor(1, "decode-large")

    async def take(self, url: str, *, field: str, limits: Limits = Limits()) -> CleanPicture:
        """The picture behind `url`. Errors name `field` and say what was wrong with it, in the client's terms."""
        if url[:5].lower() == "data:":
            return await self.clean(data_of(url, limits=limits, field=field), limits=limits, field=field)
        own = await self.own(url, field=field, limits=limits)
        if own is not None:
            return own
        async with self.turn():
            data = await fetch(url, max_bytes=limits.max_bytes, rules=self.rules, field=field)
        return await self.clean(data, limits=limits, field=field)

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """A place among those who fetch."""
        try:
            async with asyncio.timeout(TURN_SECONDS):
                await self.fetches.acquire()
        except TimeoutError:
            raise Unavailable("Too many pictures are being fetched right now; try again later.") from None
        try:
            yield
        finally:
            self.fetches.release()

    async def clean(self, data: bytes, *, limits: Limits = Limits(), field: str) -> CleanPicture:
        """Decode a file and write it anew, without holding up the event loop."""
        loop = asyncio.get_running_loop()
        header = await loop.run_in_executor(self.decoders, lambda: checked_header(data, limits=limits, field=field))
        line = self.large if is_large(header) else self.decoders
        return await loop.run_in_executor(line, lambda: cleaned(header, field=field))

    async def own(self, url: str, *, field: str, limits: Limits) -> CleanPicture | None:
        """The picture behind a link of this server, or None when it is not one."""
        try:
            file = await self.files.open_link(url, now=time.time())
            if file is None:
                return None
            if file.size > OWN_BYTES:
                raise PictureTooLarge(field, f"has {file.size} bytes; at most {OWN_BYTES} are taken", limit=OWN_BYTES)
            data = b"".join([part async for part in file.read()])
        except FileNotFound as error:
            raise UnreachablePicture(field, "is a link to a file of this server that does not work any more") from error
        picture = await self.clean(data, limits=Limits(OWN_BYTES, limits.max_pixels, limits.tiff), field=field)
        return replace(picture, origin=file.job_id or file.id)


def data_of(url: str, *, limits: Limits, field: str) -> bytes:
    """The bytes that a `data:` URL holds."""
    matched = DATA_URL.match(url)
    if matched is None:
        raise InvalidField(field, "is a data: URL, but not of the form data:image/png;base64,…")
    if (len(url) - matched.end()) * 3 // 4 > limits.max_bytes + 2:
        raise PictureTooLarge(
            field, f"has more than the {limits.max_bytes} bytes that are taken", limit=limits.max_bytes
        )
    try:
        return base64.b64decode(url[matched.end() :], validate=True)
    except (binascii.Error, ValueError):
        raise InvalidField(field, "is a data: URL whose base64 text is damaged") from None
