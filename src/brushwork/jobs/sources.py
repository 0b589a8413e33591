"""The pictures of a request, found, checked and copied into the new job's folder before the job is accepted.

    wanted ──▶ jobs looked up, follow-ups decided ──▶ copied in the store, fetched and cleaned ──▶ given

Nothing is held or charged yet, and no transaction is open. What goes wrong is the client's to read; then nothing stays
behind. Only a killed process leaves files in a folder of no job, which `retention` sweeps.
"""

import asyncio
import hashlib
import itertools
import re
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
import structlog
from obstore.exceptions import BaseError

from brushwork.database.session import Database
from brushwork.database.tables import files as files_table
from brushwork.database.tables import jobs
from brushwork.errors import BadRequest, FileNotFound, FollowUpRefused, JobNotFound, Unavailable, UnreachablePicture
from brushwork.files.decode import Limits
from brushwork.files.store import Files
from brushwork.jobs.followups import FollowUps
from brushwork.jobs.given import moved
from brushwork.jobs.rows import job_of
from brushwork.tasks.base import Task
from brushwork.tasks.sources import FromJob, FromUrl, Given, Wanted, pictures_of

if TYPE_CHECKING:  # a worker opens no URL, and an HTTP client takes its time to start
    from brushwork.files.pictures import Pictures

log = structlog.get_logger(__name__)

MAX_PICTURES = 16
"""Of one request; no task of the reference needs as many."""
TOTAL_SECONDS = 40.0
"""For all pictures of a request together: clients stop waiting after a minute."""

GONE = "A picture of the job is not kept any more, so it cannot be followed up."


@dataclass(frozen=True)
class Found:
    """A job that is followed, and where its pictures are."""

    job: FollowUps
    paths: Mapping[str, str]
    """File id → path in the store."""

    def given(self, number: int | None, follower: type[Task]) -> Given:
        """One picture of the job, or the whole of it."""
        given = self.job.given(number)
        if number is None:
            return given
        if refusal := self.job.refusal_of(number, follower):
            raise refusal
        path = self.paths.get(self.job.picture(number).id)
        if path is None:
            raise gone(self.job.job.id)
        return replace(given, path=path)


class Sources:
    """Brings what tasks want to where workers read it."""

    def __init__(self, database: Database, files: Files, pictures: "Pictures", tasks: Mapping[str, type[Task]]) -> None:
        self.database = database
        self.files = files
        self.pictures = pictures
        self.tasks = tasks

    async def gather(
        self, account_id: int, follower: type[Task], wanted: Sequence[Wanted], *, job_id: str, now: float
    ) -> tuple[Given, ...]:
        """What became of `wanted`, in its order. The account may follow its own jobs only."""
        chosen = await self.choose(account_id, follower, wanted, now=now)
        places = (f"jobs/{job_id}/source-{number}" for number in itertools.count())
        return tuple(
            await together(
                [
                    self.fetch(one, f"{next(places)}.png")
                    if isinstance(one, FromUrl)
                    else self.copy(one, {path: next(places) + PurePosixPath(path).suffix for path in paths_of(one)})
                    for one in chosen
                ]
            )
        )

    async def choose(
        self, account_id: int, follower: type[Task], wanted: Sequence[Wanted], *, now: float
    ) -> list[Given | FromUrl]:
        """The pictures of earlier jobs where they are now, and the URLs as they came. Moves nothing."""
        if len(wanted) > MAX_PICTURES:
            raise BadRequest(f"The request names {len(wanted)} pictures; at most {MAX_PICTURES} are taken.")
        found = await self.find(account_id, {one.job_id for one in wanted if isinstance(one, FromJob)}, now=now)
        for source in found.values():
            if refusal := source.job.refusal(follower):
                raise refusal
        # Every picture number is looked at before the first byte is moved.
        return [found[one.job_id].given(one.number, follower) if isinstance(one, FromJob) else one for one in wanted]

    async def find(self, account_id: int, job_ids: Collection[str], *, now: float) -> dict[str, Found]:
        """The account's jobs of these ids. Raises JobNotFound for unknown and foreign ones alike."""
        if not job_ids:
            return {}
        async with self.database.read() as tx:
            own = jobs.select().where(jobs.c.account_id == account_id, jobs.c.id.in_(job_ids))
            rows = (await tx.execute(own)).all()
            if len(rows) < len(job_ids):
                raise JobNotFound
            files = sa.select(files_table.c.id, files_table.c.path).where(files_table.c.job_id.in_(job_ids))
            paths = {row.id: row.path for row in await tx.execute(files)}
        return {row.id: Found(FollowUps(job_of(row._mapping), self.tasks, now), paths) for row in rows}

    async def fetch(self, source: FromUrl, place: str) -> Given:
        limits = Limits(source.max_bytes, source.max_pixels, source.tiff)
        picture = await self.pictures.take(source.url, field=source.field, limits=limits)
        try:
            await to_the_end(self.files.put(place, picture.png, "image/png"))
        except (BaseError, OSError) as error:
            raise Unavailable("The store of files does not answer as it should; try again later.") from error
        return Given(place, picture.width, picture.height, origin=picture.origin)

    async def copy(self, source: Given, places: Mapping[str, str]) -> Given:
        """Copy what a job has: its picture or, in place of a job as a whole, what it was given itself."""
        try:
            for path, place in places.items():
                await to_the_end(self.files.copy(path, place))
        except FileNotFound:  # it expired a moment ago
            raise gone(source.parent.job_id if source.parent else "") from None
        return moved([source], places)[0]

    async def forget(self, job_id: str) -> None:
        """Remove what was gathered for a job that there will not be."""
        try:
            await self.files.delete_folder(f"jobs/{job_id}")
        except Exception as error:  # the sweep finds them
            log.warning("sources.kept", job=job_id, error=repr(error))

    def without_signatures(self, value: Any) -> Any:
        """A task's fields with the links of this server as they are in every request that means the same."""
        own_link = re.compile(re.escape(f"{self.files.links.public_url}/files/") + r"([0-9a-f]{32}\.\w+)\?[^\s\"'<>]*")
        return mapped(value, lambda text: own_link.sub(r"\1", text))


def paths_of(source: Given) -> list[str]:
    return list(dict.fromkeys(one.path for one in pictures_of([source])))


def gone(job_id: str) -> FollowUpRefused:
    return FollowUpRefused(GONE, reason="expired", job_id=job_id)


async def together(works: Sequence[Coroutine[Any, Any, Given]]) -> list[Given]:
    """Do all at once; the first failure ends them all, and so does the time."""
    running = [asyncio.create_task(work) for work in works]
    try:
        async with asyncio.timeout(TOTAL_SECONDS) as limit:
            return list(await asyncio.gather(*running))
    except TimeoutError:
        if not limit.expired():
            raise
        raise UnreachablePicture("pictures", f"did not all arrive within {TOTAL_SECONDS:g} seconds") from None
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def to_the_end(write: Coroutine[Any, Any, None]) -> None:
    """Write, and be done with it even when cancelled: a store that is left in the middle may finish later."""
    writing = asyncio.create_task(write)
    try:
        await asyncio.shield(writing)
    except asyncio.CancelledError:
        await asyncio.gather(writing, return_exceptions=True)
        raise


def kept_input(task: Task) -> dict[str, Any]:
    """A task's fields for its row: a picture that came inside the request is kept by its hash only."""
    fields: dict[str, Any] = mapped(task.model_dump(mode="json"), short)
    return fields


def short(text: str) -> str:
    if text[:5].lower() != "data:":
        return text
    return f"data:sha256,{hashlib.sha256(text.encode()).hexdigest()}"


def mapped(value: Any, change: Callable[[str], str]) -> Any:
    """The same JSON with its strings changed."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {name: mapped(item, change) for name, item in value.items()}
    if isinstance(value, list):
        return [mapped(item, change) for item in value]
    return value
