"""The generated Java client throws on any key that its models lack: for it alone, an answer keeps only those keys.

Knows answers as plain dictionaries, not how they are made.
"""

import re
from collections.abc import Mapping
from typing import Any

USER_AGENT = re.compile(r"OpenAPI-Generator/.*/java\b", re.IGNORECASE)

Shape = Mapping[str, "Shape | None"]
"""Key → the shape of its object, or None when its value is passed on whole."""

USAGE: Shape = {"type": None, "frozen": None, "consume": None}
CONFIG: Shape = {"service_mode": None, "webhook_config": {"endpoint": None, "secret": None}}
OUTPUT: Shape = {"image_url": None, "image_urls": None, "seed": None}

SUBMITTED: Shape = {
    "job_id": None,
    "model": None,
    "task_type": None,
    "status": None,
    "config": CONFIG,
    "output": OUTPUT,
    "meta": {"created_at": None, "usage": USAGE},
}
JOB: Shape = {
    **SUBMITTED,
    "input": None,
    "output": {**OUTPUT, "available_actions": None},
    "meta": {"created_at": None, "started_at": None, "ended_at": None, "usage": USAGE},
    "detail": None,
    "logs": None,
    "error": {"code": None, "raw_message": None, "message": None, "detail": None},
}


def is_java(user_agent: str) -> bool:
    return USER_AGENT.match(user_agent) is not None


def trim(body: Mapping[str, Any], shape: Shape) -> dict[str, Any]:
    """Keep what the shape has, at every depth."""
    return {
        key: trim(body[key], inner) if inner is not None and isinstance(body[key], Mapping) else body[key]
        for key, inner in shape.items()
        if key in body
    }


def trim_job(body: Mapping[str, Any], shape: Shape) -> dict[str, Any]:
    """Trim a job. A Java user cannot see `video_urls`, so a video's are put where the pictures' would be."""
    output = dict(body["output"])
    output = {"image_url": "", "image_urls": output.get("video_urls"), "seed": "", **output}
    return trim({**body, "output": output}, shape)
