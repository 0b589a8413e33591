"""The job of a test event: it has completed, made nothing, and is nobody's."""

from brushwork.jobs.job import Job

SAMPLE_ID = "00000000-0000-4000-8000-000000000000"
"""No job has it, so that a receiver can tell a test from the end of a job."""


def sample_job(account_id: int, *, now: float) -> Job:
    return Job(
        id=SAMPLE_ID,
        account_id=account_id,
        task="diffusion",
        input={"text": "This is a test of your webhook; nothing was drawn."},
        seed=0,
        callback=None,
        status="done",
        stage="processing",
        progress=100,
        attempts=1,
        cost=0,
        usage_type="point",
        created_at=now,
        started_at=now,
        ended_at=now,
        detail={"test": True},
    )
