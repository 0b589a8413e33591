"""How fast the queue is, on SQLite and PostgreSQL: `python benchmarks/job_queue.py [sqlite] [postgres]`.

Enqueue: complete transactions (hold, ledger, job, event, commit to disk) of one process. Pickup: from the committed
submit to the first line of the task, in another, idle process. Jobs: claimed in batches by two processes, drawing
nothing; once without files and once with a grid and four pictures each, into a folder. CPU is that of the process that
asks, or of the workers, for each job; on a busy machine it says more than jobs a second. What a single claim costs is
in `costs.py`, what a flood does to others in `fairness.py`.
"""

import argparse
import asyncio
import os
import random
import tempfile
import time
from pathlib import Path

import sqlalchemy as sa

from brushwork.accounts.account import Account
from brushwork.accounts.credits import check_ledger
from brushwork.database.session import Database
from brushwork.database.tables import jobs as jobs_table
from brushwork.database.upgrade import upgrade
from brushwork.jobs.jobs import Jobs
from support.databases import fresh_url
from support.idle import RULES, Nothing, cpu_seconds, drained, new_accounts, remove_jobs, run, workers

ACCOUNTS = 10
BATCH = 16
RATE = "{:.0f}/s, CPU {:.2f} ms"


async def enqueue(jobs: Jobs, accounts: list[Account], *, clients: int, seconds: float) -> tuple[float, float]:
    """Accepted jobs a second, and milliseconds of CPU for each."""
    until = time.monotonic() + seconds
    counts = [0] * clients

    async def client(number: int) -> None:
        while time.monotonic() < until:
            await jobs.submit(accounts[number % len(accounts)], Nothing())
            counts[number] += 1

    began, used = time.monotonic(), time.process_time()
    await asyncio.gather(*(client(number) for number in range(clients)))
    return sum(counts) / (time.monotonic() - began), 1000 * (time.process_time() - used) / sum(counts)


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


async def throughput(
    url: str, folder: Path, jobs: Jobs, *, count: int, pictures: int, start_up: float
) -> tuple[float, float]:
    """Finished jobs a second, from the first claim to the last completion, and milliseconds of CPU for each.

    `start_up` are the seconds that a worker needs before it works.
    """
    accounts = await new_accounts(jobs.database, ACCOUNTS)
    before = time.time()
    await asyncio.gather(*(jobs.submit(accounts[n % ACCOUNTS], Nothing(pictures=pictures)) for n in range(count)))
    async with workers(url, folder, 2, BATCH) as processes:
        await drained(jobs.database)
        used = sum(map(cpu_seconds, processes)) - 2 * start_up
    mine = jobs_table.c.created_at >= before
    query = sa.select(sa.func.min(jobs_table.c.started_at), sa.func.max(jobs_table.c.ended_at)).where(mine)
    async with jobs.database.read() as tx:
        first, last = (await tx.execute(query)).one()
    return count / float(last - first), 1000 * used / count


async def measure(kind: str, *, scale: float) -> dict[str, str]:
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as name, fresh_url(kind, Path(name)) as url:
        folder = Path(name)
        database = Database(url)
        await upgrade(database)
        jobs = Jobs(database, RULES)
        accounts = await new_accounts(database, ACCOUNTS)
        one = await enqueue(jobs, accounts, clients=1, seconds=4 * scale)
        four = await enqueue(jobs, accounts, clients=4, seconds=4 * scale)
        await remove_jobs(database)
        async with workers(url, folder, 1, 8) as (process,):
            await asyncio.sleep(3)
            start_up = cpu_seconds(process)
            p50, p95 = await pickup(jobs, accounts[0], int(60 * scale))
        without = await throughput(url, folder, jobs, count=int(3000 * scale), pictures=0, start_up=start_up)
        drawn = await throughput(url, folder, jobs, count=int(800 * scale), pictures=4, start_up=start_up)
        async with database.read() as tx:
            problems = await check_ledger(tx)
        await database.close()
    return {
        f"load, of {os.cpu_count()} cores": f"{load:.1f}",
        "enqueue, 1 client": RATE.format(*one),
        "enqueue, 4 clients": RATE.format(*four),
        "pickup p50 / p95": f"{p50:.1f} / {p95:.1f} ms",
        f"no-op jobs, 2 workers, batch {BATCH}": RATE.format(*without),
        "the same with 5 files each": RATE.format(*drawn),
        "ledger": "exact" if not problems else f"{len(problems)} problems",
    }


async def main(kinds: list[str], *, scale: float) -> None:
    results = {kind: await measure(kind, scale=scale) for kind in kinds}
    print(f"{'':36}" + "".join(f"{kind:>26}" for kind in kinds))
    for line in next(iter(results.values())):
        print(f"{line:36}" + "".join(f"{results[kind][line]:>26}" for kind in kinds))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kinds", nargs="*", metavar="sqlite|postgres")
    parser.add_argument("--scale", type=float, default=1.0, help="less than 1 for a quick look")
    arguments = parser.parse_args()
    run(main(arguments.kinds or ["sqlite", "postgres"], scale=arguments.scale))
