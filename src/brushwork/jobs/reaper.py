"""Jobs that nobody takes care of any more: their worker died, their attempts or their time are up.

Any process may run this at any time, and several at once.
"""

import time
from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from brushwork.database.session import Database
from brushwork.database.together import Writes
from brushwork.errors import DeadlineExceeded, EngineFailed
from brushwork.jobs import queue
from brushwork.jobs.events import record
from brushwork.jobs.lifecycle import Ending, end
from brushwork.jobs.queue import EVENTS_CHANNEL, JOBS_CHANNEL, Lapsed, Requeued
from brushwork.jobs.rules import JobRules


async def reap(database: Database, rules: JobRules) -> int:
    """Put the jobs of silent workers back in line; fail those without attempts left and those past their deadline."""
    async with database.read() as tx:
        if not await queue.has_lapsed(tx):
            return 0
    async with database.write() as tx:
        requeued = await queue.requeue_expired(tx)
        await tell_requeued(tx, requeued)
    async with database.write() as tx:
        failed = await fail(tx, await queue.worn_out(tx), await queue.overdue(tx), rules=rules)
    return len(requeued) + failed


async def take_back(database: Database, rules: JobRules, worker_id: str) -> int:
    """Put the jobs of a worker that is known to be dead back in line at once. Safe to call twice."""
    async with database.write() as tx:
        requeued = await queue.requeue_owned(tx, worker_id)
        await tell_requeued(tx, requeued)
        await queue.let_go(tx, worker_id)
    async with database.write() as tx:
        failed = await fail(tx, await queue.worn_out(tx, worker_id=worker_id), [], rules=rules)
    return len(requeued) + failed


async def tell_requeued(tx: AsyncConnection, requeued: Sequence[Requeued]) -> None:
    """The events and wake-ups of jobs that wait again."""
    writes = Writes()
    record(writes, [(job.id, "status", {"status": "pending"}) for job in requeued], time.time())
    notices = [(EVENTS_CHANNEL, job.id) for job in requeued] + [(JOBS_CHANNEL, job.pool) for job in requeued]
    await queue.notify(tx, notices, writes=writes)


async def fail(tx: AsyncConnection, worn_out: Sequence[Lapsed], overdue: Sequence[Lapsed], *, rules: JobRules) -> int:
    lost = "The job was tried {attempts} times, and each time its worker died; nothing was charged."
    endings = {
        job.id: Ending(
            job.id, job.account_id, "failed", token=job.token, error=EngineFailed(lost.format(attempts=job.attempts))
        )
        for job in worn_out
    }
    endings |= {job.id: Ending(job.id, job.account_id, "failed", error=deadline_exceeded()) for job in overdue}
    return len(await end(tx, list(endings.values()), rules=rules, now=time.time()))


def deadline_exceeded() -> DeadlineExceeded:
    return DeadlineExceeded("The job did not finish before its deadline; nothing was charged.")
