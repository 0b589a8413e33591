"""Sending what the outbox holds: claim, render, sign, post, write down; for as long as the process lives.

Every API process has a sender, and more can be started: they share the work, and whoever dies is replaced by the
others. What a delivery looks like is rendered when it is sent, by a function that is given: links are fresh then, and
this chapter knows nothing of views.
"""

import asyncio
import contextlib
import time
import uuid
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import structlog
from sqlalchemy.exc import SQLAlchemyError

from brushwork.database.session import Database
from brushwork.database.tables import jobs
from brushwork.jobs.events import wait
from brushwork.jobs.job import Job
from brushwork.jobs.measures import ATTEMPT_SECONDS, ATTEMPTS, WEBHOOK_DELAY, Measures
from brushwork.jobs.rows import job_of
from brushwork.jobs.signals import listen
from brushwork.jobs.webhooks import line
from brushwork.jobs.webhooks.body import job_body, plain_body
from brushwork.jobs.webhooks.endpoints import secrets_of
from brushwork.jobs.webhooks.event import WEBHOOKS_CHANNEL
from brushwork.jobs.webhooks.line import Delivery
from brushwork.jobs.webhooks.sample import sample_job
from brushwork.jobs.webhooks.sending import Answer, SendRules, post
from brushwork.jobs.webhooks.signatures import Secrets, headers_for
from brushwork.tracing import record

log = structlog.get_logger(__name__)

Render = Callable[[Job], Mapping[str, Any]]
"""A job as its owner sees it, as plain JSON."""
Observe = Callable[[Delivery, Answer], None]
"""Told of every attempt."""

SLOTS = 32
PER_HOST = 4
"""Posts at once: in all, and to one host, so that a slow one keeps only itself waiting."""
LEASE_SECONDS = 30.0
"""Twice as long as an attempt may take, and renewed while it lasts: what a killed sender was at waits no longer."""
WRITE_SECONDS = 300.0
"""For how long a sender tries to write down what came of an attempt, while the database is away."""
LOOK_SECONDS = 1.0
"""A missed signal delays a delivery by this much at most."""
POLL_SECONDS = 0.1
"""Of SQLite, where nothing calls: a sender that has nothing to do should cost nothing."""
REST_SECONDS = 0.05
"""Between two looks: on SQLite every change of the file is a signal."""
GOODBYE_SECONDS = 5.0

ERASED = Answer(0.0, problem="Not sent: the job has been removed.", is_final=True)
OVERTAKEN = Answer(0.0, problem="Not sent again: the job has ended meanwhile.", is_final=True)


@dataclass(frozen=True)
class Message:
    """What is posted."""

    body: bytes
    headers: Mapping[str, str]


class Sender:
    """Sends the deliveries of one database."""

    def __init__(
        self,
        database: Database,
        render: Render,
        rules: SendRules,
        *,
        clock: Callable[[], float] = time.time,
        observe: Observe = lambda delivery, answer: None,  # noqa: ARG005
        slots: int = SLOTS,
        per_host: int = PER_HOST,
        lease: float = LEASE_SECONDS,
    ) -> None:
        self.database = database
        self.render = render
        self.rules = rules
        self.clock = clock
        self.observe = observe
        self.slots = slots
        self.per_host = per_host
        self.lease = lease
        self.measures = Measures()
        self.owner = uuid.uuid4().hex
        self.sending: dict[asyncio.Task[None], Delivery] = {}
        self.changed = asyncio.Event()

    async def run(self, stop: asyncio.Event) -> None:
        """Send until `stop` is set, then let what is on its way arrive. Survives everything."""
        told = listen(self.database, [WEBHOOKS_CHANNEL], lambda *_: self.changed.set(), poll=POLL_SECONDS)
        listening = asyncio.create_task(told)
        stopping = asyncio.create_task(stop.wait())
        counting = asyncio.create_task(self.measures.keep(self.database))
        renewing = asyncio.create_task(self.keep())
        try:
            while not stop.is_set():
                pause = LOOK_SECONDS
                try:
                    pause = await self.look()
                except Exception as error:
                    log.warning("webhooks.failed", error=type(error).__name__)
                await asyncio.wait((stopping,), timeout=REST_SECONDS)
                waiting = asyncio.create_task(wait(self.changed, pause))
                await asyncio.wait((stopping, waiting), return_when=asyncio.FIRST_COMPLETED)
                waiting.cancel()
        finally:
            listening.cancel()
            stopping.cancel()
            counting.cancel()
            await self.finish()
            renewing.cancel()

    async def keep(self) -> None:
        """Renew the leases of what is being sent, until cancelled. Survives everything."""
        while True:
            await asyncio.sleep(self.lease / 3)
            try:
                await self.renew()
            except Exception as error:
                log.warning("webhooks.failed", error=type(error).__name__)

    async def renew(self) -> None:
        """Once: a receiver that is slow must not be told by somebody else meanwhile."""
        if sending := [delivery.id for delivery in self.sending.values()]:
            async with self.database.write() as tx:
                await line.renew(tx, self.owner, sending, lease=self.lease, now=self.clock())

    async def look(self) -> float:
        """Begin to send what is due and fits; returns for how long nothing more will be, unless something changes."""
        self.changed.clear()
        free = self.slots - len(self.sending)
        if free <= 0:
            return LOOK_SECONDS
        now = self.clock()
        busy = Counter(delivery.host for delivery in self.sending.values())
        full = [host for host, count in busy.items() if count >= self.per_host]
        async with self.database.read() as tx:  # looking is cheap, and asks SQLite for no lock
            seconds = await line.due_in(tx, full=full, now=now)
        if seconds is None or seconds > 0:
            return min(LOOK_SECONDS, LOOK_SECONDS if seconds is None else seconds)
        async with self.database.write() as tx:
            sending = list(self.sending.values())
            claimed = await line.claim(
                tx, self.owner, limit=free, per_host=self.per_host, busy=sending, lease=self.lease, now=now
            )
        for delivery in claimed:
            task = asyncio.create_task(self.send(delivery))
            self.sending[task] = delivery
            task.add_done_callback(self.sent)
        return LOOK_SECONDS

    def sent(self, task: asyncio.Task[None]) -> None:
        del self.sending[task]
        self.changed.set()  # there is room for another one
        if not task.cancelled() and (error := task.exception()):
            log.warning("webhooks.failed", error=type(error).__name__)

    async def send(self, delivery: Delivery) -> None:
        """One attempt, written down."""
        now = self.clock()
        prepared = await self.message(delivery, now=now)
        if isinstance(prepared, Message):
            answer = await post(delivery.url, prepared.body, prepared.headers, rules=self.rules, now=now)
        else:
            answer = prepared
        await self.write_down(delivery, answer)
        self.observe(delivery, answer)
        self.count(delivery, answer)
        told = {"delivery": delivery.id, "job_id": delivery.job_id, "account_id": delivery.account_id}
        log.info("webhook.sent", **told, status=answer.status, attempt=delivery.attempts + 1)

    def count(self, delivery: Delivery, answer: Answer) -> None:
        """What an operator sees of an attempt: counts and a span."""
        now = time.time()
        outcome = "none" if answer.status is None else f"{answer.status // 100}xx"
        self.measures.count(ATTEMPTS, outcome)
        self.measures.observe(ATTEMPT_SECONDS, seconds=answer.seconds)
        if not delivery.attempts:
            self.measures.observe(WEBHOOK_DELAY, seconds=self.clock() - delivery.created_at)
        told = {"delivery": delivery.id, "job_id": delivery.job_id, "account_id": delivery.account_id}
        told |= {"event": delivery.event, "status": answer.status, "attempt": delivery.attempts + 1}
        error = None if answer.is_taken else outcome
        record("deliver", parent=delivery.trace, began=now - answer.seconds, ended=now, **told, **{"error.type": error})

    async def write_down(self, delivery: Delivery, answer: Answer) -> None:
        """Until it is written, however long the database is away: a receiver should not hear twice of what it took."""
        until = time.monotonic() + WRITE_SECONDS
        while True:
            try:
                async with self.database.write() as tx:
                    await line.settle(tx, delivery, self.owner, answer, now=self.clock())
                return
            except SQLAlchemyError:
                if time.monotonic() > until:
                    raise
                await asyncio.sleep(0.5)

    async def message(self, delivery: Delivery, *, now: float) -> Message | Answer:
        """What to post, as things stand now; or why nothing is posted."""
        async with self.database.read() as tx:
            secrets = await secrets_of(tx, delivery.account_id, now=now)
            row = None
            if delivery.job_id is not None:
                row = (await tx.execute(jobs.select().where(jobs.c.id == delivery.job_id))).first()
        if delivery.job_id is not None and row is None:
            return ERASED
        job = None if row is None else job_of(row._mapping)
        if delivery.event == "job.processing" and job is not None and job.is_finished and delivery.attempts:
            return OVERTAKEN
        return message_for(delivery, job, self.render, secrets, now=now)

    async def finish(self) -> None:
        """Wait a moment for what is on its way, and give back the rest."""
        if self.sending:
            await asyncio.wait(list(self.sending), timeout=GOODBYE_SECONDS)
        for task in list(self.sending):
            task.cancel()
        with contextlib.suppress(SQLAlchemyError):
            async with self.database.write() as tx:
                await line.let_go(tx, self.owner)
            await self.measures.flush(self.database)


def message_for(delivery: Delivery, job: Job | None, render: Render, secrets: Secrets, *, now: float) -> Message:
    """The bytes of a delivery, and the headers that sign exactly these."""
    if delivery.event == "test":
        job = sample_job(delivery.account_id, now=now)
    if job is None:
        body = plain_body(delivery.event, delivery.data or {}, now=now)
    else:
        body = job_body(render(as_it_was(job, delivery.event)), now=now)
    headers = headers_for(body, delivery_id=delivery.id, event=delivery.event, signed_by=secrets, now=now)
    return Message(body, headers)


def as_it_was(job: Job, event: str) -> Job:
    """The beginning of a job is told as one, even if it has ended by now."""
    if event != "job.processing" or not job.is_finished:
        return job
    nothing: dict[str, Any] = {"files": (), "output": None, "error": None, "ended_at": None}
    return replace(job, status="running", stage="processing", progress=0, **nothing)
