"""GET /files/<id>.png: what a signed link opens. No key is asked for; the signature in the link is the permission.

Ranges, so that downloads can go on and videos can be sought; validators, so that what a browser has is not sent again.
"""

import re
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.responses import Response, StreamingResponse

from brushwork.api.answers import error_answer
from brushwork.api.dependencies import CurrentServices
from brushwork.api.openapi import FILE, refusals
from brushwork.errors import FileNotFound, RangeNotSatisfiable
from brushwork.files.links import NAME, extension_of
from brushwork.files.store import OpenFile

router = APIRouter(tags=["files"])

RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


@dataclass(frozen=True)
class Part:
    """Bytes from `start` up to but not including `end`."""

    start: int
    end: int


@router.head("/files/{name}", include_in_schema=False)
@router.get(
    "/files/{name}",
    operation_id="get_file",
    response_class=Response,
    responses={**FILE, **refusals(404, 416, 500, 503)},
)
async def get_file(
    request: Request,
    services: CurrentServices,
    name: str,
    expires: str | None = None,
    signature: str | None = None,
) -> Response:
    """Download a picture or a video by its signed link."""
    matched = NAME.fullmatch(name)
    if matched is None:
        raise FileNotFound
    file = await services.files.open(matched[1], expires=expires, signature=signature, now=time.time())
    if matched[2] != extension_of(file.content_type):
        raise FileNotFound
    headers = headers_of(file, name, expires=int(expires or 0))
    if headers["etag"] in tags(request.headers.get("if-none-match", "")):
        return Response(status_code=304, headers=headers)
    try:
        part = wanted_part(request, file, headers["etag"])
    except RangeNotSatisfiable as error:
        answer = error_answer(error)
        answer.headers["content-range"] = f"bytes */{file.size}"
        return answer
    return await part_answer(request, file, part, headers)


async def part_answer(request: Request, file: OpenFile, part: Part | None, headers: dict[str, str]) -> Response:
    """The whole file, or a part of it with status 206; only the headers for HEAD."""
    start, end = (part.start, part.end) if part else (0, file.size)
    headers["content-length"] = str(end - start)
    if part:
        headers["content-range"] = f"bytes {start}-{end - 1}/{file.size}"
    status = 206 if part else 200
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers, media_type=file.content_type)
    chunks = file.read(start, end)
    first = await anext(chunks, b"")  # a file that is gone is a 404 now; later it could only be a broken download
    if len(first) == end - start:
        return Response(first, status_code=status, headers=headers, media_type=file.content_type)
    return StreamingResponse(chain(first, chunks), status_code=status, headers=headers, media_type=file.content_type)


async def chain(first: bytes, others: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for chunk in others:
        yield chunk


def headers_of(file: OpenFile, name: str, *, expires: int) -> dict[str, str]:
    return {
        "etag": f'"{file.id}"',  # a file never changes under its id
        "accept-ranges": "bytes",
        "cache-control": f"private, max-age={max(0, int(expires - time.time()))}, immutable",
        "content-disposition": f'inline; filename="{name}"',
        # Opened by itself, a file may run nothing; embedded in any page, it may be shown.
        "content-security-policy": "sandbox; default-src 'none'",
        "cross-origin-resource-policy": "cross-origin",
    }


def tags(header: str) -> list[str]:
    return [tag.strip().removeprefix("W/") for tag in header.split(",")]


def wanted_part(request: Request, file: OpenFile, etag: str) -> Part | None:
    """The range a request asks for, or None for the whole file. More than one range is answered with the whole."""
    matched = RANGE.fullmatch(request.headers.get("range", "").replace(" ", ""))
    if matched is None or request.headers.get("if-range", etag) != etag:
        return None
    first, last = matched.groups()
    if not (first or last) or (first and last and int(first) > int(last)):
        return None
    if not first:  # the last so many bytes
        part = Part(max(0, file.size - int(last)), file.size)
    else:
        part = Part(int(first), min(int(last) + 1, file.size) if last else file.size)
    if part.start >= part.end:
        raise RangeNotSatisfiable(file.size)
    return part
