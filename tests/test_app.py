"""The composition root on a bad day: damaged files, full disks, log lines that nobody takes."""

import asyncio
import sys
from pathlib import Path

import pytest
import structlog

from brushwork.app import configure_logs, open_database, prepare, signing_secret
from brushwork.database.session import Database
from brushwork.errors import Unavailable
from brushwork.settings import Settings


def settings_in(folder: Path, **given: object) -> Settings:
    return Settings(_env_file=None, data_dir=folder, **given)  # type: ignore[arg-type]  # any setting


@pytest.mark.parametrize("damage", [b"", b"\n", b"\xff\xfe", b"short"])
def test_a_damaged_secret_signs_nothing(tmp_path: Path, damage: bytes) -> None:
    assert len(signing_secret(settings_in(tmp_path))) == 64
    (tmp_path / "secret").write_bytes(damage)

    with pytest.raises(Unavailable, match="remove the file"):
        signing_secret(settings_in(tmp_path))

    (tmp_path / "secret").unlink()
    assert len(signing_secret(settings_in(tmp_path))) == 64
    assert [path.name for path in tmp_path.iterdir()] == ["secret"]


@pytest.mark.parametrize("damage", [b"", b"\xff\xfe", b"bw_\n<script>"])
async def test_a_damaged_first_key_is_not_shown_and_stops_nothing(tmp_path: Path, damage: bytes) -> None:
    settings = settings_in(tmp_path)
    database = open_database(settings)
    first = await prepare(settings, database)
    again = await prepare(settings, database)
    (tmp_path / "first-key").write_bytes(damage)

    assert first is not None
    assert again is not None
    assert again.key == first.key
    assert await prepare(settings, database) is None
    await database.close()


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_log_lines_that_nobody_takes_end_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, log_format: str
) -> None:
    configure_logs(settings_in(tmp_path, log_format=log_format))
    log = structlog.get_logger("test")

    class Full:
        def write(self, _text: str) -> int:
            raise OSError(28, "No space left on device")

        def flush(self) -> None: ...

    monkeypatch.setattr(sys, "stderr", Full())
    log.info("one")
    log.exception("two")


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_a_traceback_in_the_log_has_no_local_variables(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], log_format: str
) -> None:
    configure_logs(settings_in(tmp_path, log_format=log_format))

    def fail(prompt: str) -> None:
        raise RuntimeError("broken")

    try:
        fail("a " + "canary")
    except RuntimeError:
        structlog.get_logger("test").exception("unforeseen error")

    shown = capsys.readouterr().err
    assert "RuntimeError" in shown
    assert "fail(" in shown
    assert "a canary" not in shown


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
def test_a_database_that_only_one_process_could_see_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="must be a file"):
        asyncio.run(Database(url).close())


async def test_a_new_data_folder_is_for_its_owner_only(tmp_path: Path) -> None:
    settings = settings_in(tmp_path / "data")

    await open_database(settings).close()

    assert settings.data_dir.stat().st_mode & 0o077 == 0
