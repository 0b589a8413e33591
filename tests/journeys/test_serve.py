"""`brushwork serve` as an operator runs it: real processes, started, used, killed, and gone without a trace."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

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


class Server:
    """A running `brushwork serve`."""

    def __init__(self, folder: Path, *arguments: str, **settings: str) -> None:
        self.folder = folder
        self.log = folder / "serve.log"
        environment = {name: value for name, value in os.environ.items() if not name.startswith("BRUSHWORK_")}
        environment |= {"BRUSHWORK_DATA_DIR": str(folder / "data"), "BRUSHWORK_ENGINE": "noop", **settings}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "brushwork", "serve", "--port", "0", *arguments],
                cwd=folder,
                env=environment,
                stdout=log,
                stderr=log,
            )
        self.url: str = wait_for(self.printed_url, "the banner")
        wait_for(self.is_ready, "readiness")
        key = (folder / "data" / "first-key").read_text()
        self.client = httpx.Client(base_url=self.url, headers={"x-api-key": key}, trust_env=False, timeout=30)

    def printed_url(self) -> str | None:
        assert self.process.poll() is None, self.log.read_text()
        found = [line.split()[-1] for line in self.log.read_text().splitlines() if line.startswith("Brushwork on ")]
        return found[0] if found else None

    def is_ready(self) -> bool:
        try:
            answer = httpx.get(f"{self.url}/readyz", trust_env=False)
        except httpx.TransportError:
            return False
        return answer.status_code == 200

    def workers(self) -> set[int]:
        return children_of(self.process.pid)

    def draw(self, text: str) -> dict[str, Any]:
        job = self.client.post("/api/v1/diffusion", json={"text": text}).raise_for_status().json()
        return dict(wait_for(lambda: self.finished(job["job_id"]), "the end of the job"))

    def finished(self, job_id: str) -> dict[str, Any] | None:
        job = self.client.get(f"/api/v1/job/{job_id}").raise_for_status().json()
        return job if job["status"] in ("completed", "failed") else None

    def stop(self) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    running = Server(tmp_path)
    yield running
    running.client.close()
    running.stop()


def test_a_fresh_start_draws_with_the_first_key(server: Server) -> None:
    job = server.draw("a red fox --ar 3:2 --seed 9")

    assert job["status"] == "completed"
    assert job["output"]["seed"] == "9"
    assert len(job["output"]["image_urls"]) == 4
    for url in (job["output"]["image_url"], *job["output"]["image_urls"]):
        picture = httpx.get(url, trust_env=False)
        assert (picture.status_code, picture.headers["content-type"]) == (200, "image/png")
        assert picture.content.startswith(b"\x89PNG")


def test_the_first_picture_is_drawn_through_the_api(tmp_path: Path) -> None:
    server = Server(tmp_path, "--first-picture", "a red fox")
    try:
        wait_for(lambda: "Serving." in server.log.read_text(), "the first picture")
    finally:
        server.client.close()
        server.stop()

    assert (tmp_path / "pictures" / "first-grid.png").read_bytes().startswith(b"\x89PNG")
    assert {path.name for path in (tmp_path / "pictures").iterdir()} == {
        f"first-{name}.png" for name in ("grid", "0", "1", "2", "3")
    }


def test_a_killed_worker_is_replaced(server: Server) -> None:
    (before,) = wait_for(server.workers, "a worker")

    os.kill(before, signal.SIGKILL)

    assert server.draw("a red fox")["status"] == "completed"
    assert before not in server.workers()


def test_stopping_the_server_stops_its_workers(server: Server) -> None:
    workers = wait_for(server.workers, "a worker")

    code = server.stop()

    assert code in (0, -signal.SIGTERM)
    assert not [pid for pid in workers if is_alive(pid)]
    assert "Traceback" not in server.log.read_text()


def test_workers_end_when_the_server_is_killed(server: Server) -> None:
    workers = wait_for(server.workers, "a worker")

    server.process.kill()
    server.process.wait()

    wait_for(lambda: not [pid for pid in workers if is_alive(pid)], "the end of the workers")


def test_a_second_start_keeps_key_jobs_and_files(tmp_path: Path) -> None:
    server = Server(tmp_path)
    job = server.draw("a red fox")
    port = server.url.rsplit(":", 1)[1]
    server.client.close()
    server.stop()
    server.log.unlink()

    again = Server(tmp_path, "--port", port)
    try:
        found = again.finished(job["job_id"])
        assert found is not None
        assert found["output"]["seed"] == job["output"]["seed"]
        assert httpx.get(found["output"]["image_url"], trust_env=False).status_code == 200
    finally:
        again.client.close()
        again.stop()
