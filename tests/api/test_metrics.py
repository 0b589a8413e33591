"""What /metrics tells of requests, jobs, workers, money and webhooks; to whom; and when the database is away."""

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from prometheus_client.parser import text_string_to_metric_families

from brushwork.api import gauges
from brushwork.api.gauges import LedgerTotals
from brushwork.app import create_app
from brushwork.database.tables import accounts, deliveries, ledger, timings, workers
from brushwork.jobs.measures import ENGINE_STEP, JOB_RUN, JOBS_ENDED, Measures
from brushwork.settings import Settings
from tests.api.conftest import Api, client_of, running, settings_for
from tests.api.working import working
from tests.conftest import NewDatabase
from tests.journeys.receiver import receiving

Samples = dict[tuple[str, ...], float]


def samples(text: str) -> Samples:
    """(name, label values in alphabetical order of the labels) → value."""
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def scraped(api: Api) -> Samples:
    answer = await api.client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    return samples(answer.text)


async def add(api: Api, table: sa.Table, **values: Any) -> None:
    async with api.services.database.write() as tx:
        await tx.execute(table.insert().values(**values))


async def add_worker(api: Api, name: str, *, last_seen: float) -> None:
    row = {"host": "here", "pid": 1, "device": "cpu:0", "engine": "noop", "pools": ["default"], "started_at": 0.0}
    await add(api, workers, id=name, last_seen=last_seen, **row)


async def test_requests_are_counted_by_route_and_strangers_cannot_make_labels(api: Api) -> None:
    await api.submit()
    await api.submit()
    await api.client.get("/no/such/path")
    await api.client.request("BREW", "/healthz")

    found = await scraped(api)

    assert found["brushwork_http_requests_total", "POST", "/v1/diffusion", "200"] == 2
    assert found["brushwork_http_requests_total", "GET", "unmatched", "404"] == 1
    assert found["brushwork_http_requests_total", "other", "/healthz", "405"] == 1
    assert found["brushwork_http_request_seconds_count", "POST", "/v1/diffusion"] == 2


async def test_the_queue_is_told_by_priority_with_the_age_of_its_oldest(each_api: Api) -> None:
    cancelled = await each_api.submit()
    await each_api.submit("a fox --turbo")
    await each_api.client.delete(f"/v1/job/{cancelled}")

    found = await scraped(each_api)

    assert [found["brushwork_jobs", status] for status in ("held", "queued", "running")] == [0, 1, 0]
    assert found["brushwork_queue_depth", "default", "10"] == 1
    assert 0 <= found["brushwork_queue_oldest_seconds", "default", "10"] < 60
    assert ("brushwork_queue_depth", "default", "20") not in found


async def test_workers_are_idle_busy_or_silent(each_api: Api) -> None:
    job_id = await each_api.submit()
    now = time.time()
    await add_worker(each_api, "idle", last_seen=now)
    await add_worker(each_api, "busy", last_seen=now)
    await add_worker(each_api, "gone", last_seen=now - 600)
    async with each_api.services.database.write() as tx:
        await tx.execute(sa.text("UPDATE jobs SET status = 'running', owner = 'busy' WHERE id = :id"), {"id": job_id})

    found = await scraped(each_api)

    assert [found["brushwork_workers", "noop", state] for state in ("busy", "idle", "silent")] == [1, 1, 1]


async def test_points_and_moves_of_the_ledger_add_up(each_api: Api) -> None:
    await each_api.client.delete(f"/v1/job/{await each_api.submit()}")
    await each_api.submit("a fox")

    found = await scraped(each_api)

    assert found["brushwork_points", "held"] == 80
    assert found["brushwork_points", "available"] == 100_000 - 80
    moved = {kind: found["brushwork_ledger_points_total", kind] for kind in ("grant", "hold", "capture", "release")}
    assert moved == {"grant": 100_000, "hold": 160, "capture": 0, "release": 80}
    assert found["brushwork_ledger_entries_total", "hold"] == 2
    assert found["brushwork_books_wrong",] == 0


async def test_an_account_that_disagrees_with_its_packs_is_noticed(each_api: Api) -> None:
    async with each_api.services.database.write() as tx:
        await tx.execute(accounts.update().values(balance=accounts.c.balance + 1))

    assert (await scraped(each_api))["brushwork_books_wrong",] == 1


async def test_the_ledger_is_read_once_and_then_only_what_is_new(
    each_api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gauges, "SLICE", 1)
    await each_api.submit()
    totals, database, later = LedgerTotals(), each_api.services.database, time.time() + 3600

    async with database.read() as tx:
        first = await totals.read(tx, later)
    assert totals.settled_id > 0
    before = totals.settled_id
    await each_api.submit("a fox")
    async with database.read() as tx:
        second = await totals.read(tx, time.time())
        third = await totals.read(tx, later)
        newest = (await tx.execute(sa.select(sa.func.max(ledger.c.id)))).scalar_one()

    def holds(read: Any) -> list[float]:
        return [sample.value for family in read for sample in family.samples if sample.labels["kind"] == "hold"]

    assert (holds(first), holds(second), holds(third)) == ([1, 80], [2, 160], [2, 160])
    assert (before < totals.settled_id, totals.settled_id) == (True, newest)


async def test_webhooks_that_wait_are_counted_with_the_age_of_the_first(each_api: Api) -> None:
    now = time.time()
    row = {"account_id": 1, "url": "https://a.test/", "host": "a.test", "event": "test", "created_at": now}
    await add(each_api, deliveries, id="msg_1", status="pending", next_at=now - 30, **row)
    await add(each_api, deliveries, id="msg_2", status="pending", next_at=now + 3600, **row)
    await add(each_api, deliveries, id="msg_3", status="delivered", next_at=now - 90, **row)

    found = await scraped(each_api)

    assert (found["brushwork_webhook_pending",], found["brushwork_webhook_due",]) == (2, 1)
    assert 30 <= found["brushwork_webhook_oldest_seconds",] < 60
    assert found["brushwork_webhook_endpoints", "sound"] == 0


async def test_what_workers_counted_is_shown_as_prometheus_wants_it(each_api: Api) -> None:
    measures = Measures()
    measures.count(JOBS_ENDED, "diffusion", "done", by=2)
    for seconds in (0.3, 0.4, 3.0, 10_000.0):
        measures.observe(JOB_RUN, "diffusion", "7", seconds=seconds)
    measures.observe(ENGINE_STEP, "noop", "7", seconds=0.02)
    await measures.flush(each_api.services.database)

    found = await scraped(each_api)

    assert found["brushwork_jobs_ended_total", "done", "diffusion"] == 2
    runs = {key[1]: value for key, value in found.items() if key[0] == "brushwork_job_run_seconds_bucket"}
    assert (runs["0.1"], runs["0.5"], runs["2.5"], runs["5"], runs["600"], runs["+Inf"]) == (0, 2, 2, 3, 3, 4)
    assert found["brushwork_job_run_seconds_count", "7", "diffusion"] == 4
    assert found["brushwork_job_run_seconds_sum", "7", "diffusion"] == pytest.approx(10_003.7)
    assert found["brushwork_engine_step_seconds_count", "noop", "7"] == 1


async def test_a_job_and_its_webhook_are_counted_where_they_are_done(
    tmp_path: Path, database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async with receiving() as receiver:
        settings = settings_for(tmp_path / "data", database_url)
        settings = settings.model_copy(update={"fetch_allow": f"127.0.0.1:{receiver.port}"})
        async with running(settings) as api, working(api):
            body = {"text": "a canary in a coal mine --v 7", "callback": f"{receiver.url}?token=canary"}
            job_id = (await api.client.post("/v1/diffusion", json=body)).json()["job_id"]
            await receiver.until_told_of(job_id)
        async with running_again(settings) as client:
            found = samples((await client.get("/metrics")).text)

    assert found["brushwork_jobs_ended_total", "done", "diffusion"] == 1
    assert found["brushwork_job_wait_seconds_count", "7", "diffusion"] == 1
    assert found["brushwork_job_run_seconds_count", "7", "diffusion"] == 1
    assert found["brushwork_engine_step_seconds_count", "noop", "7"] == 4 * 9
    assert found["brushwork_webhook_attempts_total", "2xx"] == 1
    assert found["brushwork_webhook_delay_seconds_count",] == 1
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines() if line.startswith("{")]
    told = {line["event"] for line in lines if (line.get("job_id"), line.get("account_id")) == (job_id, 1)}
    assert told >= {"job.accepted", "job.ended", "webhook.sent"}
    assert not [line for line in lines if "canary" in str(line) or api.key in str(line)]


@asynccontextmanager
async def running_again(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(settings)
    async with app.router.lifespan_context(app), client_of(app, "") as client:
        yield client


async def test_forecasts_are_compared_with_what_came(each_api: Api) -> None:
    row = {"timing": "t", "waited": 0.0, "forecast": {"p50": 8.0, "p90": 12.0}, "created_at": 0.0}
    for seconds in (10.0, 20.0):
        await add(each_api, timings, seconds=seconds, **row)

    found = await scraped(each_api)

    assert found["brushwork_forecast_jobs",] == 2
    assert found["brushwork_forecast_within_p90",] == 0.5


async def test_without_a_database_the_process_still_tells_of_itself(tmp_path: Path) -> None:
    app = create_app(settings_for(tmp_path / "data", "postgresql://nobody@127.0.0.1:1/nowhere"))

    async with app.router.lifespan_context(app), client_of(app, "") as client:
        await client.get("/healthz")
        answer = await client.get("/metrics")

    found = samples(answer.text)
    assert answer.status_code == 200
    assert found["brushwork_database_up",] == 0
    assert found["brushwork_http_requests_total", "GET", "/healthz", "200"] == 1
    assert ("brushwork_books_wrong",) not in found


@pytest.fixture
async def guarded(tmp_path: Path, new_sqlite: NewDatabase) -> AsyncIterator[Api]:
    settings = settings_for(tmp_path / "data", new_sqlite()).model_copy(update={"metrics_key": "open sesame"})
    async with running(settings) as api:
        yield api


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"authorization": "Bearer wrong"}, 401),
        ({"authorization": "open sesame"}, 401),
        ({"authorization": "Bearer open sesame"}, 200),
    ],
)
async def test_a_server_with_a_token_tells_its_metrics_to_nobody_else(
    guarded: Api, headers: dict[str, str], status: int
) -> None:
    transport = httpx.ASGITransport(guarded.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://brushwork.test", headers=headers) as client:
        answer = await client.get("/metrics")

    assert answer.status_code == status
    assert ("brushwork_jobs" in answer.text) == (status == 200)
