"""An erased account leaves numbers in the books and a receipt, and nothing that was ever said, shown or named."""

import asyncio
import hashlib
import time
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from brushwork.accounts.books import check_books
from brushwork.accounts.notifications import notify_account
from brushwork.database.tables import audits, erasures, jobs, ledger
from brushwork.database.tables import files as files_table
from brushwork.errors import InsufficientCredits, Unavailable
from brushwork.files.store import Files
from brushwork.jobs.audits import audit
from brushwork.jobs.closing import Closing, begin
from brushwork.jobs.housekeeping import Housekeeping
from brushwork.jobs.receipts import AccountReceipt, seal
from tests.api.conftest import Api, client_of
from tests.api.drawing import ended, working
from tests.api.manager.conftest import Office
from tests.api.test_keeping import CANARY, everything_in
from tests.files.hostile import png


@dataclass(frozen=True)
class Customer:
    """An account with something of everything, all of which says the canary."""

    id: int
    key: str
    client: httpx.AsyncClient
    job: dict[str, Any]
    upload: dict[str, Any]
    pictures: list[bytes]

    def links(self) -> list[str]:
        return [*self.job["output"]["image_urls"], self.upload["url"]]


async def customer_of(office: Office) -> Customer:
    api = office.api
    made = await office.open(CANARY, plan="developer")
    key = made["api_keys"][0]["value"]
    client = client_of(api.app, key)
    upload = (await client.post("/api/v1/files", files={"file": ("a.png", png())})).json()
    hook = {"url": f"https://example.com/{CANARY}", "description": CANARY}
    assert (await client.post("/api/v1/webhooks", json=hook)).status_code == 200
    assert (await client.post("/api/v1/webhooks/secret")).status_code == 200
    async with working(api):
        body = {"text": f"{upload['url']} a {CANARY} lighthouse", "callback": f"https://example.com/{CANARY}"}
        told = (await client.post("/api/v1/diffusion", json=body)).json()
        job = await ended(Api(api.app, client, key, api.settings), told["job_id"])
    batch = {"requests": [{"task": "diffusion", "text": f"{CANARY} {number}"} for number in range(3)], "cap": 1000}
    answer = await client.post("/api/v1/batch", json=batch, headers={"idempotency-key": CANARY})
    assert answer.status_code == 200, answer.text
    pictures = [(await client.get(url)).content for url in [*job["output"]["image_urls"], upload["url"]]]
    async with api.services.database.write() as tx:
        detail = {"of": CANARY}
        await notify_account(tx, made["id"], type_="note", message=CANARY, detail=detail, now=time.time())
        await tx.execute(audit(made["id"], "appeal", {"of": "x", "note": CANARY}, now=time.time()))
    pack = {"capacity": 500, "description": CANARY}
    await office("POST", f"/api/account/{made['id']}/wallet/credit_pack", pack)
    return Customer(made["id"], key, client, job, upload, pictures)


async def erase(office: Office, account_id: int, name: str = CANARY) -> httpx.Response:
    headers = {"x-api-key": office.key}
    return await office.api.client.post(f"/api/account/{account_id}/erase", json={"name": name}, headers=headers)


async def test_nothing_of_an_erased_account_is_left_but_numbers(office: Office) -> None:
    api = office.api
    customer = await customer_of(office)
    before = everything_in(api)
    assert all(said in before for said in (CANARY.encode(), customer.key[:11].encode(), *customer.pictures))

    answer = await erase(office, customer.id)

    receipt = answer.json()
    assert (answer.status_code, receipt["state"]) == (200, "erased")
    left = everything_in(api)
    for said in (
        CANARY,
        customer.key[:11],
        customer.job["job_id"] + "/",
        hashlib.sha256(customer.key.encode()).hexdigest(),
    ):
        assert said.encode() not in left
    for picture in customer.pictures:
        assert picture not in left
        assert hashlib.sha256(picture).hexdigest().encode() not in left
    assert [path for path in (api.settings.data_dir / "files").rglob("*") if path.is_file()] == []
    counts = {name: receipt[name] for name in ("jobs", "cancelled", "uploads", "files", "endpoints", "keys", "batches")}
    assert counts == {"jobs": 4, "cancelled": 3, "uploads": 1, "files": 6, "endpoints": 1, "keys": 1, "batches": 1}
    assert receipt["bytes"] >= sum(map(len, customer.pictures))
    assert receipt["points_expired"] > 32_000
    assert receipt["sha256"] == seal(receipt)
    async with api.services.database.read() as tx:
        assert await check_books(tx) == []
        kept = (await tx.execute(sa.select(audits.c.data).where(audits.c.id == receipt["id"]))).scalar_one()
    assert kept == receipt


async def test_keys_and_links_of_an_erased_account_are_dead(office: Office) -> None:
    customer = await customer_of(office)

    await erase(office, customer.id)

    assert (await customer.client.get("/api/v1/jobs")).status_code == 401
    for link in customer.links():
        assert (await customer.client.get(link)).status_code == 404
    headers = {"x-api-key": office.key}
    seen = (await office.api.client.get(f"/api/account/{customer.id}", headers=headers)).json()["data"]
    assert (seen["name"], seen["is_enable"], seen["balance"]) == (f"erased-{customer.id}", False, 0)
    assert (seen["notification_hook_url"], [key["name"] for key in seen["api_keys"]]) == ("", [""])


async def test_nothing_new_begins_under_the_number_of_an_erased_account(office: Office) -> None:
    made = await office.open("studio")
    path = f"/api/account/{made['id']}"
    await erase(office, made["id"], "studio")

    await office("PATCH", path, {"is_enable": True}, status=409)
    await office("PATCH", f"{path}/plan", {"plan": "developer"}, status=409)
    await office("POST", f"{path}/api_keys", {"name": "again"}, status=409)
    again = await office.open("studio")
    assert again["id"] != made["id"]


async def test_only_who_says_the_name_erases_and_nobody_the_account_of_his_own_key(office: Office) -> None:
    made = await office.open("studio")

    assert (await erase(office, made["id"], "studios")).status_code == 409
    assert (await erase(office, 999, "studio")).status_code == 404
    assert (await erase(office, 1, "first")).status_code == 409
    own = made["api_keys"][0]["value"]
    body = {"name": "studio"}
    answer = await office.api.client.post(f"/api/account/{made['id']}/erase", json=body, headers={"x-api-key": own})
    assert answer.status_code == 403
    headers = {"x-api-key": office.key}
    look = f"/api/account/{made['id']}/erasure"
    assert (await office.api.client.get(look, headers=headers)).status_code == 404
    receipt = (await erase(office, made["id"], "studio")).json()
    assert (await erase(office, made["id"], "whatever")).json() == receipt
    assert (await office.api.client.get(look, headers=headers)).json() == receipt


def closing_of(api: Api, files: Files | None = None) -> Closing:
    return Closing(api.services.database, files or api.services.files, api.services.jobs.rules)


async def many_jobs(api: Api, customer_key: str, count: int) -> None:
    async with client_of(api.app, customer_key) as client:
        for _ in range(count):
            assert (await client.post("/api/v1/diffusion", json={"text": f"a {CANARY}"})).status_code == 200


class FailingFiles(Files):
    """A store that goes away after some folders."""

    left = 0

    async def delete_folder(self, prefix: str) -> None:
        self.left -= 1
        if self.left < 0:
            raise OSError("the store is away")
        await super().delete_folder(prefix)


async def test_an_erasing_that_is_cut_off_anywhere_is_finished_by_whoever_comes_next(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("brushwork.jobs.closing.JOBS_AT_ONCE", 2)
    api = office.api
    made = await office.open(CANARY, plan="developer")
    await many_jobs(api, made["api_keys"][0]["value"], 7)
    services = api.services
    files = FailingFiles(services.database, services.files.store, services.files.links)
    broken = closing_of(api, files)

    for left in (0, 1, 3):
        files.left = left
        with pytest.raises(Unavailable):
            await broken.erase(made["id"], key_id=None, now=time.time(), seconds=60.0)
    await broken.go_on(made["id"], seconds=0)
    receipt = await broken.receipt(made["id"])
    assert (receipt.state, receipt.erased_at) == ("erasing", None)
    assert await closing_of(api).pending(now=time.time()) == [made["id"]]
    await Housekeeping(services.database, services.files, services.jobs.rules).tick()

    receipt = await broken.receipt(made["id"])
    assert (receipt.state, receipt.counts.jobs, receipt.counts.cancelled) == ("erased", 7, 7)
    assert CANARY.encode() not in everything_in(api)
    async with services.database.read() as tx:
        assert await check_books(tx) == []
        receipts = sa.select(audits.c.id).where(audits.c.kind == "erase", audits.c.account_id == made["id"])
        assert (await tx.execute(receipts)).scalars().all() == [receipt.id]


async def test_several_who_erase_the_same_account_count_everything_once(office: Office) -> None:
    api = office.api
    made = await office.open(CANARY, plan="developer")
    await many_jobs(api, made["api_keys"][0]["value"], 7)
    closing = closing_of(api)

    asked = [closing.erase(made["id"], key_id=None, now=time.time(), seconds=60.0) for _ in range(3)]
    receipts = await asyncio.gather(*asked)

    final = await closing.receipt(made["id"])
    assert isinstance(receipts[0], AccountReceipt)
    assert (final.state, final.counts.jobs, final.counts.cancelled, final.counts.keys) == ("erased", 7, 7, 1)
    async with api.services.database.read() as tx:
        assert len((await tx.execute(sa.select(erasures.c.id))).all()) == 1


async def test_what_was_under_way_at_the_closing_gets_no_job_and_its_upload_is_swept(office: Office) -> None:
    api, services = office.api, office.api.services
    customer = await customer_of(office)
    account = (await services.callers.caller(customer.key)).account
    await closing_of(api).erase(customer.id, key_id=None, now=time.time(), seconds=60.0)

    with pytest.raises(InsufficientCredits):
        await services.jobs.submit(account, services.tasks["diffusion"].model_validate({"text": CANARY}))
    await services.files.keep(customer.id, png(), size=(8, 8), now=time.time(), ends=time.time() + 900)
    await Housekeeping(services.database, services.files, services.jobs.rules).tick()

    async with services.database.read() as tx:
        assert (await tx.execute(sa.select(jobs.c.id).where(jobs.c.account_id == customer.id))).all() == []
        assert (await tx.execute(sa.select(files_table.c.id))).all() == []
    assert [path for path in (api.settings.data_dir / "files").rglob("*") if path.is_file()] == []


async def test_links_are_dead_from_the_first_moment_on(office: Office) -> None:
    customer = await customer_of(office)
    async with office.api.services.database.write() as tx:
        await begin(tx, customer.id, key_id=None, now=time.time())

    for link in customer.links():
        assert (await customer.client.get(link)).status_code == 404


async def test_the_books_of_an_erased_account_stay(office: Office) -> None:
    customer = await customer_of(office)
    async with office.api.services.database.read() as tx:
        of_account = ledger.c.account_id == customer.id
        before = (await tx.execute(sa.select(ledger).where(of_account).order_by(ledger.c.id))).all()

    await erase(office, customer.id)

    async with office.api.services.database.read() as tx:
        after = (await tx.execute(sa.select(ledger).where(of_account).order_by(ledger.c.id))).all()
    assert after[: len(before)] == before
    assert {row.kind for row in after[len(before) :]} == {"release", "expire"}


async def test_an_erased_account_cannot_be_given_credits(office: Office) -> None:
    made = await office.open("studio")
    await erase(office, made["id"], "studio")
    pack = {"capacity": 500, "description": "late"}

    await office("POST", f"/api/account/{made['id']}/wallet/credit_pack", pack, status=404)
