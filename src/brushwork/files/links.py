"""Signed links: whoever has one can read one file, until it expires.

The signature is HMAC-SHA256 over `<file id>.<expires>`, truncated to 128 bits. The time is rounded up to the hour, so
that a client that polls sees the same URL again and may cache by it.
"""

import hashlib
import hmac
import math
import re
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from brushwork.errors import FileNotFound

EXTENSIONS = {
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/webp": "webp",
    "image/tiff": "tif",
    "video/mp4": "mp4",
}
ROUNDING = 3600.0
NAME = re.compile(r"(?P<id>[0-9a-f]{32})\.(?P<extension>[a-z0-9]{2,5})")
"""What follows `/files/` in a link."""


def extension_of(content_type: str) -> str:
    """What a file of this type is called after its dot."""
    return EXTENSIONS.get(content_type, "bin")


def rounded(seconds: float) -> int:
    """A time, moved on to the full hour."""
    return int(math.ceil(seconds / ROUNDING) * ROUNDING)


@dataclass(frozen=True)
class Link:
    """The parts of a link."""

    file_id: str
    extension: str
    expires: str
    signature: str


@dataclass(frozen=True)
class Links:
    """Makes and checks links. `public_url` begins each, `secret` signs it, `seconds` is how long it works at least."""

    public_url: str
    secret: bytes
    seconds: float

    def link(self, file_id: str, content_type: str, *, now: float, expires: int | None = None) -> str:
        """An absolute URL that works until `expires`, or until `expires_at(now)`."""
        expires = expires or self.expires_at(now)
        signature = self.signature(file_id, expires)
        return f"{self.public_url}/files/{file_id}.{extension_of(content_type)}?expires={expires}&signature={signature}"

    def expires_at(self, now: float) -> int:
        """When a link that is made now stops working; seconds since 1970."""
        return rounded(now + self.seconds)

    def check(self, file_id: str, *, expires: str | None, signature: str | None, now: float) -> None:
        """Raise FileNotFound unless the link is ours and still works."""
        if not (expires and signature and expires.isascii() and expires.isdigit() and len(expires) <= 12):
            raise FileNotFound
        if not hmac.compare_digest(signature.encode(), self.signature(file_id, int(expires)).encode()):
            raise FileNotFound
        if int(expires) < now:
            raise FileNotFound("This link has expired; ask for the job again to get a fresh one.")

    def parse(self, url: str) -> "Link | None":
        """What a URL of this server says, unchecked; None for a URL of anyone else."""
        beginning = f"{self.public_url}/files/"
        if not url.startswith(beginning):
            return None
        parts = urlsplit(url.removeprefix(beginning))
        named = NAME.fullmatch(parts.path)
        if named is None:
            raise FileNotFound
        query = parse_qs(parts.query)
        return Link(named["id"], named["extension"], query.get("expires", [""])[0], query.get("signature", [""])[0])

    def signature(self, file_id: str, expires: int) -> str:
        return hmac.new(self.secret, f"{file_id}.{expires}".encode(), hashlib.sha256).hexdigest()[:32]
