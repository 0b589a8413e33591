"""The web studio: a fixed table of files out of the package, served as they are.

The page is a client of the API like any other; nothing here knows what it does. What is not in the table does not
exist, so no path can lead anywhere else.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from pathlib import PurePosixPath

from fastapi import APIRouter, Request
from starlette.responses import Response

from brushwork.errors import FileNotFound

CONTENT_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}

PAGE = "index.html"

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",  # data: for previews, which come as events
        "media-src 'self'",
        "connect-src 'self'",
        "form-action 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "cache-control": "no-cache",  # keep it, but ask each time whether it is still the one: answered by the ETag
    "content-security-policy": POLICY,
    "cross-origin-opener-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
}


@dataclass(frozen=True)
class Asset:
    """One file of the studio, ready to be sent."""

    body: bytes
    content_type: str
    etag: str


def read_assets() -> Mapping[str, Asset]:
    """Every file of the studio by its name."""
    return {
        entry.name: asset_of(entry.read_bytes(), CONTENT_TYPES[suffix])
        for entry in files("brushwork").joinpath("studio").iterdir()
        if (suffix := PurePosixPath(entry.name).suffix) in CONTENT_TYPES
    }


def asset_of(body: bytes, content_type: str) -> Asset:
    return Asset(body, content_type, f'"{sha256(body).hexdigest()[:32]}"')


ASSETS = read_assets()
router = APIRouter(include_in_schema=False)


@router.api_route("/", methods=["GET", "HEAD"])
@router.api_route("/studio", methods=["GET", "HEAD"])
async def get_page(request: Request) -> Response:
    return answer(ASSETS[PAGE], request)


@router.api_route("/studio/{name}", methods=["GET", "HEAD"])
async def get_asset(request: Request, name: str) -> Response:
    if name not in ASSETS:
        raise FileNotFound("The studio has no such file.")
    return answer(ASSETS[name], request)


def answer(asset: Asset, request: Request) -> Response:
    """The file, or 304 when the browser has it already."""
    headers = {**HEADERS, "etag": asset.etag}
    if asset.etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(asset.body, headers=headers, media_type=asset.content_type)
