"""`brushwork imagine`: four pictures from a prompt, drawn here or by a running server."""

import re
import secrets
import signal
import threading
import time
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
from pydantic import ValidationError
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from brushwork.app import build_engine, kept_key
from brushwork.cli.output import AsJson, console, errors, print_json
from brushwork.engines.base import Engine, Row, RowCancelled
from brushwork.errors import BrushworkError, InvalidField, ServerError
from brushwork.files.images import encode_png, grid
from brushwork.settings import Settings
from brushwork.tasks.base import Outcome, Run
from brushwork.tasks.diffusion import Diffusion

POLL_SECONDS = 0.3

DOING = {"pending": "waiting", "staged": "getting ready", "processing": "drawing"}
"""What people read on the bar, for the words of the API."""


def imagine(
    prompt: Annotated[
        str, typer.Argument(help="What to draw, with --parameters: 'a red fox in snow --ar 3:2 --seed 7'.")
    ],
    folder: Annotated[Path, typer.Option("--output", "-o", help="Folder for the pictures; made if need be.")] = Path(),
    server: Annotated[
        str | None,
        typer.Option(help="Let this server draw, e.g. http://127.0.0.1:8080; without it, this process does."),
    ] = None,
    key: Annotated[
        str | None,
        typer.Option(envvar="BRUSHWORK_API_KEY", help="API key for --server; else the first key of this machine."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Draw four pictures and a grid of them, and print the files' names."""
    folder.mkdir(parents=True, exist_ok=True)
    settings = Settings()
    drawn = draw_there(prompt, server, key or first_key(settings)) if server else draw_here(prompt, settings)
    stem = f"{slug(prompt)}-{drawn['seed']}"
    paths = [folder / f"{stem}-{name}.png" for name in drawn["files"]]
    for path, data in zip(paths, drawn.pop("files").values(), strict=True):
        path.write_bytes(data)
    if as_json:
        print_json({"files": [str(path) for path in paths], **drawn})
        return
    for path in paths:
        console.print(str(path), soft_wrap=True)
    for warning in drawn["warnings"]:
        errors.print(f"Note: {warning['message']}", markup=False, soft_wrap=True)
    if drawn["degraded"]:
        errors.print(f"Not understood or not done: {', '.join(drawn['degraded'])}", markup=False, soft_wrap=True)


def progress_bar() -> Progress:
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
    return Progress(*columns, TimeElapsedColumn(), console=errors, transient=True)


class BarSink:
    """Turns an engine's steps into a progress bar."""

    def __init__(self, progress: Progress, rows: int) -> None:
        self.progress = progress
        self.bar = progress.add_task("drawing", total=1.0)
        self.rows = rows
        self.shares: dict[int, float] = {}
        self.lock = threading.Lock()
        self.is_stopped = False

    def step(self, row: Row, done: int, total: int) -> None:
        if self.is_stopped:
            raise RowCancelled
        with self.lock:
            self.shares[row.index] = done / total
            self.progress.update(self.bar, completed=sum(self.shares.values()) / self.rows)

    def preview(self, row: Row, image: Any) -> None: ...

    def stage(self, name: str) -> None:
        self.progress.update(self.bar, description=name)


def draw_here(prompt: str, settings: Settings) -> dict[str, Any]:
    """Draw with this machine's engine: no server, no account, no charge."""
    task = task_of(prompt)
    seed = task.seed()
    seed = secrets.randbelow(2**32) if seed is None else seed
    engine = build_engine(settings)
    with progress_bar() as progress:
        outcome = draw_until_interrupted(task, engine, seed, BarSink(progress, len(task.rows(seed))))
    pictures = {"grid": grid(outcome.images)} | {str(no): image for no, image in enumerate(outcome.images)}
    return {
        "files": {name: encode_png(image) for name, image in pictures.items()},
        "seed": str(seed),
        "engine": engine.name,
        "applied": dict(outcome.applied),
        "degraded": list(outcome.degraded),
        "warnings": [dict(warning) for warning in task.warnings()],
    }


def draw_until_interrupted(task: Diffusion, engine: Engine, seed: int, sink: BarSink) -> Outcome:
    """Draw; an interrupt ends it with the next step, for the engine's threads could not be left otherwise."""

    def stop(*_: object) -> None:
        sink.is_stopped = True
        signal.signal(signal.SIGINT, earlier)  # the next one is not so patient

    earlier = signal.signal(signal.SIGINT, stop)
    try:
        return task.run(Run(engine=engine, seed=seed, sink=sink))
    except RowCancelled:
        raise KeyboardInterrupt from None
    finally:
        signal.signal(signal.SIGINT, earlier)


def task_of(prompt: str) -> Diffusion:
    if not prompt:
        raise InvalidField("prompt", "is empty; say what to draw, as in 'a red fox in snow'")
    try:
        task = Diffusion(text=prompt)
    except ValidationError as error:
        raise InvalidField("prompt", error.errors()[0]["msg"]) from error
    task.check()
    return task


def draw_there(prompt: str, server: str, key: str) -> dict[str, Any]:
    """Draw through a server's API, as any client would."""
    with httpx.Client(base_url=server.rstrip("/"), headers={"x-api-key": key}, timeout=60, trust_env=False) as client:
        try:
            job = answer(client.post("/api/v1/diffusion", json={"text": prompt}))
            with progress_bar() as progress:
                job = follow(client, job, progress)
            output = job["output"]
            urls = {"grid": output["image_url"]} | {str(no): url for no, url in enumerate(output["image_urls"])}
            files = {name: client.get(url).raise_for_status().content for name, url in urls.items()}
        except httpx.HTTPError as error:
            raise ServerError(f"{server} did not answer as expected: {error}") from error
    detail = job["detail"] or {}
    return {
        "files": files,
        "seed": output["seed"],
        "job_id": job["job_id"],
        "engine": detail.get("engine", ""),
        "applied": detail.get("applied", {}),
        "degraded": detail.get("degraded", []),
        "warnings": detail.get("warnings", []),
    }


def answer(response: httpx.Response) -> dict[str, Any]:
    """The body of a good answer. Raises what the server said otherwise."""
    try:
        body = response.json()
    except ValueError:
        body = {}
    if response.status_code != 200:
        raise BrushworkError(str(body.get("message") or f"the server answered {response.status_code}"))
    return dict(body)


def follow(client: httpx.Client, job: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Poll a job until it has ended, moving a bar. An interrupt cancels the job."""
    bar = progress.add_task(doing(job), total=100)
    try:
        while job["status"] not in ("completed", "failed"):
            time.sleep(POLL_SECONDS)
            job = answer(client.get(f"/api/v1/job/{job['job_id']}"))
            progress.update(bar, completed=job.get("progress", 0), description=doing(job))
    except KeyboardInterrupt:
        client.post(f"/api/v1/job/{job['job_id']}/cancel")
        raise
    if job["status"] == "failed":
        raise BrushworkError(job["error"]["message"])
    return job


def doing(job: dict[str, Any]) -> str:
    return DOING.get(str(job["status"]), str(job["status"]))


def first_key(settings: Settings) -> str:
    kept = kept_key(settings.data_dir / "first-key")
    if kept is None:
        raise BrushworkError("An API key is needed: give --key, or set BRUSHWORK_API_KEY.")
    return kept


def slug(prompt: str) -> str:
    """A short file name from the prompt's words, without its parameters."""
    words = re.findall(r"[a-z0-9]+", prompt.split(" --")[0].lower())
    return "-".join(words)[:48].strip("-") or "picture"
