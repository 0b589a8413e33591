"""Worker processes, one per device: started, watched, stopped, and started again when they die.

A dead child's jobs go back in line at once, without waiting for their leases. A child that goes on with a job which was
cancelled or is past its deadline, or that has fallen silent, is killed: no other way reaches a stuck engine.
When we die instead, the children see their standard input close, and stop by themselves.
"""

import asyncio
import os
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from brushwork.database.session import Database
from brushwork.jobs import queue
from brushwork.jobs.events import wait
from brushwork.jobs.reaper import reap, take_back
from brushwork.jobs.rules import JobRules
from brushwork.jobs.workers import ID_VARIABLE, new_worker_id, silent

log = structlog.get_logger(__name__)

WATCH_SECONDS = 1.0
STOP_SECONDS = 12.0
"""How long a child may take to stop: longer than the grace it gives its jobs."""
OBEY_SECONDS = 5.0
"""How long a child may go on with a job that was ended from outside."""
BACKOFF = (0.2, 1.0, 5.0, 15.0, 30.0)
"""Pauses before a child is started again, while it keeps dying."""
SOUND_SECONDS = 30.0
"""A child that lived so long is not the one that keeps dying."""


@dataclass(frozen=True)
class Child:
    """A running worker process."""

    worker_id: str
    device: str
    process: Process
    started: float


class Supervisor:
    """Owns the worker processes of this machine. `command` is a worker's command line but for `--device`."""

    def __init__(self, *, database: Database, command: Sequence[str], devices: Sequence[str], rules: JobRules) -> None:
        self.database = database
        self.command = list(command)
        self.devices = list(devices)
        self.rules = rules
        self.children: dict[str, Child] = {}
        self.silent_since: dict[str, float] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Keep one child per device until `stop` is set; returns when all of them are gone."""
        watching = asyncio.create_task(self.watch())
        try:
            await asyncio.gather(*(self.keep(device, stop) for device in self.devices))
        finally:
            watching.cancel()
            for child in self.children.values():  # only when we are cancelled ourselves
                kill(child.process)

    async def keep(self, device: str, stop: asyncio.Event) -> None:
        """Start a child for the device, again and again."""
        deaths = 0
        while not stop.is_set():
            try:
                child = await self.start(device)
            except OSError as error:  # no memory, no descriptors, no such program
                deaths += 1
                log.warning("worker.not_started", device=device, error=repr(error))
                await wait(stop, BACKOFF[min(deaths, len(BACKOFF) - 1)])
                continue
            await self.attend(child, stop)
            await self.bury(child, stop)
            deaths = 0 if time.monotonic() - child.started > SOUND_SECONDS else deaths + 1
            if not stop.is_set():
                pause = BACKOFF[min(deaths, len(BACKOFF) - 1)]
                log.warning("worker.died", device=device, code=child.process.returncode, restart_in=pause)
                await wait(stop, pause)

    async def start(self, device: str) -> Child:
        worker_id = new_worker_id()
        process = await asyncio.create_subprocess_exec(
            *self.command, "--device", device, stdin=PIPE, env={**os.environ, ID_VARIABLE: worker_id}
        )
        child = self.children[worker_id] = Child(worker_id, device, process, time.monotonic())
        log.info("worker.started", device=device, worker=worker_id, pid=process.pid)
        return child

    async def attend(self, child: Child, stop: asyncio.Event) -> None:
        """Wait for the child's death, and bring it about when we are to stop."""
        died, stopped = asyncio.create_task(child.process.wait()), asyncio.create_task(stop.wait())
        try:
            await asyncio.wait([died, stopped], return_when=asyncio.FIRST_COMPLETED)
            if not died.done():
                child.process.terminate()
                await asyncio.wait([died], timeout=STOP_SECONDS)
            if not died.done():
                kill(child.process)
            await died
        finally:
            stopped.cancel()

    async def bury(self, child: Child, stop: asyncio.Event) -> None:
        """Put the dead child's jobs back in line, as soon as the database answers."""
        del self.children[child.worker_id]
        self.silent_since.pop(child.worker_id, None)
        while True:
            try:
                await take_back(self.database, self.rules, child.worker_id)
                return
            except Exception as error:
                log.warning("take_back.failed", worker=child.worker_id, error=type(error).__name__)
            if await wait(stop, WATCH_SECONDS):
                return  # the leases run out in time

    async def watch(self) -> None:
        """Kill children that are stuck. Survives everything."""
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            try:
                for worker_id in await self.stuck():
                    if worker_id in self.children:
                        log.warning("worker.stuck", worker=worker_id)
                        kill(self.children[worker_id].process)
                await reap(self.database, self.rules)
            except Exception as error:
                log.warning("watch.failed", error=type(error).__name__)
                self.silent_since.clear()  # it was the database that was silent

    async def stuck(self) -> set[str]:
        ids = list(self.children)
        if not ids:
            return set()
        async with self.database.read() as tx:
            disobedient = await queue.ignored_stops(tx, ids, seconds=OBEY_SECONDS)
            unheard = await silent(tx, ids, seconds=self.rules.lease_seconds)
        now = time.monotonic()
        self.silent_since = {worker_id: self.silent_since.get(worker_id, now) for worker_id in unheard}
        lost = {worker_id for worker_id, since in self.silent_since.items() if now - since > self.rules.lease_seconds}
        return disobedient | lost


def kill(process: Process) -> None:
    if process.returncode is None:
        process.kill()
