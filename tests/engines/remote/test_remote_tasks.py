"""A task of every operation, over HTTP with a real worker, drawn by another server."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from brushwork.engines.base import PICTURE_OPS
from brushwork.engines.diffusion.options import RemoteOptions
from brushwork.engines.remote import RemoteEngine
from brushwork.tasks import TASKS
from tests.api.conftest import Api, running, settings_for
from tests.conftest import NewDatabase
from tests.contracts.asking import check_output, ended, offline
from tests.engines.remote.server import Machine, machine

ONE_EACH = {task.needs: name for name, task in reversed(list(TASKS.items())) if task.needs in PICTURE_OPS}
"""Operation → the first task that needs it. Servers of pictures make no clips."""


@pytest.fixture
def there() -> Iterator[Machine]:
    with machine() as found:
        yield found


@pytest.fixture
async def api(tmp_path: Path, new_sqlite: NewDatabase) -> Any:
    async with running(settings_for(tmp_path / "data", new_sqlite())) as api:
        yield api


@pytest.mark.parametrize("name", ONE_EACH.values())
async def test_a_job_of_every_operation_ends_with_its_pictures(api: Api, there: Machine, name: str) -> None:
    engine = RemoteEngine(RemoteOptions(url=there.url, edits=True, timeout=30))
    asked = await api.client.post(f"/api/v1/{name}", json=await offline(api, TASKS[name], engine))

    job = await ended(api, asked.json()["job_id"], engine)

    assert job["status"] == "completed", job["error"]
    check_output(job["output"], TASKS[name].makes)


def test_every_operation_has_a_task() -> None:
    assert set(ONE_EACH) == PICTURE_OPS
