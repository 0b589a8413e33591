"""LoRAs: as strong as their pipelines make them, and gone when they are not asked for."""

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import StableDiffusionXLPipeline
from safetensors.torch import load_file, save_file

from brushwork.engines.base import Row
from brushwork.engines.catalog.installed import digest_of
from brushwork.engines.catalog.model import Adapter
from brushwork.engines.diffusion import adapters
from brushwork.engines.diffusion.adapters import Loras
from brushwork.engines.diffusion.families.table import family_of
from brushwork.engines.diffusion.families.unet import UnetFamily
from brushwork.engines.diffusion.models import InstalledModels
from brushwork.engines.diffusion.options import DiffusionOptions
from brushwork.engines.diffusion.parts import ResidentParts
from brushwork.engines.diffusion.places import Place
from brushwork.engines.diffusion.plan import Control, Noise, Plan, Seen, Words
from brushwork.engines.diffusion.residency import Residency
from brushwork.errors import Unavailable
from tests.engines.diffusion.tiny_adapters import adapter_of, save_ip_adapter, save_lora, save_union
from tests.engines.diffusion.tiny_flux2 import save_flux2
from tests.engines.diffusion.tiny_qwen import save_qwen
from tests.engines.diffusion.tiny_sdxl import save_sdxl
from tests.engines.diffusion.tiny_zimage import save_zimage
from tests.engines.diffusion.unet_drawing import NEAR, SIDE, Asked, apart, draw, model_of, noise, open_pipe, picture

NAMES = ("ink", "clay", "v1.5 wool", "oil", "chalk", "paper")
ENCODERS = ("text_encoder", "text_encoder_2")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_sdxl(tmp_path_factory.mktemp("loras") / "sdxl")


@pytest.fixture(scope="module")
def known(folder: Path) -> dict[str, Adapter]:
    """All in the denoiser; the first one in the text encoders too; one as kohya's trainer writes it."""
    pipe = open_pipe(StableDiffusionXLPipeline, folder)
    into = {"unet": pipe.unet}
    made = {}
    for seed, name in enumerate(NAMES):
        networks = into | ({each: getattr(pipe, each) for each in ENCODERS} if seed == 0 else {})
        made[name] = save_lora(
            folder.parent / "loras", name, networks, targets=("to_q", "to_v", "proj_in", "q_proj"), seed=seed
        )
    made["kohya"] = as_kohya(made["clay"])
    return made


def as_kohya(adapter: Adapter) -> Adapter:
    folder = Path(adapter.checkpoint.folder)
    weights = {}
    for key, value in load_file(folder / adapter.file).items():
        path, part, _ = key.removeprefix("unet.").rsplit(".", 2)
        said = "lora_unet_" + path.replace(".", "_")
        weights[f"{said}.{ {'lora_A': 'lora_down', 'lora_B': 'lora_up'}[part] }.weight"] = value
        weights[f"{said}.alpha"] = torch.tensor(1.0)  # half as strong: of two ranks
    save_file(weights, folder / "kohya.safetensors")
    return adapter_of("kohya", "lora", folder, file="kohya.safetensors")


@pytest.fixture
def family(folder: Path, known: dict[str, Adapter]) -> UnetFamily:
    made = family_of(ResidentParts(folder), model_of("sdxl", folder, adapters=known))
    assert isinstance(made, UnetFamily)
    return made


def wearing(*wanted: tuple[str, float], text: str = "a cat") -> Asked:
    return Asked(text, seed=1, steps=3, adapters=wanted)


@pytest.mark.parametrize(
    "wanted",
    [(("ink", 1.0),), (("clay", 0.6),), (("ink", 0.4), ("v1.5 wool", -1.2)), (("kohya", 1.0),)],
    ids=["with-texts", "weaker", "two", "kohya"],
)
def test_a_lora_acts_as_in_the_pipeline(
    wanted: tuple[tuple[str, float], ...], family: UnetFamily, folder: Path, known: dict[str, Adapter]
) -> None:
    pipe = open_pipe(StableDiffusionXLPipeline, folder)
    for place, (name, _) in enumerate(wanted):
        where = known[name]
        pipe.load_lora_weights(where.checkpoint.folder, weight_name=where.file, adapter_name=f"lora{place}")
    pipe.set_adapters([f"lora{place}" for place in range(len(wanted))], [weight for _, weight in wanted])
    named: dict[str, Any] = {"num_inference_steps": 3, "guidance_scale": 5.0, "height": SIDE, "width": SIDE}
    theirs = pipe("a cat", latents=noise(1)[None], output_type="latent", **named).images[0]

    ours = draw(family, wearing(*wanted))[0]

    assert apart(ours, theirs) <= NEAR
    assert apart(ours, draw(family, wearing())[0]) > 1e-3


def test_rows_with_the_same_loras_draw_together_what_they_draw_alone(family: UnetFamily) -> None:
    asked = [wearing(("ink", 0.7), text=text) for text in ("a cat", "a hot mat", "")]

    for one, latents in zip(asked, draw(family, *asked), strict=True):
        assert apart(latents, draw(family, one)[0]) <= NEAR


def test_nothing_of_a_lora_is_left_in_the_next_picture(folder: Path, family: UnetFamily) -> None:
    fresh = family_of(ResidentParts(folder), model_of("sdxl", folder))
    assert isinstance(fresh, UnetFamily)
    plain = draw(fresh, wearing())[0]
    worn = draw(family, wearing(("ink", 1.0)))[0]

    assert torch.equal(draw(family, wearing())[0], plain)
    assert torch.equal(draw(family, wearing(("ink", 1.0)))[0], worn)
    draw(family, wearing(("clay", 1.0), ("oil", 0.5)))
    assert torch.equal(draw(family, wearing(("ink", 1.0)))[0], worn)
    assert torch.equal(draw(family, wearing())[0], plain)


def test_a_lora_is_gone_after_an_error(folder: Path, family: UnetFamily) -> None:
    fresh = family_of(ResidentParts(folder), model_of("sdxl", folder))
    assert isinstance(fresh, UnetFamily)

    with pytest.raises(ZeroDivisionError), family.loras.active((("ink", 1.0),), among=("unet", *ENCODERS)):
        raise ZeroDivisionError
    with pytest.raises(Unavailable):
        draw(family, wearing(("ink", 1.0), ("no such thing", 1.0)))

    assert torch.equal(draw(family, wearing())[0], draw(fresh, wearing())[0])


def test_a_lora_acts_as_before_when_its_network_was_away_from_the_device(
    folder: Path, known: dict[str, Adapter], family: UnetFamily
) -> None:
    model = model_of("sdxl", folder, adapters=known)
    cpu = torch.device("cpu")
    residency = Residency(
        DiffusionOptions(precision="float32"), device=Place("cpu", cpu, 1 << 30), host=Place("host", cpu, 1 << 30)
    )
    moved = family_of(residency.parts(model, folder), model)
    assert isinstance(moved, UnetFamily)
    for asked in (wearing(("ink", 1.0)), wearing(("clay", 0.5), ("ink", 0.3)), wearing()):
        first = draw(moved, asked)[0]
        residency.free_idle()

        assert torch.equal(draw(moved, asked)[0], first)
        assert apart(first, draw(family, asked)[0]) <= NEAR
    assert residency.stats().evictions >= 3


def test_a_lora_whose_file_was_replaced_is_read_again(folder: Path, known: dict[str, Adapter], tmp_path: Path) -> None:
    where = Path(known["ink"].checkpoint.folder)
    file = tmp_path / "worn.safetensors"
    model = model_of("sdxl", folder, adapters={"worn": adapter_of("worn", "lora", tmp_path, file=file.name), **known})
    family = family_of(ResidentParts(folder), model)
    assert isinstance(family, UnetFamily)
    for name in ("ink", "clay"):
        file.write_bytes((where / known[name].file).read_bytes())

        assert torch.equal(draw(family, wearing(("worn", 1.0)))[0], draw(family, wearing((name, 1.0)))[0])


def test_only_a_few_loras_stay_in_memory(family: UnetFamily) -> None:
    first = draw(family, wearing((NAMES[0], 1.0)))[0]
    for name in NAMES:
        draw(family, wearing((name, 1.0)))

    with family.parts.use("unet") as unet:
        assert len(unet.peft_config) == adapters.KEPT
    assert torch.equal(draw(family, wearing((NAMES[0], 1.0)))[0], first)


@pytest.mark.parametrize(
    ("name", "save", "targets"),
    [("zimage", save_zimage, ("to_q", "w1")), ("flux2", save_flux2, ("to_q",)), ("qwen", save_qwen, ("to_q",))],
)
def test_transformers_wear_loras_as_diffusers_loads_them(name: str, save: Any, targets: Any, tmp_path: Path) -> None:
    folder = save(tmp_path / name)
    parts, other = ResidentParts(folder), ResidentParts(folder)
    with other.use("transformer") as transformer:
        lora = save_lora(tmp_path / "loras", "ink", {"transformer": transformer}, targets=targets, seed=1)
        plain = outputs(transformer)
        transformer.load_lora_adapter(lora.checkpoint.folder, weight_name=lora.file, adapter_name="ink")
        transformer.set_adapters(["ink"], [0.8])
        expected = outputs(transformer)
    loras = Loras(parts, model_of(name, folder, adapters={"ink": lora}))

    with parts.use("transformer") as transformer:
        with loras.active((("ink", 0.8),), among=("transformer",)):
            worn = outputs(transformer)
        after = outputs(transformer)

    assert len(plain) == len(worn) > 0
    assert all(apart(one, two) <= NEAR for one, two in zip(worn, expected, strict=True))
    assert max(apart(one, two) for one, two in zip(worn, plain, strict=True)) > 1e-2
    assert all(torch.equal(one, two) for one, two in zip(after, plain, strict=True))


def outputs(network: torch.nn.Module) -> list[torch.Tensor]:
    """Of every layer that a LoRA may change, for the same input."""
    made = []
    for path, layer in network.named_modules():
        if path.endswith(("to_q", "w1")):
            width = layer.in_features
            with torch.no_grad():
                made.append(layer(torch.linspace(-1, 1, width)[None]))
    return made


def test_the_hash_of_the_file_is_known_and_follows_it(folder: Path, known: dict[str, Adapter], tmp_path: Path) -> None:
    path = tmp_path / "ink.safetensors"
    path.write_bytes((Path(known["ink"].checkpoint.folder) / known["ink"].file).read_bytes())
    model = model_of("sdxl", folder, adapters={"ink": adapter_of("ink", "lora", tmp_path, file=path.name)})
    loras = Loras(ResidentParts(folder), model)

    assert loras.hashes([("ink", 0.5)]) == {"ink": hashlib.sha256(path.read_bytes()).hexdigest()}
    path.write_bytes(path.read_bytes() + b" ")
    assert loras.hashes([("ink", 0.5)]) == {"ink": hashlib.sha256(path.read_bytes()).hexdigest()}


def test_a_recipe_has_the_hashes_of_what_was_added(folder: Path, known: dict[str, Adapter], tmp_path: Path) -> None:
    eyes = save_ip_adapter(tmp_path / "eyes", folder / "unet", plus=True)
    control = save_union(tmp_path / "union")
    shelf = InstalledModels(DiffusionOptions(models_dir=tmp_path))
    shelf.__dict__["models"] = {"tiny": model_of("sdxl", folder, adapters={**known, "eyes": eyes, "union": control})}
    row = Row(0, 1, "a cat", SIDE, SIDE)
    plan = Plan(row, "tiny", (Words("a cat"),), SIDE, SIDE, 2, Noise(1))
    worn = replace(plan, adapters=(("ink", 0.5), ("clay", 1.0)))
    seeing = replace(plan, seen=(Seen(picture(), how="image_prompt"),), control=Control(picture(), "tile", "union"))

    ink = digest_of(known["ink"], tmp_path)
    assert shelf.added(plan) == {}
    assert shelf.added(worn) == {"ink": ink, "clay": digest_of(known["clay"], tmp_path)}
    assert shelf.added(seeing) == {"union": digest_of(control, tmp_path), "eyes": digest_of(eyes, tmp_path)}
    assert len({ink, *shelf.added(worn).values(), *shelf.added(seeing).values()}) == 4
    with pytest.raises(Unavailable, match="wool"):
        shelf.added(replace(plan, adapters=(("wool", 1.0),)))


def test_a_lora_of_another_family_is_told(family: UnetFamily, tmp_path: Path) -> None:
    network = torch.nn.Sequential(torch.nn.Linear(4, 4))
    lora = save_lora(tmp_path, "strange", {"decoder": network}, targets=("0",), seed=1)
    loras = Loras(family.parts, model_of("sdxl", tmp_path, adapters={"strange": lora}))

    with pytest.raises(Unavailable, match="no weights"), loras.active((("strange", 1.0),), among=("unet",)):
        pass


def test_only_safetensors_that_are_there_are_loaded(folder: Path, known: dict[str, Adapter], tmp_path: Path) -> None:
    (tmp_path / "ink.bin").write_bytes(b"pickle")
    wrong = {
        "pickled": adapter_of("pickled", "lora", tmp_path, file="ink.bin"),
        "absent": adapter_of("absent", "lora", tmp_path, file="ink.safetensors"),
        "not-pulled": replace(known["ink"], checkpoint=replace(known["ink"].checkpoint, folder="")),
        "other": adapter_of("other", "controlnet", tmp_path, file="ink.safetensors"),
    }
    loras = Loras(ResidentParts(folder), model_of("sdxl", folder, adapters=wrong))

    for name, told in {
        "pickled": "safetensors",
        "absent": "installed",
        "not-pulled": "installed",
        "other": "no",
    }.items():
        with pytest.raises(Unavailable, match=told), loras.active(((name, 1.0),), among=("unet",)):
            pass
