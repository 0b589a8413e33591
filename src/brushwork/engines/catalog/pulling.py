"""Getting models, checking them and taking them away.

Files are collected in MODELS_DIR/.pulling and appear in their place in one step, complete and with a record: a pull
that is killed at any moment leaves nothing half there, and the next one goes on where it ended.
"""

import contextlib
import errno
import fcntl
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Literal, Protocol

from brushwork.engines.catalog.hub import PART, RemoteFile, Snapshot, fetch, snapshot
from brushwork.engines.catalog.installed import (
    Holding,
    installed,
    is_allowed,
    place_of,
    record_folder,
    record_path,
)
from brushwork.engines.catalog.model import Adapter, Licence, Model
from brushwork.engines.catalog.record import RECORD, KeptFile, Record, read_record, sha256_of, size_of, write_record
from brushwork.engines.catalog.selecting import select
from brushwork.engines.diffusion.options import DiffusionOptions
from brushwork.errors import Unavailable

SPARE = 1 << 28
"""Bytes that stay free on the disk."""

Outcome = Literal["pulled", "already here", "recorded"]


class Watch(Protocol):
    """Who is shown how far it is."""

    def begin(self, what: str, total: int) -> None:
        """A stage of so many bytes begins."""

    def advance(self, bytes_: int) -> None: ...

    def say(self, line: str) -> None: ...


class NoWatch:
    """For programs."""

    def begin(self, what: str, total: int) -> None: ...

    def advance(self, bytes_: int) -> None: ...

    def say(self, line: str) -> None: ...


NOBODY = NoWatch()


def pull(model: Model, options: DiffusionOptions, *, watch: Watch = NOBODY, again: bool = False) -> dict[str, Outcome]:
    """Bring a model and its adapters here; safe to call twice, and from two processes. `again` checks every byte.

    Nothing is asked of the hub before all licences are allowed, by themselves or in `options.accepted`.
    """
    holdings: list[Holding] = [model, *model.adapters.values()]
    check_licences(holdings, options)
    return {holding.name: pull_one(holding, options, watch=watch, again=again) for holding in holdings}


def check_licences(holdings: list[Holding], options: DiffusionOptions) -> None:
    for holding in holdings:
        record = read_record(record_path(holding, options.models_dir))
        if not is_allowed(holding.licence, record, options.accepted):
            raise Unavailable(unaccepted(holding.name, holding.licence))


def unaccepted(name: str, licence: Licence) -> str:
    where = (
        f" Read it at {licence.url}, and if you agree, go on with" if licence.url else " If you agree to it, go on with"
    )
    return (
        f"The licence of {name}, {licence.name}, has conditions.{where} "
        f"`--accept-licence {licence.name}` or BRUSHWORK_ACCEPT_LICENCES={licence.name}."
    )


def pull_one(holding: Holding, options: DiffusionOptions, *, watch: Watch, again: bool) -> Outcome:
    models_dir = options.models_dir
    with alone(holding, models_dir, watch), full_disk_explained(holding):
        found = installed(holding, models_dir, options.accepted)
        accepted = "" if holding.licence.permissive else today(found.record)
        if holding.checkpoint.folder:
            if found.folder is None:
                raise Unavailable(f"{holding.name}: {found.problem}.")
            if found.record and found.record.repository:  # pulled on another machine, and recorded there
                return "already here"
            record_folder(holding, models_dir, found.folder, accepted=accepted)
            return "recorded"
        if found.state == "ready" and found.record and not found.outdated and not again:
            if accepted and not found.record.accepted:
                write_record(place_of(holding, models_dir) / RECORD, replace(found.record, accepted=accepted))
            return "already here"
        if options.offline:
            raise Unavailable(
                f"{holding.name}: {found.problem or 'it is outdated'}, and BRUSHWORK_OFFLINE forbids to ask."
            )
        again = again or found.state == "damaged"
        before = found.record if again and is_of(holding, found.record) else None
        collect(holding, models_dir, accepted=accepted, watch=watch, again=again, before=before)
        return "pulled"


def is_of(holding: Holding, record: Record | None) -> bool:
    """Whether the record is of the revision that the catalog asks for now."""
    return record is not None and holding.checkpoint.revision in (record.revision, record.commit)


def today(record: Record | None) -> str:
    """The date of an acceptance: the first one counts."""
    return (record.accepted if record else "") or time.strftime("%Y-%m-%d", time.gmtime())


def collect(
    holding: Holding, models_dir: Path, *, accepted: str, watch: Watch, again: bool, before: Record | None
) -> None:
    """Files from the hub, then a record, then the place where models are. `before` is what has to come again."""
    there = snapshot(holding.checkpoint.repository, before.commit if before else holding.checkpoint.revision)
    wanted = select(holding, there.files)
    if before:
        wanted = unchanged(holding, wanted, before)
    staging = staging_of(holding, models_dir, there)
    place = place_of(holding, models_dir)
    if again and place.exists() and not staging.exists():
        borrow(place, staging)
    check_room(models_dir, staging, list(wanted.values()), holding)
    kept = download(holding, there, wanted, staging, watch)
    record = Record(
        name=holding.name,
        repository=holding.checkpoint.repository,
        revision=holding.checkpoint.revision,
        commit=there.commit,
        include=holding.checkpoint.include,
        files=tuple(kept),
        licence=holding.licence.name,
        accepted=accepted,
        pulled=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    )
    write_record(staging / RECORD, record)
    put_in_place(staging, place, models_dir)


def unchanged(holding: Holding, wanted: Mapping[str, RemoteFile], before: Record) -> dict[str, RemoteFile]:
    """The files with the hashes they had. Raises Unavailable when the hub has others under the same commit by now."""
    known = {file.path: file.sha256 for file in before.files}
    for name, file in wanted.items():
        if file.sha256 and file.sha256 != known.get(name, file.sha256):
            raise Unavailable(
                f"{file.path} of {holding.name} is not the file that was pulled at commit {before.commit[:12]}. To "
                f"take the new one all the same: `brushwork models remove {holding.name}`, then pull."
            )
    return {name: replace(file, sha256=known.get(name, file.sha256)) for name, file in wanted.items()}


def borrow(place: Path, staging: Path) -> None:
    """The files of the model that is in use, as links: what is good in them need not come again."""
    try:
        shutil.copytree(place, staging, copy_function=os.link, ignore=shutil.ignore_patterns(RECORD))
    except (OSError, shutil.Error):  # a disk without links
        shutil.rmtree(staging, ignore_errors=True)


def staging_of(holding: Holding, models_dir: Path, there: Snapshot) -> Path:
    """Where its files are collected; those of another commit are not mixed in."""
    key = key_of(holding)
    staging = models_dir / ".pulling" / f"{key}@{there.commit[:12]}"
    for other in staging.parent.glob(f"{key}@*"):
        if other != staging:
            shutil.rmtree(other, ignore_errors=True)
    return staging


def download(
    holding: Holding, there: Snapshot, wanted: Mapping[str, RemoteFile], staging: Path, watch: Watch
) -> list[KeptFile]:
    staging.mkdir(parents=True, exist_ok=True)
    expected = {*wanted, *(file.path + ending for file in wanted.values() for ending in ("", PART))}
    for name in files_below(staging):
        if name not in expected:
            (staging / name).unlink()
    watch.begin(holding.name, sum(file.size for file in wanted.values()))
    share(wanted, staging, staging.parent.parent)
    kept: list[KeptFile] = []
    for name, file in sorted(wanted.items()):
        kept.append(one_file(holding, there, name, file, staging, watch))
    return kept


def share(wanted: Mapping[str, RemoteFile], staging: Path, models_dir: Path) -> None:
    """Take files that another model has too, such as an encoder, as links: they are neither fetched nor kept twice."""
    paths = [*models_dir.glob(f"*/{RECORD}"), *models_dir.glob(f"adapters/*/{RECORD}")]
    records = [(path.parent, record) for path in paths if (record := read_record(path))]
    known = {file.sha256: folder / file.path for folder, record in records for file in record.files}
    for name, file in wanted.items():
        path = staging / name
        if file.sha256 in known and not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(OSError):  # a disk without links, or a file that is gone: it is fetched
                os.link(known[file.sha256], path)


def one_file(holding: Holding, there: Snapshot, name: str, file: RemoteFile, staging: Path, watch: Watch) -> KeptFile:
    """One file in the staging folder under its own name, checked."""
    path, fetched = staging / name, staging / file.path
    for there_already in (path, fetched):
        if file.sha256 and size_of(there_already) == file.size and sha256_of(there_already) == file.sha256:
            watch.advance(file.size)
            there_already.replace(path)
            return KeptFile(name, file.size, file.sha256)
    path.unlink(missing_ok=True)  # it may be a link to the one in use
    fetched = fetch(holding.checkpoint.repository, there.commit, file, staging, on_bytes=watch.advance)
    found = sha256_of(fetched)
    if size_of(fetched) != file.size or (file.sha256 and found != file.sha256):
        fetched.unlink()
        raise Unavailable(f"{file.path} of {holding.name} arrived damaged; run the same command again.")
    fetched.replace(path)
    return KeptFile(name, file.size, found)


def check_room(models_dir: Path, staging: Path, files: list[RemoteFile], holding: Holding) -> None:
    """Raises Unavailable before anything is downloaded that the disk has no room for."""
    there = sum(max(0, size_of(staging / name)) for name in files_below(staging))
    missing = max(0, sum(file.size for file in files) - there)
    free = shutil.disk_usage(models_dir).free
    if missing + SPARE > free:
        raise Unavailable(
            f"{holding.name} needs {missing / 1e9:.1f} GB more, and {models_dir} has {free / 1e9:.1f} GB free; "
            "make room, or let BRUSHWORK_MODELS_DIR name another disk."
        )


def put_in_place(staging: Path, place: Path, models_dir: Path) -> None:
    """The new folder instead of the old one, if there is one. A kill in between leaves the new one complete."""
    place.parent.mkdir(parents=True, exist_ok=True)
    old = out_of_sight(place, models_dir) if place.exists() else None
    staging.rename(place)
    if old:
        shutil.rmtree(old, ignore_errors=True)


def out_of_sight(place: Path, models_dir: Path) -> Path:
    """Where a folder is from now on, to be deleted: a model is never seen with half of its files."""
    old = models_dir / ".pulling" / f"old-{time.time_ns()}"
    old.parent.mkdir(parents=True, exist_ok=True)
    for left in old.parent.glob("old-*"):  # by a process that was killed
        shutil.rmtree(left, ignore_errors=True)
    return place.rename(old)


def files_below(folder: Path) -> list[str]:
    """Paths with slashes, sorted; none where there is no folder."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


# ---------------------------------------------------------------- checking and removing


def verify(holding: Holding, models_dir: Path, *, watch: Watch = NOBODY) -> list[str]:
    """Read every byte: what is not as it was when it was pulled, one line each. Empty is well."""
    found = installed(holding, models_dir, {holding.licence.name})
    if found.folder is None or found.record is None:
        return [found.problem or "its files were never recorded; `brushwork models pull` does it"]
    watch.begin(holding.name, found.record.size)
    wrong = []
    for file in found.record.files:
        path = found.folder / file.path
        if size_of(path) < 0:
            wrong.append(f"{file.path} is gone")
        elif sha256_of(path, on_bytes=watch.advance) != file.sha256:
            wrong.append(f"{file.path} is not what it was")
    known = {file.path for file in found.record.files} | {RECORD}
    if found.record.repository:
        wrong += [f"{name} does not belong to it" for name in files_below(found.folder) if name not in known]
    return wrong


def remove(model: Model, models_dir: Path, *, others: list[Model]) -> list[str]:
    """Take away a model and those of its adapters that no other installed model uses; the names of what went.

    A folder of the operator's stays; only what was recorded of it goes.
    """
    used = {
        name
        for other in others
        if other.name != model.name and installed(other, models_dir).state != "missing"
        for name in other.adapters
    }
    holdings: list[Holding] = [model, *(adapter for name, adapter in model.adapters.items() if name not in used)]
    gone = []
    for holding in holdings:
        with alone(holding, models_dir, NOBODY):
            path = record_path(holding, models_dir) if holding.checkpoint.folder else place_of(holding, models_dir)
            if path.is_file():
                path.unlink()
                gone.append(holding.name)
            elif path.is_dir():
                shutil.rmtree(out_of_sight(path, models_dir), ignore_errors=True)
                gone.append(holding.name)
            for half in (models_dir / ".pulling").glob(f"{key_of(holding)}@*"):
                shutil.rmtree(half, ignore_errors=True)
    return gone


# ---------------------------------------------------------------- one at a time, and on a disk that has an end


def key_of(holding: Holding) -> str:
    return f"{'adapter' if isinstance(holding, Adapter) else 'model'}-{holding.name}"


@contextmanager
def alone(holding: Holding, models_dir: Path, watch: Watch) -> Iterator[None]:
    """One process at a time works on it. The lock goes with the process, however that ends."""
    path = models_dir / ".pulling" / f"{key_of(holding)}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            watch.say(f"Another process works on {holding.name}; waiting for it.")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def full_disk_explained(holding: Holding) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise Unavailable(
            f"The disk is full. What has arrived of {holding.name} is kept; make room, and run the same command again."
        ) from None
