"""The composition root: settings become a database, a store, an engine, jobs; those become the web app and the worker.

The only chapter, beside the command line, that knows every other one.
"""

import os
import secrets
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from brushwork import logs, tracing
from brushwork.accounts.account import Account, PlanName
from brushwork.accounts.credits import grant
from brushwork.accounts.directory import account_by_name, create_account, has_accounts, page_of_accounts, set_plan
from brushwork.accounts.keys import authenticate, create_key, is_key
from brushwork.database.session import Database
from brushwork.database.upgrade import upgrade
from brushwork.engines.base import Engine
from brushwork.engines.devices import devices
from brushwork.engines.diffusion.options import DiffusionOptions, RemoteOptions
from brushwork.engines.registry import EngineEntry, EngineOptions, entry, usable
from brushwork.errors import BrushworkError, Unavailable
from brushwork.files.links import Links
from brushwork.files.provenance import Provenance
from brushwork.files.store import Files, open_store
from brushwork.jobs.housekeeping import Housekeeping
from brushwork.jobs.output_check import OutputCheck, load_check
from brushwork.jobs.rules import JobRules
from brushwork.jobs.worker import Worker
from brushwork.prompts.moderation import Policy, PolicyError, read_policy
from brushwork.settings import Settings
from brushwork.tasks import TASKS
from brushwork.tasks.base import Task

if TYPE_CHECKING:
    from fastapi import FastAPI

    from brushwork.api.dependencies import Services
    from brushwork.files.pictures import Pictures
    from brushwork.jobs.webhooks.sender import Sender
    from brushwork.jobs.webhooks.sending import SendRules

FIRST_ACCOUNT = "first"
MIN_SECRET = 16
"""Characters; ours have 64."""


@dataclass(frozen=True)
class FirstKey:
    """The key of the account that the first start makes."""

    key: str
    path: Path
    """Where it is kept."""
    is_private: bool
    """Whether it opens a server that one person has to themselves: with no other account, and in reach of nobody else.
    The key of any other server is no business of a screen."""


def open_database(settings: Settings, *, courteous: bool = False) -> Database:
    """The database of the settings. A courteous process lets others write between two writes of its own."""
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)  # prompts and pictures are nobody else's
    return Database(settings.resolved_database_url, courteous=courteous)


def open_files(settings: Settings, database: Database) -> Files:
    links = Links(settings.resolved_public_url, signing_secret(settings), settings.link_hours * 3600)
    return Files(database, open_store(settings.resolved_store_url), links)


def build_pictures(settings: Settings, files: Files) -> "Pictures":
    """What takes pictures from outside, going as far as the settings let it."""
    # Here, not above: a worker opens no URL, and an HTTP client takes its time to start.
    from brushwork.files.addresses import Allowed
    from brushwork.files.fetch import FetchRules
    from brushwork.files.pictures import Pictures

    try:
        return Pictures(files, FetchRules(allowed=Allowed.parse(settings.fetch_allow)))
    except ValueError as error:
        raise Unavailable(f"BRUSHWORK_FETCH_ALLOW: {error}.") from None


def send_rules(settings: Settings) -> "SendRules":
    """Where webhooks may go."""
    from brushwork.files.addresses import Allowed
    from brushwork.jobs.webhooks.sending import SendRules

    try:
        return SendRules(allowed=Allowed.parse(settings.fetch_allow), http=settings.webhook_http)
    except ValueError as error:
        raise Unavailable(f"BRUSHWORK_FETCH_ALLOW: {error}.") from None


def build_sender(settings: Settings, database: Database) -> "Sender":
    """What sends webhooks. Each API process has one, and `brushwork sender` is one by itself."""
    from brushwork.api.job_view import seen_by_owner
    from brushwork.jobs.webhooks.sender import Sender

    configure_logs(settings)
    configure_traces(settings, "sender")
    files = open_files(settings, database)
    return Sender(database, lambda job: seen_by_owner(job, files, TASKS, now=time.time()).plain(), send_rules(settings))


def signing_secret(settings: Settings) -> bytes:
    """The secret that signs links: the setting, or one that is made once and kept in the data folder."""
    if settings.secret:
        return settings.secret.encode()
    path = settings.data_dir / "secret"
    kept = write_once(path, secrets.token_hex(32))
    if len(kept) < MIN_SECRET:  # emptied by a full disk or by hand: anyone could sign links with nothing
        raise Unavailable(f"The secret in {path} is damaged; remove the file, and a new one is made.")
    return kept.encode()


def write_once(path: Path, text: str) -> str:
    """The content of a private file, which is `text` if it was not there. Two processes that race agree on one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        draft.touch(mode=0o600)
        draft.write_text(text)
        os.link(draft, path)  # fails when the file is there: unlike a rename, it never replaces
    except FileExistsError:
        pass
    finally:
        draft.unlink(missing_ok=True)
    return path.read_text(errors="replace").strip()


def rules_of(settings: Settings) -> JobRules:
    return JobRules(
        deadline_seconds=settings.job_deadline_seconds,
        max_attempts=settings.job_attempts,
        lease_seconds=settings.lease_seconds,
        followup_seconds=settings.followup_days * 86400,
        result_seconds=settings.result_days * 86400,
        max_waiting=settings.max_waiting_jobs,
    )


def policy_of(settings: Settings) -> Policy | None:
    """What prompts may not hold. Raises Unavailable when the file cannot be read: an open door is no answer to that."""
    if not settings.policy:
        return None
    try:
        return read_policy(Path(settings.policy))
    except PolicyError as error:
        raise Unavailable(f"BRUSHWORK_POLICY: {error}.") from None


def provenance_of(settings: Settings) -> Provenance:
    """What files say of themselves. Raises Unavailable when they cannot be signed as the settings want."""
    certificate, key = settings.c2pa_certificate, settings.c2pa_key
    if not (certificate or key):
        return Provenance(settings.provenance)
    if not (certificate and key):
        raise Unavailable("BRUSHWORK_C2PA_CERTIFICATE and BRUSHWORK_C2PA_KEY belong together; one of them is not set.")
    if settings.provenance == "none":
        raise Unavailable("BRUSHWORK_PROVENANCE=none leaves files without a word; it cannot be combined with C2PA.")
    from brushwork.files.signing import C2paSigner, SigningError  # loads more than most servers need

    try:
        return Provenance(settings.provenance, C2paSigner(Path(certificate).read_bytes(), Path(key).read_bytes()))
    except (OSError, SigningError) as error:
        raise Unavailable(f"BRUSHWORK_C2PA_CERTIFICATE and BRUSHWORK_C2PA_KEY: {error}.") from None


def anchors_of(settings: Settings) -> bytes:
    """The certificate that signatures of this server go back to; empty when it signs nothing."""
    if provenance_of(settings).signer is None:
        return b""
    from brushwork.files.signing import root_of

    return root_of(Path(settings.c2pa_certificate).read_bytes())


def output_check_of(settings: Settings) -> OutputCheck | None:
    """What looks at finished pictures."""
    return load_check(settings.output_check) if settings.output_check else None


def build_engine(settings: Settings, *, device: str = "") -> Engine:
    """The engine the settings ask for. Raises Unavailable when this machine cannot run it or production forbids it."""
    return usable_engine(settings).build(engine_options(settings, device=device))


def usable_engine(settings: Settings) -> EngineEntry:
    """What `build_engine` would build, without loading it."""
    if settings.production and settings.engine == "noop":
        raise Unavailable("BRUSHWORK_ENGINE=noop draws nothing, and BRUSHWORK_PRODUCTION refuses it.")
    return usable(settings.engine, engine_options(settings))


def engine_options(settings: Settings, *, device: str = "") -> EngineOptions:
    """What the settings say about engines; those of a worker on `device`, or on the first there is."""
    return EngineOptions(
        flow_model=Path(settings.flow_model) if settings.flow_model else None,
        diffusion=DiffusionOptions(
            models_dir=settings.resolved_models_dir,
            catalogs=tuple(map(Path, listed(settings.model_files))),
            accepted=frozenset(listed(settings.accept_licences)),
            only=tuple(listed(settings.models)),
            device=device or next(iter(accelerators(settings)), "cpu"),
            precision=settings.precision,
            memory_gb=settings.memory_gb,
            batch=settings.batch,
            compile=settings.compile,
            attention=settings.attention,
            fp8=settings.fp8,
            cache=settings.cache,
            deterministic=settings.deterministic,
            offline=settings.offline,
        ),
        remote=RemoteOptions(
            url=settings.remote_url,
            key=settings.remote_key,
            model=settings.remote_model,
            edits=settings.remote_edits,
            fields=frozenset(listed(settings.remote_fields)),
            steps=settings.remote_steps,
            guidance=settings.remote_guidance,
        ),
    )


def listed(text: str) -> list[str]:
    """The items between the commas."""
    return [item.strip() for item in text.split(",") if item.strip()]


def accelerators(settings: Settings) -> list[str]:
    """The GPUs to draw on: those of the settings, else all there are."""
    return listed(settings.devices) or list(devices())


def worker_devices(settings: Settings) -> list[str]:
    """One for each worker that `serve` starts: GPUs with an engine that uses them, else shares of the CPU."""
    gpus = accelerators(settings)
    if gpus and entry(settings.engine, engine_options(settings)).name == "diffusers":
        return [gpu for gpu in gpus for _ in range(settings.workers)]
    return [f"cpu:{number}" for number in range(settings.workers)]


async def prepare(settings: Settings, database: Database) -> FirstKey | None:
    """Bring the database up to date, and make the first account with a funded key when there is no account at all.

    Returns the first key when it can be known: it is kept, readable for this user only, in the data folder.
    """
    await upgrade(database)
    path = settings.data_dir / "first-key"
    now = time.time()
    try:
        async with database.write() as tx:
            made = await make_first_account(tx, settings, now=now)
    except IntegrityError:  # another process made it at the same moment
        made = None
    if made:
        path.unlink(missing_ok=True)
        return FirstKey(write_once(path, made), path, is_private=settings.is_out_of_reach)
    key = kept_key(path)
    if key is None:
        return None
    async with database.read() as tx:
        try:
            await authenticate(tx, key, now=now)
        except BrushworkError:  # revoked, or of another database
            return None
        is_only = (await page_of_accounts(tx, page=1, size=1)).total == 1
    return FirstKey(key, path, is_private=is_only and settings.is_out_of_reach)


def kept_key(path: Path) -> str | None:
    """The first key as it was kept, or None when it is not there any more, or damaged."""
    try:
        key = path.read_text(errors="replace").strip()
    except OSError:
        return None
    return key if is_key(key) else None


async def make_first_account(tx: AsyncConnection, settings: Settings, *, now: float) -> str | None:
    """Make the first account and return its key, or None when there is an account already."""
    if await has_accounts(tx):
        return None
    account = await make_account(tx, settings, FIRST_ACCOUNT, plan="pro", now=now)
    if settings.welcome_points:
        await grant(tx, account.id, settings.welcome_points, kind="point", description="Welcome", now=now)
    _, key = await create_key(tx, account.id, name="first", now=now)
    return key


async def make_account(
    tx: AsyncConnection, settings: Settings, name: str, *, plan: PlanName | None, now: float
) -> Account:
    """The account of that name, made if need be, and moved to `plan` when one is given."""
    account = await account_by_name(tx, name)
    if account is None:
        limit = settings.max_concurrent_jobs
        return await create_account(tx, name, plan=plan or "free", max_inflight=limit, now=now)
    if plan and plan != account.plan:
        await set_plan(tx, account.id, plan, now=now)
    return account


def build_worker(settings: Settings, database: Database, *, device: str, supervised: bool) -> Worker:
    """The worker half. A supervised worker ends when its parent does."""
    configure_logs(settings)
    configure_traces(settings, "worker")
    return Worker(
        database=database,
        files=open_files(settings, database),
        engine=build_engine(settings, device=device),
        rules=rules_of(settings),
        device=device,
        supervised=supervised,
        scratch=settings.data_dir / "scratch",
        provenance=provenance_of(settings),
        check=output_check_of(settings),
    )


def build_housekeeping(settings: Settings, database: Database) -> Housekeeping:
    return Housekeeping(database, open_files(settings, database), rules_of(settings))


def create_app(settings: Settings, *, tasks: Mapping[str, type[Task]] = TASKS) -> "FastAPI":
    """The web half: an ASGI app that owns a database of its own and closes it when it stops."""
    # Here, not above: a worker never serves HTTP, and FastAPI is a third of its start-up time.
    from brushwork.api.web import web_app

    configure_logs(settings)
    configure_traces(settings, "api")
    database = open_database(settings)
    services = build_services(settings, database, tasks)

    @asynccontextmanager
    async def lifespan(_app: "FastAPI") -> AsyncIterator[None]:
        try:
            yield
        finally:
            await database.close()

    return web_app(services, lifespan=lifespan)


def build_services(settings: Settings, database: Database, tasks: Mapping[str, type[Task]]) -> "Services":
    """What the endpoints work with."""
    from brushwork.api.callers import Callers
    from brushwork.api.dependencies import Services
    from brushwork.api.metrics import Metrics
    from brushwork.jobs.jobs import Jobs
    from brushwork.jobs.sources import Sources
    from brushwork.jobs.webhooks.sending import judge

    files = open_files(settings, database)
    pictures = build_pictures(settings, files)
    rules = send_rules(settings)
    return Services(
        database=database,
        jobs=Jobs(
            database,
            rules_of(settings),
            sources=Sources(database, files, pictures, tasks),
            policy=policy_of(settings),
            judge_callback=lambda url: judge(url, field="callback", rules=rules),
        ),
        files=files,
        pictures=pictures,
        tasks=tasks,
        callers=Callers(database),
        metrics=Metrics(),
        max_concurrent_jobs=settings.max_concurrent_jobs,
        metrics_key=settings.metrics_key,
        max_body_bytes=int(settings.max_body_mb * 1_000_000),
        c2pa_anchors=anchors_of(settings),
        webhook_rules=rules,
    )


def configure_logs(settings: Settings) -> None:
    logs.configure(settings.log_format, settings.log_level)


def configure_traces(settings: Settings, part: str) -> None:
    """Spans go to the collector of the settings, if there is one."""
    if not settings.otel_url:
        return
    try:
        tracing.configure(settings.otel_url, service=f"brushwork-{part}")
    except tracing.MissingPackage as error:
        raise Unavailable(f"BRUSHWORK_OTEL_URL: {error}.") from None
