"""Signed links: whoever has one can read one file, until it expires.

The signature is HMAC-SHA256 over `<file id>.<expires>`, truncated to 128 bits. The time is rounded up to the hour, so
that a client that polls sees the same URL again and may cache by it.
"""

import hashlib
import hmac
import math
from dataclasses import dataclass

from brushwork.errors import FileNotFound

EXTENSIONS = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp", "video/mp4": "mp4"}
ROUNDING = 3600.0


def extension_of(content_type: str) -> str:
    """What a file of this type is called after its dot."""
    return EXTENSIONS.get(content_type, "bin")


@dataclass(frozen=True)
class Links:
    """Makes and checks links. `public_url` begins each, `secret` signs it, `seconds` is how long it works at least."""

    public_url: str
    secret: bytes
    seconds: float

    def link(self, file_id: str, content_type: str, *, now: float) -> str:
        """An absolute URL that works until `expires_at(now)`."""
        expires = self.expires_at(now)
        signature = self.signature(file_id, expires)
        return f"{self.public_url}/files/{file_id}.{extension_of(content_type)}?expires={expires}&signature={signature}"

    def expires_at(self, now: float) -> int:
        """When a link that is made now stops working; seconds since 1970."""
        return int(math.ceil((now + self.seconds) / ROUNDING) * ROUNDING)

    def check(self, file_id: str, *, expires: str | None, signature: str | None, now: float) -> None:
        """Raise FileNotFound unless the link is ours and still works."""
        if not (expires and signature and expires.isascii() and expires.isdigit() and len(expires) <= 12):
            raise FileNotFound
        if not hmac.compare_digest(signature.encode(), self.signature(file_id, int(expires)).encode()):
            raise FileNotFound
        if int(expires) < now:
            raise FileNotFound("This link has expired; ask for the job again to get a fresh one.")

    def signature(self, file_id: str, expires: int) -> str:
        return hmac.new(self.secret, f"{file_id}.{expires}".encode(), hashlib.sha256).hexdigest()[:32]
