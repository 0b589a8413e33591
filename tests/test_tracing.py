"""One job is one trace, from the client's request to the webhook, at a real collector; and nothing secret is in it."""

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import structlog
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from brushwork import tracing
from brushwork.app import create_app
from brushwork.errors import Unavailable
from tests.api.conftest import running, settings_for
from tests.api.working import working
from tests.conftest import NewDatabase
from tests.journeys.receiver import receiving

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
CLIENT = f"00-{TRACE}-00f067aa0ba902b7-01"
PROMPT = "a canary in a coal mine"
STEPS = ["accept", "wait", "draw", "store", "complete", "deliver"]


@dataclass
class Collector:
    """What came over OTLP, decoded."""

    url: str = ""
    spans: list[Any] = field(default_factory=list)
    services: set[str] = field(default_factory=set)

    def take(self, body: bytes) -> None:
        for part in ExportTraceServiceRequest.FromString(body).resource_spans:
            self.services |= {one.value.string_value for one in part.resource.attributes if one.key == "service.name"}
            self.spans += [span for scope in part.scope_spans for span in scope.spans]

    def named(self, name: str) -> Any:
        return next(span for span in self.spans if span.name == name)


@pytest.fixture
def collector() -> Iterator[Collector]:
    made = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if self.headers.get("content-encoding") == "gzip":
                import gzip

                body = gzip.decompress(body)
            if self.path == "/v1/traces":
                made.take(body)
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    made.url = f"http://127.0.0.1:{server.server_port}"
    yield made
    tracing.close()
    server.shutdown()
    server.server_close()


async def test_a_job_is_one_trace_from_the_request_to_the_webhook(
    collector: Collector, tmp_path: Path, database_url: str
) -> None:
    async with receiving() as receiver:
        more = {"otel_url": collector.url, "fetch_allow": f"127.0.0.1:{receiver.port}"}
        async with running(settings_for(tmp_path / "data", database_url).model_copy(update=more)) as api:
            body = {"text": PROMPT, "callback": f"{receiver.url}?secret=canary"}
            answer = await api.client.post("/api/v1/diffusion", json=body, headers={"traceparent": CLIENT})
            job_id = answer.json()["job_id"]
            async with working(api):
                await receiver.until_told_of(job_id)
            key = api.key
    tracing.close()

    request = collector.named("POST /v1/diffusion")
    ours = [span for span in collector.spans if span.trace_id.hex() == TRACE]
    assert request.parent_span_id.hex() == CLIENT.split("-")[2]
    assert sorted(span.name for span in ours) == sorted(["POST /v1/diffusion", *STEPS])
    for name in STEPS:
        span = collector.named(name)
        told = {one.key: one.value.string_value or one.value.int_value for one in span.attributes}
        assert span.parent_span_id == request.span_id, name
        assert (told["job_id"], told["account_id"]) == (job_id, 1), name
        assert name == "accept" or told["attempt"] == 1, name
        assert 0 <= span.start_time_unix_nano <= span.end_time_unix_nano <= time.time_ns()
    begun = [collector.named(name).start_time_unix_nano for name in ("wait", "draw", "store", "complete")]
    assert begun == sorted(begun)
    everything = b"".join(span.SerializeToString() for span in collector.spans)
    assert not [word for word in (key, "canary", "127.0.0.1") if word.encode() in everything]


async def test_without_a_collector_nothing_is_traced_and_nothing_imported(
    tmp_path: Path, new_sqlite: NewDatabase
) -> None:
    async with running(settings_for(tmp_path / "data", new_sqlite())) as api:
        answer = await api.client.post("/v1/diffusion", json={"text": PROMPT}, headers={"traceparent": CLIENT})
        async with api.services.database.read() as tx:
            (trace,) = (await tx.exec_driver_sql("SELECT trace FROM jobs")).one()

    assert answer.status_code == 200
    assert trace is None
    assert tracing.here.tracer is None


@pytest.mark.parametrize(
    "traceparent", ["", "nonsense", f"00-{'0' * 32}-00f067aa0ba902b7-01", f"01-{TRACE}-00f067aa0ba902b7-01"]
)
def test_a_traceparent_that_cannot_be_read_begins_a_new_trace(collector: Collector, traceparent: str) -> None:
    tracing.configure(collector.url, service="test")

    with tracing.span("request", parent=traceparent):
        inside = tracing.current.get()
    tracing.close()

    assert inside is not None
    assert TRACE not in inside
    assert collector.named("request").parent_span_id == b""


def test_without_the_package_a_server_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    settings = settings_for(tmp_path / "data", f"sqlite:///{tmp_path}/unused.db")

    with pytest.raises(Unavailable, match=r"install brushwork\[otel\]"):
        create_app(settings.model_copy(update={"otel_url": "http://127.0.0.1:4318"}))


def test_a_collector_that_is_away_costs_a_few_lines_in_the_log() -> None:
    tracing.configure("http://127.0.0.1:1", service="test")
    with structlog.testing.capture_logs() as lines, tracing.span("request"):
        pass

    began = time.monotonic()
    with structlog.testing.capture_logs() as lines:
        tracing.close()

    assert time.monotonic() - began < 15
    assert {line["event"] for line in lines} <= {"traces.troubled"}
