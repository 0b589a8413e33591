"""The model hub: what is in a repository, and one file of it. The only chapter that imports huggingface_hub.

A token, a mirror (HF_ENDPOINT) and proxies are taken from the environment, as that library documents.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from brushwork.errors import Unavailable

OnBytes = Callable[[int], None]
COMMIT = re.compile(r"[0-9a-f]{40}")


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
    hub = library()
    with explained(repository, revision):
        info = hub.HfApi().model_info(repository, revision=revision, files_metadata=True, timeout=30)
    if not COMMIT.fullmatch(info.sha or ""):
        raise Unavailable(f"The hub does not say which commit {revision!r} of {repository} is.")
    return Snapshot(info.sha, tuple(remote_file(repository, sibling) for sibling in info.siblings or ()))


def remote_file(repository: str, sibling: Any) -> RemoteFile:
    path = PurePosixPath(sibling.rfilename)
    if path.is_absolute() or ".." in path.parts or "\\" in sibling.rfilename:
        raise Unavailable(f"{repository} has a file that would leave its folder: {sibling.rfilename!r}.")
    lfs = sibling.lfs
    return RemoteFile(str(path), int(sibling.size or 0), str(lfs.sha256) if lfs else "")


def fetch(repository: str, commit: str, path: str, folder: Path, *, on_bytes: OnBytes) -> None:
    """Bring one file into the folder; goes on where an earlier call was interrupted."""
    hub = library()
    with explained(repository, commit):
        hub.hf_hub_download(repository, path, revision=commit, local_dir=folder, tqdm_class=bar_of(on_bytes))


def library() -> Any:
    """huggingface_hub, which comes with the engine that needs models."""
    try:
        import huggingface_hub
    except ImportError:
        raise Unavailable("Downloading needs huggingface_hub; pip install 'brushwork[diffusers]'.") from None
    return huggingface_hub


def bar_of(on_bytes: OnBytes) -> type:
    """A progress bar that draws nothing and tells how many bytes came."""
    from huggingface_hub.utils import tqdm

    class Teller(tqdm):  # type: ignore[misc]  # untyped where it is not installed
        def __init__(self, *args: Any, **options: Any) -> None:
            options.pop("name", None)
            super().__init__(*args, **{**options, "disable": True})
            if initial := options.get("initial"):
                on_bytes(int(initial))

        def update(self, n: float | None = 1) -> bool | None:
            on_bytes(int(n or 0))
            return None

    return Teller


@contextmanager
def explained(repository: str, revision: str) -> Iterator[None]:
    """Errors of the library as ours: what happened, and what can be done."""
    import httpx
    from huggingface_hub import errors

    again = "What has arrived is kept; run the same command again."
    try:
        yield
    except errors.GatedRepoError:
        raise Unavailable(
            f"{repository} has to be asked for: accept its terms at its page on the hub, then set HF_TOKEN."
        ) from None
    except errors.RepositoryNotFoundError:
        raise Unavailable(f"The hub has no {repository}, or it wants a token (HF_TOKEN).") from None
    except (errors.RevisionNotFoundError, errors.RevisionResolutionError):
        raise Unavailable(f"{repository} has no revision {revision!r}.") from None
    except errors.OfflineModeIsEnabled:
        raise Unavailable("HF_HUB_OFFLINE forbids to ask the hub.") from None
    except errors.EntryNotFoundError as error:
        if isinstance(error.__cause__, Exception):
            raise Unavailable(f"The hub did not answer ({first_line(error.__cause__)}). {again}") from None
        raise Unavailable(f"{repository} at {revision}: {first_line(error)}") from None
    except (errors.HfHubHTTPError, httpx.HTTPError, ConnectionError) as error:
        raise Unavailable(f"The hub did not answer ({first_line(error)}). {again}") from None


def first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
