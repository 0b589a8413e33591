"""The model hub over HTTP: what is in a repository, and one file of it, from the byte where it was interrupted.

Written here, and not left to huggingface_hub, because that begins an interrupted file anew, and weights are large. Its
variables count: HF_TOKEN (or the token that `hf auth login` keeps), HF_ENDPOINT for a mirror, HF_HUB_OFFLINE, and
those of proxies.
"""

import json
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote

import httpx

from brushwork import __version__
from brushwork.errors import Unavailable

OnBytes = Callable[[int], None]

HUB = "https://huggingface.co"
COMMIT = re.compile(r"[0-9a-f]{40}")
CHUNK = 1 << 20
TRIES = 5
"""In a row without a new byte; then it is given up, and what has arrived is kept."""
PAUSE = 1.0
"""Seconds before the second try; twice as long before each further one."""
PART = ".part"
"""Ending of a file that is not whole yet."""
AGAIN = "What has arrived is kept; run the same command again."


@dataclass(frozen=True)
class RemoteFile:
    path: str
    size: int
    sha256: str = ""
    """Known of large files only."""


@dataclass(frozen=True)
class Snapshot:
    """A repository at one commit."""

    commit: str
    files: tuple[RemoteFile, ...]


def snapshot(repository: str, revision: str) -> Snapshot:
    """What is there. Raises Unavailable with what to do about it."""
    with asking(repository, revision) as client:
        answer = client.get(f"/api/models/{repository}/revision/{quote(revision, safe='')}", params={"blobs": "true"})
        refuse(answer, repository, revision)
        said = described(answer, repository)
    commit = str(said.get("sha"))
    if not COMMIT.fullmatch(commit):
        raise Unavailable(f"The hub does not say which commit {revision!r} of {repository} is.")
    return Snapshot(commit, tuple(remote_file(repository, sibling) for sibling in said.get("siblings") or ()))


def described(answer: httpx.Response, repository: str) -> Mapping[str, Any]:
    try:
        said = json.loads(answer.content)
    except ValueError:
        said = None
    if not isinstance(said, dict):
        raise Unavailable(f"The hub answered about {repository}, but not in JSON: is HF_ENDPOINT a model hub?")
    return said


def remote_file(repository: str, sibling: Mapping[str, Any]) -> RemoteFile:
    name = str(sibling.get("rfilename"))
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or "\0" in name:
        raise Unavailable(f"{repository} has a file that would leave its folder: {name!r}.")
    large = sibling.get("lfs") or {}
    return RemoteFile(str(path), int(sibling.get("size") or 0), str(large.get("sha256") or ""))


def fetch(repository: str, commit: str, file: RemoteFile, folder: Path, *, on_bytes: OnBytes) -> Path:
    """Bring one file into the folder, and tell how many bytes have come, those of an earlier call at once."""
    path = folder / file.path
    part = path.with_name(path.name + PART)
    path.parent.mkdir(parents=True, exist_ok=True)
    if part.exists() and part.stat().st_size > file.size:
        part.unlink()
    on_bytes(part_size(part))
    tries = 0
    while part_size(part) < file.size or not part.exists():
        before = part_size(part)
        try:
            with asking(repository, commit) as client:
                go_on(client, repository, commit, file, part, on_bytes)
        except Interrupted as error:
            tries = tries + 1 if part_size(part) <= before else 0
            if tries >= TRIES:
                raise Unavailable(f"The hub did not answer ({error}). {AGAIN}") from None
            time.sleep(PAUSE * 2**tries)
    part.replace(path)
    return path


def part_size(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


class Interrupted(Exception):  # not an error: it is tried again
    """A connection broke, or the hub is busy."""


def go_on(client: httpx.Client, repository: str, commit: str, file: RemoteFile, part: Path, on_bytes: OnBytes) -> None:
    """Add what is missing to the part of the file that is there."""
    url = f"/{repository}/resolve/{commit}/{quote(file.path)}"
    there = part_size(part)
    headers = {"Range": f"bytes={there}-"} if there else {}
    try:
        with client.stream("GET", url, headers=headers) as answer:
            if answer.status_code in (408, 429, 500, 502, 503, 504):
                raise Interrupted(f"status {answer.status_code}")
            refuse(answer, repository, file.path)
            if there and answer.status_code != 206:  # a mirror that sends files from their beginning only
                on_bytes(-there)
                there = 0
            with part.open("ab" if there else "wb") as out:
                for chunk in answer.iter_raw(CHUNK):
                    room = file.size - out.tell()
                    out.write(chunk[:room])
                    on_bytes(min(len(chunk), room))
                    if len(chunk) > room:
                        raise Unavailable(f"{file.path} is larger than the hub said: not taken.")
    except httpx.HTTPError as error:
        raise Interrupted(str(error) or type(error).__name__) from None
    if part_size(part) < file.size:
        raise Interrupted("it broke off")


@contextmanager
def asking(repository: str, revision: str) -> Iterator[httpx.Client]:
    """A client of the hub, and its errors in words."""
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE"):
        raise Unavailable("HF_HUB_OFFLINE forbids to ask the hub.")
    headers = {"User-Agent": f"brushwork/{__version__}", "Accept-Encoding": "identity"}
    if key := token():
        headers["Authorization"] = f"Bearer {key}"  # not sent on to the hosts that files are kept on
    base = os.environ.get("HF_ENDPOINT", "").rstrip("/") or HUB
    try:
        with httpx.Client(base_url=base, headers=headers, follow_redirects=True, timeout=60) as client:
            yield client
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise Unavailable(f"The hub did not answer about {repository} at {revision} ({error}). {AGAIN}") from None


def token() -> str:
    """Of the operator, where there is one: from the environment, or as the hub's own command keeps it."""
    if given := os.environ.get("HF_TOKEN"):
        return given.strip()
    home = Path(os.environ.get("HF_HOME") or Path.home() / ".cache" / "huggingface")
    path = Path(os.environ.get("HF_TOKEN_PATH") or home / "token")
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def refuse(answer: httpx.Response, repository: str, revision: str) -> None:
    """Raises Unavailable for an answer that is not what was asked for."""
    if answer.is_success:
        return
    code = answer.headers.get("X-Error-Code", "")
    if code == "GatedRepo" or answer.status_code == 403:
        raise Unavailable(
            f"{repository} has to be asked for: accept its terms on its page at the hub, and set HF_TOKEN."
        )
    if code == "RevisionNotFound":
        raise Unavailable(f"{repository} has no revision {revision!r}.")
    if code == "EntryNotFound":
        raise Unavailable(f"{repository} has no file {revision}.")
    if answer.status_code in (401, 404):
        raise Unavailable(f"The hub has no {repository}, or wants a token (HF_TOKEN) for it.")
    raise Unavailable(f"The hub refused {repository} with status {answer.status_code}. {AGAIN}")
