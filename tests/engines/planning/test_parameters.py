"""No parameter of a prompt is passed over in silence, and the documentation says what becomes of each."""

from dataclasses import replace
from pathlib import Path

import pytest

from brushwork.engines.base import PICTURE_OPS, Op
from brushwork.engines.catalog.model import Model
from brushwork.engines.diffusion.planning import params_of
from brushwork.engines.diffusion.planning.parameters import TREATMENTS
from brushwork.prompts.parameters import PARAMETERS
from brushwork.prompts.parser import parse_prompt
from brushwork.prompts.prompt import Prompt
from brushwork.tasks.rows import rows_of
from tests.engines.planning.models import BASE, CATALOG, KLEIN, PIPE, SDXL, TURBO, planned, source

PAGE = (Path(__file__).parents[3] / "docs" / "concepts" / "diffusion.md").read_text(encoding="utf-8")
EVERY = pytest.mark.parametrize("model", [*CATALOG.values(), PIPE], ids=lambda model: model.name)


def test_every_parameter_of_the_prompt_language_has_its_row() -> None:
    assert set(TREATMENTS) == set(PARAMETERS)


@pytest.mark.parametrize("name", TREATMENTS)
def test_the_page_tells_of_each_parameter_what_the_code_says(name: str) -> None:
    treatment = TREATMENTS[name]

    assert f"| `--{name}` | {treatment.done} | {treatment.said.format(name)} |" in PAGE


@pytest.mark.parametrize("op", sorted(PICTURE_OPS))
def test_the_page_tells_of_each_operation(op: Op) -> None:
    assert f"| `{op.value}` |" in PAGE


def examples() -> list[Prompt]:
    prompts = [parse_prompt(row.example) for row in PARAMETERS.values() if "video" not in row.versions]
    return [prompt for prompt in prompts if prompt.task == "image"]


@EVERY
def test_whatever_is_asked_for_is_applied_or_admitted(model: Model) -> None:
    for prompt in examples():
        (row,) = rows_of(prompt, seed=1, size=(1024, 1024), count=1)
        plan = planned(model, row.text, model=row.model, params=row.params, negative=row.negative)
        told = {*plan.applied, *(item.partition(":")[2] for item in plan.degraded)}
        asked = {name for name in row.params if not TREATMENTS[name].settled}
        assert asked <= told, prompt
        assert not plan.applied.keys() & {item.partition(":")[2] for item in plan.degraded}


@EVERY
def test_what_is_applied_is_promised(model: Model) -> None:
    for prompt in examples():
        (row,) = rows_of(prompt, seed=1, size=(1024, 1024), count=1)
        plan = planned(model, row.text, model=row.model, params=row.params, negative=row.negative)
        assert plan.applied.keys() - {"weights", "style"} <= params_of(model, row.model)


def test_the_catalog_promises_nothing_that_has_no_effect() -> None:
    for model in CATALOG.values():
        promised = {name for version in model.profiles or ("",) for name in params_of(model, version)}
        promised |= {"hd"}  # not of models that only edit: their pictures are as large as what they edit
        assert model.params <= promised, model.name


def test_a_parameter_that_the_catalog_does_not_list_has_no_effect_and_that_is_told() -> None:
    plan = planned(replace(SDXL, params=frozenset({"seed"})), params={"chaos": 50, "stop": 50, "tile": True})

    assert (plan.conditioning_noise, plan.stop, plan.tile) == (0, 0, False)
    assert {"parameter:chaos", "parameter:stop", "parameter:tile"} <= set(plan.degraded)


def test_numbers_of_chaos_and_weird_reach_the_loop() -> None:
    plan = planned(TURBO, model="7", params={"chaos": 40, "weird": 3000})

    assert plan.conditioning_noise == pytest.approx(0.4)
    assert plan.push == pytest.approx(0.3)
    assert (plan.applied["chaos"], plan.applied["weird"]) == ("emulated", "emulated")


@pytest.mark.parametrize(("model", "how"), [(SDXL, "native"), (TURBO, "emulated"), (PIPE, None)])
def test_a_tile_is_as_good_as_its_family(model: Model, how: str | None) -> None:
    plan = planned(model, params={"tile": True})

    assert plan.applied.get("tile") == how
    assert plan.tile is (how is not None)


def test_a_tile_that_is_enlarged_in_panes_is_admitted() -> None:
    plan = planned(SDXL, op=Op.UPSCALE, width=2048, height=2048, source=source(), params={"tile": True})

    assert not plan.tile
    assert "parameter:tile" in plan.degraded


def test_niji_is_only_native_to_a_model_made_for_it() -> None:
    anime, photographic = (planned(CATALOG[name], model="niji 6") for name in ("animagine-xl-4", "z-image"))
    without = planned(replace(KLEIN, profiles={}), model="niji 6")

    assert (anime.applied["niji"], photographic.applied["niji"]) == ("native", "emulated")
    assert "parameter:niji" in without.degraded


def test_a_lora_that_is_not_installed_is_admitted() -> None:
    profile = replace(BASE.profiles["8"], adapters=("house-style",))

    plan = planned(replace(BASE, profiles={"8": profile}), model="8")

    assert plan.adapters == ()
    assert "adapter:house-style" in plan.degraded


def test_what_came_of_defaults_can_be_seen() -> None:
    plan = planned(SDXL, model="6.1", params={"chaos": 10})

    defaults = plan.notes["defaults"]
    assert (defaults["steps"], defaults["guidance"], defaults["stylize"], defaults["quality"]) == (28, 6, 100, 1)
    assert "chaos" not in defaults
