"""From what a task made to what the client gets: files in the store, and the job's `output` and `detail`.

Files go to a path named after the claim's token, so that two workers that both believe to have a job overwrite nothing
of each other's. They are invisible until the completing transaction publishes them.
"""

import asyncio
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import structlog

from brushwork.engines.base import Engine
from brushwork.files.images import encode_png, grid
from brushwork.files.links import extension_of
from brushwork.files.store import Files
from brushwork.files.stored import Role, StoredFile
from brushwork.jobs.job import JobFile
from brushwork.jobs.lifecycle import Ending
from brushwork.jobs.progress import JobSink
from brushwork.jobs.queue import ClaimedJob
from brushwork.tasks.base import Outcome

log = structlog.get_logger(__name__)

RETRY_SECONDS = (0.2, 1.0, 5.0)
"""Pauses between tries to store a file; the last one repeats."""


@dataclass(frozen=True)
class Picture:
    """An encoded picture that is not stored yet."""

    name: str
    role: Role
    data: bytes | Path
    """In memory or, when it is too large for that, in a file."""
    width: int
    height: int
    content_type: str = "image/png"

    @property
    def size(self) -> int:
        return self.data.stat().st_size if isinstance(self.data, Path) else len(self.data)


def encode(outcome: Outcome) -> list[Picture]:
    """The pictures of a job, a grid of several first; those that are files already as they are. Slow: in a thread."""
    singles = list(outcome.images)
    named: list[tuple[str, Role, Any]] = [(str(number), "image", image) for number, image in enumerate(singles)]
    if len(singles) > 1:
        named.insert(0, ("grid", "grid", grid(singles)))
    encoded = [
        Picture(name, role, encode_png(image, text={"Software": "Brushwork"}), image.width, image.height)
        for name, role, image in named
    ]
    return encoded + [
        Picture(str(number), "image", file.path, file.width, file.height, file.content_type)
        for number, file in enumerate(outcome.files, start=len(singles))
    ]


async def store(files: Files, job: ClaimedJob, pictures: Sequence[Picture], sink: JobSink) -> list[StoredFile]:
    """Put the pictures where only this claim can find them, however long the store is away.

    Raises RowCancelled, with nothing left behind, when the job is not wanted any more.
    """
    sink.expect_files(len(pictures))
    putting = (store_picture(files, path_of(job, picture), picture, sink) for picture in pictures)
    results = await asyncio.gather(*putting, return_exceptions=True)
    stored = [result for result in results if isinstance(result, StoredFile)]
    if len(stored) < len(pictures):
        await files.delete([path_of(job, picture) for picture in pictures])
        raise next(result for result in results if isinstance(result, BaseException))
    return stored


def path_of(job: ClaimedJob, picture: Picture) -> str:
    return f"jobs/{job.id}/{job.token}/{picture.name}.{extension_of(picture.content_type)}"


async def store_picture(files: Files, path: str, picture: Picture, sink: JobSink) -> StoredFile:
    failures = 0
    while True:
        sink.raise_if_unwanted()
        try:
            if isinstance(picture.data, Path):
                await files.put_file(path, picture.data)
            else:
                await files.put(path, picture.data, picture.content_type)
        except Exception as error:  # whatever a store raises: the picture is worth another try
            pause = RETRY_SECONDS[min(failures, len(RETRY_SECONDS) - 1)]
            failures += 1
            log.warning("store.failed", path=path, error=repr(error), retry_in=pause)
            await asyncio.sleep(pause)
            continue
        sink.file_stored()
        return StoredFile(
            uuid.uuid4().hex,
            path,
            picture.role,
            picture.content_type,
            picture.size,
            picture.width,
            picture.height,
        )


def success(job: ClaimedJob, outcome: Outcome, stored: Sequence[StoredFile], engine: Engine) -> Ending:
    """The good end of a job."""
    shown = [JobFile(file.id, file.role, file.content_type, file.width, file.height) for file in stored]
    return Ending(
        job.id,
        job.account_id,
        "done",
        token=job.token,
        output={"files": [asdict(file) for file in shown], **outcome.output},
        detail={
            "engine": engine.name,
            "applied": dict(outcome.applied),
            "degraded": list(outcome.degraded),
            "warnings": list(job.warnings),
            "recipe": dict(outcome.recipe),
        },
    )
