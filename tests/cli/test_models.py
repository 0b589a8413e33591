"""`brushwork models` and what `doctor` says of models, as an operator types and reads them. Without a hub."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Brushwork

OWN = """
[models.larch]
title = "Larch"
kind = "image"
family = "sdxl"
licence = { name = "Larch-1", url = "https://example.com/larch", permissive = false }
checkpoint = { folder = "larch" }
vram_gb = 1
profiles."7" = { steps = 20, guidance = 5 }
profiles."6" = { steps = 20, guidance = 5, fallback = true }
"""


@pytest.fixture
def larch(brushwork: Brushwork) -> Brushwork:
    """A command that knows a model in a folder of the operator's."""
    folder = brushwork.folder / "larch"
    (folder / "unet").mkdir(parents=True)
    (folder / "model_index.json").write_text("{}")
    (folder / "unet" / "model.safetensors").write_bytes(b"weights")
    (brushwork.folder / "own.toml").write_text(OWN)
    brushwork.patch.setenv("BRUSHWORK_MODEL_FILES", str(brushwork.folder / "own.toml"))
    return brushwork


def rows(brushwork: Brushwork, *arguments: str) -> Any:
    return brushwork.json(*arguments)


def model_row(brushwork: Brushwork, name: str) -> dict[str, Any]:
    return next(row for row in rows(brushwork, "models", "list")["models"] if row["name"] == name)


def test_models_list_says_which_engine_is_in_use(brushwork: Brushwork) -> None:
    engines = rows(brushwork, "models", "list")["engines"]

    assert [row["name"] for row in engines if row["in_use"] is True] == ["noop"]
    assert "diorama" in brushwork("models", "list").stdout


def test_models_list_says_what_can_be_installed(brushwork: Brushwork) -> None:
    row = model_row(brushwork, "z-image-turbo")

    assert row["state"] == "missing"
    assert row["versions"] == ["7"]
    assert "z-image-turbo" in brushwork("models", "list").stdout


def test_names_that_are_copied_are_not_cut_off_however_narrow_the_terminal(brushwork: Brushwork) -> None:
    brushwork.patch.setattr("brushwork.cli.output.console._width", 80)

    listed, shown = brushwork("models", "list").stdout, brushwork("models", "show", "sdxl").stdout

    for row in rows(brushwork, "models", "list")["models"]:
        assert row["name"] in listed
    assert "…" not in listed + shown
    assert "https://huggingface.co/stabilityai/stable-diffusion-xl-base-1.0/blob/main/LICENSE.md" in shown


def test_a_folder_of_ones_own_is_not_downloaded(larch: Brushwork) -> None:
    (larch.folder / "own.toml").write_text(
        '[models.larch]\nextends = "sdxl"\nlicence = "MIT"\ncheckpoint = { folder = "larch" }\n'
    )

    assert model_row(larch, "larch")["download_gb"] == 0
    assert model_row(larch, "sdxl")["download_gb"] > 0


def test_a_licence_is_accepted_by_name_and_stays_accepted(larch: Brushwork) -> None:
    assert model_row(larch, "larch")["state"] == "licence"
    refused = larch("models", "pull", "larch", code=1).stderr
    assert "https://example.com/larch" in refused

    larch("models", "pull", "larch", "--accept-licence", "Larch-1")

    assert model_row(larch, "larch")["state"] == "ready"
    assert rows(larch, "models", "show", "larch")["accepted"]
    assert larch.json("models", "pull", "larch") == [{"name": "larch", "outcome": "recorded"}]


def test_a_licence_can_be_accepted_in_a_setting(larch: Brushwork) -> None:
    said = larch("models", "list", "--json", BRUSHWORK_ACCEPT_LICENCES="Other, Larch-1").stdout

    assert next(row["state"] for row in json.loads(said)["models"] if row["name"] == "larch") == "ready"


def test_show_tells_everything_and_for_programs_too(larch: Brushwork) -> None:
    text = larch("models", "show", "sdxl").stdout

    assert "CreativeML-OpenRAIL++-M" in text
    assert "controlnet-union-sdxl" in text
    assert rows(larch, "models", "show", "larch")["profiles"][0]["steps"] == 20


def test_a_name_that_is_spelled_wrong_is_answered_with_the_right_one(brushwork: Brushwork) -> None:
    assert "there is no model" in brushwork("models", "show", "sdlx", code=1).stderr.lower()
    assert "did you mean 'sdxl'?" in brushwork("models", "pull", "sdlx", code=1).stderr


def test_verify_finds_a_changed_byte_and_ends_with_one(larch: Brushwork) -> None:
    larch("models", "pull", "larch", "--accept-licence", "Larch-1")
    assert rows(larch, "models", "verify", "larch") == [{"name": "larch", "problems": []}]

    (larch.folder / "larch" / "unet" / "model.safetensors").write_bytes(b"WEIGHTS")

    said = larch("models", "verify", "larch", code=1)
    assert "unet/model.safetensors is not what it was" in said.stdout
    assert "--again" in said.stderr


def test_removing_what_is_not_there_is_no_mistake(larch: Brushwork) -> None:
    assert rows(larch, "models", "remove", "sdxl") == []
    assert (larch.folder / "larch").exists()


def test_an_offline_machine_is_told_so(brushwork: Brushwork) -> None:
    said = brushwork("models", "pull", "z-image", code=1, BRUSHWORK_OFFLINE="true").stderr

    assert "BRUSHWORK_OFFLINE" in said


def test_a_mistake_in_an_own_file_names_file_entry_and_field(larch: Brushwork) -> None:
    path = larch.folder / "own.toml"
    path.write_text(OWN.replace("vram_gb = 1", "vram = 1"))

    said = larch("models", "list", code=1).stderr

    assert f"{path}: models.larch: there is no field 'vram'" in said


# ---------------------------------------------------------------- doctor


def findings(brushwork: Brushwork, engine: str = "noop") -> dict[str, tuple[str, str]]:
    said = brushwork("doctor", "--json", BRUSHWORK_ENGINE=engine).stdout
    return {finding["what"]: (finding["state"], finding["found"]) for finding in json.loads(said)}


def test_doctor_says_that_one_engine_draws_everything(brushwork: Brushwork) -> None:
    assert findings(brushwork)["draws"] == ("ok", "every version: the engine noop")


def test_doctor_says_which_model_to_get(brushwork: Brushwork) -> None:
    state, found = findings(brushwork, "diorama")["models"]

    assert state == "note"
    assert "brushwork models pull z-image-turbo" in found


def test_doctor_names_a_licence_that_keeps_a_model_from_drawing(larch: Brushwork) -> None:
    state, found = findings(larch)["model larch"]

    assert state == "note"
    assert "BRUSHWORK_ACCEPT_LICENCES=Larch-1" in found


def test_doctor_keeps_the_brackets_of_a_command(brushwork: Brushwork) -> None:
    text = brushwork("doctor").stdout

    assert "pip install 'brushwork[diffusers]'" in text or "torch 2" in text


def test_doctor_says_what_draws_each_version_and_what_would_suit_it(larch: Brushwork, tmp_path: Path) -> None:
    from brushwork.cli.drawing import by_models
    from brushwork.engines.diffusion.options import DiffusionOptions
    from brushwork.engines.registry import EngineOptions

    options = DiffusionOptions(
        models_dir=tmp_path / "models",
        catalogs=(larch.folder / "own.toml",),
        accepted=frozenset({"Larch-1"}),
        memory_gb=24,
    )

    said = {what: (state, found) for state, what, found in by_models(EngineOptions(diffusion=options))}

    assert said["draws --v 7"] == ("ok", "larch, needs about 1 GB of 24 GB")
    assert said["draws --v 6"][0] == "note"
    assert "larch, needs about 1 GB of 24 GB" in said["draws --v 6"][1]
    assert "`brushwork models pull sdxl`" in said["draws --v 6"][1]
    assert said["draws --niji 6"][1].startswith("no installed model; `brushwork models pull animagine-xl-4`")
