"""What must be done now and then, by whichever process gets to it first.

Each duty has a row in `ticks` that says when it is next due and who is at it. Every API and worker process may run
this; a process that dies at its duty loses it when its lease runs out, and another one begins it again.
"""

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from brushwork.database.session import Database
from brushwork.database.tables import ticks
from brushwork.files.store import Files
from brushwork.jobs.audits import forget_refusals
from brushwork.jobs.closing import Closing
from brushwork.jobs.events import wait
from brushwork.jobs.expiry import end_packs
from brushwork.jobs.forecast import forget_timings
from brushwork.jobs.idempotency import forget_answers
from brushwork.jobs.lifecycle import admit_held
from brushwork.jobs.queue import NOW
from brushwork.jobs.reaper import reap
from brushwork.jobs.retention import remove_expired, remove_strays
from brushwork.jobs.rules import JobRules
from brushwork.jobs.webhooks.log import forget_lost, forget_old
from brushwork.jobs.workers import forget_dead

log = structlog.get_logger(__name__)

LOOK_SECONDS = 5.0
LEASE_SECONDS = 600.0
ERASING_SECONDS = 60.0
"""For one account in one run; the next run goes on."""
RECORD_PORTIONS = 100


@dataclass(frozen=True)
class Housekeeping:
    """Everything a duty may need."""

    database: Database
    files: Files
    rules: JobRules
    owner: str = field(default_factory=lambda: uuid.uuid4().hex)

    async def run(self, stop: asyncio.Event) -> None:
        """Do what is due, every few seconds, until `stop` is set. Survives everything."""
        while not stop.is_set():
            try:
                await reap(self.database, self.rules)
                await self.tick()
            except Exception as error:
                log.warning("housekeeping.failed", error=repr(error))
            await wait(stop, LOOK_SECONDS)

    async def tick(self) -> list[str]:
        """Do each duty that is due and that nobody else is at; returns their names."""
        done = []
        for name, (every, duty) in DUTIES.items():
            if not await self.take(name):
                continue
            try:
                await duty(self)
            finally:  # a duty that fails is due again at its next time, not at once
                await self.done(name, every)
            done.append(name)
        return done

    async def take(self, name: str) -> bool:
        async with self.database.read() as tx:
            is_known = (await tx.execute(sa.select(ticks.c.name).where(ticks.c.name == name))).first()
            due = (await tx.execute(sa.select(ticks.c.name).where(*is_due(name)))).first()
        if is_known and not due:
            return False
        try:
            async with self.database.write() as tx:
                values = {"owner": self.owner, "lease_until": NOW + LEASE_SECONDS}
                if is_known:
                    taken = await tx.execute(ticks.update().where(*is_due(name)).values(values))
                    return taken.rowcount == 1
                await tx.execute(ticks.insert().values(name=name, next_run=NOW, **values))
                return True
        except sa.exc.IntegrityError:  # another process was the first to know this duty
            return False

    async def done(self, name: str, every: float) -> None:
        async with self.database.write() as tx:
            ours = ticks.update().where(ticks.c.name == name, ticks.c.owner == self.owner)
            await tx.execute(ours.values(owner=None, lease_until=None, next_run=NOW + every))


def is_due(name: str) -> tuple[sa.ColumnElement[bool], ...]:
    free = sa.or_(ticks.c.lease_until.is_(None), ticks.c.lease_until < NOW)
    return ticks.c.name == name, ticks.c.next_run <= NOW, free


async def expire_credits(house: Housekeeping) -> None:
    async with house.database.write() as tx:
        await end_packs(tx, now=await clock(tx))


async def clock(tx: AsyncConnection) -> float:
    return float((await tx.execute(sa.select(NOW))).scalar_one())


async def remove_results(house: Housekeeping) -> None:
    await remove_expired(house.database, house.files)


async def sweep_strays(house: Housekeeping) -> None:
    await remove_strays(house.database, house.files)


async def remove_workers(house: Housekeeping) -> None:
    async with house.database.write() as tx:
        await forget_dead(tx)


async def thin_timings(house: Housekeeping) -> None:
    async with house.database.write() as tx:
        await forget_timings(tx)


async def let_in(house: Housekeeping) -> None:
    async with house.database.write() as tx:
        await admit_held(tx, now=await clock(tx))


async def forget_webhooks(house: Housekeeping) -> None:
    async with house.database.write() as tx:
        now = await clock(tx)
        await forget_lost(tx, now=now)
        await forget_old(tx, now=now)


async def forget_keys(house: Housekeeping) -> None:
    async with house.database.write() as tx:
        await forget_answers(tx, now=await clock(tx))


async def thin_record(house: Housekeeping) -> None:
    """Some at a time, for whoever writes waits on SQLite; the next run goes on with what is left after a flood."""
    for _ in range(RECORD_PORTIONS):
        async with house.database.write() as tx:
            if not await forget_refusals(tx, now=await clock(tx)):
                return


async def go_on_erasing(house: Housekeeping) -> None:
    closing = Closing(house.database, house.files, house.rules)
    for account_id in await closing.pending(now=time.time()):
        await closing.go_on(account_id, seconds=ERASING_SECONDS)


Duty = Callable[[Housekeeping], Awaitable[None]]

DUTIES: Mapping[str, tuple[float, Duty]] = {
    # name: (seconds between two runs, what to do)
    "admission": (30.0, let_in),  # an operator may have raised an account's limit
    "erasures": (30.0, go_on_erasing),
    "credits": (60.0, expire_credits),
    "idempotency": (600.0, forget_keys),
    "retention": (600.0, remove_results),
    "strays": (86_400.0, sweep_strays),  # it lists every job's folder
    "webhooks": (600.0, forget_webhooks),
    "record": (600.0, thin_record),
    "timings": (600.0, thin_timings),
    "workers": (600.0, remove_workers),
}
