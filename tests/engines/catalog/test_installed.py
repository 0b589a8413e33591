"""What is on this machine: complete, allowed, and known by its hash."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from brushwork.engines.catalog.installed import digest_of, folder_of, installed, usable_models
from brushwork.engines.catalog.model import Adapter, Checkpoint, Licence, Model
from brushwork.engines.catalog.record import RECORD, KeptFile, Record, read_record, sha256_of, write_record
from brushwork.engines.diffusion.options import DiffusionOptions
from brushwork.errors import Unavailable

FREE = Licence("Apache-2.0")
STRICT = Licence("OpenRAIL", permissive=False)
LARCH = Model("larch", "Larch", "image", "sdxl", Checkpoint("someone/larch", "abc"), FREE)


def put(models_dir: Path, model: Model, **changed: object) -> Path:
    """Files as a pull would leave them."""
    folder = models_dir / model.name
    folder.mkdir(parents=True)
    (folder / "model_index.json").write_text("{}")
    (folder / "unet.safetensors").write_bytes(b"weights of " + model.name.encode())
    files = tuple(KeptFile(path.name, path.stat().st_size, sha256_of(path)) for path in sorted(folder.iterdir()))
    record = Record(
        model.name, model.checkpoint.repository, model.checkpoint.revision, "abcdef", model.checkpoint.include, files,
        model.licence.name,
    )  # fmt: skip
    write_record(folder / RECORD, replace(record, **changed))  # type: ignore[arg-type]
    return folder


def test_a_model_is_missing_until_it_is_pulled(tmp_path: Path) -> None:
    assert installed(LARCH, tmp_path).state == "missing"
    assert folder_of(LARCH, tmp_path) is None

    put(tmp_path, LARCH)

    assert installed(LARCH, tmp_path).state == "ready"
    assert folder_of(LARCH, tmp_path) == tmp_path / "larch"


@pytest.mark.parametrize("harm", ["gone", "cut", "record"])
def test_a_model_with_a_lost_file_is_damaged(tmp_path: Path, harm: str) -> None:
    folder = put(tmp_path, LARCH)
    if harm == "gone":
        (folder / "unet.safetensors").unlink()
    if harm == "cut":
        (folder / "unet.safetensors").write_bytes(b"wei")
    if harm == "record":
        (folder / RECORD).write_text("{}")

    found = installed(LARCH, tmp_path)

    assert found.state == "damaged"
    assert found.problem
    assert folder_of(LARCH, tmp_path) is None


def test_files_of_another_checkpoint_are_not_taken_for_it(tmp_path: Path) -> None:
    put(tmp_path, LARCH)
    other = replace(LARCH, checkpoint=Checkpoint("someone/else"))

    assert "holds someone/larch instead" in installed(other, tmp_path).problem


def test_another_revision_is_used_and_called_outdated(tmp_path: Path) -> None:
    put(tmp_path, LARCH)

    assert not installed(LARCH, tmp_path).outdated
    assert not installed(replace(LARCH, checkpoint=Checkpoint("someone/larch", "abcdef")), tmp_path).outdated
    newer = installed(replace(LARCH, checkpoint=Checkpoint("someone/larch", "def")), tmp_path)
    assert newer.outdated
    assert newer.state == "ready"


def test_a_licence_with_conditions_has_to_be_accepted(tmp_path: Path) -> None:
    strict = replace(LARCH, licence=STRICT)
    put(tmp_path, strict)

    assert installed(strict, tmp_path).state == "licence"
    assert installed(strict, tmp_path, {"OpenRAIL"}).state == "ready"
    assert installed(strict, tmp_path, {"Apache-2.0"}).state == "licence"


def test_a_licence_that_was_accepted_at_the_pull_stays_accepted(tmp_path: Path) -> None:
    strict = replace(LARCH, licence=STRICT)
    put(tmp_path, strict, accepted="2026-11-22")

    assert installed(strict, tmp_path).state == "ready"
    assert installed(replace(strict, licence=replace(STRICT, name="Stricter")), tmp_path).state == "licence"


def test_the_digest_is_of_paths_and_contents(tmp_path: Path) -> None:
    put(tmp_path / "1", LARCH)
    second = put(tmp_path / "2", LARCH, pulled="2026-11-22", commit="other")
    assert digest_of(LARCH, tmp_path / "1") == digest_of(LARCH, tmp_path / "2")

    record = read_record(second / RECORD)
    assert record
    (first, *rest) = record.files
    write_record(second / RECORD, replace(record, files=(replace(first, sha256="0" * 64), *rest)))

    assert digest_of(LARCH, tmp_path / "1") != digest_of(LARCH, tmp_path / "2")


def test_a_model_that_is_not_there_has_no_digest(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="larch: it is not installed"):
        digest_of(LARCH, tmp_path)


def test_a_folder_of_the_operators_is_used_where_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    own = replace(LARCH, checkpoint=Checkpoint(folder=str(folder)))
    assert "there is no folder" in installed(own, tmp_path / "models").problem
    folder.mkdir()
    assert "no model_index.json" in installed(own, tmp_path / "models").problem

    (folder / "model_index.json").write_text("{}")

    assert folder_of(own, tmp_path / "models") == folder


def test_the_digest_of_a_folder_follows_its_files_and_no_others(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    (folder / "unet").mkdir(parents=True)
    (folder / "model_index.json").write_text("{}")
    weights = folder / "unet" / "model.safetensors"
    weights.write_bytes(b"one")
    own = replace(LARCH, checkpoint=Checkpoint(folder=str(folder)))

    first = digest_of(own, tmp_path / "models")
    (folder / "code.py").write_text("print('never loaded')")
    assert digest_of(own, tmp_path / "models") == first

    weights.write_bytes(b"two")
    os.utime(weights, ns=(1, 1))
    assert digest_of(own, tmp_path / "models") != first


def test_a_folder_is_read_once_as_long_as_nothing_changes(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "model_index.json").write_text("{}")
    own = replace(LARCH, checkpoint=Checkpoint(folder=str(folder)))

    digest_of(own, tmp_path)
    kept = tmp_path / ".records" / "model-larch.json"
    before = kept.stat().st_mtime_ns
    digest_of(own, tmp_path)

    assert kept.stat().st_mtime_ns == before


def test_a_lora_is_one_file_of_a_folder(tmp_path: Path) -> None:
    lora = Adapter("ink", "lora", Checkpoint(folder=str(tmp_path / "loras")), FREE, file="ink.safetensors")
    (tmp_path / "loras").mkdir()
    assert "no ink.safetensors" in installed(lora, tmp_path).problem
    (tmp_path / "loras" / "ink.safetensors").write_bytes(b"ink")
    digest = digest_of(lora, tmp_path)

    (tmp_path / "loras" / "other.safetensors").write_bytes(b"other")

    assert folder_of(lora, tmp_path) == tmp_path / "loras"
    assert digest_of(lora, tmp_path) == digest


# ---------------------------------------------------------------- what can draw

OWN = """
[models.larch]
title = "Larch"
kind = "image"
family = "sdxl"
licence = "Apache-2.0"
checkpoint = { repository = "someone/larch", revision = "abc" }

[models.beech]
extends = "larch"
licence = { name = "OpenRAIL", permissive = false }
checkpoint = { repository = "someone/beech" }
"""


@pytest.fixture
def options(tmp_path: Path) -> DiffusionOptions:
    """A machine with two models, one of them under conditions."""
    (tmp_path / "own.toml").write_text(OWN)
    options = DiffusionOptions(models_dir=tmp_path / "models", catalogs=(tmp_path / "own.toml",))
    put(options.models_dir, LARCH)
    put(options.models_dir, replace(LARCH, name="beech", checkpoint=Checkpoint("someone/beech"), licence=STRICT))
    return options


def test_only_what_is_here_and_allowed_can_draw(options: DiffusionOptions) -> None:
    assert list(usable_models(options)) == ["larch"]
    assert list(usable_models(replace(options, accepted=frozenset({"OpenRAIL"})))) == ["larch", "beech"]


def test_the_operators_choice_has_its_order(options: DiffusionOptions) -> None:
    accepted = replace(options, accepted=frozenset({"OpenRAIL"}))

    assert list(usable_models(replace(accepted, only=("beech", "larch", "sdxl")))) == ["beech", "larch"]
    with pytest.raises(Unavailable, match=r"BRUSHWORK_MODELS: there is no model 'beach' \(did you mean 'beech'\?\)"):
        usable_models(replace(accepted, only=("beach",)))
