"""`brushwork serve` as an operator runs it: real processes, started, used, killed, and gone without a trace."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.journeys.server import Server, serving

pytestmark = pytest.mark.slow

PATIENCE = 60.0


def wait_for(condition: Callable[[], Any], what: str) -> Any:
    """Ask again and again until the answer is true."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if answer := condition():
            return answer
        time.sleep(0.05)
    pytest.fail(f"{what} did not happen within {PATIENCE:.0f} s")


def children_of(pid: int) -> set[int]:
    """Processes whose parent is `pid`."""
    listed = subprocess.run(["ps", "-eo", "pid=,ppid=,stat="], capture_output=True, text=True, check=True).stdout
    rows = [line.split() for line in listed.splitlines()]
    return {int(child) for child, parent, state in rows if int(parent) == pid and not state.startswith("Z")}


def is_alive(pid: int) -> bool:
    listed = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(listed.strip()) and not listed.strip().startswith("Z")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with serving(tmp_path) as running:
        yield running


def workers_of(server: Server) -> set[int]:
    return children_of(server.process.pid)


def draw(server: Server, text: str) -> dict[str, Any]:
    """The job of a prompt, when it has ended."""
    with httpx.Client(base_url=server.url, headers={"x-api-key": server.key}, trust_env=False, timeout=30) as client:
        job_id = client.post("/api/v1/diffusion", json={"text": text}).raise_for_status().json()["job_id"]

        def ended() -> dict[str, Any] | None:
            job: dict[str, Any] = client.get(f"/api/v1/job/{job_id}").raise_for_status().json()
            return job if job["status"] in ("completed", "failed") else None

        return dict(wait_for(ended, "the end of the job"))


def test_a_fresh_start_draws_with_the_first_key(server: Server) -> None:
    job = draw(server, "a red fox --ar 3:2 --seed 9")

    assert job["status"] == "completed"
    assert job["output"]["seed"] == "9"
    assert len(job["output"]["image_urls"]) == 4
    for url in (job["output"]["image_url"], *job["output"]["image_urls"]):
        picture = httpx.get(url, trust_env=False)
        assert (picture.status_code, picture.headers["content-type"]) == (200, "image/png")
        assert picture.content.startswith(b"\x89PNG")


def test_the_first_picture_is_drawn_through_the_api(tmp_path: Path) -> None:
    with serving(tmp_path, "--first-picture", "a red fox") as server:
        wait_for(lambda: "Serving." in server.output(), "the first picture")

    assert (tmp_path / "pictures" / "first-grid.png").read_bytes().startswith(b"\x89PNG")
    assert {path.name for path in (tmp_path / "pictures").iterdir()} == {
        f"first-{name}.png" for name in ("grid", "0", "1", "2", "3")
    }


def test_a_killed_worker_is_replaced(server: Server) -> None:
    (before,) = wait_for(lambda: workers_of(server), "a worker")

    os.kill(before, signal.SIGKILL)

    assert draw(server, "a red fox")["status"] == "completed"
    assert before not in workers_of(server)


def test_stopping_the_server_stops_its_workers(server: Server) -> None:
    workers = wait_for(lambda: workers_of(server), "a worker")

    code = server.stop()

    assert code in (0, -signal.SIGTERM)
    assert not [pid for pid in workers if is_alive(pid)]
    assert server.output().count("Stopping") == 1
    assert "Traceback" not in server.output()


def test_workers_end_when_the_server_is_killed(server: Server) -> None:
    workers = wait_for(lambda: workers_of(server), "a worker")

    server.process.kill()
    server.process.wait()

    wait_for(lambda: not [pid for pid in workers if is_alive(pid)], "the end of the workers")


def test_a_second_start_keeps_key_jobs_and_files(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        job = draw(server, "a red fox")

    with serving(tmp_path) as again:
        headers = {"x-api-key": server.key}
        found = httpx.get(f"{again.url}/api/v1/job/{job['job_id']}", headers=headers, trust_env=False).json()
        url = httpx.URL(found["output"]["image_url"])
        picture = httpx.get(f"{again.url}{url.raw_path.decode()}", trust_env=False)

    assert again.key == server.key
    assert found["output"]["seed"] == job["output"]["seed"]
    assert picture.content.startswith(b"\x89PNG")
