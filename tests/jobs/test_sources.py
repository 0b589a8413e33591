"""Pictures that jobs work on: found, refused, copied before the job is accepted, and never lost or charged for."""

import asyncio
import base64
import io
import time
from collections.abc import AsyncIterator
from typing import Any

import obstore
import pytest
import sqlalchemy as sa
from obstore.store import MemoryStore
from PIL import Image

from brushwork.accounts.account import Account
from brushwork.accounts.credits import check_ledger
from brushwork.accounts.directory import account_by_id
from brushwork.database.session import Database
from brushwork.database.tables import files as files_table
from brushwork.database.tables import jobs as jobs_table
from brushwork.database.tables import ledger
from brushwork.engines.noop import NoopEngine
from brushwork.errors import (
    BadRequest,
    BrushworkError,
    Conflict,
    FollowUpRefused,
    ImageNotInJob,
    InsufficientCredits,
    InvalidField,
    JobNotFound,
    Unavailable,
    UnreachablePicture,
)
from brushwork.files.addresses import Allowed
from brushwork.files.fetch import FetchRules
from brushwork.files.links import Links
from brushwork.files.pictures import Pictures
from brushwork.files.store import Files
from brushwork.jobs import given as given_chapter
from brushwork.jobs import sources as sources_chapter
from brushwork.jobs.followups import FollowUps
from brushwork.jobs.job import Job
from brushwork.jobs.jobs import Jobs
from brushwork.jobs.retention import remove_expired, remove_strays
from brushwork.jobs.rules import JobRules
from brushwork.jobs.sources import Sources
from brushwork.jobs.worker import Worker
from brushwork.tasks.base import Task
from tests.files.network import Web, answer, serving
from tests.jobs.conftest import MakeAccount
from tests.jobs.following import TASKS, Again, Collage, Retouch, Sketch, Verse, darker
from tests.jobs.test_worker import ended, until

DAY = 86400.0
RULES = JobRules(lease_seconds=1.5)


@pytest.fixture
def files(database: Database) -> Files:
    return Files(database, MemoryStore(), Links("http://brushwork.test", b"secret", 3600))


@pytest.fixture
def jobs(database: Database, files: Files) -> Jobs:
    pictures = Pictures(files, FetchRules(allowed=Allowed.parse("127.0.0.1"), seconds=2))
    return Jobs(database, RULES, sources=Sources(database, files, pictures, TASKS))


@pytest.fixture
async def web() -> AsyncIterator[Web]:
    answers = {"/red.png": answer(png("red")), "/blue.jpg": answer(png("blue", "JPEG")), "/text": answer(b"hello")}
    async with serving(answers) as server:
        yield server


def png(colour: str, kind: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (6, 4), colour).save(buffer, kind)
    return buffer.getvalue()


def inline(colour: str) -> str:
    return f"data:image/png;base64,{base64.b64encode(png(colour)).decode()}"


async def work(jobs: Jobs, files: Files, account: Account, *submitted: Job, **options: Any) -> list[Job]:
    """The jobs, once a worker has ended them."""
    worker = Worker(
        database=jobs.database, **{"files": files, "engine": NoopEngine(), "rules": RULES, "tasks": TASKS, **options}
    )
    stop = asyncio.Event()
    running = asyncio.create_task(worker.run(stop))
    try:
        return await ended(jobs, account, *submitted)
    finally:
        stop.set()
        await asyncio.wait_for(running, 20)


async def drawn(jobs: Jobs, files: Files, account: Account, task: Task) -> Job:
    (job,) = await work(jobs, files, account, await jobs.submit(account, task))
    assert job.client_status == "completed", job.error
    return job


def stored(files: Files) -> set[str]:
    return {str(file["path"]) for batch in obstore.list(files.store) for file in batch}


async def picture(jobs: Jobs, files: Files, job: Job, number: int = 0) -> Image.Image:
    file = [file for file in job.files if file.role == "image"][number]
    async with jobs.database.read() as tx:
        path = (await tx.execute(sa.select(files_table.c.path).where(files_table.c.id == file.id))).scalar_one()
    return Image.open(io.BytesIO(await files.read(path)))


async def change(database: Database, job: Job, **values: Any) -> None:
    async with database.write() as tx:
        await tx.execute(jobs_table.update().where(jobs_table.c.id == job.id).values(**values))


class Unchanged:
    """Looks whether a refused request left anything behind: a job, a file, a hold."""

    def __init__(self, jobs: Jobs, files: Files, account: Account) -> None:
        self.jobs, self.files, self.account = jobs, files, account
        self.before: Any = None

    async def state(self) -> Any:
        async with self.jobs.database.read() as tx:
            assert await check_ledger(tx) == []
            account = await account_by_id(tx, self.account.id)
            counts = [
                (await tx.execute(sa.select(sa.func.count()).select_from(table))).scalar_one()
                for table in (jobs_table, ledger, files_table)
            ]
        return account, counts, stored(self.files)

    async def __aenter__(self) -> None:
        self.before = await self.state()

    async def __aexit__(self, kind: Any, error: Any, traceback: Any) -> None:
        if error is None:
            assert await self.state() == self.before


async def test_a_follow_up_works_on_its_own_copy_of_the_picture(
    jobs: Jobs, files: Files, database: Database, make_account: MakeAccount
) -> None:
    account = await make_account()
    grid = await drawn(jobs, files, account, Sketch(text="a fox"))

    job = await jobs.submit(account, Retouch(job_id=grid.id, image_no=2))

    (given,) = job.given
    assert (given.path, given.width, given.height) == (f"jobs/{job.id}/source-0.png", 8, 8)
    assert given.recipe == {"index": 2}
    assert given.parent is not None
    assert (given.parent.job_id, given.parent.number, given.parent.task) == (grid.id, 2, "sketch")
    assert (given.parent.seed, given.parent.prompt, given.parent.input["text"]) == (grid.seed, "a fox", "a fox")
    assert given == (await jobs.get(account.id, job.id)).given[0]
    assert FollowUps(job, TASKS, time.time()).parent.prompt == "a fox"

    # All that is left of the parent goes while the child waits.
    await change(database, grid, expires_at=1.0)
    async with database.write() as tx:
        await tx.execute(files_table.update().where(files_table.c.job_id == grid.id).values(expires_at=1.0))
    expected = darker(await picture(jobs, files, grid, 2)).tobytes()
    assert await remove_expired(database, files) > 0
    assert stored(files) == {given.path}

    (done,) = await work(jobs, files, account, job)

    assert (await picture(jobs, files, done)).tobytes() == expected
    assert await remove_expired(database, files, now=time.time() + 31 * DAY) > 0
    assert stored(files) == set()


async def test_unknown_and_foreign_jobs_get_the_same_answer(
    jobs: Jobs, files: Files, make_account: MakeAccount
) -> None:
    anna, bert = await make_account(), await make_account(name="bert")
    grid = await drawn(jobs, files, anna, Sketch())

    answers = []
    for job_id in (grid.id, "5dd94ec3-7282-4f04-9445-59e850ef1822", "../" + grid.id, "x" * 10_000):
        async with Unchanged(jobs, files, bert):
            for task in (Retouch(job_id=job_id, image_no=9, veil="http://nowhere.invalid/"), Again(job_id=job_id)):
                with pytest.raises(JobNotFound) as refused:
                    await jobs.submit(bert, task)
                answers.append((refused.value.status, refused.value.code, refused.value.message, refused.value.detail))

    assert len({str(answer) for answer in answers}) == 1


REFUSALS: dict[str, tuple[dict[str, Any], str]] = {
    "unfinished": ({"status": "running", "ended_at": None}, "not finished"),
    "failed": ({"status": "failed"}, "failed"),
    "cancelled": ({"status": "cancelled"}, "cancelled"),
    "expired": ({"followup_until": 1e9}, "2001-09-09"),
    "wrong_kind": ({"task": "verse"}, "made text, but retouch follows a grid of pictures or a single picture"),
    "not_possible": ({"input": {"text": "a secret"}}, "Secrets are not retouched."),
}


@pytest.mark.parametrize("reason", REFUSALS)
async def test_each_refusal_has_its_reason_and_leaves_nothing_behind(
    jobs: Jobs, files: Files, database: Database, make_account: MakeAccount, reason: str
) -> None:
    account = await make_account()
    grid = await drawn(jobs, files, account, Sketch(text="a fox"))
    values, words = REFUSALS[reason]
    await change(database, grid, **values)

    async with Unchanged(jobs, files, account):
        with pytest.raises(FollowUpRefused, match=words) as refused:
            await jobs.submit(account, Retouch(job_id=grid.id))

    assert refused.value.status == 400
    assert refused.value.detail == {"reason": reason, "job_id": grid.id}
    now = time.time()
    assert str(FollowUps(await jobs.get(account.id, grid.id), TASKS, now).refusal(Retouch)) == str(refused.value)


async def test_a_job_of_a_task_that_is_no_more_cannot_be_followed(
    jobs: Jobs, files: Files, database: Database, make_account: MakeAccount
) -> None:
    account = await make_account()
    grid = await drawn(jobs, files, account, Sketch())
    await change(database, grid, task="woodcut")

    with pytest.raises(FollowUpRefused, match="something unknown"):
        await jobs.submit(account, Retouch(job_id=grid.id))


async def test_a_picture_that_the_job_does_not_have_is_named(
    jobs: Jobs, files: Files, make_account: MakeAccount
) -> None:
    account = await make_account()
    single = await drawn(jobs, files, account, Sketch(pictures=1))

    async with Unchanged(jobs, files, account):
        with pytest.raises(ImageNotInJob, match="Image 3 was asked for, but the job has 1") as refused:
            await jobs.submit(account, Retouch(job_id=single.id, image_no=3))

    assert refused.value.detail == {"image_no": 3, "available": 1}


async def test_a_picture_that_was_removed_a_moment_ago_is_expired(
    jobs: Jobs, files: Files, make_account: MakeAccount
) -> None:
    account = await make_account()
    grid = await drawn(jobs, files, account, Sketch())
    await files.delete_folder(f"jobs/{grid.id}")

    async with Unchanged(jobs, files, account):
        with pytest.raises(FollowUpRefused) as refused:
            await jobs.submit(account, Retouch(job_id=grid.id))

    assert refused.value.detail == {"reason": "expired", "job_id": grid.id}


async def test_pictures_from_outside_are_cleaned_and_a_file_is_delivered(
    jobs: Jobs, files: Files, database: Database, make_account: MakeAccount, web: Web
) -> None:
    account = await make_account()

    done = await drawn(
        jobs, files, account, Collage(urls=(f"{web.url}/red.png", f"{web.url}/blue.jpg", inline("lime")))
    )

    assert [(given.width, given.height, given.parent) for given in done.given] == [(6, 4, None)] * 3
    assert [(file.role, file.content_type, file.width) for file in done.files] == [("image", "image/tiff", 18)]
    whole = await picture(jobs, files, done)
    assert (whole.format, whole.getpixel((0, 0)), whole.getpixel((13, 0))) == ("TIFF", (255, 0, 0), (0, 255, 0))
    async with database.read() as tx:
        (row,) = (await tx.execute(sa.select(files_table.c.path, files_table.c.size))).all()
    assert row.path.endswith("/0.tif")
    assert row.size == len(await files.read(row.path))
    assert len(web.requests) == 2


async def test_what_came_inside_a_request_is_kept_by_its_hash_only(
    jobs: Jobs, files: Files, make_account: MakeAccount
) -> None:
    account = await make_account()

    job = await jobs.submit(account, Collage(urls=(inline("red"), inline("red"), inline("blue"))))

    first, second, third = job.input["urls"]
    assert first == second != third
    assert len(first) == len("data:sha256,") + 64
    (done,) = await work(jobs, files, account, job)
    assert done.client_status == "completed"


@pytest.mark.parametrize("path", ["/text", "/missing.png"])
async def test_one_bad_picture_refuses_the_request_and_takes_back_the_others(
    jobs: Jobs, files: Files, make_account: MakeAccount, web: Web, path: str
) -> None:
    account = await make_account()

    async with Unchanged(jobs, files, account):
        with pytest.raises(BrushworkError) as refused:
            await jobs.submit(account, Collage(urls=(f"{web.url}/red.png", inline("blue"), web.url + path)))

    assert refused.value.status == 422
    assert refused.value.detail["field"] == "urls[2]"


async def test_what_cannot_be_paid_keeps_no_picture(jobs: Jobs, files: Files, make_account: MakeAccount) -> None:
    account = await make_account(5)

    async with Unchanged(jobs, files, account):
        with pytest.raises(InsufficientCredits):
            await jobs.submit(account, Collage(urls=(inline("red"),)))


async def test_nothing_is_fetched_for_an_account_that_has_nothing(
    jobs: Jobs, files: Files, make_account: MakeAccount, web: Web
) -> None:
    account = await make_account(0)

    async with Unchanged(jobs, files, account):
        with pytest.raises(InsufficientCredits) as refused:
            await jobs.submit(account, Collage(urls=(f"{web.url}/red.png",)))

    assert refused.value.detail == {"needed": 10, "available": 0}
    assert web.requests == []


async def test_pictures_that_the_task_does_not_like_are_not_kept(
    jobs: Jobs, files: Files, make_account: MakeAccount
) -> None:
    account = await make_account()
    grid = await drawn(jobs, files, account, Sketch())

    async with Unchanged(jobs, files, account):
        with pytest.raises(InvalidField):
            await jobs.submit(account, Retouch(job_id=grid.id, picky=True))


async def test_more_pictures_than_anyone_needs_are_refused_before_the_first(
    jobs: Jobs, files: Files, make_account: MakeAccount, web: Web
) -> None:
    account = await make_account()

    with pytest.raises(BadRequest, match="17 pictures; at most 16"):
        await jobs.submit(account, Collage(urls=(f"{web.url}/red.png",) * 17))

    assert web.requests == []


async def test_the_pictures_of_a_request_have_one_time_limit(
    jobs: Jobs, files: Files, make_account: MakeAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = await make_account()
    monkeypatch.setattr(sources_chapter, "TOTAL_SECONDS", 0.2)

    async def never(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(1.5)

    async with serving({"/slow.png": never}) as web, Unchanged(jobs, files, account):
        with pytest.raises(UnreachablePicture, match=r"within 0\.2 seconds"):
            await jobs.submit(account, Collage(urls=(inline("red"), f"{web.url}/slow.png")))


async def test_a_request_that_is_sent_again_fetches_nothing_again(
    jobs: Jobs, files: Files, make_account: MakeAccount, web: Web
) -> None:
    account = await make_account()
    task = Collage(urls=(f"{web.url}/red.png", inline("blue")))
    first = await jobs.submit(account, task, idempotency_key="once")
    web.answers = {}

    again = await jobs.submit(account, task, idempotency_key="once")

    assert again.id == first.id
    assert len(web.requests) == 1
    assert {path.split("/")[1] for path in stored(files)} == {first.id}
    with pytest.raises(Conflict):
        await jobs.submit(account, Collage(urls=(f"{web.url}/red.png", inline("lime"))), idempotency_key="once")


async def test_equal_requests_at_the_same_moment_make_one_job_and_keep_its_pictures_only(
    jobs: Jobs, files: Files, make_account: MakeAccount, web: Web
) -> None:
    account = await make_account()
    task = Collage(urls=(f"{web.url}/red.png",))

    made = await asyncio.gather(*(jobs.submit(account, task, idempotency_key="once") for _ in range(8)))

    assert len({job.id for job in made}) == 1
    assert stored(files) == {made[0].given[0].path}
    (done,) = await work(jobs, files, account, made[0])
    assert done.client_status == "completed"


async def test_a_link_that_was_signed_anew_is_the_same_request(
    jobs: Jobs, files: Files, make_account: MakeAccount
) -> None:
    account = await make_account()
    grid = await drawn(jobs, files, account, Sketch())
    links = [files.link(grid.files[1].id, "image/png", now=time.time() + hours * 3600) for hours in (0, 2)]

    first, again = [await jobs.submit(account, Collage(urls=(link,)), idempotency_key="once") for link in links]

    assert links[0] != links[1]
    assert first.id == again.id


async def test_a_job_as_a_whole_brings_what_it_was_given_itself(
    jobs: Jobs, files: Files, database: Database, make_account: MakeAccount, web: Web
) -> None:
    account = await make_account()
    grid = await drawn(jobs, files, account, Sketch(text="a fox"))
    touched = await drawn(jobs, files, account, Retouch(job_id=grid.id, image_no=1, veil=f"{web.url}/red.png"))
    web.answers = {}

    once = await drawn(jobs, files, account, Again(job_id=touched.id))
    await files.delete_folder(f"jobs/{touched.id}")
    await files.delete_folder(f"jobs/{grid.id}")
    twice = await drawn(jobs, files, account, Again(job_id=once.id))

    assert once.seed != touched.seed
    for job, before in ((once, touched), (twice, once)):
        parent = job.given[0].parent
        assert parent is not None
        assert (parent.job_id, parent.seed, parent.task, parent.prompt) == (before.id, before.seed, "retouch", "a fox")
        assert [one.path for one in parent.given] == [f"jobs/{job.id}/source-{number}.png" for number in (0, 1)]
        assert job.output == {"sizes": [[8, 8], [6, 4]]}
    assert len(web.requests) == 1


async def test_a_store_that_is_away_refuses_a_follow_up_and_delays_a_worker(
    jobs: Jobs, files: Files, database: Database, make_account: MakeAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(given_chapter, "RETRY_SECONDS", (0.05,))
    account = await make_account()
    grid = await drawn(jobs, files, account, Sketch())
    away = AwayFiles(database, files.store, files.links)
    apart = Jobs(database, RULES, sources=Sources(database, away, Pictures(away), TASKS))

    for task in (Retouch(job_id=grid.id), Collage(urls=(inline("red"),))):
        with pytest.raises(Unavailable):
            await apart.submit(account, task)
    job = await jobs.submit(account, Retouch(job_id=grid.id))
    away.fails = 3
    (done,) = await work(jobs, away, account, job)

    assert (done.client_status, done.attempts) == ("completed", 1)


class AwayFiles(Files):
    """A store that is not there for the next so many requests."""

    fails = 1_000_000

    async def read(self, path: str) -> bytes:
        self.stumble()
        return await super().read(path)

    async def copy(self, source: str, target: str) -> None:
        self.stumble()
        await super().copy(source, target)

    async def put(self, path: str, data: bytes, content_type: str) -> None:
        if self.fails > 1000:
            raise OSError("the store is away")
        await super().put(path, data, content_type)

    def stumble(self) -> None:
        self.fails -= 1
        if self.fails >= 0:
            raise Unavailable("The store of files does not answer as it should; try again later.")


async def test_a_picture_that_is_lost_fails_the_job_and_charges_nothing(
    jobs: Jobs, files: Files, database: Database, make_account: MakeAccount
) -> None:
    account = await make_account()
    job = await jobs.submit(account, Collage(urls=(inline("red"),)))
    await files.delete_folder(f"jobs/{job.id}")

    (failed,) = await work(jobs, files, account, job)

    assert failed.error is not None
    assert (failed.client_status, failed.error["detail"]["code"]) == ("failed", "source_lost")
    async with database.read() as tx:
        after = await account_by_id(tx, account.id)
    assert (after.balance, after.frozen) == (1000, 0)


async def test_a_job_that_waits_for_its_pictures_can_be_cancelled(
    jobs: Jobs, files: Files, database: Database, make_account: MakeAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(given_chapter, "RETRY_SECONDS", (0.05,))
    account = await make_account()
    job = await jobs.submit(account, Collage(urls=(inline("red"),)))
    away = AwayFiles(database, files.store, files.links)

    async def cancelled() -> None:
        await until(lambda: is_staged(jobs, account, job))
        await jobs.cancel(account.id, job.id)

    (ended_job,), _ = await asyncio.gather(work(jobs, away, account, job), cancelled())

    assert ended_job.status == "cancelled"


async def is_staged(jobs: Jobs, account: Account, job: Job) -> bool:
    return (await jobs.get(account.id, job.id)).client_status == "staged"


async def test_what_a_killed_server_gathered_for_no_job_is_swept_after_a_day(
    jobs: Jobs, files: Files, database: Database, make_account: MakeAccount
) -> None:
    account = await make_account()
    waiting = await jobs.submit(account, Collage(urls=(inline("red"),)))
    await files.put("jobs/5dd94ec3-7282-4f04-9445-59e850ef1822/source-0.png", b"data", "image/png")

    assert await remove_strays(database, files, now=time.time()) == 0
    assert await remove_strays(database, files, now=time.time() + 2 * DAY) == 1
    assert await remove_strays(database, files, now=time.time() + 2 * DAY) == 0

    assert stored(files) == {waiting.given[0].path}


async def test_only_tasks_that_start_from_nothing_do_without_a_way_to_pictures(
    database: Database, make_account: MakeAccount
) -> None:
    account = await make_account()
    bare = Jobs(database)

    assert (await bare.submit(account, Verse())).status == "queued"
    with pytest.raises(LookupError):
        await bare.submit(account, Again(job_id="x"))
