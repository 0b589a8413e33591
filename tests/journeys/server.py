"""A real `brushwork serve` with its worker, as processes, for tests that talk to it as strangers do."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

START_SECONDS = 60.0
STOP_SECONDS = 20.0


@dataclass(frozen=True)
class Server:
    """Where it listens, its first key, where its output goes, and its process."""

    url: str
    key: str
    log: Path
    process: "subprocess.Popen[bytes]"

    def stop(self) -> int:
        """End it as an operator does; its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_SECONDS)

    def output(self) -> str:
        return self.log.read_text()


@contextlib.contextmanager
def serving(folder: Path, *arguments: str, workers: int = 1, **settings: str) -> Iterator[Server]:
    """Start a server with the no-op engine in `folder`; stop it and its workers at the end."""
    port = free_port()
    log = folder / "server.log"
    options = {"data_dir": str(folder / "data"), "engine": "noop", "log_format": "json", **settings}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BRUSHWORK_")}
    environment = kept | {f"BRUSHWORK_{name.upper()}": value for name, value in options.items()}
    command = [sys.executable, "-m", "brushwork", "serve", "--port", str(port), "--workers", str(workers), *arguments]
    with log.open("w") as output:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=output, stderr=subprocess.STDOUT)
    try:
        url = f"http://127.0.0.1:{port}"
        wait_until_ready(url, process, log, workers=workers)
        yield Server(url, (folder / "data" / "first-key").read_text().strip(), log, process)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_ready(url: str, process: "subprocess.Popen[bytes]", log: Path, *, workers: int) -> None:
    """Until requests are answered and the workers are there."""
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(httpx.HTTPError):
            answer = httpx.get(f"{url}/readyz", trust_env=False)
            if answer.status_code == 200 and answer.json()["workers"] >= workers:
                return
        time.sleep(0.1)
    raise AssertionError(f"the server did not start:\n{log.read_text()}")
