"""Pulling without a hub: licences, offline machines, own folders, checking and removing. The hub has its own tests."""

import errno
import multiprocessing
import os
from dataclasses import replace
from pathlib import Path

import pytest

from brushwork.engines.catalog.installed import installed
from brushwork.engines.catalog.model import Adapter, Checkpoint, Licence, Model
from brushwork.engines.catalog.pulling import NOBODY, alone, full_disk_explained, pull, remove, verify
from brushwork.engines.diffusion.options import DiffusionOptions
from brushwork.errors import Unavailable

STRICT = Licence("OpenRAIL", "https://example.com/terms", permissive=False)
HUB = Model("larch", "Larch", "image", "sdxl", Checkpoint("someone/larch"), Licence("MIT"))


@pytest.fixture
def options(tmp_path: Path) -> DiffusionOptions:
    return DiffusionOptions(models_dir=tmp_path / "models", offline=True)


@pytest.fixture
def own(tmp_path: Path) -> Model:
    """A model in a folder of the operator's, with a LoRA."""
    folder = tmp_path / "own"
    (folder / "unet").mkdir(parents=True)
    (folder / "model_index.json").write_text("{}")
    (folder / "unet" / "model.safetensors").write_bytes(b"weights")
    (folder / "ink.safetensors").write_bytes(b"ink")
    ink = Adapter("ink", "lora", Checkpoint(folder=str(folder)), Licence("MIT"), file="ink.safetensors")
    return replace(HUB, name="own", checkpoint=Checkpoint(folder=str(folder)), adapters={"ink": ink})


def test_a_licence_with_conditions_is_asked_for_before_anything_else(options: DiffusionOptions) -> None:
    with pytest.raises(Unavailable) as caught:
        pull(replace(HUB, licence=STRICT), replace(options, offline=False))

    message = str(caught.value)
    assert "https://example.com/terms" in message
    assert "--accept-licence OpenRAIL" in message
    assert not options.models_dir.exists()


def test_the_licence_of_an_adapter_counts_too(options: DiffusionOptions, own: Model) -> None:
    strict = replace(own, adapters={"ink": replace(own.adapters["ink"], licence=STRICT)})

    with pytest.raises(Unavailable, match="The licence of ink, OpenRAIL, has conditions"):
        pull(strict, options)


def test_an_offline_machine_asks_no_hub(options: DiffusionOptions) -> None:
    with pytest.raises(Unavailable, match="larch: it is not installed, and BRUSHWORK_OFFLINE"):
        pull(HUB, options)


def test_pulling_a_folder_records_it_and_what_was_accepted(options: DiffusionOptions, own: Model) -> None:
    strict = replace(own, licence=STRICT)
    assert installed(strict, options.models_dir).state == "licence"

    outcomes = pull(strict, replace(options, accepted=frozenset({"OpenRAIL"})))

    assert outcomes == {"own": "recorded", "ink": "recorded"}
    found = installed(strict, options.models_dir)
    assert found.state == "ready"
    assert found.record
    assert [file.path for file in found.record.files] == [
        "ink.safetensors", "model_index.json", "unet/model.safetensors",
    ]  # fmt: skip


def test_verify_reads_every_byte(options: DiffusionOptions, own: Model) -> None:
    assert verify(own, options.models_dir) == ["its files were never recorded; `brushwork models pull` does it"]
    pull(own, options)
    assert verify(own, options.models_dir) == []

    folder = Path(own.checkpoint.folder)
    (folder / "unet" / "model.safetensors").write_bytes(b"WEIGHTS")
    (folder / "ink.safetensors").unlink()

    assert verify(own, options.models_dir) == ["ink.safetensors is gone", "unet/model.safetensors is not what it was"]


def test_removing_a_folder_of_the_operators_leaves_it_alone(options: DiffusionOptions, own: Model) -> None:
    pull(own, options)

    assert remove(own, options.models_dir, others=[]) == ["own", "ink"]

    assert (Path(own.checkpoint.folder) / "unet" / "model.safetensors").exists()
    assert remove(own, options.models_dir, others=[]) == []


def test_removing_keeps_an_adapter_that_another_model_uses(options: DiffusionOptions, own: Model) -> None:
    pull(own, options)
    other = replace(own, name="other")

    assert remove(own, options.models_dir, others=[own, other]) == ["own"]


def hold(models_dir: Path, held: "multiprocessing.synchronize.Event") -> None:
    with alone(HUB, models_dir, NOBODY):
        held.set()
        os._exit(9)


def test_the_lock_of_a_process_that_died_is_free(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    held = context.Event()
    process = context.Process(target=hold, args=(tmp_path, held))
    process.start()
    process.join(60)
    assert held.is_set()

    with alone(HUB, tmp_path, NOBODY):
        assert process.exitcode == 9


def test_a_full_disk_is_explained() -> None:
    with pytest.raises(Unavailable, match="What has arrived of larch is kept"), full_disk_explained(HUB):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    with pytest.raises(PermissionError), full_disk_explained(HUB):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
