"""An API in this process, on each kind of database, with its first key. No worker: jobs stay where they are."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from brushwork.accounts.credits import grant
from brushwork.accounts.keys import create_key
from brushwork.api.dependencies import Services
from brushwork.app import create_app, make_account, open_database, prepare
from brushwork.settings import Settings
from tests.conftest import NewDatabase

NOW = 1_790_000_000.0


@dataclass(frozen=True)
class Api:
    """A running app, and a client of it that holds the first key."""

    app: FastAPI
    client: httpx.AsyncClient
    key: str
    settings: Settings

    @property
    def services(self) -> Services:
        services: Services = self.app.state.services
        return services

    async def key_of_new_account(self, name: str, *, points: int = 1000) -> str:
        """The key of another account, on the free plan."""
        async with self.services.database.write() as tx:
            account = await make_account(tx, self.settings, name, plan="free", now=NOW)
            if points:
                await grant(tx, account.id, points, now=NOW)
            _, key = await create_key(tx, account.id, name="test", now=NOW)
        return key

    async def submit(self, text: str = "a lighthouse") -> str:
        """The id of a new job."""
        answer = await self.client.post("/api/v1/diffusion", json={"text": text})
        assert answer.status_code == 200, answer.text
        return str(answer.json()["job_id"])


def settings_for(folder: Path, database_url: str) -> Settings:
    return Settings(
        _env_file=None,
        data_dir=folder,
        database_url=database_url,
        engine="noop",
        public_url="http://brushwork.test",
        max_body_mb=0.1,
        log_format="json",
    )


@pytest.fixture
async def api(tmp_path: Path, new_sqlite: NewDatabase) -> AsyncIterator[Api]:
    """For what does not depend on the kind of database."""
    async with running(settings_for(tmp_path / "data", new_sqlite())) as api:
        yield api


@pytest.fixture
async def each_api(tmp_path: Path, database_url: str) -> AsyncIterator[Api]:
    """The test runs on SQLite and on PostgreSQL."""
    async with running(settings_for(tmp_path / "data", database_url)) as api:
        yield api


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Api]:
    database = open_database(settings)
    first = await prepare(settings, database)
    await database.close()
    assert first is not None
    app = create_app(settings)
    async with app.router.lifespan_context(app), client_of(app, first.key) as client:
        yield Api(app, client, first.key, settings)


def client_of(app: FastAPI, key: str) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app)
    return httpx.AsyncClient(transport=transport, base_url="http://brushwork.test", headers={"x-api-key": key})
