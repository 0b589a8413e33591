"""What a worker does with one job, as spans of the request that asked for it."""

import time
from typing import Any

from brushwork.jobs.queue import ClaimedJob
from brushwork.tracing import record


class JobSpans:
    """The spans of a job's time with a worker, one after the other."""

    def __init__(self, job: ClaimedJob) -> None:
        self.job = job
        self.since = time.time()
        record("wait", parent=job.trace, began=job.created_at, ended=self.since, **attributes_of(job))

    def tell(self, name: str, **attributes: Any) -> None:
        """What was done since the last one."""
        began, self.since = self.since, time.time()
        record(name, parent=self.job.trace, began=began, ended=self.since, **attributes_of(self.job), **attributes)


def attributes_of(job: ClaimedJob) -> dict[str, Any]:
    return {"job_id": job.id, "account_id": job.account_id, "task": job.task, "attempt": job.attempts}
