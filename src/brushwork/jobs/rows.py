"""A row of the jobs table as the value everyone else sees."""

from typing import Any

from brushwork.jobs.job import Job, JobFile

PLAIN = [name for name in Job.__dataclass_fields__ if name not in ("stage", "files", "output", "detail", "queue_position")]


def job_of(row: Any, *, queue_position: int | None = None) -> Job:
    """The job of a row that has all columns."""
    values = row._mapping
    output = dict(values["output"] or {})
    files = tuple(JobFile(**file) for file in output.pop("files", ()))
    return Job(
        **{name: values[name] for name in PLAIN},
        stage=values["stage"],
        files=files,
        output=output or None,
        detail=values["detail"] or ({"warnings": values["warnings"]} if values["warnings"] else None),
        queue_position=queue_position,
    )
