import httpx
import pytest

from brushwork.api.edge import canonical_path
from tests.api.conftest import Api


@pytest.mark.parametrize(
    ("given", "canonical"),
    [
        ("/v1/diffusion", "/v1/diffusion"),
        ("/api/v1/diffusion/", "/v1/diffusion"),
        ("/api/api/v1/diffusion", "/v1/diffusion"),
        ("/api//v1//diffusion//", "/v1/diffusion"),
        ("/api", "/"),
        ("/api/", "/"),
        ("/", "/"),
        ("//", "/"),
        ("/apiary", "/apiary"),
        ("/api/api/api/v1/jobs", "/api/v1/jobs"),
    ],
)
def test_every_spelling_of_a_path_is_one_path(given: str, canonical: str) -> None:
    assert canonical_path(given) == canonical


async def test_no_path_is_ever_redirected(api: Api) -> None:
    for path in [
        "/v1/jobs/",
        "/api/v1/jobs/",
        "/account/balance//",
        "//account//balance",
        "/healthz/",
        "/docs",
        "/redoc",
    ]:
        answer = await api.client.get(path)
        assert answer.status_code in (200, 404), path


async def test_unknown_paths_and_methods_are_refused_in_our_shape(api: Api) -> None:
    path = await api.client.get("/api/v1/vary")
    method = await api.client.put("/api/v1/diffusion", json={})

    assert (path.status_code, path.json()["error"]["code"]) == (404, 404)
    assert (method.status_code, method.json()["error"]["code"]) == (405, 405)
    assert method.headers["allow"] == "POST"
    assert (await api.client.put("/v1/job/x")).headers["allow"] == "DELETE, GET, PATCH"
    assert (await api.client.post("/openapi.json")).headers["allow"] == "GET"
    assert "/v1/vary" in path.json()["message"]


async def test_a_browser_may_ask_from_anywhere(api: Api) -> None:
    preflight = await api.client.options(
        "/api/v1/diffusion",
        headers={
            "origin": "https://anywhere.example",
            "access-control-request-method": "POST",
            "access-control-request-headers": "x-api-key,content-type,x-custom",
        },
    )
    answer = await api.client.get("/v1/nowhere", headers={"origin": "https://anywhere.example"})

    assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-origin"] == "*"
    assert preflight.headers["access-control-allow-headers"] == "x-api-key,content-type,x-custom"
    assert {"POST", "DELETE"} <= set(preflight.headers["access-control-allow-methods"].split(", "))
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "retry-after" in answer.headers["access-control-expose-headers"]
    assert "x-request-id" in answer.headers["access-control-expose-headers"]
    assert "x-next-after" in answer.headers["access-control-expose-headers"]


async def test_header_names_that_are_none_are_not_echoed(api: Api) -> None:
    asked = {
        "access-control-request-method": "GET",
        "access-control-request-headers": "x-ok, bad\u00e9".encode("latin-1"),
    }

    answer = await api.client.options("/v1/jobs", headers=asked)  # type: ignore[arg-type]  # bytes are fine

    assert answer.headers["access-control-allow-headers"].startswith("x-api-key")


async def test_every_answer_has_a_request_id_and_keeps_a_good_one(api: Api) -> None:
    made = await api.client.get("/healthz")
    kept = await api.client.get("/healthz", headers={"x-request-id": "abc-123"})
    replaced = await api.client.get("/healthz", headers={"x-request-id": "a b\tc"})

    assert len(made.headers["x-request-id"]) == 32
    assert kept.headers["x-request-id"] == "abc-123"
    assert replaced.headers["x-request-id"] != "a b\tc"
    assert made.headers["x-content-type-options"] == "nosniff"


async def test_an_unforeseen_error_is_a_500_that_tells_nothing_and_is_logged(
    api: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    @api.app.get("/v1/broken")
    async def broken() -> None:
        raise RuntimeError("the canary sang")

    answer = await api.client.get("/api/v1/broken", headers={"origin": "https://x.example"})

    assert (answer.status_code, answer.json()["error"]["code"]) == (500, 500)
    assert "canary" not in answer.text
    assert answer.headers["access-control-allow-origin"] == "*"
    logged = capsys.readouterr().err
    assert "the canary sang" in logged
    assert answer.headers["x-request-id"] in logged


async def test_keys_prompts_and_bodies_never_reach_the_logs(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    canary = "canary-7f3a"
    bad = {"x-api-key": f"bw_{canary}"}

    await api.client.post("/v1/diffusion", json={"text": f"a {canary}"})
    await api.client.post("/v1/diffusion", json={"text": f"a fox --{canary}"})
    await api.client.post("/v1/diffusion", content=f"{canary}", headers={"authorization": f"Bearer {canary}"})
    await api.client.get(f"/account/balance?key={canary}", headers=bad)
    await api.client.get(f"/{canary}/{api.key}")
    await api.client.get(f"/files/{'0' * 32}.png?signature={canary}")
    async with api.services.database.write() as tx:
        await tx.exec_driver_sql("DROP TABLE events")  # the insert of the job's first event will fail, prompt at hand
    failed = await api.client.post("/v1/diffusion", json={"text": f"a {canary}"})

    captured = capsys.readouterr()
    logged = captured.err + captured.out
    assert failed.status_code == 503
    assert logged.count('"event": "request"') == 7
    assert canary not in logged
    assert api.key not in logged


async def test_each_request_is_one_line_with_all_that_is_needed(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    await api.client.get("/api/v1/jobs/", headers={"x-request-id": "line-1"})

    line = httpx.Response(200, text=capsys.readouterr().err.strip()).json()
    assert line["ms"] > 0
    kept = {name: line[name] for name in ("method", "route", "status", "account_id", "request_id", "event")}
    assert kept == {
        "method": "GET",
        "route": "/v1/jobs",
        "status": 200,
        "account_id": 1,
        "request_id": "line-1",
        "event": "request",
    }
