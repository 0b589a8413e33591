"""How fast the queue is, on SQLite and PostgreSQL: `python benchmarks/job_queue.py [sqlite] [postgres]`.

Enqueue: complete transactions (hold, ledger, job, event, commit to disk) of one process. Pickup: from the committed
submit to the first line of the task, in another, idle process. Jobs: claimed in batches by two processes, drawing
nothing; once without files and once with a grid and four pictures each, into a folder. Flood: the same wait as pickup,
of an account that asks for four jobs at once now and then, alone and while the jobs of another one fill the line.
"""

import argparse
import asyncio
import contextlib
import logging
import random
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, ClassVar

import sqlalchemy as sa
import structlog
from obstore.store import LocalStore

from brushwork.accounts.account import Account
from brushwork.accounts.credits import check_ledger, grant
from brushwork.accounts.directory import account_by_id, create_account
from brushwork.database.session import Database
from brushwork.database.tables import jobs as jobs_table
from brushwork.database.upgrade import upgrade
from brushwork.engines.base import Op, Row
from brushwork.engines.noop import NoopEngine
from brushwork.files.links import Links
from brushwork.files.store import Files
from brushwork.jobs.jobs import Jobs
from brushwork.jobs.rules import JobRules
from brushwork.jobs.worker import Worker
from brushwork.tasks.base import Kind, Outcome, Run, Task, draw, outcome_of
from support.databases import fresh_url

ACCOUNTS = 10
RULES = JobRules(max_waiting=1_000_000)


class Nothing(Task):
    """Does nothing, and says when."""

    name: ClassVar[str] = "nothing"
    needs: ClassVar[Op] = Op.TEXT_TO_IMAGE
    makes: ClassVar[Kind] = "text"
    example: ClassVar[dict[str, Any]] = {}

    pictures: int = 0

    def price(self) -> int:
        return 1

    def run(self, job: Run) -> Outcome:
        began = time.time()
        if not self.pictures:
            return Outcome(output={"began": began})
        rows = [Row(index=index, seed=job.seed, text="", width=8, height=8) for index in range(self.pictures)]
        return outcome_of(draw(rows, job))


# ── the machinery ─────────────────────────────────────────────────────────────────────────────────────────────────────


async def new_accounts(database: Database) -> list[Account]:
    async with database.write() as tx:
        made = []
        for _ in range(ACCOUNTS):
            name = f"account {random.getrandbits(64):x}"
            account = await create_account(tx, name, plan="free", max_inflight=1_000_000, now=time.time())
            await grant(tx, account.id, 1_000_000_000, now=time.time())
            made.append(await account_by_id(tx, account.id))
        return made


@contextlib.asynccontextmanager
async def workers(url: str, folder: Path, count: int, batch: int) -> AsyncIterator[None]:
    command = [sys.executable, __file__, "--work", url, str(folder / "files"), str(batch)]
    processes = [await asyncio.create_subprocess_exec(*command) for _ in range(count)]
    try:
        yield
    finally:
        for process in processes:
            process.send_signal(signal.SIGTERM)
        for process in processes:
            await process.wait()


async def work(url: str, folder: str, batch: int) -> None:
    database = Database(url)
    files = Files(database, LocalStore(prefix=folder, mkdir=True), Links("http://127.0.0.1", b"secret", 3600))
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    tasks = {"nothing": Nothing}
    worker = Worker(database=database, files=files, engine=NoopEngine(), rules=RULES, batch=batch, tasks=tasks)
    await worker.run(stop)
    await database.close()


def run(main: Any) -> None:
    """As the server does: on uvloop."""
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main)


# ── the measurements ──────────────────────────────────────────────────────────────────────────────────────────────────


async def enqueue(jobs: Jobs, accounts: list[Account], *, clients: int, seconds: float) -> float:
    """Accepted jobs a second."""
    until = time.monotonic() + seconds
    counts = [0] * clients

    async def client(number: int) -> None:
        while time.monotonic() < until:
            await jobs.submit(accounts[number % len(accounts)], Nothing())
            counts[number] += 1

    began = time.monotonic()
    await asyncio.gather(*(client(number) for number in range(clients)))
    return sum(counts) / (time.monotonic() - began)


async def remove_jobs(database: Database) -> None:
    """Empty the queue by hand: the books are checked at the end of the runs that finish."""
    async with database.write() as tx:
        await tx.execute(jobs_table.delete())


async def pickup(jobs: Jobs, account: Account, count: int) -> tuple[float, float]:
    """p50 and p95 in milliseconds, from the committed submit to the first line of the task."""
    answered = {}
    for _ in range(count):
        await asyncio.sleep(random.uniform(0.05, 0.15))
        job = await jobs.submit(account, Nothing())
        answered[job.id] = time.time()
    await drained(jobs.database)
    async with jobs.database.read() as tx:
        rows = (await tx.execute(sa.select(jobs_table.c.id, jobs_table.c.output))).all()
    waits = sorted(1000 * (row.output["began"] - answered[row.id]) for row in rows if row.id in answered)
    return waits[len(waits) // 2], waits[int(len(waits) * 0.95)]


async def bursts(jobs: Jobs, account: Account, count: int) -> float:
    """p95 in milliseconds, from the committed submit of one of four jobs to the first line of its task."""
    answered = {}
    for _ in range(count):
        await asyncio.sleep(0.2)
        for job in await asyncio.gather(*(jobs.submit(account, Nothing()) for _ in range(4))):
            answered[job.id] = time.time()
    mine = jobs_table.c.id.in_(list(answered))
    while True:
        async with jobs.database.read() as tx:
            rows = (
                await tx.execute(sa.select(jobs_table.c.id, jobs_table.c.output, jobs_table.c.ended_at).where(mine))
            ).all()
        if all(row.ended_at for row in rows):
            break
        await asyncio.sleep(0.2)
    waits = sorted(1000 * float(row.output["began"] - answered[row.id]) for row in rows)
    return waits[int(len(waits) * 0.95)]


async def flooded(url: str, folder: Path, jobs: Jobs, *, flood: int) -> tuple[float, float, int]:
    """p95 of such an account alone, the same during a flood, and how much of the flood was still in line then."""
    anna, bert = (await new_accounts(jobs.database))[:2]
    async with workers(url, folder, 1, 4):
        await bursts(jobs, bert, 2)  # it is awake now
        alone = await bursts(jobs, bert, 15)
    for _ in range(flood // 100):
        await asyncio.gather(*(jobs.submit(anna, Nothing()) for _ in range(100)))
    async with workers(url, folder, 1, 4):
        await bursts(jobs, bert, 2)
        beside = await bursts(jobs, bert, 15)
        async with jobs.database.read() as tx:
            query = sa.select(sa.func.count()).where(
                jobs_table.c.account_id == anna.id, jobs_table.c.ended_at.is_(None)
            )
            left = int((await tx.execute(query)).scalar_one())
    await remove_jobs(jobs.database)
    return alone, beside, left


async def drained(database: Database) -> None:
    is_open = sa.select(sa.func.count()).where(jobs_table.c.ended_at.is_(None))
    for _ in range(600):
        await asyncio.sleep(0.2)
        async with database.read() as tx:
            if (await tx.execute(is_open)).scalar_one() == 0:
                return
    raise TimeoutError("the workers did not get through")


async def throughput(url: str, folder: Path, jobs: Jobs, *, count: int, batch: int, pictures: int) -> float:
    """Finished jobs a second, from the first claim to the last completion."""
    accounts = await new_accounts(jobs.database)
    before = time.time()
    await asyncio.gather(*(jobs.submit(accounts[n % ACCOUNTS], Nothing(pictures=pictures)) for n in range(count)))
    async with workers(url, folder, 2, batch):
        await drained(jobs.database)
    mine = jobs_table.c.created_at >= before
    query = sa.select(sa.func.min(jobs_table.c.started_at), sa.func.max(jobs_table.c.ended_at)).where(mine)
    async with jobs.database.read() as tx:
        first, last = (await tx.execute(query)).one()
    return count / float(last - first)


async def measure(kind: str, *, scale: float) -> dict[str, str]:
    with tempfile.TemporaryDirectory() as name, fresh_url(kind, Path(name)) as url:
        folder = Path(name)
        database = Database(url)
        await upgrade(database)
        jobs = Jobs(database, RULES)
        accounts = await new_accounts(database)
        one = await enqueue(jobs, accounts, clients=1, seconds=4 * scale)
        four = await enqueue(jobs, accounts, clients=4, seconds=4 * scale)
        await remove_jobs(database)
        async with workers(url, folder, 1, 8):
            await asyncio.sleep(3)
            p50, p95 = await pickup(jobs, (await new_accounts(database))[0], int(60 * scale))
        plain, drawn = int(3000 * scale), int(800 * scale)
        without = await throughput(url, folder, jobs, count=plain, batch=16, pictures=0)
        with_files = await throughput(url, folder, jobs, count=drawn, batch=16, pictures=4)
        alone, beside, left = await flooded(url, folder, jobs, flood=int(10_000 * scale))
        async with database.read() as tx:
            problems = await check_ledger(tx)
        await database.close()
    return {
        "enqueue, 1 client (jobs/s)": f"{one:.0f}",
        "enqueue, 4 clients (jobs/s)": f"{four:.0f}",
        "pickup p50 / p95 (ms)": f"{p50:.1f} / {p95:.1f}",
        "no-op jobs, 2 workers, batch 16 (jobs/s)": f"{without:.0f}",
        "the same with 5 files each (jobs/s)": f"{with_files:.0f}",
        "p95 wait, alone / in a flood (ms)": f"{alone:.1f} / {beside:.1f}",
        "flood still in line then (jobs)": f"{left}",
        "ledger": "exact" if not problems else f"{len(problems)} problems",
    }


async def main(kinds: list[str], *, scale: float) -> None:
    results = {kind: await measure(kind, scale=scale) for kind in kinds}
    print(f"{'':44}" + "".join(f"{kind:>16}" for kind in kinds))
    for line in next(iter(results.values())):
        print(f"{line:44}" + "".join(f"{results[kind][line]:>16}" for kind in kinds))


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    if sys.argv[1:2] == ["--work"]:
        run(work(sys.argv[2], sys.argv[3], int(sys.argv[4])))
    else:
        parser = argparse.ArgumentParser(description=__doc__)
        parser.add_argument("kinds", nargs="*", metavar="sqlite|postgres")
        parser.add_argument("--scale", type=float, default=1.0, help="less than 1 for a quick look")
        arguments = parser.parse_args()
        run(main(arguments.kinds or ["sqlite", "postgres"], scale=arguments.scale))
