"""How long a job is kept: a time of its own, or for as long as it is pinned.

A pinned job keeps its row and its files, and can be followed up, until it is unpinned. Then it is as old as it is; but
it is kept for a day more, so that unpinning by mistake costs nothing.
"""

import sqlalchemy as sa

from brushwork.database.session import Database
from brushwork.database.tables import accounts, files, jobs
from brushwork.errors import Conflict, InvalidField, JobNotFound
from brushwork.jobs.job import Job
from brushwork.jobs.lineage import CONDEMNED
from brushwork.jobs.rows import job_of
from brushwork.jobs.rules import JobRules

DAY = 86_400.0
GRACE_SECONDS = DAY
MAX_PINNED = 1000
"""Of one account: what is pinned fills a disk for good."""


async def keep(
    database: Database,
    rules: JobRules,
    account_id: int,
    job_id: str,
    *,
    pinned: bool | None,
    ttl_days: float | None,
    now: float,
) -> Job:
    """Pin a job, unpin it, or say how many days after its end it goes. Raises JobNotFound, Conflict, InvalidField."""
    own = jobs.select().where(jobs.c.id == job_id, jobs.c.account_id == account_id)
    async with database.write() as tx:
        # One at a time for an account, so that two cannot both take its last pin.
        await tx.execute(sa.select(accounts.c.id).where(accounts.c.id == account_id).with_for_update())
        row = (await tx.execute(own.with_for_update())).first()
        if row is None or row.expires_at == CONDEMNED:  # its files are going, or gone already
            raise JobNotFound
        values: dict[str, object] = {}
        expires_at = row.expires_at
        if ttl_days is not None:
            if row.ended_at is None:
                raise Conflict("The job has not ended; its time begins when it has.")
            if ttl_days * DAY > rules.result_seconds:
                raise InvalidField("ttl_days", f"must be at most {rules.result_seconds / DAY:g}; pin what should stay")
            expires_at = row.ended_at + ttl_days * DAY
        if pinned and not row.pinned:
            count = sa.select(sa.func.count()).where(jobs.c.account_id == account_id, jobs.c.pinned.is_(True))
            if (await tx.execute(count)).scalar_one() >= MAX_PINNED:
                raise Conflict(f"The account has {MAX_PINNED} pinned jobs, as many as it may.")
        if pinned is False and row.pinned and expires_at is not None:
            expires_at = max(expires_at, now + GRACE_SECONDS)
        if pinned is not None:
            values["pinned"] = pinned
        if expires_at != row.expires_at:
            values["expires_at"] = expires_at
            await tx.execute(files.update().where(files.c.job_id == job_id).values(expires_at=expires_at))
        if values:
            await tx.execute(jobs.update().where(jobs.c.id == job_id).values(**values))
        return job_of((await tx.execute(own)).one()._mapping)
