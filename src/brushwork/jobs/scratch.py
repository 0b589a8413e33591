"""Folders on a worker's disk for what is too large for its memory: one a job, gone with it.

A worker that is killed cannot tidy up. Each one locks its folder for as long as it lives; the system opens the lock
however it dies, and the next worker on that disk removes what is not locked.
"""

import shutil
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import IO

import structlog

if sys.platform != "win32":
    import fcntl

log = structlog.get_logger(__name__)

LOCK = "lock"


class Scratch:
    """The folder of one worker. Without a `root` it is a temporary one, which nobody sweeps."""

    def __init__(self, root: Path | None = None) -> None:
        self.root = root
        self.own = Path()
        self.locked: IO[bytes] | None = None

    def __enter__(self) -> "Scratch":
        if self.root is None:
            self.own = Path(tempfile.mkdtemp(prefix="brushwork-"))
            return self
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        # A folder is not locked in the moment it is made: sweeping waits for that.
        with (self.root / LOCK).open("ab") as everyone:
            lock(everyone, wait=True)
            sweep(self.root)
            self.own = Path(tempfile.mkdtemp(dir=self.root, prefix="worker-"))
            self.locked = (self.own / LOCK).open("ab")
            lock(self.locked, wait=False)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        shutil.rmtree(self.own, ignore_errors=True)
        if self.locked is not None:
            self.locked.close()

    def folder(self) -> Path:
        """A new, empty one."""
        return Path(tempfile.mkdtemp(dir=self.own, prefix="job-"))


def is_removed_at_once(folder: Path) -> bool:
    """Whether the folder was empty, as most are, and has been removed."""
    try:
        folder.rmdir()
    except OSError:
        return False
    return True


def sweep(root: Path) -> None:
    """Remove the folders of workers that do not live any more."""
    for folder in root.glob("worker-*"):
        try:
            with (folder / LOCK).open("ab") as mark:
                if not lock(mark, wait=False):
                    continue
        except OSError:  # killed before it had one
            pass
        shutil.rmtree(folder, ignore_errors=True)
        log.info("scratch.swept", folder=folder.name)


def lock(mark: IO[bytes], *, wait: bool) -> bool:
    """Whether we have the lock of this file now, until it is closed."""
    if sys.platform == "win32":  # what is open cannot be removed there
        return True
    try:
        fcntl.flock(mark, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    return True
