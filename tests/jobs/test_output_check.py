"""The operator's own look at finished pictures: it sees them first, and nothing passes where it fails."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
import structlog
from PIL import Image

from brushwork.accounts.credits import check_ledger
from brushwork.database.tables import audits, events, files, ledger
from brushwork.engines.tools.video import Film
from brushwork.errors import EngineFailed, OutputRefused, Unavailable
from brushwork.jobs.output_check import load_check, look_at
from brushwork.tasks.base import MadeFile, Outcome
from tests.api.conftest import Api, running, settings_for
from tests.api.drawing import ended, working
from tests.conftest import NewDatabase

CHECKS = '''
"""Checks as an operator may write them."""

import sys

seen = []

def strict(image, prompt):
    seen.append((image.size, prompt))
    return "blood" if "gore" in prompt else None

def broken(image, prompt):
    raise RuntimeError("the model is gone: CANARY")

def vague(image, prompt):
    return True

def exiting(image, prompt):
    sys.exit(3)

def interrupted(image, prompt):
    raise KeyboardInterrupt

def blank(image, prompt):
    return " \\n"

def garbled(image, prompt):
    return "blood\\x00\\ud800\\n" + "x" * 100_000

async def awaited(image, prompt):
    return None

nothing = None
'''

RAISES = '    raise RuntimeError("the model is gone: CANARY")'


@pytest.fixture
def checks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    (tmp_path / "operators_checks.py").write_text(CHECKS)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "operators_checks", raising=False)
    import operators_checks  # type: ignore[import-not-found]  # written a moment ago

    return operators_checks


async def outcome_of(folder: Path, url: str, check: str, prompt: str) -> tuple[dict[str, Any], Any]:
    settings = settings_for(folder / "data", url).model_copy(update={"output_check": f"operators_checks:{check}"})
    async with running(settings) as api:
        job_id = await api.submit(prompt)
        async with working(api):
            job = await ended(api, job_id)
        return job, await left_by(api)


async def left_by(api: Api) -> dict[str, Any]:
    async with api.services.database.read() as tx:
        assert await check_ledger(tx) == []
        return {
            "files": len((await tx.execute(sa.select(files.c.id))).all()),
            "kinds": sorted((await tx.execute(sa.select(ledger.c.kind).where(ledger.c.job_id.is_not(None)))).scalars()),
            "audits": [(row.kind, row.data) for row in await tx.execute(sa.select(audits))],
            "previews": (await tx.execute(sa.select(events.c.id).where(events.c.kind == "preview"))).all(),
            "stored": await api.services.files.folders("jobs"),
        }


async def test_a_refused_picture_is_not_kept_not_charged_and_written_down(
    checks: Any, tmp_path: Path, database_url: str
) -> None:
    job, left = await outcome_of(tmp_path, database_url, "strict", "a castle of gore")

    assert job["status"] == "failed"
    assert job["error"]["code"] == 403
    assert job["error"]["detail"] == {"code": "output_refused", "category": "blood", "image_no": 0}
    assert left["files"] == 0
    assert left["stored"] == []
    assert left["kinds"] == ["hold", "release"]
    assert left["audits"] == [("moderation", {"category": "blood", "job_id": job["job_id"]})]


async def test_other_pictures_pass_and_each_was_seen(checks: Any, tmp_path: Path, new_sqlite: NewDatabase) -> None:
    job, left = await outcome_of(tmp_path, new_sqlite(), "strict", "a castle")

    assert job["status"] == "completed"
    assert [prompt for _, prompt in checks.seen] == ["a castle"] * 4
    assert left["files"] == 5
    assert left["previews"] == []


async def test_whatever_a_check_returns_can_be_stored_and_shown(checks: Any, tmp_path: Path, database_url: str) -> None:
    job, left = await outcome_of(tmp_path, database_url, "garbled", "a castle")

    assert job["status"] == "failed"
    assert job["error"]["detail"]["category"] == f"blood {'x' * 56}"
    assert left["audits"] == [("moderation", {"category": f"blood {'x' * 56}", "job_id": job["job_id"]})]


@pytest.mark.parametrize("check", ["broken", "vague", "exiting", "interrupted", "blank"])
async def test_a_check_that_cannot_say_lets_nothing_pass(
    checks: Any, tmp_path: Path, new_sqlite: NewDatabase, check: str
) -> None:
    job, left = await outcome_of(tmp_path, new_sqlite(), check, "a castle")

    assert (job["status"], job["error"]["detail"]["code"]) == ("failed", "engine_failed")
    assert "check of finished pictures failed" in job["error"]["message"]
    assert "CANARY" not in str(job)
    assert left["files"] == 0
    assert left["kinds"] == ["hold", "release"]


@pytest.mark.parametrize(
    "name",
    [
        "operators_checks",
        "operators_checks:nothing",
        "operators_checks:awaited",
        "operators_checks:none",
        "not_there:check",
        ":",
        "a:b:c",
    ],
)
def test_a_check_that_is_not_there_is_named_at_once(checks: Any, name: str) -> None:
    with pytest.raises(Unavailable, match="BRUSHWORK_OUTPUT_CHECK"):
        load_check(name)


def test_a_file_on_disk_is_shown_at_a_size_that_fits_into_memory(tmp_path: Path) -> None:
    path = tmp_path / "large.jpg"
    Image.new("RGB", (5000, 2500), "red").save(path)
    seen: list[Image.Image] = []

    look_at(lambda image, _: seen.append(image), Outcome(files=[MadeFile(path, "image/jpeg", 5000, 2500)]), "a wall")

    assert seen[0].size == (2048, 1024)
    red, green, blue = seen[0].getpixel((9, 9))  # type: ignore[misc]  # of an RGB picture
    assert red > 250
    assert green < 5
    assert blue < 5


def test_of_a_clip_a_frame_of_every_second_is_looked_at(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    with Film(path, width=64, height=48, fps=24) as film:
        for number in range(60):
            film.write(np.full((48, 64, 3), 4 * number, np.uint8))
    seen: list[int] = []

    def check(image: Image.Image, _: str) -> None:
        seen.append(image.convert("L").resize((1, 1)).tobytes()[0])

    look_at(check, Outcome(files=[MadeFile(path, "video/mp4", 64, 48, role="video")]), "a dawn")

    assert len(seen) == 3
    assert seen[0] < 8
    assert seen[-1] > 180


def test_what_a_check_paints_over_stays_its_own() -> None:
    picture = Image.new("RGB", (8, 8), "white")

    look_at(lambda image, _: image.paste("black", (0, 0, 8, 8)), Outcome(images=[picture]), "")

    assert picture.getpixel((3, 3)) == (255, 255, 255)


def test_the_first_refused_picture_is_named() -> None:
    sizes = {4: None, 5: "gore"}
    outcome = Outcome(images=[Image.new("L", (size, size)) for size in sizes])

    with pytest.raises(OutputRefused, match="Picture 1"):
        look_at(lambda image, _: sizes[image.width], outcome, "")
    with pytest.raises(EngineFailed):
        look_at(lambda image, _: image.no_such_thing, outcome, "")  # type: ignore[attr-defined]


def test_the_log_says_for_which_job_and_where_a_check_failed_and_not_its_words(checks: Any) -> None:
    outcome = Outcome(images=[Image.new("L", (4, 4))])

    with structlog.testing.capture_logs() as lines, pytest.raises(EngineFailed):
        look_at(checks.broken, outcome, "a castle", job_id="job-1")

    assert (lines[0]["job_id"], lines[0]["error"]) == ("job-1", "RuntimeError")
    assert lines[0]["where"].endswith(f"operators_checks.py:{CHECKS.splitlines().index(RAISES) + 1}")
    assert "CANARY" not in str(lines)
