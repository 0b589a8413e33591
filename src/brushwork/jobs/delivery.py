"""From what a task made to what the client gets: files in the store, and the job's `output` and `detail`.

Files go to a path named after the claim's token, so that two workers that both believe to have a job overwrite nothing
of each other's. They are invisible until the completing transaction publishes them.
"""

import asyncio
import hashlib
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import structlog
from PIL.Image import Image

from brushwork import __version__
from brushwork.engines.base import Engine, Op
from brushwork.files.images import encode_png, grid
from brushwork.files.links import extension_of
from brushwork.files.provenance import Making, Provenance
from brushwork.files.store import Files
from brushwork.files.stored import Role, StoredFile
from brushwork.jobs.job import JobFile
from brushwork.jobs.lifecycle import Ending
from brushwork.jobs.progress import JobSink
from brushwork.jobs.queue import ClaimedJob
from brushwork.tasks.base import Outcome, Task
from brushwork.tasks.sources import Given

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
    sha256: str = ""

    @property
    def size(self) -> int:
        return self.data.stat().st_size if isinstance(self.data, Path) else len(self.data)


def encode(outcome: Outcome, *, provenance: Provenance, making: Making) -> list[Picture]:
    """The pictures of a job, a grid of several first, as files that say where they come from. Slow: in a thread."""
    singles = list(outcome.images)
    named: list[tuple[str, Role, Image]] = [(str(number), "image", image) for number, image in enumerate(singles)]
    if len(singles) > 1:
        named.insert(0, ("grid", "grid", grid(singles)))
    text = {} if provenance.level == "none" else {"Software": "Brushwork"}
    encoded = []
    for name, role, image in named:
        data = provenance.stamp(encode_png(image, text=text), "image/png", making)
        encoded.append(Picture(name, role, data, image.width, image.height, sha256=hashlib.sha256(data).hexdigest()))
    for number, file in enumerate(outcome.files, start=len(singles)):
        provenance.stamp_file(file.path, file.content_type, making)
        with file.path.open("rb") as opened:
            sha256 = hashlib.file_digest(opened, "sha256").hexdigest()
        encoded.append(
            Picture(str(number), file.role, file.path, file.width, file.height, file.content_type, sha256=sha256)
        )
    return encoded


def making_of(task: Task, given: Sequence[Given], outcome: Outcome, *, seed: int, engine: Engine) -> Making:
    """How the pictures of a job came about, as they may say of themselves."""
    rows = outcome.recipe.get("rows") or [{}]
    return Making(
        engine.name,
        is_edit=task.needs is not Op.TEXT_TO_IMAGE and any(one.path and one.parent is None for one in given),
        prompt=task.shown_prompt(given),
        seed=seed,
        model=str(rows[0].get("model", "")),
        recipe=recipe_hash(outcome.recipe),
    )


def recipe_hash(recipe: Mapping[str, Any]) -> str:
    """By which equal recipes are told; "" for what was made without one."""
    if not recipe:
        return ""
    return hashlib.sha256(json.dumps(recipe, sort_keys=True, default=str).encode()).hexdigest()


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
            picture.sha256,
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
            "version": __version__,
            "applied": dict(outcome.applied),
            "degraded": list(outcome.degraded),
            "warnings": list(job.warnings),
            "recipe": dict(outcome.recipe),
        },
    )
