"""Jobs that draw nothing, and processes that work on them: what benchmarks of the queue share."""

import asyncio
import contextlib
import os
import random
import signal
import sys
import time
from collections.abc import AsyncIterator, Coroutine
from pathlib import Path
from typing import Any, ClassVar

import sqlalchemy as sa
from obstore.store import LocalStore

from brushwork.accounts.account import Account
from brushwork.accounts.credits import grant
from brushwork.accounts.directory import account_by_id, create_account
from brushwork.database.session import Database
from brushwork.database.tables import jobs as jobs_table
from brushwork.engines.base import Op, Row
from brushwork.engines.noop import NoopEngine
from brushwork.files.links import Links
from brushwork.files.store import Files
from brushwork.jobs.rules import JobRules
from brushwork.jobs.worker import Worker
from brushwork.tasks.base import Kind, Outcome, Run, Task, draw, outcome_of

RULES = JobRules(max_waiting=1_000_000)


class Nothing(Task):
    """Draws nothing, for as long as it is told to, and says when it began."""

    name: ClassVar[str] = "nothing"
    needs: ClassVar[Op] = Op.TEXT_TO_IMAGE
    makes: ClassVar[Kind] = "text"
    example: ClassVar[dict[str, Any]] = {}

    pictures: int = 0
    seconds: float = 0.0

    def price(self) -> int:
        return 1

    def run(self, job: Run) -> Outcome:
        began = time.time()
        if self.seconds:
            time.sleep(self.seconds)
        if not self.pictures:
            return Outcome(output={"began": began})
        rows = [Row(index=index, seed=job.seed, text="", width=8, height=8) for index in range(self.pictures)]
        return outcome_of(draw(rows, job))


async def new_accounts(database: Database, count: int) -> list[Account]:
    """Accounts without limits."""
    async with database.write() as tx:
        made = []
        for _ in range(count):
            name = f"account {random.getrandbits(64):x}"
            account = await create_account(tx, name, plan="free", max_inflight=1_000_000, now=time.time())
            await grant(tx, account.id, 1_000_000_000, now=time.time())
            made.append(await account_by_id(tx, account.id))
        return made


@contextlib.asynccontextmanager
async def workers(url: str, folder: Path, count: int, batch: int) -> AsyncIterator[list[int]]:
    """Processes that work; their ids."""
    command = [sys.executable, __file__, url, str(folder / "files"), str(batch)]
    processes = [await asyncio.create_subprocess_exec(*command) for _ in range(count)]
    try:
        yield [process.pid for process in processes]
    finally:
        for process in processes:
            process.send_signal(signal.SIGTERM)
        for process in processes:
            await process.wait()


def cpu_seconds(process_id: int) -> float:
    """What a process has used so far."""
    fields = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def drained(database: Database) -> None:
    """Wait until no job is open."""
    is_open = sa.select(sa.func.count()).where(jobs_table.c.ended_at.is_(None))
    for _ in range(600):
        await asyncio.sleep(0.2)
        async with database.read() as tx:
            if (await tx.execute(is_open)).scalar_one() == 0:
                return
    raise TimeoutError("the workers did not get through")


async def remove_jobs(database: Database) -> None:
    """Empty the queue by hand: the books are checked at the end of the runs that finish."""
    async with database.write() as tx:
        await tx.execute(jobs_table.delete())


async def work(url: str, folder: str, batch: int) -> None:
    database = Database(url)
    files = Files(database, LocalStore(prefix=folder, mkdir=True), Links("http://127.0.0.1", b"secret", 3600))
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    tasks = {"nothing": Nothing}
    worker = Worker(database=database, files=files, engine=NoopEngine(), rules=RULES, batch=batch, tasks=tasks)
    await worker.run(stop)
    await database.close()


def run(main: Coroutine[Any, Any, None]) -> None:
    """As the server does: on uvloop, with warnings only in the log."""
    import logging

    import structlog
    import uvloop

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main)


if __name__ == "__main__":
    run(work(sys.argv[1], sys.argv[2], int(sys.argv[3])))
