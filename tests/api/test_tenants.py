"""Every endpoint with every kind of key that must not do: made from what the server says of itself in /openapi.json."""

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from httpx import Response
from PIL import Image

from brushwork.accounts.directory import change_account
from brushwork.accounts.keys import Scope, create_key, revoke_key
from brushwork.accounts.notifications import notify_account
from brushwork.app import create_app, make_account
from brushwork.database.tables import audits
from tests.api.conftest import NOW, Api, settings_for

PUBLIC = {
    "GET /files/{name}",  # links are signed
    "GET /healthz",
    "GET /readyz",
    "GET /metrics",  # a token of its own
}
"""Endpoints that ask for no API key. An endpoint that is not here must; write a new one down with its reason."""

MISSING = "00000000-0000-4000-8000-000000000000"
MISSING_ROW = "999999999"


@dataclass(frozen=True)
class Endpoint:
    """One operation of the description."""

    method: str
    path: str
    described: Mapping[str, Any]

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def is_for_operators(self) -> bool:
        return "operators" in self.described.get("tags", ())

    @property
    def ids(self) -> list[str]:
        """What its path has places for."""
        return re.findall(r"\{(\w+)\}", self.path)

    def at(self, ids: Mapping[str, str]) -> str:
        return self.path.format(**{name: ids.get(name, MISSING) for name in self.ids})

    def body(self, ids: Mapping[str, str]) -> dict[str, Any]:
        """What to send: the example of the description, about the job in `ids`."""
        contents = self.described.get("requestBody", {}).get("content", {})
        if "application/json" in contents:
            example = dict(contents["application/json"]["example"])
            return {"json": example | ({"jobId": ids["job_id"]} if "jobId" in example else {})}
        return {"files": {"file": ("picture.png", b"", "image/png")}} if contents else {}


def endpoints_of(description: Mapping[str, Any]) -> list[Endpoint]:
    return [
        Endpoint(method.upper(), path, operation)
        for path, methods in description["paths"].items()
        for method, operation in methods.items()
    ]


@pytest.fixture(scope="module")
def every(tmp_path_factory: pytest.TempPathFactory) -> list[Endpoint]:
    """What a server says of itself; it has no database yet."""
    return endpoints_of(create_app(settings_for(tmp_path_factory.mktemp("described"), "")).openapi())


@dataclass(frozen=True)
class Keys:
    """Keys of the second account, in every state; and one of the first account, with all scopes."""

    good: str
    revoked: str
    expired: str
    scopeless: str
    reading: str
    disabled: str
    owner: str


async def make_keys(api: Api) -> Keys:
    async with api.services.database.write() as tx:
        tenant = await make_account(tx, api.settings, "tenant", plan="pro", now=NOW)
        gone = await make_account(tx, api.settings, "gone", plan="pro", now=NOW)

        async def key(scopes: tuple[Scope, ...], *, account: int = tenant.id, expires_at: float | None = None) -> str:
            made = await create_key(tx, account, name="t", now=NOW, scopes=scopes, expires_at=expires_at)
            return made[1]

        revoked_id, revoked = await create_key(tx, tenant.id, name="t", now=NOW)
        await revoke_key(tx, revoked_id, now=NOW)
        keys = Keys(
            good=await key(("read", "generate")),
            revoked=revoked,
            expired=await key(("read", "generate", "admin"), expires_at=NOW - 1e9),
            scopeless=await key(()),
            reading=await key(("read",)),
            disabled=await key(("read", "generate", "admin"), account=gone.id),
            owner=await key(("read", "generate", "admin"), account=1),
        )
        await change_account(tx, gone.id, {"is_enabled": False}, now=NOW)
    return keys


async def ask(api: Api, endpoint: Endpoint, key: str | None, ids: Mapping[str, str]) -> Response:
    headers = {"x-api-key": key or ""}  # empty, or the client would send its own
    return await api.client.request(endpoint.method, endpoint.at(ids), headers=headers, **endpoint.body(ids))


def test_every_endpoint_that_asks_for_no_key_is_known_to_be_public(every: list[Endpoint]) -> None:
    keyless = {one.name for one in every if not one.described.get("security")}

    assert keyless | {"GET /metrics"} == PUBLIC
    assert len(every) > 40


KEPT_OUT = [
    ("missing", None, 401),
    ("wrong", "bw_" + "x" * 40, 401),
    ("revoked", "revoked", 401),
    ("expired", "expired", 401),
    ("of a disabled account", "disabled", 403),
    ("without scopes", "scopeless", 403),
]


async def test_no_endpoint_serves_a_key_that_may_not(each_api: Api, every: list[Endpoint]) -> None:
    keys = await make_keys(each_api)
    ids = {"job_id": await each_api.submit(), "account_id": "1", "key_id": "1"}
    wrong: list[str] = []

    for endpoint in every:
        if endpoint.name in PUBLIC:
            continue
        for what, key, status in KEPT_OUT:
            answer = await ask(each_api, endpoint, getattr(keys, key, key) if key else None, ids)
            body = answer.json()
            if answer.status_code != status or body["error"]["code"] != status:
                wrong.append(f"{endpoint.name} with a key that is {what}: {answer.status_code}")
            if what == "without scopes" and body["detail"]["code"] != "scope_required":
                wrong.append(f"{endpoint.name} refuses a key without scopes as {body['detail']}")

    assert wrong == []


async def test_only_operators_reach_what_is_for_operators(each_api: Api, every: list[Endpoint]) -> None:
    keys = await make_keys(each_api)
    theirs = [one for one in every if one.is_for_operators]
    assert len(theirs) > 12

    for endpoint in theirs:
        for account in ("1", "2", MISSING_ROW):
            answer = await ask(each_api, endpoint, keys.good, {"account_id": account, "key_id": "1"})

            assert answer.json()["detail"] == {"code": "scope_required", "scope": "admin"}, endpoint.name


async def test_a_key_that_may_only_look_asks_for_nothing(each_api: Api, every: list[Endpoint]) -> None:
    keys = await make_keys(each_api)
    free = {"POST /v1/prompts/lint", "POST /v1/prompts/migrate", "POST /v1/verify"}  # they change nothing
    changing = [one for one in every if one.method != "GET" and one.name not in free and not one.is_for_operators]
    assert len(changing) > 20

    for endpoint in changing:
        answer = await ask(each_api, endpoint, keys.reading, {"job_id": MISSING})

        assert answer.json()["detail"] == {"code": "scope_required", "scope": "generate"}, endpoint.name


async def test_what_is_another_accounts_is_answered_like_what_is_not_there(
    each_api: Api, every: list[Endpoint]
) -> None:
    keys = await make_keys(each_api)
    job = await each_api.submit()
    mine = {"job_id": job, **await things_of(each_api, keys.owner)}
    nowhere = {
        "job_id": MISSING,
        "endpoint_id": MISSING_ROW,
        "delivery_id": "msg_" + "0" * 24,
        "batch_id": MISSING,
        "file_id": "0" * 32,
        "refusal_id": "0" * 32,
    }
    about_things = [
        one
        for one in every
        if not one.is_for_operators and one.name not in PUBLIC and (one.ids or "jobId" in str(one.body(mine)))
    ]
    assert len(about_things) > 12

    for endpoint in about_things:
        assert set(endpoint.ids) <= mine.keys() & nowhere.keys(), f"make one in things_of: {endpoint.name}"
        foreign = await ask(each_api, endpoint, keys.good, mine)
        missing = await ask(each_api, endpoint, keys.good, nowhere)

        assert (foreign.status_code, foreign.content) == (404, missing.content), endpoint.name
    job_now = (await each_api.client.get(f"/v1/job/{job}")).json()
    assert job_now["status"] == "pending"


async def things_of(api: Api, key: str) -> dict[str, str]:
    """One thing of every kind that paths name, of the first account: name in the path → id."""
    headers = {"x-api-key": key}

    async def made(path: str, **body: Any) -> Any:
        answer = await api.client.post(path, headers=headers, **body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    hook = await made("/v1/webhooks", json={"url": "https://example.com/hooks", "events": ["job.completed"]})
    sent = await made(f"/v1/webhooks/{hook['id']}/test")
    batch = await made("/v1/batch", json={"requests": [{"task": "diffusion", "text": "a fox"}], "cap": 80})
    picture = io.BytesIO()
    Image.new("RGB", (8, 8)).save(picture, "PNG")
    file = await made("/v1/files", files={"file": ("a.png", picture.getvalue(), "image/png")})
    refusal = {"id": "r" * 32, "account_id": 1, "kind": "moderation", "data": {}, "created_at": NOW}
    async with api.services.database.write() as tx:
        await tx.execute(audits.insert().values(refusal))
    return {
        "endpoint_id": str(hook["id"]),
        "delivery_id": str(sent["id"]),
        "batch_id": str(batch["batch_id"]),
        "file_id": str(file["id"]),
        "refusal_id": "r" * 32,
    }


async def test_operators_find_things_only_under_their_own_account(each_api: Api, every: list[Endpoint]) -> None:
    keys = await make_keys(each_api)
    async with each_api.services.database.write() as tx:
        await notify_account(tx, 1, type_="balance.low", message="Low", detail={}, now=NOW)
    theirs = [one for one in every if one.is_for_operators and len(one.ids) > 1]
    assert len(theirs) >= 2

    for endpoint in theirs:
        foreign = await ask(each_api, endpoint, keys.owner, {"account_id": "2", "key_id": "1", "notification_id": "1"})
        missing = {"account_id": "2", "key_id": MISSING_ROW, "notification_id": MISSING_ROW}
        nowhere = await ask(each_api, endpoint, keys.owner, missing)

        assert (foreign.status_code, foreign.content) == (404, nowhere.content), endpoint.name
