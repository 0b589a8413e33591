"""A row of the jobs table as the value everyone else sees."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import RowMapping

from brushwork.jobs.given import given_of
from brushwork.jobs.job import Forecast, Job, JobFile

MADE_HERE = ("given", "files", "output", "detail", "queue_position", "eta")
PLAIN = [name for name in Job.__dataclass_fields__ if name not in MADE_HERE]
NEW = {"stage": "staged", "progress": 0, "attempts": 0, "pinned": False}
"""What the table fills in when a row is made."""


def job_of(
    row: Mapping[str, Any] | RowMapping,
    *,
    queue_position: int | None = None,
    eta: Mapping[str, float] | Forecast | None = None,
) -> Job:
    """The job of a row that was read, or that was just written."""
    if isinstance(eta, Mapping):
        eta = Forecast(eta["p50"], eta["p90"]) if "p90" in eta else None
    output = dict(row.get("output") or {})
    files = tuple(JobFile(**file) for file in output.pop("files", ()))
    plain = {name: row.get(name, NEW.get(name)) for name in PLAIN}
    # What was repaired in the prompt is known from the start; the worker puts it beside all else it has to tell.
    detail = row.get("detail") or ({"warnings": row["warnings"]} if row.get("warnings") else None)
    return Job(
        **plain,
        given=given_of(row.get("sources")),
        files=files,
        output=output or None,
        detail=detail,
        queue_position=queue_position,
        eta=eta,
    )
