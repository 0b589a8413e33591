"""The worker: claim → draw → store → finish; the inverse of submission. One process, one device, one engine.

Claimed jobs are drawn side by side, each in a thread of its own; the event loop stays free for heartbeats, cancelling
and progress. An engine that lets rows join (`Capability.joins`) gets more jobs while others are drawn; any other gets
the next ones when the last batch is through. Nothing that the database or the store does ends the worker; only `stop`
does, and the loss of the device: then it gives back what it could not finish.
"""

import asyncio
import contextlib
import shutil
import time
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import structlog

from brushwork.database.session import Database
from brushwork.engines.base import DeviceLost, Engine, RowCancelled
from brushwork.errors import BrushworkError, EngineFailed
from brushwork.files.provenance import Provenance
from brushwork.files.store import Files
from brushwork.jobs import queue
from brushwork.jobs.completion import Completions, Finished
from brushwork.jobs.delivery import Picture, encode, making_of, store, success
from brushwork.jobs.events import wait
from brushwork.jobs.figures import Figures
from brushwork.jobs.given import given_of, read_given
from brushwork.jobs.lifecycle import Ending, advance, start
from brushwork.jobs.measures import ENGINE_STEP, Measures
from brushwork.jobs.output_check import OutputCheck, look_at
from brushwork.jobs.progress import JobSink
from brushwork.jobs.queue import JOBS_CHANNEL, STOPS_CHANNEL, ClaimedJob
from brushwork.jobs.reaper import deadline_exceeded, reap, tell_requeued
from brushwork.jobs.rules import JobRules
from brushwork.jobs.scratch import Scratch, is_removed_at_once
from brushwork.jobs.signals import listen
from brushwork.jobs.spans import JobSpans
from brushwork.jobs.threads import give_way, in_thread, stop_with_parent
from brushwork.jobs.workers import WorkerInfo, abilities_of, say_alive, say_goodbye, worker_name
from brushwork.tasks import TASKS
from brushwork.tasks.base import Outcome, Run, Task
from brushwork.tasks.sources import Given

log = structlog.get_logger(__name__)

POLL_SECONDS = 1.0
"""How often a worker looks for jobs that no signal told it of."""
REPORT_POLL_SECONDS = 0.1
STOPS_SECONDS = 0.25
"""On SQLite every change of the file may be a cancel; it is looked into at most this often."""
MAX_BATCH = 16
GRID = 4
"""Rows that a job is taken to have until it says so."""
USUAL_PROVENANCE = Provenance()
GRACE_SECONDS = 5.0
"""How long a stopping worker lets its jobs go on before it gives them back."""
GOODBYE_SECONDS = 5.0
"""How long giving them back may take; when the database is away, the leases do it."""


@dataclass(frozen=True, eq=False)
class AtWork:
    """A claimed job and how far it is."""

    job: ClaimedJob
    sink: JobSink


class Worker:
    """Owns the jobs it has claimed until they are ended, lost or given back."""

    def __init__(
        self,
        *,
        database: Database,
        files: Files,
        engine: Engine,
        rules: JobRules,
        device: str = "cpu:0",
        pools: Sequence[str] = ("default",),
        worker_id: str | None = None,
        batch: int | None = None,
        supervised: bool = False,
        tasks: Mapping[str, type[Task]] = TASKS,
        scratch: Path | None = None,
        provenance: Provenance = USUAL_PROVENANCE,
        check: OutputCheck | None = None,
    ) -> None:
        self.database = database
        self.files = files
        self.engine = engine
        self.rules = rules
        self.info = WorkerInfo(worker_id or worker_name(), device, engine.name, pools, abilities_of(engine))
        self.batch = batch or drawn_together(engine)
        self.joins = lets_join(engine)
        self.supervised = supervised
        self.tasks = tasks
        self.scratch = Scratch(scratch)
        self.measures = Measures()
        self.figures = Figures(engine, self.measures.count)
        self.provenance = provenance
        self.check = check
        self.at_work: dict[str, AtWork] = {}
        self.drawn: set[AtWork] = set()
        """Those of them that the engine has, or will have in a moment."""
        self.lost: DeviceLost | None = None
        self.hopeless: set[AtWork] = set()
        self.wake = asyncio.Event()
        self.stops = asyncio.Event()
        self.completions = Completions(database, files, rules, self.info.id, self.forget, self.measures)
        self.background: set[asyncio.Task[None]] = set()
        self.telling: list[asyncio.Task[None]] = []

    @property
    def drawing(self) -> int:
        return len(self.drawn)

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set, then finish or give back what is at work. Raises DeviceLost when the device is."""
        loop = asyncio.get_running_loop()
        if self.supervised:
            stop_with_parent(loop, stop)
        self.spawn(self.heed(stop))
        self.telling += [self.spawn(self.beat()), self.spawn(self.report())]
        self.spawn(self.figures.keep(self.rules.lease_seconds / 3))
        self.spawn(self.watch_stops())
        self.spawn(self.completions.run(lambda: self.drawing))
        self.spawn(self.measures.keep(self.database))
        self.spawn(listen(self.database, [JOBS_CHANNEL, STOPS_CHANNEL], self.on_signal))
        try:
            with self.scratch:
                await in_thread(self.warm)
                log.info("worker.ready", worker=self.info.id, device=self.info.device, engine=self.info.engine)
                await self.work_until(stop)
                await self.drain()
                if self.lost is not None:
                    raise self.lost
        finally:
            for task in self.background:
                task.cancel()
            await asyncio.gather(*self.background, return_exceptions=True)

    def warm(self) -> None:
        """Load what is slow to load. Threads that the engine starts here yield to the event loops, too."""
        give_way()
        self.engine.warm()

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self.background.add(task)
        task.add_done_callback(self.background.discard)
        return task

    async def heed(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self.wake.set()

    def on_signal(self, channel: str, payload: str) -> None:
        if channel != STOPS_CHANNEL:
            self.wake.set()
        if not channel or payload == self.info.id:
            self.stops.set()

    # ── claim ──

    async def work_until(self, stop: asyncio.Event) -> None:
        failures = 0
        while not (stop.is_set() or self.lost):
            self.wake.clear()
            try:
                claimed = await self.claim()
                failures = 0
            except Exception as error:  # the database is away: it comes back, and so do we
                failures += 1
                log.warning("claim.failed", error=type(error).__name__)
                await asyncio.sleep(min(2.0, 0.1 * 2**failures))
                continue
            for job in claimed:
                if job.id in self.at_work:  # we had lost it, and are still at it
                    self.at_work[job.id].sink.stop()
                self.at_work[job.id] = AtWork(job, self.sink_of(job))
                self.drawn.add(self.at_work[job.id])
                self.spawn(self.perform(self.at_work[job.id]))
            if not claimed:
                await wait(self.wake, POLL_SECONDS)

    def sink_of(self, job: ClaimedJob) -> JobSink:
        """Where the engine tells how far a job is. A picture that has to be checked shows nothing of itself before."""

        def on_step(model: str, seconds: float) -> None:
            self.measures.observe(ENGINE_STEP, self.engine.name, model, seconds=seconds)

        shows = self.check is None
        return JobSink(progress=job.progress, deadline_at=job.deadline_at, shows=shows, on_step=on_step)

    async def claim(self) -> list[ClaimedJob]:
        """The next batch, when there is room for it and not too many pictures wait to be stored."""
        room = self.room()
        if not room or len(self.at_work) >= 2 * self.batch:
            return []
        if self.database.is_sqlite:  # taking the only write lock for nothing would hold everyone up
            async with self.database.read() as tx:
                if not await queue.has_ready(tx, self.info.pools):
                    return []
        joining = {work.job.batch_key for work in self.drawn}
        async with self.database.write() as tx:
            return await start(tx, self.info.id, pools=self.info.pools, limit=room, rules=self.rules, joining=joining)

    def room(self) -> int:
        """How many more jobs the engine can take in.

        Where rows join, as many as fill its batch, and one more, so that the next rows are ready when others leave. A
        job that has already cost a worker is drawn alone.
        """
        if not self.drawn:
            return self.batch
        if not self.joins or any(work.job.attempts > 1 for work in self.drawn):
            return 0
        rows = sum(work.sink.rows if work.sink.is_counted else GRID for work in self.drawn)
        more = -(-(self.batch + GRID - rows) // GRID)
        return max(0, min(more, self.batch - len(self.drawn)))

    # ── read, draw, store ──

    async def perform(self, work: AtWork) -> None:
        job = work.job
        folder: Path | None = None
        spans = JobSpans(job)
        try:
            try:
                scratch = folder = self.scratch.folder()
                given = given_of(job.sources)
                data = await read_given(self.files, given, work.sink)
                outcome, pictures = await in_thread(lambda: self.draw(work, given, data, scratch))
            finally:
                self.drawn.discard(work)
                spans.tell("draw", engine=self.engine.name)
                if self.joins or not self.drawn:
                    self.wake.set()
            stored = await store(self.files, job, pictures, work.sink)
            spans.tell("store", files=len(stored))
            finished = Finished(job, success(job, outcome, stored, self.engine), stored)
        except DeviceLost as lost:
            self.lost = self.lost or lost
            self.hopeless.add(work)
            self.wake.set()
            return  # the job is given back when the worker ends
        except RowCancelled:
            late = self.failure(job, deadline_exceeded()) if work.sink.is_overdue else None
            finished = Finished(job, late)
        except BrushworkError as error:
            finished = Finished(job, self.failure(job, error))
        except Exception:
            log.exception("job.failed", job_id=job.id, account_id=job.account_id, task=job.task, attempt=job.attempts)
            finished = Finished(job, self.failure(job, EngineFailed("The engine failed; nothing was charged.")))
        self.completions.add(replace(finished, model=work.sink.model))
        if folder is not None and not is_removed_at_once(folder):
            await in_thread(lambda: shutil.rmtree(scratch, ignore_errors=True))

    def draw(
        self, work: AtWork, given: Sequence[Given], data: Sequence[bytes], scratch: Path
    ) -> tuple[Outcome, list[Picture]]:
        """Run the task and encode its pictures. Slow: in the job's own thread."""
        give_way()
        job = work.job
        task = self.tasks[job.task].model_validate(job.input)
        run = Run(
            engine=self.engine,
            seed=job.seed,
            sink=work.sink,
            expect=work.sink.expect,
            given=given,
            data=data,
            scratch=scratch,
        )
        outcome = task.run(run)
        if self.check is not None:
            look_at(self.check, outcome, task.shown_prompt(given), job_id=job.id)
        making = making_of(task, given, outcome, seed=job.seed, engine=self.engine)
        return outcome, encode(outcome, provenance=self.provenance, making=making)

    def failure(self, job: ClaimedJob, error: BrushworkError) -> Ending:
        return Ending(job.id, job.account_id, "failed", token=job.token, error=error)

    def forget(self, job: ClaimedJob) -> None:
        if job.id in self.at_work and self.at_work[job.id].job.token == job.token:
            del self.at_work[job.id]  # else it was lost, and claimed again by ourselves
        self.wake.set()

    # ── keep ──

    def tokens(self) -> dict[str, str]:
        return {work.job.id: work.job.token for work in self.at_work.values()}

    def drop_lost(self, held: Mapping[str, str], mine: set[str]) -> None:
        """Stop drawing what is no longer ours."""
        for job_id in held.keys() - mine:
            if job_id in self.at_work:
                self.at_work[job_id].sink.stop()

    async def beat(self) -> None:
        """Keep the leases, and look after the jobs of workers that did not. Survives everything."""
        while True:
            try:
                held = self.tokens()
                async with self.database.write() as tx:
                    await say_alive(tx, self.info, self.figures.present)
                    mine = await queue.heartbeat(tx, held, lease=self.rules.lease_seconds)
                self.drop_lost(held, mine)
                await reap(self.database, self.rules)
            except Exception as error:
                log.warning("heartbeat.failed", error=type(error).__name__)
            await asyncio.sleep(self.rules.lease_seconds / 3)

    async def watch_stops(self) -> None:
        """Learn of cancelled jobs as soon as they are."""
        while True:
            await self.stops.wait()
            self.stops.clear()
            if not self.at_work:
                continue
            try:
                held = self.tokens()
                async with self.database.read() as tx:
                    self.drop_lost(held, await queue.still_ours(tx, held))
            except Exception as error:
                log.warning("stops.failed", error=type(error).__name__)
            await asyncio.sleep(STOPS_SECONDS)

    async def report(self) -> None:
        """Write down progress and previews, a second apart."""
        while True:
            await asyncio.sleep(REPORT_POLL_SECONDS)
            now = time.monotonic()
            taken = [(work, work.sink.take_report(now)) for work in list(self.at_work.values())]
            reports = {work: report for work, report in taken if report is not None}
            if not reports:
                continue
            try:
                async with self.database.write() as tx:
                    await advance(tx, {work.job: report for work, report in reports.items()})
            except Exception as error:
                log.warning("report.failed", error=type(error).__name__)
                for work, report in reports.items():
                    work.sink.tell_again(report)

    # ── stop ──

    async def drain(self) -> None:
        """Let jobs end for a moment, then give back what is left."""
        until = time.monotonic() + GRACE_SECONDS
        while self.has_hope() and time.monotonic() < until:
            self.wake.clear()
            await wait(self.wake, 0.1)
        held = self.tokens()
        for work in self.at_work.values():
            work.sink.stop()
        for task in self.telling:
            task.cancel()  # it would say that we are here after we have said goodbye; the leases last longer than this
        if self.telling:
            await asyncio.wait(self.telling, timeout=GOODBYE_SECONDS)
        try:
            async with asyncio.timeout(GOODBYE_SECONDS), self.database.write() as tx:
                # A job may be to blame for the loss of a device: it is not tried for ever.
                await tell_requeued(tx, await queue.give_back(tx, held, is_attempt=self.lost is not None))
                await queue.let_go(tx, self.info.id)
                await say_goodbye(tx, self.info.id)
            async with asyncio.timeout(GOODBYE_SECONDS):
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(1):
                        await self.figures.take()
                await self.measures.flush(self.database)
        except Exception as error:
            log.warning("goodbye.failed", error=type(error).__name__)
        log.info("worker.stopped", worker=self.info.id, given_back=len(held), device_lost=self.lost is not None)

    def has_hope(self) -> bool:
        """Whether something may still be finished: when the device is lost, what was drawn before."""
        return any(work not in self.hopeless for work in self.at_work.values())


def lets_join(engine: Engine) -> bool:
    """Whether rows may join while others are drawn."""
    return any(one.joins for many in engine.capabilities().values() for one in many)


def drawn_together(engine: Engine) -> int:
    """As many jobs as the engine can draw side by side, by its own account."""
    largest = max((one.batch_max for many in engine.capabilities().values() for one in many), default=1)
    return max(1, min(MAX_BATCH, largest))
