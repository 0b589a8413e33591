"""Where the time of one job went, from the request to its webhook: spans for an OpenTelemetry collector.

Off until `configure` is called, and then the only chapter that imports OpenTelemetry; off, a span costs a comparison.
What ties the spans of a job together over processes is a W3C `traceparent`, kept in the job's row. Spans carry ids,
task types and error codes; never a key, a prompt, a link or a body.
"""

import logging
import re
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import structlog

log = structlog.get_logger(__name__)

TRACEPARENT = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})")
SAMPLED = 0x01
FLUSH_MILLISECONDS = 3000
EXPORT_SECONDS = 3.0

Attributes = Mapping[str, str | int | float | bool | None]

current: ContextVar[str | None] = ContextVar("brushwork_traceparent", default=None)
"""The span in which this request is being answered."""


class Tracing:
    """Owns the exporter of this process; None in it means that nothing is traced."""

    def __init__(self) -> None:
        self.provider: Any = None
        self.tracer: Any = None


here = Tracing()


class MissingPackage(ImportError):
    """OpenTelemetry is not installed."""


class Telling(logging.Handler):
    """The exporter's troubles, as lines of our own log."""

    def emit(self, record: logging.LogRecord) -> None:
        log.warning("traces.troubled", trouble=record.getMessage()[:200])


def configure(url: str, *, service: str) -> None:
    """Send spans to this collector, by OTLP over HTTP. Raises MissingPackage without `brushwork[otel]`.

    A second call changes nothing: a server is a sender of webhooks as well.
    """
    if here.tracer is not None:
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise MissingPackage("traces need OpenTelemetry; install brushwork[otel]") from error
    exporter = OTLPSpanExporter(endpoint=f"{url}/v1/traces", timeout=EXPORT_SECONDS)
    resource = Resource.create({"service.name": service, "service.instance.id": secrets.token_hex(8)})
    logging.getLogger("opentelemetry").addHandler(Telling())
    logging.getLogger("opentelemetry").propagate = False
    here.provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    here.provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=1000))
    here.tracer = here.provider.get_tracer("brushwork")


def close() -> None:
    """Send what is left, for a few seconds at most, and stop tracing. Safe to call twice."""
    provider, here.provider, here.tracer = here.provider, None, None
    if provider is not None:
        provider.force_flush(FLUSH_MILLISECONDS)
        provider.shutdown()


class Open:
    """A span that has begun. What is learnt meanwhile is written into it."""

    def __init__(self, name: str, attributes: Attributes) -> None:
        self.name = name
        self.attributes: dict[str, str | int | float | bool | None] = dict(attributes)


@contextmanager
def span(name: str, *, parent: str | None = None, **attributes: str | int | None) -> Iterator[Open]:
    """What happens inside, as a span of `parent`, or of the span around it; spans inside it are its children."""
    told = Open(name, attributes)
    if here.tracer is None:
        yield told
        return
    begun = here.tracer.start_span(name, context=context_of(parent or current.get()))
    token = current.set(traceparent_of(begun))
    try:
        yield told
    except Exception as error:
        told.attributes["error.type"] = getattr(error, "code", type(error).__name__)
        raise
    finally:
        current.reset(token)
        begun.update_name(told.name)
        finish(begun, told.attributes)


def record(name: str, *, parent: str | None, began: float, ended: float | None = None, **attributes: Any) -> None:
    """A span that is over, with its times in seconds since 1970. Without a parent nobody asked for it."""
    if here.tracer is None or parent is None:
        return
    ended = time.time() if ended is None else ended
    begun = here.tracer.start_span(name, context=context_of(parent), start_time=nanoseconds(began))
    finish(begun, attributes, ended=max(began, ended))


def finish(begun: Any, attributes: Attributes, *, ended: float | None = None) -> None:
    from opentelemetry.trace import StatusCode

    begun.set_attributes({name: value for name, value in attributes.items() if value is not None})
    if attributes.get("error.type"):
        begun.set_status(StatusCode.ERROR)
    begun.end(end_time=None if ended is None else nanoseconds(ended))


def nanoseconds(moment: float) -> int:
    return int(moment * 1_000_000_000)


def traceparent_of(begun: Any) -> str:
    known = begun.get_span_context()
    return f"00-{known.trace_id:032x}-{known.span_id:016x}-{int(known.trace_flags):02x}"


def context_of(traceparent: str | None) -> Any:
    """The parent as OpenTelemetry wants it; one that cannot be read is none, as the standard asks."""
    from opentelemetry.context import Context
    from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context

    match = TRACEPARENT.fullmatch(traceparent or "")
    if match is None:
        return Context()
    trace_id, span_id, flags = (int(part, 16) for part in match.groups())
    known = SpanContext(trace_id, span_id, is_remote=True, trace_flags=TraceFlags(flags & SAMPLED))
    return set_span_in_context(NonRecordingSpan(known), Context())
