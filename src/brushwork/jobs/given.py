"""What a job was given to work on: as its row keeps it, and as bytes when a worker needs them.

Every picture lies in the job's own folder in the store, so nothing that happens to the job it came from can take it
away, and the same job drawn again sees the same bytes.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import structlog

from brushwork.errors import FileNotFound, SourceLost
from brushwork.files.store import Files
from brushwork.jobs.progress import JobSink
from brushwork.tasks.sources import Given, Parent, pictures_of

log = structlog.get_logger(__name__)

RETRY_SECONDS = (0.2, 1.0, 5.0)
"""Pauses between tries to read a picture; the last one repeats."""


def plain(given: Sequence[Given]) -> list[dict[str, Any]] | None:
    """As JSON for the row; None where a job was given nothing."""
    return [asdict(one) for one in given] or None


def given_of(kept: Sequence[Mapping[str, Any]] | None) -> tuple[Given, ...]:
    """What `plain` was made from."""
    return tuple(Given(**{**one, "parent": parent_of(one.get("parent"))}) for one in kept or ())


def parent_of(kept: Mapping[str, Any] | None) -> Parent | None:
    return None if kept is None else Parent(**{**kept, "given": given_of(kept["given"])})


def moved(given: Sequence[Given], paths: Mapping[str, str]) -> tuple[Given, ...]:
    """The same, with its pictures at other paths."""
    return tuple(
        replace(
            one,
            path=paths.get(one.path, one.path),
            parent=one.parent and replace(one.parent, given=moved(one.parent.given, paths)),
        )
        for one in given
    )


async def read_given(files: Files, given: Sequence[Given], sink: JobSink) -> list[bytes]:
    """The bytes of `pictures_of(given)`, however long the store is away.

    Raises SourceLost when one is gone, RowCancelled when the job is not wanted any more.
    """
    return [await read_picture(files, one.path, sink) for one in pictures_of(given)]


async def read_picture(files: Files, path: str, sink: JobSink) -> bytes:
    failures = 0
    while True:
        sink.raise_if_unwanted()
        try:
            return await files.read(path)
        except FileNotFound:
            log.error("source.lost", path=path)
            raise SourceLost from None
        except Exception as error:  # whatever a store raises: it may be back in a moment
            pause = RETRY_SECONDS[min(failures, len(RETRY_SECONDS) - 1)]
            failures += 1
            log.warning("source.delayed", path=path, error=repr(error), retry_in=pause)
            await asyncio.sleep(pause)
