"""How long a flood of one account makes another one wait: `python benchmarks/fairness.py [sqlite] [postgres]`.

One worker, one job at a time, each as long as the others. Bert asks for four jobs at once now and then, first alone,
then, in the same run and with the same worker, while 10 000 jobs of Anna fill the line. His share is a half then, so
that everything should take him twice as long and no longer; at most the job that is being drawn comes on top.
"""

import argparse
import asyncio
import os
import random
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from brushwork.accounts.account import Account
from brushwork.database.session import Database
from brushwork.database.tables import accounts, jobs
from brushwork.database.upgrade import upgrade
from brushwork.jobs.jobs import Jobs
from brushwork.jobs.positions import place
from support.databases import fresh_url
from support.idle import RULES, Nothing, new_accounts, run, workers

FLOOD = 10_000
SECONDS = 0.05
"""What each job takes."""
BURST = 4
PAUSE = (0.1, 0.3)
"""Seconds between the end of one burst and the next, so that Bert comes at any moment of Anna's jobs."""
PATIENCE = 60.0


@dataclass(frozen=True)
class Waits:
    """From the accepted request, in milliseconds, sorted."""

    begun: list[float]
    ended: list[float]


async def bursts(database: Database, asking: Jobs, account: Account, count: int) -> Waits:
    begun, ended = [], []
    for _ in range(count):
        await asyncio.sleep(random.uniform(*PAUSE))
        asked = {}
        for _ in range(BURST):
            job = await asking.submit(account, Nothing(seconds=SECONDS))
            asked[job.id] = time.time()
        for row in await all_ended(database, list(asked)):
            begun.append(1000 * (row.output["began"] - asked[row.id]))
            ended.append(1000 * (row.ended_at - asked[row.id]))
    return Waits(sorted(begun), sorted(ended))


async def all_ended(database: Database, job_ids: list[str]) -> list[Any]:
    query = sa.select(jobs.c.id, jobs.c.output, jobs.c.ended_at).where(jobs.c.id.in_(job_ids))
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        async with database.read() as tx:
            rows = list((await tx.execute(query)).all())
        if all(row.ended_at for row in rows):
            return rows
        await asyncio.sleep(0.01)
    raise TimeoutError("the worker did not get through")


async def flood(database: Database, asking: Jobs, account: Account) -> None:
    """What as many requests, one after the other, would have left: each job at its account's next turn."""
    first = await asking.submit(account, Nothing(seconds=SECONDS))
    async with database.write() as tx:
        row = (await tx.execute(jobs.select().where(jobs.c.id == first.id))).one()._mapping
        turn = (await place(tx, account.id, pool=row["pool"], priority=row["priority"])).turn
        waiting = {"status": "queued", "token": None, "owner": None, "lease_until": None, "started_at": None}
        copies = [
            {**row, **waiting, "id": f"flood-{number}", "turn": turn + number, "seq": row["seq"] + number * 1e-6}
            for number in range(FLOOD)
        ]
        await tx.execute(jobs.insert(), copies)
        more = accounts.c.inflight + FLOOD
        await tx.execute(accounts.update().where(accounts.c.id == account.id).values(inflight=more))


async def measure(kind: str, count: int) -> None:
    with tempfile.TemporaryDirectory() as name, fresh_url(kind, Path(name)) as url:
        database = Database(url)
        await upgrade(database)
        asking = Jobs(database, RULES)
        anna, bert = await new_accounts(database, 2)
        async with workers(url, Path(name), 1, 1):
            await bursts(database, asking, bert, 3)  # the worker has started
            alone = await bursts(database, asking, bert, count)
            await flood(database, asking, anna)
            beside = await bursts(database, asking, bert, count)
            open_ones = sa.select(sa.func.count()).where(jobs.c.ended_at.is_(None))
            async with database.read() as tx:
                left = (await tx.execute(open_ones)).scalar_one()
        await database.close()
    print(f"{kind} · load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores · {left} jobs of the flood were left")
    for what, one, other in [("begun", alone.begun, beside.begun), ("ended", alone.ended, beside.ended)]:
        before, after = p95(one), p95(other)
        print(
            f"  p95 until {what}   alone {before:6.0f} ms   in the flood {after:6.0f} ms   {after / before:.2f} times"
        )


def p95(ordered: list[float]) -> float:
    return ordered[int(len(ordered) * 0.95)]


async def main(kinds: list[str], count: int) -> None:
    for kind in kinds:
        await measure(kind, count)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kinds", nargs="*", metavar="sqlite|postgres")
    parser.add_argument("--bursts", type=int, default=40, help="so many, alone and in the flood")
    arguments = parser.parse_args()
    run(main(arguments.kinds or ["sqlite", "postgres"], arguments.bursts))
