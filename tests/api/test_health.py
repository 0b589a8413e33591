import asyncio
import time
from pathlib import Path

import obstore
import sqlalchemy as sa

from brushwork.app import create_app
from brushwork.database.tables import workers
from tests.api.conftest import Api, client_of, settings_for


async def add_worker(api: Api, name: str, *, last_seen: float) -> None:
    row = {"host": "here", "pid": 1, "device": "cpu:0", "engine": "noop", "pools": ["default"], "started_at": 0.0}
    async with api.services.database.write() as tx:
        await tx.execute(sa.insert(workers).values(id=name, last_seen=last_seen, **row))


async def test_a_server_that_can_work_says_so_and_counts_its_workers(each_api: Api) -> None:
    await add_worker(each_api, "alive", last_seen=time.time())
    await add_worker(each_api, "gone", last_seen=time.time() - 3600)

    alive = await each_api.client.get("/api/healthz")
    ready = await each_api.client.get("/readyz")

    assert (alive.status_code, alive.json()) == (200, {"status": "ok"})
    assert (ready.status_code, ready.json()) == (200, {"status": "ready", "workers": 1})
    assert (await each_api.client.head("/healthz")).status_code == 200


async def test_a_server_whose_database_is_behind_is_not_ready(each_api: Api) -> None:
    async with each_api.services.database.write() as tx:
        await tx.exec_driver_sql("UPDATE alembic_version SET version_num = 'older'")

    answer = await each_api.client.get("/readyz")

    assert answer.status_code == 503
    assert answer.json()["detail"]["checks"] == {"database": True, "migrations": False, "store": True}
    assert answer.json()["error"]["code"] == 503


async def test_a_server_without_database_and_store_lives_but_is_not_ready(tmp_path: Path) -> None:
    settings = settings_for(tmp_path / "data", "postgresql://nobody@127.0.0.1:1/nowhere")
    app = create_app(settings)
    folder = Path(settings.resolved_store_url.removeprefix("file://"))
    folder.rmdir()
    folder.write_text("a file where the folder was")

    async with app.router.lifespan_context(app), client_of(app, "") as client:
        alive, ready = await client.get("/healthz"), await client.get("/readyz")

    assert alive.status_code == 200
    assert ready.status_code == 503
    assert ready.json()["detail"]["checks"] == {"database": False, "migrations": False, "store": False}


async def test_asking_for_readiness_all_at_once_is_fine(api: Api) -> None:
    answers = await asyncio.gather(*(api.client.get("/readyz") for _ in range(20)))

    assert [answer.status_code for answer in answers] == [200] * 20
    assert not any(await obstore.list(api.services.files.store, prefix="health").collect_async())
