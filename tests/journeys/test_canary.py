"""Keys, prompts and webhook secrets are in no log line: at every level, in every form, through good days and bad."""

import asyncio
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from brushwork.accounts.keys import create_key
from brushwork.database.session import Database
from brushwork.logs import SECRET
from tests.journeys.server import serving

PROMPT = "wombatcanary"
"""In every prompt, code, file name and address of this journey."""
LEVELS = [("debug", "json"), ("info", "console"), ("warning", "json"), ("error", "console")]

ON_TRIGGERS = (
    "CREATE TRIGGER t1 BEFORE INSERT ON jobs WHEN NEW.input LIKE '%at the door%' "
    "BEGIN SELECT RAISE(ABORT, 'not today'); END",
    "CREATE TRIGGER t2 BEFORE UPDATE ON jobs WHEN NEW.status = 'done' AND NEW.input LIKE '%at the end%' "
    "BEGIN SELECT RAISE(ABORT, 'not today'); END",
)
"""Two ways in which a database may refuse a prompt: when it comes, and when its job ends."""


@pytest.mark.parametrize(("level", "form"), LEVELS)
def test_no_canary_is_ever_logged(tmp_path: Path, level: str, form: str) -> None:
    with serving(
        tmp_path,
        log_level=level,
        log_format=form,
        job_attempts="1",
        webhook_http="true",
        fetch_allow="127.0.0.1",
        max_body_mb="0.1",
    ) as server:
        folder = tmp_path / "data"
        key = asyncio.run(new_key(folder))
        with sqlite3.connect(folder / "brushwork.db", timeout=30) as database:
            for statement in ON_TRIGGERS:
                database.execute(statement)
        headers = {"x-api-key": key}
        with httpx.Client(base_url=server.url, headers=headers, trust_env=False, timeout=60) as client:
            secret = client.post("/v1/webhooks/secret", json={"keep_hours": 1}).json()["secret"]
            statuses = list(journey(client, key))
            wait_until_ended(client)
        server.stop()
        log = server.output()

    assert {200, 400, 401, 404, 413, 422, 500} <= set(statuses), statuses
    for canary in (key[11:], key, secret, secret.removeprefix("whsec_"), PROMPT):
        assert canary not in log
    assert "unforeseen error" in log


async def new_key(folder: Path) -> str:
    database = Database(f"sqlite:///{folder / 'brushwork.db'}")
    async with database.write() as tx:
        _, key = await create_key(tx, 1, name=PROMPT, now=time.time(), scopes=("read", "generate", "admin"))
    await database.close()
    return key


def journey(client: httpx.Client, key: str) -> Iterator[int]:
    """What clients do, well and badly, always with something in it that must not be told; the statuses."""
    dead = f"http://127.0.0.1:9/{PROMPT}?token={PROMPT}"
    for text in ("a fox", "a fox at the door", "a fox at the end", "a fox --v 99", "a fox --what 3", "--ar 3:2"):
        for callback in (None, dead):
            body = {"text": f"{PROMPT} {text}", "callback": callback}
            yield client.post("/api/v1/diffusion", json=body, headers={"idempotency-key": key}).status_code
            yield client.post("/api/v1/diffusion", json=body).status_code
    for broken in (PROMPT, f'{{"text": "{PROMPT}', f'{{"text": ["{PROMPT}"]}}', f'{{"text": "\\u0000{PROMPT}"}}'):
        yield client.post("/api/v1/diffusion", content=broken).status_code
    yield client.post("/api/v1/diffusion", json={"text": PROMPT * 60_000}).status_code
    yield client.post("/api/v1/describe", json={"imgUrl": dead}).status_code
    yield client.post("/api/v1/describe", json={"imgUrl": f"http://{PROMPT}.invalid/"}).status_code
    yield client.post("/api/v1/prompts/lint", json={"prompt": f"{PROMPT} --zzz"}).status_code
    yield client.post("/api/v1/files", files={"file": (f"{PROMPT}.png", PROMPT.encode(), "image/png")}).status_code
    yield client.post("/api/account/code/retrieve", json={"code": PROMPT}).status_code
    yield client.post("/api/account", json={"name": PROMPT}).status_code
    yield client.post("/v1/codes", json={"code": PROMPT, "amount": 5}).status_code
    yield client.get(f"/api/{PROMPT}/{key}?key={key}&q={PROMPT}").status_code
    yield client.get(f"/files/{key}.png?signature={PROMPT}").status_code
    yield client.get(f"/api/v1/jobs?cursor={PROMPT}&x-api-key={key}").status_code
    yield client.get("/api/account/balance", headers={"x-api-key": key + "x"}).status_code
    yield client.get("/api/account/balance", headers={"x-api-key": PROMPT, "authorization": key}).status_code
    yield client.request(PROMPT.upper(), "/api/account/balance").status_code


def wait_until_ended(client: httpx.Client) -> None:
    """Until no job is open, but for those that the database does not let end."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        left = client.get("/api/account/active_tasks").json()["tasks"]
        if len(left) <= 3:
            return
        time.sleep(0.2)


def test_what_looks_like_a_secret_is_struck_out() -> None:
    line = "KeyError: 'bw_2fJ0mWq7Xc41ZtPz8sVbKdLhYgN5RaEuTiOoC9x3' whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw bw_short"

    assert SECRET.sub(r"\1…", line) == "KeyError: 'bw_…' whsec_… bw_short"
