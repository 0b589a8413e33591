"""A job's recipe, and drawing it again: the same request, the same seed, copies of the same pictures.

The same engine of the same version makes the same pictures of it. A recipe from elsewhere is a request with a seed;
what it was drawn with is compared with what draws here, and differences are warned of before anything is held. The
hashes of what was made of it there are kept with the new job, and compared with what is made here.
"""

import time
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

import sqlalchemy as sa
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncConnection

from brushwork import __version__
from brushwork.database.tables import files as files_table
from brushwork.database.tables import follows, jobs, workers
from brushwork.errors import BadRequest, BrushworkError, FileNotFound, FollowUpRefused, JobNotFound
from brushwork.jobs.delivery import recipe_hash
from brushwork.jobs.given import moved, plain
from brushwork.jobs.job import Job
from brushwork.jobs.rows import job_of
from brushwork.jobs.sources import GONE, Sources
from brushwork.jobs.submission import Asking, Door, accept, new_row
from brushwork.tasks.base import Task
from brushwork.tasks.sources import Given, pictures_of

FORMAT = 1
ELSEWHERE = "another kind of device, or something else is written into the files: provenance, a signature"
"""Where two engines say the same of themselves and the bytes differ."""
SAID_NOTHING = "the recipe does not say which files were made of it"
ALIVE_SECONDS = 120.0
"""A worker that has been silent for longer draws nothing."""


async def recipe(tx: AsyncConnection, account_id: int, job_id: str) -> dict[str, Any]:
    """Everything that is needed to draw a job again. Raises JobNotFound for unknown and foreign ones alike."""
    job = await own_job(tx, account_id, job_id)
    hashes = await hashes_of(tx, job_id)
    made = {
        "format": FORMAT,
        "job_id": job.id,
        "task": job.task,
        "request": dict(job.input),
        "seed": job.seed,
        "pictures": [picture_of(given) for given in job.given],
        "engine": engine_of(job),
        "files": [{"role": file.role, "sha256": hashes.get(file.id)} for file in job.files],
    }
    return made | {"replay": await compared(tx, job, made)}


def engine_of(job: Job) -> dict[str, Any]:
    detail = job.detail or {}
    used = detail.get("recipe") or {}
    return {
        "name": detail.get("engine", ""),
        "version": detail.get("version", ""),
        "recipe": used,
        "sha256": recipe_hash(used),
    }


def picture_of(given: Given) -> dict[str, Any]:
    """What a job worked on: where it is from and its size; the bytes stay with the job."""
    parent = given.parent
    return {
        "job_id": parent.job_id if parent else None,
        "number": parent.number if parent else None,
        "width": given.width,
        "height": given.height,
    }


async def own_job(tx: AsyncConnection, account_id: int, job_id: str) -> Job:
    row = (await tx.execute(jobs.select().where(jobs.c.id == job_id, jobs.c.account_id == account_id))).first()
    if row is None:
        raise JobNotFound
    return job_of(row._mapping)


async def hashes_of(tx: AsyncConnection, job_id: str) -> dict[str, str]:
    rows = await tx.execute(sa.select(files_table.c.id, files_table.c.sha256).where(files_table.c.job_id == job_id))
    return {row.id: row.sha256 for row in rows}


async def compared(tx: AsyncConnection, job: Job, made: Mapping[str, Any]) -> dict[str, Any] | None:
    """How a replay came out beside what it repeats; None when it is no replay."""
    if job.expected is not None:
        return beside(job.expected, made) or nothing_to_compare(job.expected["of"], SAID_NOTHING)
    edge = sa.select(follows.c.parent_id).where(follows.c.job_id == job.id, follows.c.kind == "replay")
    original_id = (await tx.execute(edge)).scalar_one_or_none()
    if original_id is None:
        return None
    try:
        original = await own_job(tx, job.account_id, original_id)
    except JobNotFound:
        return nothing_to_compare(original_id, "the job it repeats is not kept any more")
    hashes = await hashes_of(tx, original_id)
    engine, files = engine_of(original), [hashes.get(file.id) for file in original.files]
    before = {"of": original_id, "engine": engine, "files": files}
    return beside(before, made) or nothing_to_compare(original_id)


def beside(before: Mapping[str, Any], made: Mapping[str, Any]) -> dict[str, Any] | None:
    """What was drawn before and what is drawn now; None when nobody says which files there were before."""
    if not made["files"]:
        return nothing_to_compare(before["of"])
    if not before["files"] or None in before["files"]:
        return None
    same = before["files"] == [file["sha256"] for file in made["files"]]
    words = {"name": "another engine", "version": "another version of Brushwork", "sha256": "another engine recipe"}
    found = [said for name, said in words.items() if before["engine"].get(name) not in (None, made["engine"][name])]
    return {"of": before["of"], "same_files": same, "differences": found if same or found else [ELSEWHERE]}


def nothing_to_compare(of: str, *reasons: str) -> dict[str, Any]:
    return {"of": of, "same_files": None, "differences": list(reasons)}


async def replay(
    door: Door,
    asking: Asking,
    tasks: Mapping[str, type[Task]],
    job_id: str,
    *,
    screen: Callable[[Task, Sequence[Given]], Awaitable[None]] | None = None,
) -> Job:
    """The same job once more, from the pictures that it keeps, whatever became of those it was made from."""
    async with door.database.read() as tx:
        job = await own_job(tx, asking.account.id, job_id)
        warnings = await differences(tx, job.detail or {})
    fields = {**job.input, "callback": None}  # whoever was to be told of the first was told
    task = task_of(tasks, job.task, fields)
    if screen is not None:
        await screen(task, job.given)
    asking = replace(asking, seed=job.seed, warnings=warnings)
    new_id = str(uuid.uuid4())
    try:
        given = await copied(door.sources, job.given, new_id) if pictures_of(job.given) else job.given
        row = new_row(door.rules, asking, task, fields, given)
        row |= {"id": new_id, "sources": plain(given), "replay_of": job.id}
        again = await accept(door, asking, row)
    except BrushworkError:
        await forget(door.sources, job.given, new_id)
        raise
    if again.id != new_id:  # an equal request was quicker
        await forget(door.sources, job.given, new_id)
    return again


async def copied(sources: Sources | None, given: Sequence[Given], job_id: str) -> tuple[Given, ...]:
    """What the job was given, in the folder of the new one."""
    if sources is None:
        raise LookupError("these jobs were opened without a way to pictures")
    places: dict[str, str] = {}
    for number, one in enumerate(pictures_of(given)):
        place = f"jobs/{job_id}/source-{number}{PurePosixPath(one.path).suffix}"
        try:
            await sources.files.copy(one.path, place)
        except FileNotFound:
            raise FollowUpRefused(GONE, reason="expired") from None
        places[one.path] = place
    return moved(given, places)


async def forget(sources: Sources | None, given: Sequence[Given], job_id: str) -> None:
    if sources is not None and pictures_of(given):
        await sources.forget(job_id)


def task_of(tasks: Mapping[str, type[Task]], name: str, fields: Mapping[str, Any]) -> Task:
    """The task of a recipe. Raises BadRequest when this server does not know it or takes no such fields."""
    if name not in tasks:
        raise BadRequest(f"The recipe is of the task {name[:64]!r}, which this server does not have.")
    try:
        task = tasks[name].model_validate(dict(fields))
    except ValidationError as error:
        field = ".".join(str(step) for step in error.errors(include_input=False)[0]["loc"])
        raise BadRequest(f"The request in the recipe is not one of {name}: {field or 'request'} is wrong.") from None
    task.check()
    return task


async def differences(tx: AsyncConnection, detail: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Why the pictures may come out differently, as warnings of the new job."""
    engine, version = str(detail.get("engine") or ""), str(detail.get("version") or "")
    found: list[dict[str, Any]] = []
    alive = sa.select(workers.c.engine).distinct().where(workers.c.last_seen > time.time() - ALIVE_SECONDS)
    here = sorted((await tx.execute(alive)).scalars())
    if engine and here and here != [engine]:
        drawn = " and ".join(here)
        found.append(warning("replay_engine", f"It was drawn by the engine {engine}; here {drawn} draws."))
    if version and version != __version__:
        found.append(warning("replay_version", f"It was drawn by version {version}; this is {__version__}."))
    if not engine:
        found.append(warning("replay_unknown", "The recipe does not say which engine drew it."))
    return found


def warning(code: str, message: str) -> dict[str, Any]:
    return {"code": code, "message": f"{message} The pictures may differ.", "param": None}
