"""Counts of many processes add up, outlive them, and are lost by no outage of the database."""

import asyncio
from pathlib import Path

import pytest
import sqlalchemy as sa

from brushwork.database.session import Database
from brushwork.jobs.measures import JOB_WAIT, JOBS_ENDED, MEASURES, Measures, totals

DONE = ("diffusion", "done")


async def counted(database: Database) -> float:
    async with database.read() as tx:
        return (await totals(tx))[JOBS_ENDED].get(DONE, {}).get("", 0.0)


async def test_many_processes_add_to_the_same_rows(database: Database) -> None:
    processes = [Measures() for _ in range(5)]
    for number, one in enumerate(processes):
        for _ in range(number + 1):
            one.count(JOBS_ENDED, *DONE)
            one.observe(JOB_WAIT, "diffusion", "7", seconds=float(number))

    await asyncio.gather(*(one.flush(database) for one in processes))
    await asyncio.gather(*(one.flush(database) for one in processes))

    assert await counted(database) == 15
    async with database.read() as tx:
        waits = (await totals(tx))[JOB_WAIT]["diffusion", "7"]
    assert waits == {"0.1": 1, "1": 2, "2.5": 3, "5": 9, "sum": 40.0}


async def test_what_could_not_be_written_is_written_later(database: Database, tmp_path: Path) -> None:
    measures = Measures()
    measures.count(JOBS_ENDED, *DONE)
    empty = Database(f"sqlite:///{tmp_path}/empty.db")

    with pytest.raises(sa.exc.OperationalError):
        await measures.flush(empty)
    measures.count(JOBS_ENDED, *DONE)
    await measures.flush(database)
    await empty.close()

    assert await counted(database) == 2


def test_labels_are_of_few_values() -> None:
    named = {label for measure in MEASURES.values() for label in measure.labels}

    assert named <= {"task", "model", "outcome", "engine"}
    assert all(list(measure.buckets) == sorted(set(measure.buckets)) for measure in MEASURES.values())
