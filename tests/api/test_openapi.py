from typing import Any

import jsonschema_rs
import pytest

from brushwork.tasks import TASKS
from tests.api.conftest import Api


@pytest.fixture
async def description(api: Api) -> dict[str, Any]:
    answer = await api.client.get("/openapi.json")
    assert answer.status_code == 200
    document: dict[str, Any] = answer.json()
    return document


def operations(description: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [(path, operation) for path, item in description["paths"].items() for operation in item.values()]


def schema_of(description: dict[str, Any], name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}", "components": description["components"]}


def test_every_operation_has_a_name_of_its_own_and_a_sentence(description: dict[str, Any]) -> None:
    names = [operation["operationId"] for _, operation in operations(description)]

    assert len(names) == len(set(names))
    assert all(operation.get("description") or operation.get("summary") for _, operation in operations(description))


def test_every_error_an_operation_declares_has_our_body_and_an_example(description: dict[str, Any]) -> None:
    for path, operation in operations(description):
        refused = {status: answer for status, answer in operation["responses"].items() if status >= "400"}
        assert "500" in refused, path
        for status, answer in refused.items():
            content = answer["content"]["application/json"]
            assert content["schema"]["$ref"] == "#/components/schemas/ErrorView", (path, status)
            assert content["example"]["code"] == int(status)


def test_the_frameworks_own_errors_are_not_announced(description: dict[str, Any]) -> None:
    assert "HTTPValidationError" not in str(description)


@pytest.mark.parametrize("name", TASKS)
def test_the_body_of_every_task_is_described_and_its_example_fits(description: dict[str, Any], name: str) -> None:
    body = description["paths"][f"/v1/{name}"]["post"]["requestBody"]["content"]["application/json"]

    schema = {**body["schema"], "components": description["components"]}
    assert jsonschema_rs.is_valid(schema, body["example"])
    assert not jsonschema_rs.is_valid(schema, {**body["example"], "callback": 7})
    for field in (field.alias for field in TASKS[name].model_fields.values() if field.is_required()):
        without = {key: value for key, value in body["example"].items() if key != field}
        assert not jsonschema_rs.is_valid(schema, without)


def test_the_example_of_every_answer_fits_its_schema(description: dict[str, Any]) -> None:
    checked = 0
    for path, operation in operations(description):
        content = operation["responses"]["200"].get("content", {}).get("application/json", {})
        if "example" in content:
            checked += 1
            schema = {**content["schema"], "components": description["components"]}
            assert jsonschema_rs.is_valid(schema, content["example"]), path

    assert checked >= len(TASKS) + 3


async def test_real_answers_fit_their_schemas(api: Api, description: dict[str, Any]) -> None:
    job = await api.submit()

    for path, name in [
        (f"/v1/job/{job}", "JobView"),
        ("/v1/jobs", "JobsView"),
        ("/account/balance", "BalanceView"),
        ("/account/info", "AccountView"),
        ("/account/active_tasks", "ActiveTasksView"),
        ("/v1/job/unknown", "ErrorView"),
    ]:
        jsonschema_rs.validate(schema_of(description, name), (await api.client.get(path)).json())


def test_the_two_ways_to_send_a_key_are_described(description: dict[str, Any]) -> None:
    schemes = description["components"]["securitySchemes"]

    assert (schemes["apiKey"]["in"], schemes["apiKey"]["name"]) == ("header", "x-api-key")
    assert schemes["bearer"]["scheme"] == "bearer"
    assert description["paths"]["/v1/diffusion"]["post"]["security"] == [{"apiKey": []}, {"bearer": []}]
    assert "security" not in description["paths"]["/healthz"]["get"]


def test_nothing_is_loaded_from_elsewhere(description: dict[str, Any]) -> None:
    assert description["servers"] == [{"url": "/api", "description": "This server"}]
