"""The bytes of a delivery: a job as its owner sees it, once flat and once inside `data`, and never large.

Flat, because clients read the body as the job itself; inside `data`, because dashboards look there. Knows no table.
"""

from collections.abc import Callable, Mapping
from typing import Any

from pydantic_core import to_json

MAX_BYTES = 20_000

LONG_TEXT = 500
"""Characters that are left of each text when nothing else helps."""
LONG_LINK = 1024
"""A link that is cut leads nowhere; ours are much shorter."""

Plain = Mapping[str, Any]


def job_body(view: Plain, *, now: float, max_bytes: int = MAX_BYTES) -> bytes:
    """The body that tells of a job. What is too large for it is left out, and named in `detail.left_out`."""
    for shorten in (same, without_large_detail, without_detail, with_short_texts, without_input):
        shorter = shorten(view)
        body = to_json({**shorter, "timestamp": int(now), "data": shorter})
        if len(body) < max_bytes:
            return body
    return body


def plain_body(event: str, data: Plain, *, now: float) -> bytes:
    """The body of an event that is not about a job."""
    return to_json({"type": event, "timestamp": int(now), "data": data})


def same(view: Plain) -> Plain:
    return view


def without_large_detail(view: Plain) -> Plain:
    """Only the small parts of `detail`: a recipe can be asked for with the job."""
    detail = view.get("detail") or {}
    small = {name: value for name, value in detail.items() if len(to_json(value)) <= LONG_TEXT}
    return {**view, "detail": {**small, "left_out": sorted(detail.keys() - small.keys())}}


def without_detail(view: Plain) -> Plain:
    return {**view, "detail": {"left_out": ["detail"]}}


def with_short_texts(view: Plain) -> Plain:
    """Prompts of thousands of characters, cut: whoever sent them has them."""
    parts = ("input", "output", "error", "message")
    short = {name: shortened(view[name]) for name in parts if name in view}
    return {**view, **short, "detail": {"left_out": ["detail", "the rest of long texts"]}}


def without_input(view: Plain) -> Plain:
    """Nothing but the result, and the first words of an error."""
    error = {**view["error"], "detail": None} if view.get("error") else view.get("error")
    short = with_short_texts({**view, "error": error})
    return {**short, "input": None, "detail": {"left_out": ["detail", "input", "the rest of long texts"]}}


def shortened(value: Any) -> Any:
    change = SHORTER.get(type(value))
    return value if change is None else change(value)


SHORTER: Mapping[type, Callable[[Any], Any]] = {
    str: lambda text: text[: LONG_LINK if text.startswith(("http://", "https://")) else LONG_TEXT],
    list: lambda items: [shortened(item) for item in items[:20]],
    dict: lambda fields: {name: shortened(value) for name, value in fields.items()},
}
