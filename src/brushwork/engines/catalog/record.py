"""What was downloaded, by whom it was allowed and what is in it: one JSON file beside the files of a model.

The digest of a record goes into recipes: the same digest is the same weights, to the byte.
"""

import hashlib
import json
import os
import threading
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

RECORD = "brushwork.json"
CHUNK = 1 << 22


@dataclass(frozen=True)
class KeptFile:
    """One file of a model."""

    path: str
    """Below the folder, with slashes."""
    size: int
    sha256: str
    changed: int = 0
    """Time of its last change, in nanoseconds; only of files that are not ours, which may change."""


@dataclass(frozen=True)
class Record:
    """What is in a folder."""

    name: str
    repository: str
    revision: str
    """As the catalog asked for it."""
    commit: str
    """What that was when it was pulled."""
    include: tuple[str, ...]
    files: tuple[KeptFile, ...]
    licence: str
    accepted: str = ""
    """Date on which a licence with conditions was accepted; empty for a permissive one."""
    pulled: str = ""

    @property
    def digest(self) -> str:
        """SHA-256 over paths and contents."""
        lines = sorted(f"{file.sha256} {file.path}\n" for file in self.files)
        return hashlib.sha256("".join(lines).encode()).hexdigest()

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files)


def read_record(path: Path) -> Record | None:
    """The record, or None when there is none that can be read."""
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        files = tuple(KeptFile(**file) for file in kept.pop("files"))
        kept.pop("digest", None)
        return Record(**{**kept, "include": tuple(kept["include"]), "files": files})
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def write_record(path: Path, record: Record) -> None:
    """Replace the record as a whole; the digest is written for people and not read back."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}")
    text = json.dumps({**asdict(record), "digest": record.digest}, indent=2, ensure_ascii=False)
    with draft.open("w", encoding="utf-8") as out:
        out.write(text + "\n")
        out.flush()
        os.fsync(out.fileno())
    draft.replace(path)


def sha256_of(path: Path, *, on_bytes: Callable[[int], None] = lambda _: None) -> str:
    """Hash of a file of any size; tells how many bytes are done."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
            on_bytes(len(chunk))
    return digest.hexdigest()


def missing_files(folder: Path, files: Iterable[KeptFile]) -> list[str]:
    """The files that are gone or have another size: seen at once, without reading them."""
    return [file.path for file in files if size_of(folder / file.path) != file.size]


def size_of(path: Path) -> int:
    """In bytes; -1 when there is no such file."""
    try:
        return path.stat().st_size if path.is_file() else -1
    except OSError:
        return -1
