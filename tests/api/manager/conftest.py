"""An operator beside an ordinary account."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from brushwork.accounts.keys import create_key
from tests.api.conftest import NOW, Api


@dataclass(frozen=True)
class Office:
    """The API as an operator uses it: with the header that dashboards send."""

    api: Api
    key: str

    async def __call__(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, status: int = 200
    ) -> Any:
        """The `data` of a good answer; of another one, all of it."""
        headers = {"API-KEY": self.key, "x-api-key": ""}
        answer = await self.api.client.request(method, path, json=body, headers=headers)
        assert answer.status_code == status, f"{answer.status_code} {answer.text}"
        if status != 200:
            return answer.json()
        assert (answer.json()["code"], answer.json()["message"]) == (200, "success")
        return answer.json()["data"]

    async def open(self, name: str = "studio", **fields: Any) -> Any:
        body = {"name": name, "account_group": "user", "plan": "hobbyist", "type": "ppu", **fields}
        return await self("POST", "/api/account", body)


@pytest.fixture
async def office(each_api: Api) -> Office:
    """An operator's key belongs to the first account; the test runs on each kind of database."""
    async with each_api.services.database.write() as tx:
        _, key = await create_key(tx, 1, name="office", now=NOW, scopes=("read", "generate", "admin"))
    return Office(each_api, key)
