"""Pulling from a hub on the loopback: resumed, checked, all or nothing."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from brushwork.engines.catalog.hub import snapshot
from brushwork.engines.catalog.installed import digest_of, folder_of, installed, usable_models
from brushwork.engines.catalog.model import Model
from brushwork.engines.catalog.pulling import Outcome, pull, remove, verify
from brushwork.engines.catalog.reading import read_catalog
from brushwork.engines.catalog.record import RECORD, read_record
from brushwork.engines.diffusion.options import DiffusionOptions
from brushwork.errors import Unavailable
from tests.engines.catalog.hub_server import COMMIT, Hub, serve, sha256

WEIGHTS = bytes(range(256)) * 32768
"""8 MiB: several chunks, so that something is on the disk when the second half does not come."""

OWN = """
[adapters.ink]
kind = "lora"
checkpoint = { repository = "someone/larch", include = ["ink.safetensors"] }
file = "ink.safetensors"
licence = "MIT"

[models.larch]
title = "Larch"
kind = "image"
family = "sdxl"
licence = "Apache-2.0"
checkpoint = { repository = "someone/larch", variant = "fp16", include = ["model_index.json", "unet/*", "LICENSE"] }
adapters = ["ink"]
"""


@dataclass(frozen=True)
class Machine:
    """An operator's machine, and the hub it knows."""

    hub: Hub
    folder: Path

    @property
    def options(self) -> DiffusionOptions:
        return DiffusionOptions(models_dir=self.folder / "models", catalogs=(self.folder / "own.toml",))

    @property
    def models(self) -> Path:
        return self.options.models_dir

    @property
    def larch(self) -> Model:
        return read_catalog(self.options.catalogs)["larch"]

    def pull(self, *, again: bool = False) -> dict[str, Outcome]:
        return pull(self.larch, self.options, again=again)

    def refusal(self) -> str:
        with pytest.raises(Unavailable) as caught:
            self.pull()
        return str(caught.value)

    def start(self) -> "subprocess.Popen[str]":
        """The real command, in a process of its own."""
        environment = {
            **os.environ,
            "BRUSHWORK_DATA_DIR": str(self.folder),
            "BRUSHWORK_MODELS_DIR": str(self.models),
            "BRUSHWORK_MODEL_FILES": str(self.folder / "own.toml"),
            "COLUMNS": "200",
        }
        command = [sys.executable, "-m", "brushwork", "models", "pull", "larch"]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, env=environment, stdout=pipe, stderr=pipe, text=True, cwd=self.folder)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    hub = Hub(
        {
            "model_index.json": b'{"_class_name": "StableDiffusionXLPipeline"}',
            "LICENSE": b"terms",
            "unet/config.json": b"{}",
            "unet/empty.txt": b"",
            "unet/model.safetensors": b"in float32, not wanted",
            "unet/model.fp16.safetensors": WEIGHTS,
            "unet/model.bin": b"never",
            "unet/code.py": b"never",
            "ink.safetensors": b"ink" * 100,
        }
    )
    server = serve(hub)
    for name in [name for name in os.environ if name.startswith(("BRUSHWORK_", "HF_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_address[1]}")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr("brushwork.engines.catalog.hub.PAUSE", 0.01)
    (tmp_path / "own.toml").write_text(OWN)
    yield Machine(hub, tmp_path)
    hub.go_on.set()
    server.shutdown()
    server.server_close()


def test_a_pull_brings_data_and_its_record_and_nothing_else(machine: Machine) -> None:
    assert machine.pull() == {"larch": "pulled", "ink": "pulled"}

    folder = folder_of(machine.larch, machine.models)
    assert folder
    assert sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()) == [
        "LICENSE", RECORD, "model_index.json", "unet/config.json", "unet/empty.txt", "unet/model.safetensors",
    ]  # fmt: skip
    assert (folder / "unet" / "model.safetensors").read_bytes() == WEIGHTS
    record = read_record(folder / RECORD)
    assert record
    assert (record.revision, record.commit) == ("main", COMMIT)
    assert {file.path: file.sha256 for file in record.files}["unet/model.safetensors"] == sha256(WEIGHTS)
    assert digest_of(machine.larch, machine.models) == record.digest
    assert folder_of(machine.larch.adapters["ink"], machine.models) == machine.models / "adapters" / "ink"


def test_an_engine_gets_folders_and_needs_to_know_no_hub(machine: Machine) -> None:
    machine.pull()

    model = usable_models(machine.options)["larch"]

    assert Path(model.checkpoint.folder, "unet", "model.safetensors").is_file()
    assert model.checkpoint.variant == ""
    assert Path(model.adapters["ink"].checkpoint.folder, model.adapters["ink"].file).is_file()
    assert folder_of(model, machine.models) == folder_of(machine.larch, machine.models)
    assert digest_of(model, machine.models) == digest_of(machine.larch, machine.models)


def test_a_second_pull_asks_for_nothing(machine: Machine) -> None:
    machine.pull()
    machine.hub.asked.clear()

    assert machine.pull() == {"larch": "already here", "ink": "already here"}

    assert machine.hub.asked == []


def test_a_pull_that_is_killed_leaves_nothing_half_there_and_goes_on(machine: Machine) -> None:
    machine.hub.stuck.add("unet/model.fp16.safetensors")
    with machine.start() as process:
        assert machine.hub.halfway.wait(60)
        wait_for_bytes(machine.models / ".pulling")
        process.send_signal(signal.SIGKILL)
        process.wait(60)
    assert installed(machine.larch, machine.models).state == "missing"
    assert not (machine.models / "larch").exists()
    machine.hub.stuck.clear()
    machine.hub.go_on.set()

    machine.pull()

    first, second = machine.hub.gets("unet/model.fp16.safetensors")
    assert first == 0
    assert second > 0  # the rest only
    assert verify(machine.larch, machine.models) == []
    assert [path.name for path in (machine.models / ".pulling").iterdir() if path.is_dir()] == []


def wait_for_bytes(folder: Path) -> None:
    """Until something of the weights is on the disk."""
    for _ in range(600):
        if any(path.stat().st_size > 1000 for path in folder.rglob("*.part")):
            return
        time.sleep(0.05)
    raise AssertionError("nothing arrived")


def test_two_pulls_at_once_download_once(machine: Machine) -> None:
    machine.hub.stuck.add("unet/model.fp16.safetensors")
    with machine.start() as first:
        assert machine.hub.halfway.wait(60)
        with machine.start() as second:
            assert second.stderr
            waited = next(line for line in second.stderr if "Another" in line)
            machine.hub.go_on.set()
            outcomes = [process.communicate(timeout=60)[0] for process in (first, second)]

    assert (first.returncode, second.returncode) == (0, 0)
    assert "Another process works on larch; waiting for it." in waited
    assert "already here" in outcomes[1]
    assert machine.hub.gets("unet/model.fp16.safetensors") == [0]


def test_a_connection_that_breaks_goes_on_where_it_broke(machine: Machine) -> None:
    machine.hub.breaks["unet/model.fp16.safetensors"] = 3
    machine.hub.busy = 2

    machine.pull()

    starts = machine.hub.gets("unet/model.fp16.safetensors")
    assert len(starts) == 4
    assert starts == sorted(set(starts))
    assert verify(machine.larch, machine.models) == []


def test_a_hub_that_stays_busy_is_given_up(machine: Machine) -> None:
    machine.hub.busy = 1000

    assert "The hub did not answer (status 503). What has arrived is kept" in machine.refusal()

    assert machine.hub.busy > 900


def test_a_file_that_arrives_changed_is_refused(machine: Machine) -> None:
    machine.hub.lies.add("unet/model.fp16.safetensors")

    assert "arrived damaged" in machine.refusal()
    assert installed(machine.larch, machine.models).state == "missing"

    machine.hub.lies.clear()
    assert machine.pull()["larch"] == "pulled"


def test_what_the_disk_has_no_room_for_is_not_begun(machine: Machine) -> None:
    machine.hub.claimed["unet/model.fp16.safetensors"] = 10**15

    assert "larch needs 1000000.0 GB more" in machine.refusal()

    assert machine.hub.gets("unet/model.fp16.safetensors") == []


def test_a_damaged_model_is_repaired_with_what_is_missing_only(machine: Machine) -> None:
    machine.pull()
    weights = machine.models / "larch" / "unet" / "model.safetensors"
    (machine.models / "larch" / "model_index.json").unlink()
    machine.hub.asked.clear()

    machine.pull()

    assert installed(machine.larch, machine.models).state == "ready"
    assert machine.hub.gets("unet/model.fp16.safetensors") == []

    weights.write_bytes(WEIGHTS[::-1])
    assert verify(machine.larch, machine.models) == ["unet/model.safetensors is not what it was"]
    machine.pull(again=True)
    assert verify(machine.larch, machine.models) == []


def test_a_repair_never_takes_a_newer_commit(machine: Machine) -> None:
    machine.pull()
    (machine.models / "larch" / "model_index.json").unlink()
    machine.hub.commit = COMMIT[::-1]

    assert machine.refusal() == f"someone/larch has no revision '{COMMIT}'."
    assert not (machine.models / "larch" / "model_index.json").exists()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("unet/model.fp16.safetensors", "is not the file that was pulled at commit 0123456789ab"),
        ("model_index.json", "arrived damaged"),
    ],
)
def test_files_that_changed_under_the_same_commit_are_refused(machine: Machine, name: str, said: str) -> None:
    machine.pull()
    before = verify(machine.larch, machine.models)
    machine.hub.files[name] = machine.hub.files[name][::-1]
    (machine.models / "larch" / "model_index.json").unlink()

    assert said in machine.refusal()

    machine.hub.files[name] = machine.hub.files[name][::-1]
    machine.pull()
    assert verify(machine.larch, machine.models) == before == []


def test_what_another_model_has_is_neither_fetched_nor_kept_twice(machine: Machine) -> None:
    machine.pull()
    machine.hub.asked.clear()
    with (machine.folder / "own.toml").open("a") as own:
        own.write('[models.beech]\nextends = "larch"\n')

    pull(read_catalog(machine.options.catalogs)["beech"], machine.options)

    assert machine.hub.gets("unet/model.fp16.safetensors") == []
    assert (machine.models / "beech" / "unet" / "model.safetensors").stat().st_nlink == 2


def test_what_does_not_belong_to_a_model_is_found(machine: Machine) -> None:
    machine.pull()
    (machine.models / "larch" / "unet" / "extra.safetensors").write_bytes(b"who put it here?")

    assert verify(machine.larch, machine.models) == ["unet/extra.safetensors does not belong to it"]


def test_a_new_revision_replaces_the_old_one_as_a_whole(machine: Machine) -> None:
    machine.pull()
    own = machine.folder / "own.toml"
    machine.hub.commit = COMMIT[::-1]
    machine.hub.files["unet/model.fp16.safetensors"] = WEIGHTS[::-1]
    own.write_text(own.read_text().replace('"LICENSE"]', '"LICENSE*"]'))
    assert installed(machine.larch, machine.models).outdated

    machine.pull()

    found = installed(machine.larch, machine.models)
    assert not found.outdated
    assert found.record
    assert found.record.commit == COMMIT[::-1]
    assert (machine.models / "larch" / "unet" / "model.safetensors").read_bytes() == WEIGHTS[::-1]


def test_removing_takes_the_adapters_along(machine: Machine) -> None:
    machine.pull()

    assert remove(machine.larch, machine.models, others=[machine.larch]) == ["larch", "ink"]

    assert not (machine.models / "larch").exists()
    assert not (machine.models / "adapters" / "ink").exists()


def test_a_copied_folder_is_known_on_another_machine(machine: Machine, tmp_path: Path) -> None:
    machine.pull()
    elsewhere = replace(machine.options, models_dir=tmp_path / "elsewhere", offline=True)

    shutil.copytree(machine.models, elsewhere.models_dir)

    assert pull(machine.larch, elsewhere) == {"larch": "already here", "ink": "already here"}
    assert verify(machine.larch, elsewhere.models_dir) == []


def test_the_token_of_the_operator_is_sent(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    snapshot("someone/larch", "main")
    (machine.folder / "hub").mkdir()
    (machine.folder / "hub" / "token").write_text("kept\n")
    snapshot("someone/larch", "main")
    monkeypatch.setenv("HF_TOKEN", "given")
    snapshot("someone/larch", "main")

    assert machine.hub.keys == ["", "Bearer kept", "Bearer given"]


@pytest.mark.parametrize(
    ("own", "said"),
    [
        (OWN.replace("someone/larch", "someone/else"), "The hub has no someone/else"),
        (OWN.replace('"unet/*"', '"unet/absent.safetensors"'), "someone/larch has no unet/absent.safetensors"),
    ],
)
def test_what_the_hub_does_not_have_is_named(machine: Machine, own: str, said: str) -> None:
    (machine.folder / "own.toml").write_text(own)

    assert said in machine.refusal()


def test_a_path_that_leaves_its_folder_is_refused(machine: Machine) -> None:
    machine.hub.files["unet/../../../escape.json"] = b"{}"

    assert "a file that would leave its folder" in machine.refusal()


def test_a_hub_that_is_away_is_named(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")

    assert "The hub did not answer" in machine.refusal()


def test_the_hubs_own_switch_for_offline_counts(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")

    assert "HF_HUB_OFFLINE forbids" in machine.refusal()
