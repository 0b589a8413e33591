"""How fast the API answers, with a real server and the no-op engine.

    python benchmarks/api.py [sqlite] [postgres] [--rate N]

Requests leave at a fixed rate whatever the server does, and each is timed from the moment it was due, so that a server
that falls behind shows it. CPU is what the server's process used per request: it says more on a busy machine; what it
asks of the database is in `costs.py`. This file is not called http.py: Python would take it for its own `http`.
"""

import argparse
import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from brushwork.engines.base import NullSink, Row
from brushwork.engines.noop import NoopEngine
from support.databases import fresh_url

RATE = 200
SECONDS = 10
CONNECTIONS = 64
TRIPS = 40
STARTS = 5
DRAIN_SECONDS = 120
POST_GOAL_MS = 100
GET_GOAL_MS = 30

NO_LIMITS = {
    "BRUSHWORK_MAX_CONCURRENT_JOBS": "1000000",
    "BRUSHWORK_MAX_WAITING_JOBS": "1000000",
    "BRUSHWORK_WELCOME_POINTS": "1000000000",
}


@dataclass
class Server:
    """A running server, and the connections to it that are not in use."""

    host: str
    port: int
    key: str
    process: "subprocess.Popen[bytes]"
    idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = field(default_factory=list)

    async def ask(self, method: str, path: str, body: bytes = b"") -> bytes:
        """One request over a kept-open connection, as little work for this side as can be; the body of its answer."""
        head = f"{method} {path} HTTP/1.1\r\nhost: x\r\nx-api-key: {self.key}\r\ncontent-length: {len(body)}\r\n\r\n"
        while True:
            is_used = bool(self.idle)
            reader, writer = self.idle.pop() if is_used else await asyncio.open_connection(self.host, self.port)
            writer.write(head.encode() + body)
            try:
                answer = await reader.readuntil(b"\r\n\r\n")
            except (asyncio.IncompleteReadError, ConnectionError):
                if is_used:  # the server closes what was idle for five seconds
                    continue
                raise
            length = int(answer.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            content = await reader.readexactly(length)
            if not answer.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(f"{method} {path}: {answer[:40]!r} {content[:200]!r}")
            self.idle.append((reader, writer))
            return content

    def cpu_seconds(self) -> float:
        """What the server's process has used so far; its workers are processes of their own."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def serving(folder: Path, database_url: str, *, workers: int) -> Iterator[Server]:
    """A real server with the no-op engine and one account without limits."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = {"DATA_DIR": str(folder), "DATABASE_URL": database_url, "ENGINE": "noop", "LOG_FORMAT": "json"}
    environment = os.environ | NO_LIMITS | {f"BRUSHWORK_{name}": value for name, value in options.items()}
    command = [sys.executable, "-m", "brushwork", "serve", "--port", str(port), "--workers", str(workers)]
    with (folder / "server.log").open("w") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        wait_until_ready(f"http://127.0.0.1:{port}/readyz", workers)
        yield Server("127.0.0.1", port, (folder / "first-key").read_text().strip(), process)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def wait_until_ready(url: str, workers: int) -> None:
    until = time.monotonic() + 60
    with httpx.Client(trust_env=False) as client:
        while time.monotonic() < until:
            with contextlib.suppress(httpx.HTTPError):
                answer = client.get(url)
                if answer.status_code == 200 and answer.json()["workers"] >= workers:
                    return
            time.sleep(0.005)
    raise TimeoutError("the server did not start")


# ── what is measured ──────────────────────────────────────────────────────────────────────────────────────────────────


async def at_a_fixed_rate(send: Callable[[int], Awaitable[Any]], rate: int) -> list[float]:
    """Send `rate` requests a second for `SECONDS`; each one's time from when it was due to its answer."""
    began = time.perf_counter() + 0.1

    async def one(number: int) -> float:
        due = began + number / rate
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        await send(number)
        return time.perf_counter() - due

    return await asyncio.gather(*(one(number) for number in range(rate * SECONDS)))


async def answers(server: Server, rate: int, remark: str) -> None:
    """POST and GET at the same rate, one after the other, then both at once."""
    ids: list[str] = []

    async def post(number: int) -> None:
        body = json.dumps({"text": f"a lighthouse at dusk, number {number} --ar 3:2"}).encode()
        ids.append(json.loads(await server.ask("POST", "/api/v1/diffusion", body))["job_id"])

    async def get(number: int) -> None:
        await server.ask("GET", f"/api/v1/job/{ids[number * 7 % len(ids)]}")

    async def both(number: int) -> None:
        await (post(number) if number % 5 == 0 else get(number))

    await asyncio.gather(*(post(number) for number in range(CONNECTIONS)))
    for name, send, goal in [
        ("POST /v1/diffusion", post, f"goal p95 {POST_GOAL_MS} ms"),
        ("GET /v1/job/{id}", get, f"goal p95 {GET_GOAL_MS} ms"),
        ("1 POST to 4 GET", both, ""),
    ]:
        before = server.cpu_seconds()
        times = await at_a_fixed_rate(send, rate)
        cpu = (server.cpu_seconds() - before) / len(times)
        row(f"{name}, {remark}", times, f"CPU {cpu * 1000:.2f} ms   {goal}")


async def round_trips(server: Server) -> None:
    """From POST to the event that says completed, beside the engine's own part of it."""
    rows = [Row(index=index, seed=1, text="a lighthouse", width=8, height=8) for index in range(4)]
    engine = NoopEngine()
    bare = [timed(lambda: engine.run(rows, NullSink())) for _ in range(TRIPS)]
    whole: list[float] = []
    async with httpx.AsyncClient(
        base_url=f"http://{server.host}:{server.port}", headers={"x-api-key": server.key}, trust_env=False
    ) as client:
        for _ in range(TRIPS):
            began = time.perf_counter()
            job = (await client.post("/v1/diffusion", json={"text": "a lighthouse"})).json()["job_id"]
            async with client.stream("GET", f"/v1/job/{job}/events") as events:
                await events.aread()  # ends with the event that says completed
            whole.append(time.perf_counter() - began)
            await asyncio.sleep(0.05)  # an idle worker, as between two users
    row("POST until completed", whole, "four pictures and a grid, stored")
    row("the engine's part", bare, "the rest is ours")


async def drained(server: Server) -> None:
    """Wait until the worker has done all that was asked."""
    server.idle.clear()
    until = time.monotonic() + DRAIN_SECONDS
    open_jobs = 1
    while open_jobs and time.monotonic() < until:
        await asyncio.sleep(0.5)
        open_jobs = json.loads(await server.ask("GET", "/v1/jobs?status=pending&limit=1"))["data"]
    server.idle.clear()


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def start_up(folder: Path, url: str) -> None:
    """From the command to the first answer, on a database that is up to date; and the imports alone."""
    bare = [timed(lambda: run_python("pass")) for _ in range(STARTS)]
    imports = [timed(lambda: run_python("import brushwork.app, brushwork.api.web, uvicorn")) for _ in range(STARTS)]
    ready: list[float] = []
    for _ in range(STARTS):
        began = time.perf_counter()
        with serving(folder, url, workers=0):
            ready.append(time.perf_counter() - began)
    row("API process: imports", [time - min(bare) for time in imports], "beyond a bare Python")
    row("API process: ready", ready, "goal about 1 s")


def run_python(code: str) -> None:
    subprocess.run([sys.executable, "-c", code], check=True)


def row(name: str, seconds: Sequence[float], remark: str = "") -> None:
    ordered = sorted(seconds)
    p50, p95, p99 = (ordered[min(len(ordered) - 1, int(len(ordered) * part))] * 1000 for part in (0.5, 0.95, 0.99))
    print(f"  {name:<30} p50 {p50:8.1f} ms   p95 {p95:8.1f} ms   p99 {p99:8.1f} ms   {remark}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kinds", nargs="*", choices=["sqlite", "postgres", []], metavar="sqlite|postgres")
    parser.add_argument("--rate", type=int, default=RATE, help="requests a second")
    given = parser.parse_args()
    for kind in given.kinds or ["sqlite", "postgres"]:
        print(f"{kind} · load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
        with tempfile.TemporaryDirectory() as folder, fresh_url(kind, Path(folder)) as url:
            with serving(Path(folder), url, workers=0) as server:
                print(f"  {given.rate} requests a second for {SECONDS} s")
                asyncio.run(answers(server, given.rate, "no worker"))
            with serving(Path(folder), url, workers=1) as server:
                asyncio.run(drained(server))
                asyncio.run(answers(server, given.rate, "one worker"))
                asyncio.run(drained(server))
                asyncio.run(round_trips(server))
            start_up(Path(folder), url)


if __name__ == "__main__":
    main()
