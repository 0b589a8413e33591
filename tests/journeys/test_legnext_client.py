"""The Python client from the package index, unchanged, against a real server with a real worker."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from legnext import AsyncClient, Client
from legnext.types.enums import JobStatus, TaskType
from legnext.types.errors import AuthenticationError, LegnextAPIError, NotFoundError, ValidationError
from legnext.types.responses import TaskResponse

from tests.journeys.server import Server, serving

UNKNOWN = "00000000-0000-4000-8000-000000000000"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("legnext")) as server:
        yield server


@pytest.fixture
def client(server: Server) -> Iterator[Client]:
    with Client(api_key=server.key, base_url=f"{server.url}/api") as client:
        yield client


def check_pictures(job: TaskResponse) -> None:
    """The client read a completed job, and its links lead to pictures."""
    assert job.status is JobStatus.COMPLETED
    assert job.output is not None
    assert job.output.image_urls is not None
    assert job.output.image_url not in job.output.image_urls
    assert len(job.output.image_urls) == 4
    assert job.output.seed == "42"
    assert job.meta is not None
    assert job.meta.usage is not None
    assert (job.meta.usage.frozen, job.meta.usage.consume) == (80, 80)
    assert job.meta.ended_at is not None
    assert job.meta.ended_at >= job.meta.created_at
    for url in [job.output.image_url, *job.output.image_urls]:
        picture = httpx.get(str(url), trust_env=False)
        assert picture.status_code == 200
        assert picture.headers["content-type"] == "image/png"
        assert picture.content.startswith(b"\x89PNG")


def test_a_picture_from_a_prompt(client: Client) -> None:
    before = client.account.balance()

    submitted = client.midjourney.diffusion(text="a lighthouse --seed 42", callback="https://receiver.invalid/hook")
    finished = client.tasks.wait_for_completion(submitted.job_id, timeout=60, poll_interval=0.1)

    assert submitted.task_type is TaskType.DIFFUSION
    assert submitted.status is JobStatus.PENDING
    assert submitted.config is not None
    assert submitted.config.webhook_config is not None
    assert str(submitted.config.webhook_config.endpoint) == "https://receiver.invalid/hook"
    check_pictures(finished)
    assert client.tasks.get(submitted.job_id) == finished
    after = client.account.balance()
    assert before.available_points is not None
    assert after.available_points == before.available_points - 80


async def test_a_picture_from_a_prompt_asynchronously(server: Server) -> None:
    async with AsyncClient(api_key=server.key, base_url=f"{server.url}/api") as client:
        submitted = await client.midjourney.diffusion(text="a lighthouse --seed 42")
        finished = await client.tasks.wait_for_completion(submitted.job_id, timeout=60, poll_interval=0.1)
        balance = await client.account.balance()

    check_pictures(finished)
    assert balance.account_id == 1
    assert balance.balance_usd == balance.balance


def test_errors_are_the_classes_the_client_promises(server: Server, client: Client) -> None:
    with Client(api_key="bw_wrong", base_url=f"{server.url}/api") as stranger:
        with pytest.raises(AuthenticationError) as unknown_key:
            stranger.account.balance()
        with pytest.raises(AuthenticationError):
            stranger.midjourney.diffusion(text="a fox")
    with pytest.raises(NotFoundError) as unknown_job:
        client.tasks.get(UNKNOWN)
    with pytest.raises(ValidationError) as unknown_flag:
        client.midjourney.diffusion(text="a fox --frobnicate")
    with pytest.raises(LegnextAPIError) as out_of_range:
        client.midjourney.diffusion(text="a fox --stylize 5000")

    assert "key" in unknown_key.value.message
    assert unknown_job.value.message == "There is no job with this id."
    assert "--frobnicate" in unknown_flag.value.message
    assert unknown_flag.value.error is not None
    assert unknown_flag.value.error.code == 400
    assert out_of_range.value.status_code == 422


async def test_errors_are_the_same_classes_asynchronously(server: Server) -> None:
    async with AsyncClient(api_key="bw_wrong", base_url=f"{server.url}/api") as stranger:
        with pytest.raises(AuthenticationError):
            await stranger.account.balance()
    async with AsyncClient(api_key=server.key, base_url=f"{server.url}/api") as client:
        with pytest.raises(NotFoundError):
            await client.tasks.get(UNKNOWN)
        with pytest.raises(ValidationError):
            await client.midjourney.diffusion(text="a fox --frobnicate")


def test_a_job_that_was_cancelled_fails_with_a_reason(tmp_path: Path) -> None:
    with serving(tmp_path, workers=0) as server, Client(api_key=server.key, base_url=f"{server.url}/api") as client:
        submitted = client.midjourney.diffusion(text="a fox")
        url = f"{server.url}/api/v1/job/{submitted.job_id}/cancel"
        httpx.post(url, headers={"x-api-key": server.key}, trust_env=False).raise_for_status()

        with pytest.raises(LegnextAPIError) as stopped:
            client.tasks.wait_for_completion(submitted.job_id, timeout=20, poll_interval=0.1)

    assert stopped.value.error is not None
    assert stopped.value.error.code == 499
    assert stopped.value.message


def test_a_live_stream_ends_with_the_completed_job(server: Server, client: Client) -> None:
    submitted = client.midjourney.diffusion(text="a fox")
    url = f"{server.url}/api/v1/job/{submitted.job_id}/events"

    with httpx.stream("GET", url, headers={"x-api-key": server.key}, timeout=30, trust_env=False) as stream:
        lines = list(stream.iter_lines())

    data = [line for line in lines if line.startswith("data: ")]
    assert '"pending"' in data[0]
    assert '"completed"' in data[-1]
    ids = [int(line.removeprefix("id: ")) for line in lines if line.startswith("id: ")]
    assert ids == sorted(set(ids))


def test_a_body_that_is_far_too_large_is_told_so_by_the_real_server(server: Server) -> None:
    body = b'{"text": "' + b"x" * 11_000_000 + b'"}'

    answer = httpx.post(
        f"{server.url}/v1/diffusion", content=body, headers={"x-api-key": server.key}, timeout=30, trust_env=False
    )

    assert (answer.status_code, answer.json()["code"]) == (413, 413)


def test_a_body_of_unknown_length_is_limited_too(server: Server) -> None:
    answer = httpx.post(
        f"{server.url}/v1/diffusion",
        content=(b"x" * 100_000 for _ in range(120)),
        headers={"x-api-key": server.key},
        timeout=30,
        trust_env=False,
    )

    assert answer.status_code == 413


def test_the_key_and_the_prompts_are_nowhere_in_the_servers_log(server: Server, client: Client) -> None:
    client.midjourney.diffusion(text="a canary-51c9 --seed 1")

    lines = [line for line in server.output().splitlines() if line.startswith("{")]

    assert any('"event": "request"' in line for line in lines)
    assert not [line for line in lines if "canary-51c9" in line or server.key in line]
