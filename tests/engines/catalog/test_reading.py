"""The catalog: what ships is consistent, and what an operator writes is understood or refused with its place."""

from pathlib import Path

import pytest

from brushwork.engines.base import Op
from brushwork.engines.catalog.model import PARAMS, VERSIONS
from brushwork.engines.catalog.reading import read_catalog
from brushwork.engines.diffusion.facts import FAMILIES
from brushwork.errors import Unavailable
from brushwork.prompts.parameters import PARAMETERS
from brushwork.prompts.versions import VERSIONS as PROMPT_VERSIONS

CATALOG = read_catalog()
IMAGE = [model for model in CATALOG.values() if model.kind == "image"]

TRAPS = (
    "Qwen-Image-2.1", "circlestone-labs/Anima", "DreamLite",
    "FLUX.1-dev", "FLUX.1-Fill", "FLUX.1-Kontext", "FLUX.2-dev", "klein-9B",
    "Krea", "LTX", "HunyuanVideo", "RMBG", "CodeFormer", "GPEN", "InsightFace", "FaceID", "NoobAI", "Illustrious",
)  # fmt: skip
"""Checkpoints whose licence would bind an operator who did not read it."""

LARCH = """
[models.larch]
title = "Larch"
kind = "image"
family = "sdxl"
licence = "Apache-2.0"
checkpoint = { repository = "someone/larch" }
"""


def written(folder: Path, text: str, name: str = "own.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def refusal(folder: Path, text: str) -> str:
    with pytest.raises(Unavailable) as caught:
        read_catalog([written(folder, text)])
    return str(caught.value)


# ---------------------------------------------------------------- what ships


def test_versions_and_parameters_are_those_of_the_prompt_language() -> None:
    assert set(VERSIONS) == {name for name, version in PROMPT_VERSIONS.items() if version.flag}
    assert set(PARAMETERS) > PARAMS


@pytest.mark.parametrize("version", VERSIONS)
def test_every_version_has_a_model_that_suits_it(version: str) -> None:
    assert [model.name for model in IMAGE if version in model.profiles and not model.profiles[version].fallback]


@pytest.mark.parametrize("model", [model for model in IMAGE if model.profiles], ids=lambda model: model.name)
def test_a_model_that_draws_from_words_serves_every_version(model) -> None:  # type: ignore[no-untyped-def]
    assert set(model.profiles) == set(VERSIONS)
    assert Op.TEXT_TO_IMAGE in model.ops


@pytest.mark.parametrize("model", IMAGE, ids=lambda model: model.name)
def test_a_model_promises_what_its_family_can_do(model) -> None:  # type: ignore[no-untyped-def]
    facts = FAMILIES[model.family]
    kinds = {adapter.kind for adapter in model.adapters.values()}

    assert model.references <= facts.references
    assert facts.image_prompts or "ip_adapter" not in kinds
    assert facts.controls or "controlnet" not in kinds
    assert (facts.tile != "none") or "tile" not in model.params
    assert ("no" in model.params) == (model.negative != "none")
    sees = bool(model.references) or "ip_adapter" in kinds
    assert sees or not model.params & {"sref", "sw", "cref", "cw", "oref", "ow"}
    assert sees or not model.ops & {Op.BLEND, Op.RETEXTURE}
    assert sees or CATALOG[model.edits_with].references
    assert not (model.distilled and (model.params & {"stylize", "exp"} or model.negative == "native"))


def test_what_ships_is_pinned_and_free_of_traps() -> None:
    for model in CATALOG.values():
        named = f"{model.checkpoint.repository} {model.name}".lower()
        assert not [trap for trap in TRAPS if trap.lower() in named]
        assert model.licence.url.startswith("https://")
        assert model.vram_gb
        assert model.download_gb
        assert model.summary
    for model in IMAGE:
        assert len(model.checkpoint.revision) == 40


def test_only_licences_with_conditions_have_to_be_accepted() -> None:
    asked = {model.name for model in CATALOG.values() if not model.licence.permissive}
    permissive = {model.licence.name for model in CATALOG.values() if model.licence.permissive}

    assert asked == {"sdxl", "animagine-xl-4"}
    assert permissive == {"Apache-2.0", "MIT", "BSD-3-Clause"}


# ---------------------------------------------------------------- what an operator adds


def test_own_models_come_first_and_replace_those_of_the_same_name(tmp_path: Path) -> None:
    own = written(tmp_path, LARCH.replace("larch", "sdxl", 1) + LARCH)

    catalog = read_catalog([own])

    assert list(catalog)[:3] == ["sdxl", "larch", "z-image-turbo"]
    assert catalog["sdxl"].title == "Larch"
    assert not catalog["sdxl"].profiles


def test_an_entry_can_extend_another_and_keep_its_profiles(tmp_path: Path) -> None:
    text = """
    [adapters.ink]
    kind = "lora"
    checkpoint = { folder = "loras" }
    file = "ink.safetensors"
    licence = { name = "mine", permissive = true }
    weight = -0.5

    [models.sdxl-ink]
    extends = "sdxl"
    title = "SDXL in ink"
    adapters = ["ink"]
    profiles."6" = { steps = 20, guidance = 5, adapters = ["ink"], suffix = "ink drawing" }
    """

    model = read_catalog([written(tmp_path, text)])["sdxl-ink"]

    shipped = CATALOG["sdxl"]
    assert model.checkpoint == shipped.checkpoint
    assert model.profiles["6.1"] == shipped.profiles["6.1"]
    assert model.profiles["6"].adapters == ("ink",)
    assert model.adapters["ink"].weight == -0.5
    assert model.adapters["ink"].checkpoint.folder == str(tmp_path / "loras")


def test_a_later_file_goes_on_from_an_earlier_one(tmp_path: Path) -> None:
    first = written(tmp_path, LARCH, "first.toml")
    second = written(tmp_path, '[models.larch]\nextends = "larch"\ntitle = "Taller"\n', "second.toml")

    assert read_catalog([first, second])["larch"].title == "Taller"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (("title", "titel"), "models.larch: there is no field 'titel' (did you mean 'title'?)"),
        (('"sdxl"', '"sdlx"'), "models.larch.family: 'sdlx' is none of sd, sdxl"),
        (('"Apache-2.0"', '"Apache-2"'), "models.larch.licence: there is no licence 'Apache-2' (did you mean"),
        (("someone/larch", "larch"), "models.larch.checkpoint.repository: a repository is written owner/name"),
        (("someone/larch", "../larch"), "models.larch.checkpoint.repository: a repository is written owner/name"),
        (('kind = "image"\n', ""), "models.larch: 'kind' is missing"),
        (("models.larch", "models.Larch"), "models.Larch: a name is made of"),
        (("[models.larch]", "[models"), "it is not TOML"),
        (("[models.larch]", "[model.larch]"), "there is no table 'model'"),
    ],
)
def test_a_mistake_is_refused_with_its_place(tmp_path: Path, changed: tuple[str, str], said: str) -> None:
    message = refusal(tmp_path, LARCH.replace(*changed))

    assert str(tmp_path / "own.toml") in message
    assert said in message


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("steps = [1, 2]", "models.larch.steps: [least, usual, most] is wanted"),
        ("steps = [9, 2, 3]", "models.larch.steps: [least, usual, most] must rise"),
        ("side = 1.5", "models.larch.side: a whole number from 64"),
        ("vram_gb = -1", "models.larch.vram_gb: a number, 0 or more"),
        ("vram_gb = inf", "models.larch.vram_gb: a number, 0 or more"),
        ("distilled = 1", "models.larch.distilled: true or false"),
        ('ops = ["paint"]', "models.larch.ops: there is no 'paint'"),
        ('params = ["chaoss"]', "models.larch.params: there is no 'chaoss' (did you mean 'chaos'?)"),
        ('params = ["no"]', "models.larch.params: 'no' needs a 'negative'"),
        ('adapters = ["ink"]', "models.larch.adapters: there is no adapter 'ink'"),
        ('edits_with = "pine"', "models.larch.edits_with: there is no model 'pine'"),
        ('edits_with = "larch"', "models.larch.edits_with: a model cannot name itself"),
        ('profiles."5" = { steps = 9, guidance = 1 }', "models.larch.profiles: there is no version '5'"),
        ('profiles."7" = { steps = 9 }', "models.larch.profiles.7: 'guidance' is missing"),
        ('profiles."7" = { steps = 90, guidance = 1 }', "models.larch.profiles.7.steps: 90 is outside"),
        ('profiles."7" = { steps = 9, guidance = 99 }', "models.larch.profiles.7.guidance: 99 is outside"),
        (
            'profiles."7" = { steps = 9, guidance = 1, adapters = ["x"] }',
            "models.larch.profiles.7.adapters: 'x' is not",
        ),
        ("max_side = 512", "models.larch.max_side: 512 is less than 'side'"),
        ('extends = "beech"', "models.larch: it extends 'beech'"),
    ],
)
def test_a_value_that_cannot_be_meant_is_refused(tmp_path: Path, line: str, said: str) -> None:
    assert said in refusal(tmp_path, LARCH + line)


@pytest.mark.parametrize("path", ["/etc/*", "../*.json"])
def test_a_pattern_stays_inside_the_checkpoint(tmp_path: Path, path: str) -> None:
    text = LARCH.replace('"someone/larch"', f'"someone/larch", include = ["{path}"]')

    assert "a path inside the checkpoint is wanted" in refusal(tmp_path, text)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"own\.toml: it cannot be read"):
        read_catalog([tmp_path / "own.toml"])
