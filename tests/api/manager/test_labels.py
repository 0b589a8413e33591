"""Every name, description and note that a body may hold, refused with the field's name when it hides something."""

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from brushwork.api import account, batch, keeping, lineage, moderation, prompts, webhooks
from brushwork.api.manager import accounts, codes, keys, wallets
from tests.api.conftest import Api
from tests.api.manager.conftest import Office

MODULES = (account, batch, keeping, lineage, moderation, prompts, webhooks, accounts, codes, keys, wallets)
LABELS = {"name", "description", "note"}


def bodies() -> Iterator[tuple[type[BaseModel], str]]:
    """Every body that is read, and its fields that are for people."""
    for module in MODULES:
        for kind in vars(module).values():
            if isinstance(kind, type) and issubclass(kind, BaseModel) and kind.__module__ == module.__name__:
                is_read = kind.__name__.endswith("Body") or kind.__name__ in ("NewEndpoint", "EndpointChange")
                yield from ((kind, field) for field in LABELS & kind.model_fields.keys() if is_read)


def test_every_label_of_every_body_is_looked_at() -> None:
    found = list(bodies())

    assert len(found) == 7
    for kind, field in found:
        problems = problems_of(kind, {field: "a\u202eb"})
        assert "U+202E" in problems[field], (kind, field)


def problems_of(kind: type[BaseModel], given: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(ValidationError) as caught:
        kind.model_validate(given)
    return {str(problem["loc"][0]): problem["msg"] for problem in caught.value.errors()}


async def test_the_answer_names_the_field_and_the_character(office: Office) -> None:
    refused = {
        "/api/account": {"name": "stu\u200bdio", "plan": "hobbyist"},
        "/api/account/1/api_keys": {"name": "\u202eyek"},
    }
    for path, body in refused.items():
        answer = await office("POST", path, body, status=400)
        assert answer["detail"]["field"] == "name", path
        assert "U+20" in answer["message"]
    pack = {"capacity": 5, "description": "5\u2066000"}
    answer = await office("POST", "/api/account/1/wallet/credit_pack", pack, status=400)
    assert (answer["detail"]["field"], "U+2066" in answer["message"]) == ("description", True)
    await office("POST", "/v1/codes", {"amount": 5, "code": "autumn\u20602026"}, status=400)


async def test_endpoints_of_webhooks_show_all_that_is_in_them(api: Api) -> None:
    good = {"url": "https://example.com/", "description": "Ünser Büro 🎨"}
    made = (await api.client.post("/v1/webhooks", json=good)).json()

    for body, field in (({"description": "\x1b[31m"}, "description"), ({"url": "https://a.test/\u2066x"}, "url")):
        added = await api.client.post("/v1/webhooks", json={"url": "https://b.test/", **body})
        changed = await api.client.patch(f"/v1/webhooks/{made['id']}", json=body)
        assert [answer.status_code for answer in (added, changed)] == [400, 400]
        assert {answer.json()["detail"]["field"] for answer in (added, changed)} == {field}
    assert made["description"] == good["description"]
