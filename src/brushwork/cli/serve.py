"""`brushwork serve` and `brushwork worker`: the server, the worker, and how they start and stop together."""

import asyncio
import contextlib
import os
import shlex
import signal
import socket
import sys
import time
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import httpx
import typer
import uvicorn
from rich.markup import escape
from sqlalchemy.exc import OperationalError

from brushwork import tracing
from brushwork.app import (
    FirstKey,
    build_housekeeping,
    build_sender,
    build_worker,
    create_app,
    engine_options,
    open_database,
    output_check_of,
    prepare,
    rules_of,
    usable_engine,
    worker_devices,
)
from brushwork.cli.imagine import draw_there
from brushwork.cli.output import console, errors
from brushwork.database.session import Database, place_of
from brushwork.database.upgrade import upgrade
from brushwork.engines.registry import entry
from brushwork.jobs.supervisor import Supervisor
from brushwork.settings import Settings

SERVING = "Serving. Stop with Ctrl-C."

START_SECONDS = 60.0
DATABASE_SECONDS = 15.0
"""How long a starting worker or sender waits for a database that does not answer."""
"""How long the first picture waits for the server to answer."""


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on; 0.0.0.0 for every network card.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")] = None,
    workers: Annotated[int | None, typer.Option(min=0, max=64, help="Worker processes; 0 starts none.")] = None,
    first_picture: Annotated[
        str | None, typer.Option(help="Draw this prompt through the API once the server is up, into ./pictures.")
    ] = None,
) -> None:
    """Start the server and its workers, and keep serving. Stop with Ctrl-C."""
    given = {"host": host, "port": port, "workers": workers}
    # Workers are processes of their own: what was given here reaches them through the environment.
    os.environ.update({f"BRUSHWORK_{name.upper()}": str(value) for name, value in given.items() if value is not None})
    settings = Settings()
    if settings.workers:
        usable_engine(settings)  # these raise now what every worker would raise later
        output_check_of(settings)
    listener = listen(settings.host, settings.port)
    os.environ["BRUSHWORK_PORT"] = str(listener.getsockname()[1])
    run(serve_forever(Settings(), listener, first_picture))


def worker(
    device: Annotated[
        str, typer.Option(help="What this worker draws on, such as cuda:1; empty takes the first there is.")
    ] = "",
    supervised: Annotated[
        bool,
        typer.Option(
            "--supervised", help="End when standard input closes, as it does when the parent dies.", hidden=True
        ),
    ] = False,
) -> None:
    """Start one worker, without a server: for more machines on the same database and store."""
    settings = Settings()
    run(work_forever(settings, device or next(iter(worker_devices(settings)), "cpu:0"), supervised))


def sender() -> None:
    """Start one more sender of webhooks, without a server: each server has one already."""
    run(send_forever(Settings()))


def run(main: Coroutine[Any, Any, None]) -> None:
    """Run on uvloop where there is one; spans that are still here at the end are sent."""
    factory = None
    with contextlib.suppress(ImportError):
        import uvloop

        factory = uvloop.new_event_loop
    try:
        with asyncio.Runner(loop_factory=factory) as runner:
            runner.run(main)
    finally:
        tracing.close()


def listen(host: str, port: int) -> socket.socket:
    """A bound socket, so that a taken port is known before anything else starts."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        taken = f"Cannot listen on {host}:{port} ({error.strerror}); choose another with --port or BRUSHWORK_PORT."
        raise OSError(taken) from error
    return listener


async def serve_forever(settings: Settings, listener: socket.socket, first_picture: str | None) -> None:
    database = open_database(settings)
    try:
        first = await prepare(settings, database)
        config = uvicorn.Config(
            create_app(settings),
            http=connection_class(),
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=5,
        )
        server = Server(config)
        stop = asyncio.Event()
        on_signals(server.leave)
        background = [
            asyncio.create_task(build_housekeeping(settings, database).run(stop)),
            asyncio.create_task(build_sender(settings, database).run(stop)),
        ]
        if settings.workers:
            background.append(asyncio.create_task(supervise(settings, database, stop)))
        banner(settings, first)
        if first_picture and first:
            background.append(
                asyncio.create_task(asyncio.to_thread(show_first_picture, settings, first, first_picture))
            )
        else:
            console.print(SERVING)
        try:
            await server.serve(sockets=[listener])
        finally:
            stop.set()
            await asyncio.gather(*background, return_exceptions=True)
    finally:
        await database.close()


def connection_class() -> type[asyncio.Protocol] | Literal["auto"]:
    """Ours, where its parser is installed; what uvicorn takes instead has limits of its own."""
    try:
        from brushwork.api.connections import Connection
    except ImportError:
        return "auto"
    return Connection


class Server(uvicorn.Server):
    """Uvicorn, but for its signals: it would end the process with the signal before our workers have stopped."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    def leave(self) -> None:
        """Answer what is open, then return; asked twice, return at once."""
        if not self.should_exit:
            console.print("Stopping: workers get a few seconds for what they draw.")
        self.force_exit = self.should_exit
        self.should_exit = True


def on_signals(callback: Callable[[], None]) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, callback)


async def supervise(settings: Settings, database: Database, stop: asyncio.Event) -> None:
    command = [sys.executable, "-m", "brushwork", "worker", "--supervised"]
    rules = rules_of(settings)
    supervisor = Supervisor(database=database, command=command, devices=worker_devices(settings), rules=rules)
    await supervisor.run(stop)


async def work_forever(settings: Settings, device: str, supervised: bool) -> None:
    database = open_database(settings, courteous=True)
    stop = asyncio.Event()
    on_signals(stop.set)
    try:
        await upgrade_when_there(database)
        tasks = [build_worker(settings, database, device=device, supervised=supervised).run(stop)]
        if not supervised:  # a supervisor's process looks after this itself
            tasks.append(build_housekeeping(settings, database).run(stop))
        await asyncio.gather(*tasks)
    finally:
        await database.close()


async def upgrade_when_there(database: Database) -> None:
    """Bring the database up to date; one that is just starting, as after an outage, is waited for."""
    until = time.monotonic() + DATABASE_SECONDS
    while True:
        try:
            await upgrade(database)
            return
        except OperationalError:
            if database.is_sqlite or time.monotonic() > until:
                raise
            await asyncio.sleep(0.5)


async def send_forever(settings: Settings) -> None:
    database = open_database(settings, courteous=True)
    stop = asyncio.Event()
    on_signals(stop.set)
    try:
        await upgrade_when_there(database)
        await build_sender(settings, database).run(stop)
    finally:
        await database.close()


def banner(settings: Settings, first: FirstKey | None) -> None:
    """What a person needs to go on: address, key, a line to paste.

    A server that others can reach or use says only where the key is kept.
    """
    is_shown = first is not None and first.is_private
    url = settings.resolved_public_url
    console.print()
    console.print(f"[bold]Brushwork[/bold] on [bold cyan]{url}[/bold cyan]", soft_wrap=True)
    console.print(f"  engine    {entry(settings.engine, engine_options(settings)).name}", soft_wrap=True)
    console.print(f"  database  {escape(place_of(settings.resolved_database_url))}", soft_wrap=True)
    studio = f"{url}/studio#key={first.key}" if first and is_shown else f"{url}/studio"
    console.print(f"  studio    [bold cyan]{studio}[/bold cyan]", soft_wrap=True)
    if first is None:
        console.print("  key       make one with: brushwork keys create")
        return
    path = shlex.quote(str(first.path))
    shown = f"[bold]{first.key}[/bold]  (also in {escape(path)})" if is_shown else f"in {escape(path)}"
    console.print(f"  key       {shown}", soft_wrap=True)
    header = f"'x-api-key: {first.key}'" if is_shown else f'"x-api-key: $(cat {path})"'
    console.print()
    console.print("Ask for four pictures, then look the job up:")
    console.print(
        f"  curl -X POST {url}/api/v1/diffusion -H {header} \\\n"
        "    -H 'Content-Type: application/json' -d '{\"text\": \"a lighthouse at dusk --ar 3:2\"}'",
        markup=False,
        soft_wrap=True,
    )
    console.print(f"  curl {url}/api/v1/job/JOB_ID -H {header}", markup=False, soft_wrap=True)
    console.print()


def show_first_picture(settings: Settings, first: FirstKey, prompt: str) -> None:
    """Draw one prompt through our own API, as any client would, and say where the pictures are."""
    url = f"http://127.0.0.1:{settings.port}"
    try:
        wait_until_ready(url)
        drawn = draw_there(prompt, url, first.key)
    except Exception as error:  # the server goes on without its first picture
        errors.print(f"The first picture could not be drawn: {error}", markup=False, soft_wrap=True)
        return
    folder = Path("pictures")
    folder.mkdir(exist_ok=True)
    for name, data in drawn["files"].items():
        (folder / f"first-{name}.png").write_bytes(data)
    console.print(f"The first picture, {prompt!r}: {folder / 'first-grid.png'}", markup=False, soft_wrap=True)
    console.print(SERVING)


def wait_until_ready(url: str) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(f"{url}/healthz", trust_env=False).status_code == 200:
                return
        time.sleep(0.1)
    raise TimeoutError("the server did not answer in time")
