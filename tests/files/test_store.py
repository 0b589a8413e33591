"""Files: invisible until published, readable in parts, gone when deleted."""

from pathlib import Path

import pytest

from brushwork.accounts.directory import create_account
from brushwork.database.session import Database
from brushwork.errors import FileNotFound
from brushwork.files.links import Links
from brushwork.files.store import CHUNK, Files, open_store
from brushwork.files.stored import StoredFile

NOW = 1_800_000_000.0
LINKS = Links("http://127.0.0.1:1", b"secret", seconds=3600)
DATA = bytes(range(256)) * 5000  # more than one chunk


@pytest.fixture(params=["memory", "folder"])
def files(request: pytest.FixtureRequest, database: Database, tmp_path: Path) -> Files:
    url = "memory://" if request.param == "memory" else f"file://{tmp_path}/a folder"
    return Files(database, open_store(url), LINKS)


async def publish(files: Files, file_id: str = "f" * 32, *, expires_at: float = NOW + 9999) -> str:
    stored = StoredFile(file_id, "jobs/j/t/0.png", "image", "image/png", len(DATA), 8, 8)
    await files.put(stored.path, DATA, "image/png")
    async with files.database.write() as tx:
        account = await create_account(tx, "anna", plan="free", max_inflight=1, now=NOW)
        await files.publish(tx, account_id=account.id, job_id="j", files=[stored], now=NOW, expires_at=expires_at)
    return file_id


def query(files: Files, file_id: str) -> dict[str, str]:
    expires = files.links.expires_at(NOW)
    return {"expires": str(expires), "signature": files.links.signature(file_id, expires)}


async def test_a_published_file_is_read_back_whole_and_in_parts(files: Files) -> None:
    file_id = await publish(files)

    opened = await files.open(file_id, **query(files, file_id), now=NOW)

    assert len(DATA) > CHUNK
    assert (opened.size, opened.content_type) == (len(DATA), "image/png")
    assert b"".join([part async for part in opened.read()]) == DATA
    assert b"".join([part async for part in opened.read(10, 20)]) == DATA[10:20]


async def test_a_file_without_a_row_cannot_be_opened(files: Files) -> None:
    await files.put("jobs/j/t/0.png", DATA, "image/png")

    with pytest.raises(FileNotFound):
        await files.open("f" * 32, **query(files, "f" * 32), now=NOW)


async def test_a_file_past_its_time_cannot_be_opened(files: Files) -> None:
    file_id = await publish(files, expires_at=NOW - 1)

    with pytest.raises(FileNotFound):
        await files.open(file_id, **query(files, file_id), now=NOW)


async def test_an_altered_link_opens_nothing(files: Files) -> None:
    file_id = await publish(files)

    with pytest.raises(FileNotFound):
        await files.open(file_id, expires="1900000000", signature="0" * 32, now=NOW)


async def test_deleting_is_final_and_may_be_repeated(files: Files) -> None:
    file_id = await publish(files)

    await files.delete(["jobs/j/t/0.png", "jobs/j/t/0.png", "jobs/never/there.png"])

    opened = await files.open(file_id, **query(files, file_id), now=NOW)
    with pytest.raises(FileNotFound):
        [part async for part in opened.read()]


async def test_a_store_says_whether_it_can_be_written(files: Files, tmp_path: Path) -> None:
    assert await files.is_writable()

    blocked = tmp_path / "blocked"
    broken = Files(files.database, open_store(f"file://{blocked}"), LINKS)
    blocked.rmdir()
    blocked.write_text("a file where the folder was")
    assert not await broken.is_writable()


def test_an_unknown_kind_of_store_is_named() -> None:
    with pytest.raises(ValueError, match="ftp://"):
        open_store("ftp://example/files")
