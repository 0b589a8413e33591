"""Log lines: readable on a terminal, one JSON object a line anywhere else.

Lines carry ids: of requests, jobs, accounts, keys. Never a key itself, a prompt, a link or a body; who logs sees to
that, and tracebacks are cut to what cannot hold any. What looks like a key all the same is struck out at the end.
"""

import contextlib
import re
import sys
from typing import Literal

import structlog

Format = Literal["auto", "console", "json"]
Level = Literal["debug", "info", "warning", "error"]


SECRET = re.compile(r"(bw_|whsec_)[A-Za-z0-9+/_=-]{16,}")
"""What an API key or the secret of webhooks looks like."""


class StandardError:
    """Takes log lines. A full disk or a broken pipe behind it must never end the work that is told about."""

    def __init__(self, *_: object) -> None: ...

    def msg(self, line: str) -> None:
        with contextlib.suppress(OSError, ValueError):  # ValueError: it is closed
            sys.stderr.write(SECRET.sub(r"\1…", line) + "\n")
            sys.stderr.flush()

    debug = info = warning = error = critical = msg


def configure(shape: Format, level: Level) -> None:
    """Log lines go to standard error, from this level on."""
    is_console = shape == "console" or (shape == "auto" and sys.stderr.isatty())
    last: list[structlog.typing.Processor] = (
        # Not its usual tracebacks: they show local variables, and there are keys and prompts among them.
        [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
        if is_console
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *last,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=StandardError,
        cache_logger_on_first_use=False,
    )
