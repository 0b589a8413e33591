"""A file that a worker has written to the store: not yet visible to anyone until its row is published."""

from dataclasses import dataclass
from typing import Literal

Role = Literal["grid", "image", "video", "poster"]
"""What a file of a job is; the pictures and the clips are those that a follow-up counts."""


@dataclass(frozen=True)
class StoredFile:
    id: str
    """128 random bits, hex; the only name a client ever sees."""
    path: str
    """Key in the store: `jobs/<job id>/<token>/<n>.png`, so that a worker that lost its lease overwrites nothing."""
    role: Role
    content_type: str
    size: int
    """Bytes."""
    width: int | None = None
    height: int | None = None
    sha256: str | None = None
    """Of its bytes, hex."""
