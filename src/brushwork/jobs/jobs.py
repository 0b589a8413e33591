"""Everything the API may ask of jobs, in one place; the chapters beside it do the work."""

import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import structlog

from brushwork.accounts.account import Account
from brushwork.database.session import Database
from brushwork.errors import BrushworkError
from brushwork.jobs import lifecycle, listing, submission
from brushwork.jobs import replay as replaying
from brushwork.jobs.events import Event, follow
from brushwork.jobs.forecast import Forecasts
from brushwork.jobs.job import ClientStatus, Job
from brushwork.jobs.lineage import Family, family
from brushwork.jobs.listing import JobPage
from brushwork.jobs.quote import Quote, quote
from brushwork.jobs.rules import JobRules
from brushwork.jobs.screening import screen
from brushwork.jobs.signals import Listeners
from brushwork.jobs.sources import Sources
from brushwork.jobs.submission import Asking, Door
from brushwork.prompts.moderation import Policy
from brushwork.tasks.base import Task
from brushwork.tasks.sources import FromJob, Given
from brushwork.tracing import current, record

log = structlog.get_logger(__name__)

DEFAULT_RULES = JobRules()


class Jobs:
    """The jobs of one database. Without `sources` it takes only tasks that start from nothing."""

    def __init__(
        self,
        database: Database,
        rules: JobRules = DEFAULT_RULES,
        *,
        sources: Sources | None = None,
        policy: Policy | None = None,
        judge_callback: Callable[[str], object] | None = None,
    ) -> None:
        self.database = database
        self.rules = rules
        self.sources = sources
        self.policy = policy
        self.judge_callback = judge_callback
        """Raises what the client should read when a callback leads where nothing is sent."""
        self.listeners = Listeners(database)
        self.forecasts = Forecasts(database)
        self.door = Door(database, rules, self.forecasts, sources)

    async def submit(
        self,
        account: Account,
        task: Task,
        *,
        idempotency_key: str | None = None,
        key_id: int | None = None,
        deadline_seconds: float | None = None,
        seed: int | None = None,
        warnings: Sequence[Mapping[str, Any]] = (),
        expected: Mapping[str, Any] | None = None,
    ) -> Job:
        """Accept a job: when this returns, it is on disk and paid for.

        The same key and task return the same job, as it was accepted. The server's own deadline holds if it is sooner.
        """
        await self.examine(task, account_id=account.id, key_id=key_id)
        asking = Asking(account, key_id, idempotency_key, deadline_seconds, seed, warnings=warnings, expected=expected)
        began = time.time()
        job = await submission.submit(self.door, asking, task)
        told: dict[str, Any] = {"job_id": job.id, "account_id": account.id, "task": task.name}
        record("accept", parent=current.get(), began=began, **told)
        log.info("job.accepted", **told, key_id=key_id)
        return job

    async def examine(
        self, task: Task, *, account_id: int, key_id: int | None, given: Sequence[Given] | None = None
    ) -> None:
        """Raise what stands against a task before anything is moved: its callback, or the policy.

        The words that it inherits count as its own. `given`: what it works on, where that is known already.
        """
        if task.callback and self.judge_callback is not None:
            self.judge_callback(task.callback)
        if self.policy is not None:
            texts = task.texts() or await self.inherited(task, account_id, given)
            await screen(self.database, self.policy, texts, task=task.name, account_id=account_id, key_id=key_id)

    async def inherited(self, task: Task, account_id: int, given: Sequence[Given] | None) -> Mapping[str, str]:
        """The prompt of the job that a task without words follows. What cannot be followed is refused later on."""
        if given is None:
            try:
                wanted = task.wanted()
                if self.sources is None or not any(isinstance(one, FromJob) for one in wanted):
                    return {}
                chosen = await self.sources.choose(account_id, type(task), wanted, now=time.time())
            except BrushworkError:
                return {}
            given = [one for one in chosen if isinstance(one, Given)]
        return {"jobId": task.shown_prompt(given)}

    async def quote(self, account: Account, task: Task, *, key_id: int | None = None) -> Quote:
        """What the task would cost and when it would be done, or the error it would get. Stores and fetches nothing."""
        await self.examine(task, account_id=account.id, key_id=key_id)
        return await quote(self.door, Asking(account, key_id), task)

    async def family(self, account_id: int, job_id: str) -> Family:
        """All jobs that this one came of, and all that came of it."""
        async with self.database.read() as tx:
            return await family(tx, account_id, job_id)

    async def recipe(self, account_id: int, job_id: str) -> dict[str, Any]:
        """Everything that is needed to draw a job again."""
        async with self.database.read() as tx:
            return await replaying.recipe(tx, account_id, job_id)

    async def differences(self, engine: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Warnings of what draws otherwise here than `engine`, as a recipe names it."""
        async with self.database.read() as tx:
            drawn_by = {"engine": engine.get("name"), "version": engine.get("version")}
            return await replaying.differences(tx, drawn_by)

    async def replay(self, asking: Asking, job_id: str, tasks: Mapping[str, type[Task]]) -> Job:
        """The same job once more: a new one, with the same request and seed and copies of the same pictures."""

        async def screened(task: Task, given: Sequence[Given]) -> None:
            await self.examine(task, account_id=asking.account.id, key_id=asking.key_id, given=given)

        return await replaying.replay(self.door, asking, tasks, job_id, screen=screened)

    async def get(self, account_id: int, job_id: str) -> Job:
        """One job. Raises JobNotFound for unknown and foreign ones alike."""
        async with self.database.read() as tx:
            job = await listing.get(tx, account_id, job_id)
        return await self.with_eta(job)

    async def with_eta(self, job: Job) -> Job:
        return replace(job, eta=await self.forecasts.eta(job, now=time.time()))

    async def list(
        self,
        account_id: int,
        *,
        status: ClientStatus | None = None,
        task: str | None = None,
        created_after: float | None = None,
        created_before: float | None = None,
        cursor: str | None = None,
        limit: int = 20,
    ) -> JobPage:
        """The account's jobs, newest first."""
        async with self.database.read() as tx:
            page = await listing.page(
                tx,
                account_id,
                status=status,
                task=task,
                created_after=created_after,
                created_before=created_before,
                cursor=cursor,
                limit=limit,
            )
        return replace(page, jobs=tuple([await self.with_eta(job) for job in page.jobs]))

    async def cancel(self, account_id: int, job_id: str) -> Job:
        """Cancel one open job, queued or running, and return it; a finished one is returned as it ended."""
        return await lifecycle.cancel(self.database, self.rules, account_id, job_id)

    async def active(self, account_id: int) -> tuple[Job, ...]:
        """The account's open jobs, oldest first."""
        async with self.database.read() as tx:
            found = await listing.active(tx, account_id)
        return tuple([await self.with_eta(job) for job in found])

    def events(self, account_id: int, job_id: str, *, after: int = 0) -> AsyncIterator[Event]:
        """What happened to the job since event `after`, then what happens, up to its final status."""
        return follow(self.database, self.listeners, account_id, job_id, after=after)
