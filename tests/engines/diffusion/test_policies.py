"""Policies: what is asked for, what is done, and what a recipe says of it."""

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import FluxTransformer2DModel, TaylorSeerCacheConfig
from torch import Tensor, nn

from brushwork.engines.catalog.model import Adapter, Checkpoint, Licence
from brushwork.engines.diffusion.options import DiffusionOptions
from brushwork.engines.diffusion.policies import attention, compiled, fp8
from brushwork.engines.diffusion.policies.forecast import Forecast, schedule
from brushwork.engines.diffusion.policies.policy import policy_of, precision_of, prepare
from brushwork.errors import Unavailable
from tests.engines.diffusion.stepping import model_of

CPU = torch.device("cpu")


def tiny_flux() -> Any:
    torch.manual_seed(0)
    return FluxTransformer2DModel(
        in_channels=4,
        num_layers=1,
        num_single_layers=2,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=32,
        pooled_projection_dim=32,
        axes_dims_rope=(4, 4, 8),
    ).eval()


def flux_inputs(seed: int, batch: int = 1, tokens: int = 20) -> dict[str, Any]:
    generator = torch.Generator().manual_seed(seed)
    return {
        "hidden_states": torch.randn(batch, tokens, 4, generator=generator),
        "encoder_hidden_states": torch.randn(batch, 6, 32, generator=generator),
        "pooled_projections": torch.randn(batch, 32, generator=generator),
        "timestep": torch.full((batch,), 0.5),
        "img_ids": torch.zeros(tokens, 3),
        "txt_ids": torch.zeros(6, 3),
        "return_dict": False,
    }


# ── what is decided ──


def test_a_policy_says_in_plain_json_what_can_change_a_pixel() -> None:
    policy = policy_of(DiffusionOptions(), model_of("zimage"))

    recipe = policy.as_recipe()
    assert json.loads(json.dumps(recipe)) == recipe
    assert recipe["precision"] == "float32"
    assert recipe["attention"] == "native"
    assert recipe["cache"] == "none"
    assert recipe["torch"] == str(torch.__version__)
    assert policy.refused == {}


def test_wishes_are_granted_where_they_can_be() -> None:
    policy = policy_of(DiffusionOptions(compile=True, fp8=True, cache="taylorseer"), model_of("qwen"))

    assert (policy.compile, policy.fp8, policy.cache) == (True, True, "taylorseer")


@pytest.mark.parametrize("cache", ["taylorseer", "magcache"])
def test_a_distilled_model_skips_no_steps(cache: Any) -> None:
    policy = policy_of(DiffusionOptions(cache=cache), model_of("zimage", distilled=True))

    assert policy.cache == "none"
    assert "distilled" in policy.refused["cache"]


def test_in_deterministic_mode_nothing_changes_pixels() -> None:
    options = DiffusionOptions(deterministic=True, compile=True, cache="taylorseer")
    policy = policy_of(options, model_of("qwen"))

    assert (policy.compile, policy.cache, policy.attention) == (False, "none", "native")
    assert set(policy.refused) == {"compile", "cache"}


def test_eight_bits_and_loras_do_not_go_together() -> None:
    lora = Adapter("lightning", "lora", Checkpoint(), Licence("Apache-2.0"))
    policy = policy_of(DiffusionOptions(fp8=True), replace(model_of("qwen"), adapters={"lightning": lora}))

    assert not policy.fp8
    assert "LoRA" in policy.refused["fp8"]


def test_a_device_without_eight_bits_is_told_by_the_name_of_the_setting() -> None:
    with pytest.raises(Unavailable, match="BRUSHWORK_FP8"):
        fp8.check(torch.device("mps" if not torch.backends.mps.is_available() else "cuda"))


def test_precision_is_the_operators_word_or_what_the_device_is_good_at() -> None:
    assert precision_of(DiffusionOptions()) is torch.float32
    assert precision_of(DiffusionOptions(precision="bfloat16")) is torch.bfloat16


# ── attention ──


def test_an_attention_backend_that_is_missing_or_wrong_is_left_with_the_reason() -> None:
    for wanted, reason in (("flash", "flash"), ("moonlight", "does not know it")):
        policy = policy_of(DiffusionOptions(attention=wanted), model_of("qwen"))

        assert policy.attention == "native"
        assert policy.refused["attention"].startswith(wanted)
        assert reason in policy.refused["attention"]


def test_a_backend_that_works_is_used_by_this_module_alone() -> None:
    one, other = tiny_flux(), tiny_flux()
    assert attention.choose("_native_math", CPU, torch.float32) == ("_native_math", "")

    attention.use(one, "_native_math")

    def backends(module: Any) -> set[str]:
        found: list[Any] = [getattr(part, "processor", None) for part in module.modules()]
        return {str(getattr(p._attention_backend, "value", None)) for p in found if hasattr(p, "_attention_backend")}

    assert backends(one) == {"_native_math"}
    assert backends(other) == {"None"}
    with torch.inference_mode():
        assert torch.allclose(one(**flux_inputs(1))[0], other(**flux_inputs(1))[0], atol=1e-5)


# ── eight bits ──


def test_eight_bits_halve_the_blocks_and_stay_close() -> None:
    whole, small = tiny_flux().bfloat16(), tiny_flux().bfloat16()

    fp8.shrink(small, device=CPU)

    layers = {name: part for name, part in small.named_modules() if isinstance(part, fp8.Fp8Linear)}
    assert len(layers) > 10
    assert not [name for name in layers if any(word in name for word in fp8.SENSITIVE)]
    for name, layer in layers.items():
        weight = whole.get_submodule(name).weight.float()
        kept = layer.eight.float() * layer.scale
        assert layer.eight.element_size() == 1
        assert (kept - weight).abs().max() <= weight.abs().max() / 16  # three bits of mantissa
    inputs = {name: v.bfloat16() if isinstance(v, Tensor) else v for name, v in flux_inputs(2).items()}
    with torch.inference_mode():
        expected, found = whole(**inputs)[0].float(), small(**inputs)[0].float()
    assert 0 < (found - expected).norm() / expected.norm() < 0.1


@pytest.mark.parametrize(
    ("path", "is_shrunk"),
    [
        ("model.layers.3.self_attn.q_proj", True),
        ("transformer_blocks.0.attn.to_out.0", True),
        ("down_blocks.1.attentions.0.transformer_blocks.0.ff.net.2", True),
        ("transformer_blocks.0.img_mod.1", False),
        ("layers.0.adaLN_modulation.0", False),
        ("transformer_blocks.0.norm1.linear", False),
        ("x_embedder", False),
        ("lm_head", False),
    ],
)
def test_only_what_does_the_work_is_shrunk(path: str, is_shrunk: bool) -> None:
    assert fp8.is_shrinkable(path, nn.Linear(16, 32)) == is_shrunk
    assert not fp8.is_shrinkable(path, nn.Linear(16, 30))


def test_a_row_in_eight_bits_does_not_depend_on_its_batch() -> None:
    rows = torch.randn(3, 32, generator=torch.Generator().manual_seed(0))

    together, scales = fp8.shrunk(rows)
    alone, scale = fp8.shrunk(rows[1:2])

    assert torch.equal(together[1:2].float(), alone.float())
    assert torch.equal(scales[1:2], scale)


# ── compiled blocks ──


def wait_until_ready(blocks: list[compiled.Blocks], kinds: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        states = [state for block in blocks for state in block.states.values()]
        if len(states) >= kinds and "compiling" not in states:
            return
        time.sleep(0.02)
    raise AssertionError("compiling does not end")


def test_blocks_serve_as_they_are_until_compiled_ones_are_ready(tmp_path: Path) -> None:
    torch._dynamo.reset()
    expected, module = tiny_flux(), tiny_flux()
    compilations: list[object] = []

    def backend(graph: Any, _: object) -> Any:
        compilations.append(graph)
        return graph.forward

    blocks = compiled.compile_when_warm(module, folder=tmp_path, backend=backend)
    assert {block.name for block in blocks} == {"FluxTransformerBlock", "FluxSingleTransformerBlock"}

    with torch.inference_mode():
        assert torch.equal(module(**flux_inputs(3))[0], expected(**flux_inputs(3))[0])
        wait_until_ready(blocks, 2)
        assert [state for block in blocks for state in block.states.values()] == ["ready", "ready"]
        assert len(compilations) == 2  # one for each class, not for each block
        for tokens in (20, 28):
            inputs = flux_inputs(3, tokens=tokens)
            assert torch.allclose(module(**inputs)[0], expected(**inputs)[0], atol=1e-6)

        module(**flux_inputs(4, batch=2))
        wait_until_ready(blocks, 4)
        inputs = flux_inputs(4, batch=3)
        assert torch.allclose(module(**inputs)[0], expected(**inputs)[0], atol=1e-6)

    assert len(compilations) == 4  # a batch of one, and all larger ones


def test_a_block_that_cannot_be_compiled_goes_on_without(tmp_path: Path) -> None:
    torch._dynamo.reset()
    expected, module = tiny_flux(), tiny_flux()

    def backend(graph: Any, _: object) -> Any:
        raise RuntimeError("no compiler here")

    blocks = compiled.compile_when_warm(module, folder=tmp_path, backend=backend)
    with torch.inference_mode():
        module(**flux_inputs(5))
        wait_until_ready(blocks, 2)
        assert torch.equal(module(**flux_inputs(5))[0], expected(**flux_inputs(5))[0])

    assert [state for block in blocks for state in block.states.values()] == ["failed", "failed"]


def test_a_block_whose_weights_were_away_is_compiled_when_they_are_back(tmp_path: Path) -> None:
    torch._dynamo.reset()
    module = tiny_flux()
    troubles = ["weights are elsewhere"]

    def backend(graph: Any, _: object) -> Any:
        def call(*args: Any) -> Any:
            if troubles:
                raise RuntimeError(troubles.pop())
            return graph(*args)

        return call

    blocks = compiled.compile_when_warm(module, folder=tmp_path, backend=backend)
    with torch.inference_mode():
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and len([b for b in blocks if "ready" in b.states.values()]) < 2:
            module(**flux_inputs(7))
            time.sleep(0.05)

    assert [list(block.states.values()) for block in blocks] == [["ready"], ["ready"]]
    assert sum(sum(block.failures.values()) for block in blocks) == 1


def test_a_call_that_would_have_to_be_compiled_once_too_often_is_drawn_without(tmp_path: Path) -> None:
    torch._dynamo.reset()
    expected, module = tiny_flux(), tiny_flux()
    blocks = compiled.compile_when_warm(module, folder=tmp_path, backend="eager")

    with torch.inference_mode():
        module(**flux_inputs(6))
        wait_until_ready(blocks, 2)
        for part in (expected, module):  # a change that what was compiled does not know
            for block in part.transformer_blocks:
                block.norm2.eps = 0.5
        with torch._dynamo.config.patch(recompile_limit=1):
            found = module(**flux_inputs(6))[0]
        assert torch.equal(found, expected(**flux_inputs(6))[0])

    assert "failed" in {state for block in blocks for state in block.states.values()}


def test_a_prepared_denoiser_has_what_its_policy_says(tmp_path: Path) -> None:
    policy = policy_of(DiffusionOptions(fp8=True, attention="_native_math"), model_of("qwen"))
    denoiser, decoder = tiny_flux(), nn.ModuleList([nn.Linear(16, 16)])

    prepare(denoiser, "transformer", policy, device=CPU, folder=tmp_path)
    prepare(decoder, "vae", policy, device=CPU, folder=tmp_path)

    assert any(isinstance(part, fp8.Fp8Linear) for part in denoiser.modules())
    assert isinstance(decoder[0], nn.Linear)


# ── skipped steps ──


def test_the_schedule_is_fixed_and_leaves_few_steps_alone() -> None:
    assert schedule("taylorseer", 8).skips == 0
    assert schedule("taylorseer", 15).as_recipe() == {"cache": "none", "skipped": []}
    assert schedule("none", 50).skips == 0

    plan = schedule("taylorseer", 30)
    assert plan == schedule("taylorseer", 30)
    assert plan.as_recipe()["skipped"] == [6, 7, 9, 10, 12, 13, 15, 16, 18, 19, 21, 22, 24, 25, 27, 28]
    assert schedule("magcache", 30).skips == 12
    late = schedule("taylorseer", 50, start=30)
    assert all(late.computed[:34])
    assert late.skips > 0
    assert schedule("taylorseer", 50, start=40).skips == 0


def test_a_straight_course_is_foretold_and_a_growing_one_by_its_ratio() -> None:
    ones = torch.ones(2, 2)
    straight, growing = Forecast(schedule("taylorseer", 30)), Forecast(schedule("magcache", 30))
    for step in range(6):
        assert straight.guess(step) is None
        assert growing.guess(step) is None
        straight.saw(step, ones * step)
        growing.saw(step, ones * 2.0**step)

    assert torch.equal(straight.guess(6), ones * 6)
    assert torch.equal(straight.guess(7), ones * 7)
    assert torch.allclose(growing.guess(6), ones * 64)
    assert straight.guess(8) is None


def test_it_is_what_diffusers_calls_the_lite_variant() -> None:
    """Same skipped steps, same numbers, from a whole tiny transformer."""
    model, cached = tiny_flux(), tiny_flux()
    cached.enable_cache(
        TaylorSeerCacheConfig(
            cache_interval=3, disable_cache_before_step=6, max_order=1, taylor_factors_dtype=torch.float32,
            use_lite_mode=True, disable_cache_after_step=19,
        )
    )  # fmt: skip
    # Theirs computes step 7 of this schedule, and then every third; ours is asked to do the same.
    plan = replace(schedule("taylorseer", 20), computed=tuple(n < 6 or n == 19 or n % 3 == 1 for n in range(20)))
    forecast = Forecast(plan)

    with torch.inference_mode(), cached.cache_context("row"):
        latents = other = flux_inputs(6)["hidden_states"]
        for step in range(20):
            guess = forecast.guess(step)
            if guess is None:
                guess = model(**flux_inputs(6) | {"hidden_states": latents})[0]
                forecast.saw(step, guess)
            latents = latents - 0.05 * guess
            other = other - 0.05 * cached(**flux_inputs(6) | {"hidden_states": other})[0]

    assert (latents - other).abs().max() < 1e-5


@pytest.mark.parametrize("cache", ["taylorseer", "magcache"])
def test_a_row_with_skipped_steps_is_the_same_in_any_company(cache: Any) -> None:
    model = tiny_flux()

    def drawn(seeds: list[int], joins: list[int]) -> list[Tensor]:
        latents = [flux_inputs(seed)["hidden_states"] for seed in seeds]
        forecasts = [Forecast(schedule(cache, 20)) for _ in seeds]
        for now in range(20 + max(joins)):
            wanted = []
            for row, join in enumerate(joins):
                step = now - join
                if not 0 <= step < 20:
                    continue
                guess = forecasts[row].guess(step)
                if guess is None:
                    wanted.append((row, step))
                else:
                    latents[row] = latents[row] - 0.05 * guess
            if not wanted:
                continue
            inputs = [flux_inputs(seeds[row]) | {"hidden_states": latents[row]} for row, _ in wanted]
            batch = {
                name: torch.cat([one[name] for one in inputs]) if name in BATCHED else inputs[0][name]
                for name in inputs[0]
            }
            for (row, step), found in zip(wanted, model(**batch)[0].split(1), strict=True):
                forecasts[row].saw(step, found)
                latents[row] = latents[row] - 0.05 * found
        return latents

    with torch.inference_mode():
        company = drawn([1, 2, 3], [0, 3, 4])
        for seed, found in zip([1, 2, 3], company, strict=True):
            assert (found - drawn([seed], [0])[0]).abs().max() < 1e-5


BATCHED = ("hidden_states", "encoder_hidden_states", "pooled_projections", "timestep")


def test_nothing_is_left_behind_by_a_row_that_was_cancelled() -> None:
    plan = schedule("taylorseer", 20)
    cancelled, after = Forecast(plan), Forecast(plan)
    for step in range(4):
        cancelled.saw(step, torch.full((2,), 9.0))

    assert [after.guess(step) for step in range(20)] == [None] * 20
