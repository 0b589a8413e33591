"""The processes of the fault tests, to be killed: `python -m tests.journeys.processes worker|submit|supervise SETUP …`.

SETUP is a JSON file, see `Setup`.
"""

import asyncio
import json
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

from obstore.store import LocalStore

from brushwork.accounts.account import Account
from brushwork.accounts.directory import account_by_id
from brushwork.database.session import Database
from brushwork.engines.base import Op, Row
from brushwork.engines.noop import NoopEngine
from brushwork.files.links import Links
from brushwork.files.store import Files
from brushwork.jobs.jobs import Jobs
from brushwork.jobs.rules import JobRules
from brushwork.jobs.supervisor import Supervisor
from brushwork.jobs.worker import Worker
from brushwork.tasks.base import Kind, Outcome, Run, Task, draw, outcome_of
from tests.jobs.following import Retouch


class Errand(Task):
    """Cheap, with one picture, and as stubborn as is asked."""

    name: ClassVar[str] = "errand"
    needs: ClassVar[Op] = Op.TEXT_TO_IMAGE
    makes: ClassVar[Kind] = "image"
    example: ClassVar[dict[str, Any]] = {}

    number: int = 0
    ignores_everything_for: float = 0.0

    def price(self) -> int:
        return 3

    def run(self, job: Run) -> Outcome:
        time.sleep(self.ignores_everything_for)
        return outcome_of(draw([Row(index=0, seed=job.seed, text="", width=8, height=8)], job))


class SlowRetouch(Retouch):
    """Leaves something on the disk, and takes its time."""

    name: ClassVar[str] = "slow-retouch"

    def run(self, job: Run) -> Outcome:
        (job.scratch / "large").write_bytes(job.data[0])
        time.sleep(1.5)
        return super().run(job)


TASKS = {task.name: task for task in (Errand, SlowRetouch)}


@dataclass(frozen=True)
class Setup:
    """What the processes of one test share."""

    database_url: str
    folder: str
    seconds: float = 0.05
    """How long a job takes."""
    lease_seconds: float = 2.0
    max_attempts: int = 50
    """Killing at random is not the job's fault."""
    batch: int = 4

    @property
    def rules(self) -> JobRules:
        return JobRules(lease_seconds=self.lease_seconds, max_attempts=self.max_attempts)

    @property
    def scratch(self) -> Path:
        return Path(f"{self.folder}-scratch")

    def database(self) -> Database:
        return Database(self.database_url, durable=False)

    def files(self, database: Database) -> Files:
        return Files(database, LocalStore(prefix=self.folder, mkdir=True), Links("http://127.0.0.1", b"secret", 3600))

    def write(self, path: Path) -> str:
        path.write_text(json.dumps(asdict(self)))
        return str(path)


async def work(setup: Setup, device: str, *, supervised: bool) -> None:
    database = setup.database()
    worker = Worker(
        database=database,
        files=setup.files(database),
        engine=NoopEngine(seconds=setup.seconds),
        rules=setup.rules,
        device=device,
        batch=setup.batch,
        supervised=supervised,
        tasks=TASKS,
        scratch=setup.scratch,
    )
    await worker.run(asyncio.Event() if not supervised else stop_on_sigterm())


def stop_on_sigterm() -> asyncio.Event:
    import signal

    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    return stop


async def submit(setup: Setup, account_ids: list[int], count: int) -> None:
    """What an API process does for a client that repeats each request until it is answered."""
    database = setup.database()
    jobs = Jobs(database, setup.rules)
    async with database.read() as tx:
        accounts = [await account_by_id(tx, account_id) for account_id in account_ids]

    async def some(first: int) -> None:
        for number in range(first, count, 4):
            account: Account = accounts[number % len(accounts)]
            await jobs.submit(account, Errand(number=number), idempotency_key=str(number))

    await asyncio.gather(*(some(first) for first in range(4)))


async def supervise(setup: Setup, setup_file: str) -> None:
    supervisor = Supervisor(
        database=setup.database(), command=worker_command(setup_file), devices=["cpu:0"], rules=setup.rules
    )
    await supervisor.run(asyncio.Event())


def worker_command(setup_file: str) -> list[str]:
    return [sys.executable, "-m", "tests.journeys.processes", "worker", setup_file]


def main() -> None:
    role, setup_file, *rest = sys.argv[1:]
    setup = Setup(**json.loads(Path(setup_file).read_text()))
    if role == "worker":
        # A supervisor says `--device NAME`; alone, there is no parent to heed.
        asyncio.run(work(setup, device=rest[-1] if rest else "cpu:9", supervised=bool(rest)))
    elif role == "submit":
        count, *account_ids = map(int, rest)
        asyncio.run(submit(setup, account_ids, count))
    else:
        asyncio.run(supervise(setup, setup_file))


if __name__ == "__main__":
    main()
