"""`brushwork doctor`: what is installed, what will be used, what is wrong."""

import asyncio
import difflib
import importlib.metadata
import importlib.util
import os
import platform
import shutil
import sys
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from typing import Literal

import typer
from pydantic_settings import DotEnvSettingsSource
from rich.text import Text

from brushwork import __version__
from brushwork.app import (
    build_engine,
    engine_options,
    open_database,
    open_files,
    output_check_of,
    policy_of,
    provenance_of,
)
from brushwork.cli.output import AsJson, console, print_json, print_table
from brushwork.database.session import place_of
from brushwork.database.upgrade import current_revision, head_revision
from brushwork.engines.registry import entry
from brushwork.settings import Settings

State = Literal["ok", "note", "wrong"]
LOW_DISK = 2 << 30
STYLES = {"ok": "green", "note": "yellow", "wrong": "bold red"}

FOR_CLIENTS = ("BRUSHWORK_API_KEY", "BRUSHWORK_SERVER")
"""Read by `imagine` and by the examples, not by the server."""


@dataclass(frozen=True)
class Finding:
    state: State
    what: str
    found: str


Check = Callable[[Settings], Awaitable[Finding | list[Finding]]]


def doctor(as_json: AsJson = False) -> None:
    """Check this machine and these settings. Ends with 1 when something is wrong."""
    settings = Settings()
    findings = asyncio.run(examine(settings))
    if as_json:
        print_json([asdict(finding) for finding in findings])
    else:
        print_table(
            [{"": Text(f.state, style=STYLES[f.state]), "what": f.what, "found": f.found} for f in findings], empty=""
        )
    wrong = sum(finding.state == "wrong" for finding in findings)
    if wrong and not as_json:
        console.print(f"\n{wrong} of these must be put right before Brushwork can serve.")
    if wrong:
        raise typer.Exit(1)


async def examine(settings: Settings) -> list[Finding]:
    checks: tuple[Check, ...] = (
        versions,
        machine,
        names,
        data_folder,
        database,
        store,
        engine,
        torch,
        models,
        links,
        policy,
        provenance,
        metrics,
        traces,
    )
    return [finding for check in checks for finding in await safely(check, settings)]


async def safely(check: Check, settings: Settings) -> list[Finding]:
    """A check that raises has found something wrong."""
    try:
        found = await check(settings)
    except Exception as error:
        first_line = (str(error).splitlines() or [type(error).__name__])[0]
        return [Finding("wrong", check.__name__.replace("_", " "), first_line)]
    return [found] if isinstance(found, Finding) else found


async def versions(_: Settings) -> Finding:
    return Finding("ok", "versions", f"brushwork {__version__}, Python {platform.python_version()}, {sys.platform}")


async def machine(_: Settings) -> Finding:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return Finding("ok", "machine", f"{cores} cores, {platform.machine()}")


async def names(_: Settings) -> Finding:
    """A setting that is spelled differently is read by nobody, and nobody else says so."""
    prefix = str(Settings.model_config["env_prefix"])
    known = [prefix + name.upper() for name in Settings.model_fields]
    everything = {name.upper() for name in (*DotEnvSettingsSource(Settings).env_vars, *os.environ)}
    given = {name for name in everything if name.startswith(prefix)}
    strange = sorted(given - {*known, *FOR_CLIENTS})
    if not strange:
        return Finding("ok", "settings", f"{len(given)} given, the others as they are")
    hints = [(name, difflib.get_close_matches(name, known, n=1)) for name in strange]
    said = [f"{name} (did you mean {near[0]}?)" if near else name for name, near in hints]
    return Finding("note", "settings", f"not a setting of ours, so not used: {', '.join(said)}")


async def data_folder(settings: Settings) -> Finding:
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    probe = settings.data_dir / f".probe-{os.getpid()}"
    probe.write_bytes(b"ok")
    probe.unlink()
    free = shutil.disk_usage(settings.data_dir).free
    state: State = "ok" if free > LOW_DISK else "wrong"
    return Finding(state, "data folder", f"{settings.data_dir}, writable, {free / (1 << 30):.1f} GiB free")


async def database(settings: Settings) -> Finding:
    opened = open_database(settings)
    try:
        revision, head = await current_revision(opened), head_revision()
    finally:
        await opened.close()
    where = place_of(settings.resolved_database_url)
    if revision == head:
        return Finding("ok", "database", f"{where}, up to date ({head})")
    return Finding("note", "database", f"{where}, at {revision or 'nothing yet'}; `serve` will bring it to {head}")


async def store(settings: Settings) -> Finding:
    opened = open_database(settings)
    try:
        writable = await open_files(settings, opened).is_writable()
    finally:
        await opened.close()
    return Finding("ok" if writable else "wrong", "store", f"{settings.resolved_store_url}, writable: {writable}")


async def engine(settings: Settings) -> Finding:
    build_engine(settings)
    options = engine_options(settings)
    where = f" on {options.diffusion.device}" if entry(settings.engine, options).name == "diffusers" else ""
    return Finding("ok", "engine", f"{settings.engine} → {entry(settings.engine, options).name}{where}")


async def torch(_: Settings) -> Finding:
    absent = [name for name in ("torch", "diffusers", "transformers") if importlib.util.find_spec(name) is None]
    if absent:
        return Finding(
            "note", "torch", f"{absent[0]} is not installed; models need it: pip install 'brushwork[diffusers]'"
        )
    said = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("torch", "diffusers"))
    return Finding("ok", "torch", said)


async def models(settings: Settings) -> list[Finding]:
    """Which version of the API is drawn by what, and what is missing."""
    from brushwork.cli.drawing import drawn_by, unwell

    return [Finding(state, what, found) for state, what, found in (*unwell(settings), *drawn_by(settings))]


async def policy(settings: Settings) -> list[Finding]:
    """What may be asked, and what may be shown."""
    rules, check = policy_of(settings), output_check_of(settings)
    if rules is None:
        screened = Finding("ok", "policy", "none: prompts are not screened")
    else:
        screened = Finding("ok", "policy", f"{rules.version}, {len(rules.rules)} rules, from {settings.policy}")
    if check is None:
        return [screened, Finding("ok", "output check", "none: finished pictures are not looked at")]
    return [screened, Finding("ok", "output check", f"{settings.output_check}; no previews are shown")]


async def provenance(settings: Settings) -> Finding:
    found = provenance_of(settings)
    signed = f"signed by C2PA with {settings.c2pa_certificate}" if found.signer else "not signed"
    return Finding("ok", "provenance", f"{found.level}, {signed}")


async def metrics(settings: Settings) -> Finding:
    """Who may read them."""
    if settings.metrics_key:
        return Finding("ok", "metrics", "at /metrics, for whoever has their token")
    if settings.host in ("127.0.0.1", "::1", "localhost"):
        return Finding("ok", "metrics", "at /metrics, for whoever reaches this server")
    found = "at /metrics, for whoever reaches this server, which others can; set BRUSHWORK_METRICS_KEY"
    return Finding("note", "metrics", found)


async def traces(settings: Settings) -> Finding:
    if not settings.otel_url:
        return Finding("ok", "traces", "none are made")
    try:
        importlib.metadata.version("opentelemetry-exporter-otlp-proto-http")
    except importlib.metadata.PackageNotFoundError:
        return Finding("wrong", "traces", "OpenTelemetry is not installed: pip install 'brushwork[otel]'")
    return Finding("ok", "traces", f"to {settings.otel_url.rsplit('@', 1)[-1]}")


async def links(settings: Settings) -> Finding:
    if settings.host in ("0.0.0.0", "::") and not settings.public_url:
        return Finding(
            "note",
            "links",
            f"files will be linked as {settings.resolved_public_url}/…, which other machines cannot open; "
            "set BRUSHWORK_PUBLIC_URL",
        )
    return Finding("ok", "links", f"{settings.resolved_public_url}/…")
