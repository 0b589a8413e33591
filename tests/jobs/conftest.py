"""Accounts with credits, and jobs of a task that costs and draws next to nothing."""

import time
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar, Literal

import pytest
import sqlalchemy as sa

from brushwork.accounts.account import Account, PlanName
from brushwork.accounts.credits import grant
from brushwork.accounts.directory import account_by_id, create_account
from brushwork.database.session import Database
from brushwork.database.tables import jobs as jobs_table
from brushwork.engines.base import Op
from brushwork.jobs.jobs import Jobs
from brushwork.tasks.base import Kind, Outcome, Run, Speed, Task

MakeAccount = Callable[..., Awaitable[Account]]


class Doodle(Task):
    """A task with everything about it in its body."""

    name: ClassVar[str] = "doodle"
    needs: ClassVar[Op] = Op.TEXT_TO_IMAGE
    makes: ClassVar[Kind] = "text"
    example: ClassVar[dict[str, Any]] = {}

    cost: int = 10
    lane: Speed = "fast"
    shape: str = "square"
    fixed_seed: int | None = None
    least_plan: Literal["free", "pro"] = "free"

    def seed(self) -> int | None:
        return self.fixed_seed

    def price(self) -> int:
        return self.cost

    @property
    def speed(self) -> Speed:
        return self.lane

    @property
    def plan(self) -> Literal["free", "pro"]:
        return self.least_plan

    def batch_key(self) -> str:
        return self.shape

    def run(self, job: Run) -> Outcome:
        return Outcome(output={"seed": str(job.seed)})


@pytest.fixture
def jobs(database: Database) -> Jobs:
    return Jobs(database)


@pytest.fixture
def make_account(database: Database) -> MakeAccount:
    async def make(
        points: int = 1000, *, name: str = "anna", plan: PlanName = "free", max_inflight: int = 1_000_000
    ) -> Account:
        async with database.write() as tx:
            account = await create_account(tx, name, plan=plan, max_inflight=max_inflight, now=time.time())
            if points:
                await grant(tx, account.id, points, now=time.time())
            return await account_by_id(tx, account.id)

    return make


async def statuses(database: Database) -> dict[str, str]:
    """Job id → status, of all jobs there are."""
    async with database.read() as tx:
        return {row.id: row.status for row in await tx.execute(sa.select(jobs_table.c.id, jobs_table.c.status))}
