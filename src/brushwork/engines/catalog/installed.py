"""Which models are on this machine, whether they may be used, and the hash that goes into recipes.

    MODELS_DIR/<model>/            files in the layout of the checkpoint, and their record
    MODELS_DIR/adapters/<adapter>/ the same
    MODELS_DIR/.records/           records of folders that are the operator's own

Looks at files, and never asks a hub.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from brushwork.engines.catalog.fields import hint
from brushwork.engines.catalog.model import Adapter, Checkpoint, Kind, Licence, Model
from brushwork.engines.catalog.reading import read_catalog
from brushwork.engines.catalog.record import (
    RECORD,
    KeptFile,
    Record,
    missing_files,
    read_record,
    sha256_of,
    write_record,
)
from brushwork.engines.diffusion.options import DiffusionOptions
from brushwork.errors import Unavailable

Holding = Model | Adapter
"""What has files of its own."""

State = Literal["ready", "licence", "damaged", "missing"]

KINDS_OF_FILES = (".safetensors", ".onnx", ".json", ".txt", ".model", ".jinja", ".md")
"""Data only: nothing that Python would run or unpickle."""


@dataclass(frozen=True)
class Installed:
    """What became of one model or adapter here."""

    state: State
    folder: Path | None = None
    """Where its files are, when they are all there."""
    record: Record | None = None
    problem: str = ""
    """Why it cannot be used."""
    outdated: bool = False
    """The catalog names other files than those that were pulled."""


def usable_models(options: DiffusionOptions) -> Mapping[str, Model]:
    """The models that can draw here, best first, as `located`. Raises Unavailable when catalog or choice are wrong."""
    return chosen_models(options, "image")


def usable_films(options: DiffusionOptions) -> Mapping[str, Model]:
    """The models that can make clips here, best first, as `located`."""
    return chosen_models(options, "video")


def chosen_models(options: DiffusionOptions, kind: Kind) -> Mapping[str, Model]:
    catalog = read_catalog(options.catalogs)
    for name in options.only:
        if name not in catalog:
            raise Unavailable(f"BRUSHWORK_MODELS: there is no model {name!r}{hint(name, catalog)}.")
    chosen = [catalog[name] for name in options.only] or list(catalog.values())
    return {model.name: located(model, options) for model in chosen if model.kind == kind and is_ready(model, options)}


def usable_tools(options: DiffusionOptions) -> Mapping[str, Model]:
    """The tools that are here, as `located`; all of them, whichever models are chosen."""
    catalog = read_catalog(options.catalogs)
    return {
        model.name: located(model, options)
        for model in catalog.values()
        if model.kind == "tool" and is_ready(model, options)
    }


def located(model: Model, options: DiffusionOptions) -> Model:
    """The model with folders on this machine in its checkpoints, and only those adapters that can be used."""
    adapters = {
        name: replace(adapter, checkpoint=locally(adapter, options.models_dir))
        for name, adapter in model.adapters.items()
        if is_ready(adapter, options)
    }
    return replace(model, checkpoint=locally(model, options.models_dir), adapters=adapters)


def locally(holding: Holding, models_dir: Path) -> Checkpoint:
    return replace(holding.checkpoint, folder=str(place_of(holding, models_dir)), variant="")


def is_ready(holding: Holding, options: DiffusionOptions) -> bool:
    return installed(holding, options.models_dir, options.accepted).state == "ready"


def folder_of(holding: Holding, models_dir: Path) -> Path | None:
    """Where the files of a model or an adapter are; None unless they are all there."""
    return installed(holding, models_dir, {holding.licence.name}).folder


def digest_of(holding: Holding, models_dir: Path) -> str:
    """SHA-256 over all its files. The first time, a folder of the operator's is read as a whole."""
    found = installed(holding, models_dir, {holding.licence.name})
    if found.folder is None:
        raise Unavailable(f"{holding.name}: {found.problem}.")
    if found.record and (found.record.repository or is_fresh(found.folder, found.record)):
        return found.record.digest
    return record_folder(holding, models_dir, found.folder, accepted="").digest


def installed(holding: Holding, models_dir: Path, accepted: Collection[str] = ()) -> Installed:
    """How it stands with a model or an adapter; `accepted` are names of licences."""
    found = own_folder(holding, models_dir) if holding.checkpoint.folder else pulled(holding, models_dir)
    if found.state == "ready" and not is_allowed(holding.licence, found.record, accepted):
        problem = f"its licence, {holding.licence.name}, has conditions that have to be accepted"
        return Installed("licence", found.folder, found.record, problem, found.outdated)
    return found


def is_allowed(licence: Licence, record: Record | None, accepted: Collection[str]) -> bool:
    was_accepted = bool(record and record.accepted and record.licence == licence.name)
    return licence.permissive or was_accepted or licence.name in accepted


def place_of(holding: Holding, models_dir: Path) -> Path:
    """Where its files belong."""
    if holding.checkpoint.folder:
        return Path(holding.checkpoint.folder)
    return models_dir / "adapters" / holding.name if isinstance(holding, Adapter) else models_dir / holding.name


def record_path(holding: Holding, models_dir: Path) -> Path:
    if not holding.checkpoint.folder:
        return place_of(holding, models_dir) / RECORD
    kind = "adapter" if isinstance(holding, Adapter) else "model"
    return models_dir / ".records" / f"{kind}-{holding.name}.json"


def pulled(holding: Holding, models_dir: Path) -> Installed:
    folder = place_of(holding, models_dir)
    record = read_record(folder / RECORD)
    if record is None:
        if folder.exists():
            return Installed("damaged", problem=f"{folder} has no {RECORD} that can be read")
        return Installed("missing", problem="it is not installed")
    if record.repository != holding.checkpoint.repository:
        return Installed("missing", problem=f"{folder} holds {record.repository} instead")
    if gone := missing_files(folder, record.files):
        return Installed("damaged", None, record, cut_off(gone))
    wanted = holding.checkpoint
    outdated = wanted.revision not in (record.revision, record.commit) or wanted.include != record.include
    return Installed("ready", folder, record, outdated=outdated)


def own_folder(holding: Holding, models_dir: Path) -> Installed:
    folder = place_of(holding, models_dir)
    wanted = "model_index.json" if isinstance(holding, Model) and holding.kind != "tool" else ""
    wanted = holding.file if isinstance(holding, Adapter) and holding.file else wanted
    if not folder.is_dir():
        return Installed("missing", problem=f"there is no folder {folder}")
    if wanted and not (folder / wanted).is_file():
        return Installed("missing", problem=f"{folder} has no {wanted}")
    if record := read_record(folder / RECORD):  # pulled, here or on another machine
        if gone := missing_files(folder, record.files):
            return Installed("damaged", None, record, cut_off(gone))
        return Installed("ready", folder, record)
    return Installed("ready", folder, read_record(record_path(holding, models_dir)))


def cut_off(gone: list[str]) -> str:
    return f"{len(gone)} of its files are gone or cut off, first {gone[0]}"


# ---------------------------------------------------------------- folders of the operator's


def is_fresh(folder: Path, record: Record) -> bool:
    """Whether the files are those of the record, as far as sizes and times tell."""
    seen = {path: (size, changed) for path, size, changed in listing(folder)}
    return seen == {file.path: (file.size, file.changed) for file in record.files}


def record_folder(holding: Holding, models_dir: Path, folder: Path, *, accepted: str) -> Record:
    """Hash the files of the folder and keep the result."""
    kept = read_record(record_path(holding, models_dir))
    files = tuple(
        KeptFile(path, size, sha256_of(folder / path), changed)
        for path, size, changed in listing(folder, only=holding.file if isinstance(holding, Adapter) else "")
    )
    was_accepted = kept.accepted if kept and kept.licence == holding.licence.name else ""
    record = Record(
        name=holding.name,
        repository="",
        revision="",
        commit="",
        include=holding.checkpoint.include,
        files=files,
        licence=holding.licence.name,
        accepted=accepted or was_accepted,
    )
    write_record(record_path(holding, models_dir), record)
    return record


def listing(folder: Path, *, only: str = "") -> list[tuple[str, int, int]]:
    """(path, size, time of change) of the files that a loader may read."""
    paths = [folder / only] if only else sorted(folder.rglob("*"))
    found = [
        (path.relative_to(folder).as_posix(), path.stat())
        for path in paths
        if path.is_file() and path.suffix in KINDS_OF_FILES
    ]
    return [(path, stat.st_size, stat.st_mtime_ns) for path, stat in found]
