"""What holds for every task type, those of today and those to come: all of it follows from the class alone."""

from pathlib import Path
from typing import Annotated, Any, ClassVar

import pytest
from pydantic import Field

from brushwork.app import create_app, open_database, prepare
from brushwork.engines.base import Op
from brushwork.engines.noop import NoopEngine
from brushwork.tasks import TASKS
from brushwork.tasks.base import Kind, Task
from tests.api.conftest import Api, client_of, running, settings_for
from tests.conftest import NewDatabase
from tests.contracts.asking import check_output, ended, offline

every_task = pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)


@pytest.fixture
async def api(tmp_path: Path, new_sqlite: NewDatabase) -> Any:
    async with running(settings_for(tmp_path / "data", new_sqlite())) as api:
        yield api


@every_task
async def test_the_example_of_every_task_is_accepted_and_drawn(api: Api, task: type[Task]) -> None:
    body = await offline(api, task, NoopEngine())
    asked = await api.client.post(f"/api/v1/{task.name}", json=body)
    assert asked.status_code == 200, asked.text
    assert asked.json()["task_type"] == task.name.replace("-", "_")

    job = await ended(api, asked.json()["job_id"], NoopEngine())

    assert job["status"] == "completed", job["error"]
    usage = job["meta"]["usage"]
    assert usage["consume"] == usage["frozen"] == asked.json()["meta"]["usage"]["frozen"] > 0
    check_output(job["output"], task.makes)


@every_task
async def test_every_task_names_the_field_that_is_missing(api: Api, task: type[Task]) -> None:
    required = [field.alias for field in task.model_fields.values() if field.is_required()]

    for field in required:
        body = {name: value for name, value in task.example.items() if name != field}
        answer = await api.client.post(f"/v1/{task.name}", json=body)
        assert (answer.status_code, answer.json()["detail"]["field"]) == (400, field)


@every_task
async def test_every_task_has_its_endpoint_and_its_schema(api: Api, task: type[Task]) -> None:
    description = (await api.client.get("/openapi.json")).json()

    operation = description["paths"][f"/v1/{task.name}"]["post"]
    assert operation["summary"] == task.__doc__
    assert task.__name__ in description["components"]["schemas"]


class Doodle(Task):
    """Draw something quickly."""

    name: ClassVar[str] = "quick-doodle"
    needs: ClassVar[Op] = Op.TEXT_TO_IMAGE
    makes: ClassVar[Kind] = "grid"
    example: ClassVar[dict[str, Any]] = {"penWidth": 3}

    pen_width: Annotated[int, Field(ge=1, le=9, description="In pixels")]

    def price(self) -> int:
        return self.pen_width


async def test_a_new_task_type_is_one_class_and_one_line(tmp_path: Path, new_sqlite: NewDatabase) -> None:
    settings = settings_for(tmp_path / "data", new_sqlite())
    database = open_database(settings)
    first = await prepare(settings, database)
    await database.close()
    assert first is not None
    app = create_app(settings, tasks={**TASKS, Doodle.name: Doodle})

    async with app.router.lifespan_context(app), client_of(app, first.key) as client:
        made = await client.post("/api/v1/quick-doodle", json=Doodle.example)
        refused = await client.post("/api/v1/quick-doodle", json={"pen_width": 10})
        seen = await client.get(f"/api/v1/job/{made.json()['job_id']}")
        listed = await client.get("/api/v1/jobs?task_type=quick_doodle")
        description = (await client.get("/openapi.json")).json()

    assert made.status_code == 200
    assert made.json()["task_type"] == "quick_doodle"
    assert made.json()["meta"]["usage"]["frozen"] == 3
    assert refused.json()["detail"]["field"] == "penWidth"
    assert seen.json()["input"] == {"penWidth": 3}
    assert len(listed.json()["data"]) == 1
    assert description["components"]["schemas"]["Doodle"]["properties"]["penWidth"]["maximum"] == 9
