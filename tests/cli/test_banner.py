"""What `serve` says when it starts: the first key, when the server is its owner's alone."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from brushwork.accounts.keys import revoke_key
from brushwork.app import FirstKey, make_account, open_database, prepare
from brushwork.cli import serve
from brushwork.settings import Settings

Show = Callable[[Settings, FirstKey | None], str]


def settings_in(folder: Path, **given: object) -> Settings:
    return Settings(_env_file=None, data_dir=folder, **given)  # type: ignore[arg-type]  # any setting


@pytest.fixture
def show(monkeypatch: pytest.MonkeyPatch) -> Show:
    def shown(settings: Settings, first: FirstKey | None) -> str:
        said = io.StringIO()
        screen = Console(file=said, color_system=None, width=300, highlight=False)
        with monkeypatch.context() as patch:
            patch.setattr(serve, "console", screen)
            serve.banner(settings, first)
        return said.getvalue()

    return shown


async def started(settings: Settings, *, others: bool = False, revoked: bool = False) -> FirstKey | None:
    """What a start finds; the second one, where something has happened in between."""
    database = open_database(settings)
    try:
        first = await prepare(settings, database)
        if not (others or revoked):
            return first
        async with database.write() as tx:
            if others:
                await make_account(tx, settings, "other", plan=None, now=1.0)
            if revoked:
                await revoke_key(tx, 1, now=1.0)
        return await prepare(settings, database)
    finally:
        await database.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.9.9.9"])
async def test_the_owner_of_a_private_server_sees_the_key(tmp_path: Path, show: Show, host: str) -> None:
    settings = settings_in(tmp_path, host=host)
    first = await started(settings)
    assert first is not None

    said = show(settings, first)

    assert first.key in said
    assert str(tmp_path / "first-key") in said
    assert said == show(settings, await started(settings))  # and again at the next start


@pytest.mark.parametrize(
    "given",
    [
        {"host": "0.0.0.0"},
        {"host": "::"},
        {"host": "192.168.1.7"},
        {"public_url": "https://pictures.example.com"},
        {"production": True},
    ],
)
async def test_a_server_that_others_reach_says_only_where_the_key_is(
    tmp_path: Path, show: Show, given: dict[str, object]
) -> None:
    settings = settings_in(tmp_path, **given)
    first = await started(settings)
    assert first is not None

    said = show(settings, first)

    assert first.key not in said
    assert f"x-api-key: $(cat {tmp_path / 'first-key'})" in said


async def test_a_server_with_other_accounts_says_only_where_the_key_is(tmp_path: Path, show: Show) -> None:
    settings = settings_in(tmp_path)
    first = await started(settings, others=True)
    assert first is not None

    assert first.key not in show(settings, first)


async def test_a_key_that_was_revoked_is_not_offered(tmp_path: Path, show: Show) -> None:
    settings = settings_in(tmp_path)

    said = show(settings, await started(settings, revoked=True))

    assert "first-key" not in said
    assert "brushwork keys create" in said


async def test_the_line_to_paste_works_with_any_folder(tmp_path: Path, show: Show) -> None:
    settings = settings_in(tmp_path / "my $data [x]", host="0.0.0.0")

    said = show(settings, await started(settings))

    assert f"$(cat '{tmp_path / 'my $data [x]' / 'first-key'}')" in said
