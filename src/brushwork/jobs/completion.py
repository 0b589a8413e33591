"""Committing what workers finished: as many jobs in one transaction as have come together, tried until it is certain.

A finished result outlives an outage of the database: the completion is repeated until it commits or the claim turns out
to be stale. A stale claim changes nothing, and its files are removed again.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from brushwork.database.session import Database
from brushwork.database.tables import files as files_table
from brushwork.errors import EngineFailed
from brushwork.files.store import PUBLISH, Files, rows_of
from brushwork.files.stored import StoredFile
from brushwork.jobs import queue
from brushwork.jobs.lifecycle import Ending, end
from brushwork.jobs.measures import JOB_RUN, JOB_WAIT, JOBS_ENDED, JOBS_LOST, Measures
from brushwork.jobs.queue import ClaimedJob
from brushwork.jobs.rules import JobRules
from brushwork.jobs.spans import attributes_of
from brushwork.tracing import record

log = structlog.get_logger(__name__)

GATHER_SECONDS = 0.004
"""While other jobs are still at work, a finished one waits this long for company."""
RETRY_SECONDS = (0.1, 0.3, 1.0, 3.0)

OUTAGES = (sa.exc.OperationalError, sa.exc.InterfaceError, sa.exc.TimeoutError, OSError)


@dataclass(frozen=True)
class Finished:
    """A job this worker is done with. Without an ending it was taken from us, and only the owner's mark is removed."""

    job: ClaimedJob
    ending: Ending | None
    files: Sequence[StoredFile] = ()
    model: str = ""
    """The version that was asked for, if any."""

    @property
    def outcome(self) -> str:
        """done, the code of the error, or lost."""
        if self.ending is None:
            return "lost"
        return "done" if self.ending.error is None else self.ending.error.code


class Completions:
    """The worker's finished jobs on their way into the database."""

    def __init__(
        self,
        database: Database,
        files: Files,
        rules: JobRules,
        worker_id: str,
        on_settled: Callable[[ClaimedJob], None],
        measures: Measures,
    ) -> None:
        self.database = database
        self.files = files
        self.rules = rules
        self.worker_id = worker_id
        self.on_settled = on_settled
        self.measures = measures
        self.waiting: asyncio.Queue[Finished] = asyncio.Queue()

    def add(self, finished: Finished) -> None:
        self.waiting.put_nowait(finished)

    async def run(self, count_at_work: Callable[[], int]) -> None:
        """Commit what comes in, until cancelled."""
        while True:
            batch = [await self.waiting.get()]
            if count_at_work():
                await asyncio.sleep(GATHER_SECONDS)
            while not self.waiting.empty():
                batch.append(self.waiting.get_nowait())
            for part in once_each(batch):
                await self.settle(part)
            for finished in batch:
                self.on_settled(finished.job)

    async def settle(self, batch: Sequence[Finished]) -> None:
        """Commit the batch, however long the database is away; one by one if it cannot be committed together."""
        failures = 0
        while True:
            try:
                await self.commit(batch)
                return
            except Exception as error:
                if not is_outage(error):
                    log.exception("completion.refused", jobs=[finished.job.id for finished in batch])
                    break
                pause = RETRY_SECONDS[min(failures, len(RETRY_SECONDS) - 1)]
                failures += 1
                log.warning("completion.delayed", jobs=len(batch), error=type(error).__name__, retry_in=pause)
                await asyncio.sleep(pause)
        if len(batch) > 1:
            for finished in batch:
                await self.settle([finished])
        elif batch[0].ending is not None and batch[0].ending.status == "done":
            await self.settle([failed_instead(batch[0])])
        # A failure that cannot be written either: the lease runs out, and the reaper counts the attempt.

    async def commit(self, batch: Sequence[Finished]) -> None:
        now = time.time()
        endings = [finished.ending for finished in batch if finished.ending is not None]
        async with self.database.write() as tx:
            ended = await end(tx, endings, rules=self.rules, now=now) if endings else set()
            published = [row for finished in batch if finished.job.id in ended for row in self.rows(finished, now)]
            if published:
                await tx.execute(PUBLISH, published)
            lost = [finished for finished in batch if finished.job.id not in ended]
            if lost:
                await queue.let_go(tx, self.worker_id, [finished.job.id for finished in lost])
                unused = await unpublished(tx, [file.path for finished in lost for file in finished.files])
        for finished in batch:
            self.tell(finished, is_ended=finished.job.id in ended, began=now)
        if lost and unused:
            await self.remove(unused)

    def rows(self, finished: Finished, now: float) -> list[dict[str, Any]]:
        """Of the files that become visible with the job."""
        job, ends = finished.job, now + self.rules.result_seconds
        return rows_of(finished.files, account_id=job.account_id, job_id=job.id, now=now, expires_at=ends)

    def tell(self, finished: Finished, *, is_ended: bool, began: float) -> None:
        """What an operator sees of it: a log line, counts, a span."""
        job, now = finished.job, time.time()
        ids = {"job_id": job.id, "account_id": job.account_id, "task": job.task}
        if not is_ended:
            self.measures.count(JOBS_LOST, job.task)
            log.info("job.lost", **ids, attempt=job.attempts)
            return
        seconds = max(0.0, now - job.started_at)
        self.measures.count(JOBS_ENDED, job.task, finished.outcome)
        self.measures.observe(JOB_WAIT, job.task, finished.model, seconds=job.started_at - job.created_at)
        if finished.outcome == "done":
            self.measures.observe(JOB_RUN, job.task, finished.model, seconds=seconds)
        log.info("job.ended", **ids, outcome=finished.outcome, attempt=job.attempts, seconds=round(seconds, 3))
        error = None if finished.outcome == "done" else finished.outcome
        record("complete", parent=job.trace, began=began, ended=now, **attributes_of(job), **{"error.type": error})

    async def remove(self, paths: Sequence[str]) -> None:
        try:
            await self.files.delete(paths)
        except Exception as error:  # they are invisible, and go with the job when it expires
            log.warning("leftovers.kept", files=len(paths), error=repr(error))


def once_each(batch: Sequence[Finished]) -> list[list[Finished]]:
    """The batch, in parts that name no job twice: a job that was lost and claimed again may end twice at a time."""
    parts: list[list[Finished]] = []
    for finished in batch:
        free = (part for part in parts if all(other.job.id != finished.job.id for other in part))
        part = next(free, None)
        if part is None:
            parts.append(part := [])
        part.append(finished)
    return parts


def is_outage(error: Exception) -> bool:
    """Whether the database is only away, restarting or overrun, so that trying again may help."""
    return isinstance(error, OUTAGES) or (isinstance(error, sa.exc.DBAPIError) and error.connection_invalidated)


async def unpublished(tx: AsyncConnection, paths: Sequence[str]) -> list[str]:
    """Those of the paths that nobody can see. A commit whose answer was lost looks stale, but its files are in use."""
    if not paths:
        return []
    visible = set((await tx.execute(sa.select(files_table.c.path).where(files_table.c.path.in_(paths)))).scalars())
    return [path for path in paths if path not in visible]


def failed_instead(finished: Finished) -> Finished:
    """The same job, ended as failed."""
    error = EngineFailed("The result of this job could not be stored; nothing was charged.")
    ending = Ending(finished.job.id, finished.job.account_id, "failed", token=finished.job.token, error=error)
    return replace(finished, ending=ending)
