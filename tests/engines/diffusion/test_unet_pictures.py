"""Pictures that a UNet follows and looks at: ControlNets and IP-Adapters, alone and in mixed batches."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import (
    ControlNetModel,
    ControlNetUnionModel,
    StableDiffusionControlNetPipeline,
    StableDiffusionXLControlNetPipeline,
    StableDiffusionXLControlNetUnionImg2ImgPipeline,
    StableDiffusionXLControlNetUnionPipeline,
    StableDiffusionXLPipeline,
)
from PIL import Image
from transformers import CLIPImageProcessorPil

from brushwork.engines.catalog.model import Adapter
from brushwork.engines.diffusion.families.base import NO_EXTRAS, Call
from brushwork.engines.diffusion.families.image_prompt import clip_pixels
from brushwork.engines.diffusion.families.table import family_of
from brushwork.engines.diffusion.families.unet import UnetFamily
from brushwork.engines.diffusion.parts import ResidentParts
from brushwork.engines.diffusion.plan import Control, Seen
from brushwork.errors import Unavailable
from tests.engines.diffusion.tiny_adapters import KINDS, save_controlnet, save_ip_adapter, save_union
from tests.engines.diffusion.tiny_sd import save_sd
from tests.engines.diffusion.tiny_sdxl import save_sdxl
from tests.engines.diffusion.unet_drawing import (
    LONG,
    NEAR,
    SIDE,
    Asked,
    apart,
    draw,
    model_of,
    noise,
    open_pipe,
    picture,
    pixels,
)

SAID: dict[str, Any] = {"num_inference_steps": 4, "guidance_scale": 5.0, "height": SIDE, "width": SIDE}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pictures")


@pytest.fixture(scope="module")
def folder(root: Path) -> Path:
    return save_sdxl(root / "sdxl")


@pytest.fixture(scope="module")
def controls(root: Path, folder: Path) -> dict[str, Adapter]:
    return {"plain": save_controlnet(root / "plain", folder / "unet"), "union": save_union(root / "union")}


@pytest.fixture(scope="module")
def following(folder: Path, controls: dict[str, Adapter]) -> UnetFamily:
    family = family_of(ResidentParts(folder), model_of("sdxl", folder, adapters=controls))
    assert isinstance(family, UnetFamily)
    return family


@pytest.fixture(scope="module", params=[False, True], ids=["whole", "plus"])
def eyes(request: pytest.FixtureRequest, root: Path, folder: Path) -> Adapter:
    return save_ip_adapter(root / f"eyes-{request.param}", folder / "unet", plus=request.param)


@pytest.fixture(scope="module")
def looking(folder: Path, eyes: Adapter) -> UnetFamily:
    family = family_of(ResidentParts(folder), model_of("sdxl", folder, adapters={eyes.name: eyes}))
    assert isinstance(family, UnetFamily)
    return family


@pytest.fixture(scope="module")
def seeing_pipe(folder: Path, eyes: Adapter) -> Any:
    """The same adapter twice: for the whole picture, and for the style alone."""
    pipe = open_pipe(StableDiffusionXLPipeline, folder)
    where = Path(eyes.checkpoint.folder)
    pipe.load_ip_adapter(
        where,
        subfolder="sdxl_models",
        weight_name=["eyes.safetensors", "eyes.safetensors"],
        image_encoder_folder="models/image_encoder",
        local_files_only=True,
    )
    return pipe


def follow(family: UnetFamily, kind: Any, adapter: str = "union", **named: Any) -> Any:
    control = Control(picture(7), kind, adapter, **named)
    return family.extras((), control, SIDE, SIDE)


@pytest.mark.parametrize("kind", KINDS)
def test_a_union_controlnet_is_followed_as_by_its_pipeline(
    kind: str, folder: Path, controls: dict[str, Adapter], following: UnetFamily
) -> None:
    network = ControlNetUnionModel.from_pretrained(controls["union"].checkpoint.folder, local_files_only=True)
    pipe = open_pipe(StableDiffusionXLControlNetUnionPipeline, folder, controlnet=network)
    theirs = pipe(
        "a cat",
        control_image=[picture(7)],
        control_mode=[KINDS.index(kind)],
        controlnet_conditioning_scale=0.7,
        control_guidance_end=0.5,
        latents=noise(1)[None],
        output_type="latent",
        **SAID,
    ).images[0]

    ours = draw(following, Asked("a cat", seed=1, extras=follow(following, kind, scale=0.7, until=0.5)))[0]

    assert apart(ours, theirs) <= NEAR
    assert apart(ours, draw(following, Asked("a cat", seed=1))[0]) > 1e-3


def test_a_picture_is_enlarged_under_control_as_by_the_pipeline(
    folder: Path, controls: dict[str, Adapter], following: UnetFamily
) -> None:
    network = ControlNetUnionModel.from_pretrained(controls["union"].checkpoint.folder, local_files_only=True)
    pipe = open_pipe(StableDiffusionXLControlNetUnionImg2ImgPipeline, folder, controlnet=network)
    init = following.encode_image(pixels(picture(2)))
    theirs = pipe(
        "a cat",
        image=init[None],
        control_image=[picture(7)],
        control_mode=[KINDS.index("tile")],
        controlnet_conditioning_scale=0.9,
        strength=0.5,
        generator=torch.Generator().manual_seed(5),
        output_type="latent",
        **SAID,
    ).images[0]

    asked = Asked("a cat", seed=5, start=2, init=init, extras=follow(following, "tile", scale=0.9))

    assert apart(draw(following, asked)[0], theirs) <= NEAR


@pytest.mark.parametrize("name", ["sdxl", "sd"])
def test_a_plain_controlnet_is_followed_as_by_its_pipeline(name: str, root: Path) -> None:
    libraries = {"sdxl": StableDiffusionXLControlNetPipeline, "sd": StableDiffusionControlNetPipeline}
    folder = {"sdxl": save_sdxl, "sd": save_sd}[name](root / f"plain-{name}")
    adapter = save_controlnet(root / f"plain-{name}-control", folder / "unet")
    network = ControlNetModel.from_pretrained(adapter.checkpoint.folder, local_files_only=True)
    pipe = open_pipe(libraries[name], folder, controlnet=network)
    theirs = pipe(
        "a cat",
        image=picture(7),
        controlnet_conditioning_scale=1.3,
        latents=noise(1)[None],
        output_type="latent",
        **SAID,
    ).images[0]
    family = family_of(ResidentParts(folder), model_of(name, folder, adapters={"plain": adapter}))
    assert isinstance(family, UnetFamily)

    ours = draw(family, Asked("a cat", seed=1, extras=follow(family, "depth", "plain", scale=1.3)))[0]

    assert apart(ours, theirs) <= NEAR


def test_rows_with_different_controls_and_without_draw_together_what_they_draw_alone(following: UnetFamily) -> None:
    asked = [
        Asked("a cat", seed=1, extras=follow(following, "tile", scale=0.6)),
        Asked(LONG, seed=2, steps=3, extras=follow(following, "depth", until=0.4)),
        Asked("a mat", seed=3, steps=5),
        Asked("a hot mat", seed=4, guidance=0.0, extras=follow(following, "tile", scale=1.4)),
        Asked("the", seed=5, extras=follow(following, "depth", "plain")),
    ]

    for one, latents in zip(asked, draw(following, *asked), strict=True):
        assert apart(latents, draw(following, one)[0]) <= NEAR


def test_a_pane_follows_its_own_part_of_the_picture(following: UnetFamily) -> None:
    whole = picture(7, side=2 * SIDE)
    part = whole.crop((SIDE, 0, 2 * SIDE, SIDE))
    extras = [following.extras((), Control(image, "tile", "union"), *image.size) for image in (whole, part)]
    encoded = following.encode(["a cat"])[0]
    solver = following.solver(4, SIDE, SIDE)
    latents = solver.scaled(solver.begin(noise(1)), 0)
    pane, alone = (
        Call(latents, solver.timestep(0), encoded, extras=extras[0], window=(0, 8, 8, 8)),
        Call(latents, solver.timestep(0), encoded, extras=extras[1]),
    )

    assert torch.equal(following.denoise([pane])[0], following.denoise([alone])[0])


def test_a_controlnet_that_the_model_does_not_have_is_told(following: UnetFamily) -> None:
    extras = follow(following, "tile", "no such thing")

    with pytest.raises(Unavailable, match="no such thing"):
        draw(following, Asked("a cat", extras=extras))


@pytest.mark.parametrize("weight", [0.35, 1.0])
def test_an_image_prompt_is_looked_at_as_by_the_pipeline(weight: float, looking: UnetFamily, seeing_pipe: Any) -> None:
    seeing_pipe.set_ip_adapter_scale([weight, 0.0])
    theirs = seeing_pipe(
        "a cat", ip_adapter_image=[picture(3), picture(3)], latents=noise(1)[None], output_type="latent", **SAID
    ).images[0]

    ours = draw(looking, Asked("a cat", seed=1, extras=looking.extras([Seen(picture(3), weight)], None, SIDE, SIDE)))[0]

    assert apart(ours, theirs) <= NEAR
    assert apart(ours, draw(looking, Asked("a cat", seed=1))[0]) > 1e-3


def test_several_pictures_and_a_style_are_looked_at_as_by_the_pipeline(looking: UnetFamily, seeing_pipe: Any) -> None:
    shown, style = [picture(3), picture(4)], [picture(5)]
    seeing_pipe.set_ip_adapter_scale([0.8, {"up": {"block_0": [0.0, 0.6]}}])
    theirs = seeing_pipe(
        "a cat",
        ip_adapter_image_embeds=embeds(seeing_pipe, [shown, style]),
        latents=noise(1)[None],
        output_type="latent",
        **SAID,
    ).images[0]
    seen = [*(Seen(each, 0.8) for each in shown), Seen(style[0], 0.6, role="style")]

    ours = draw(looking, Asked("a cat", seed=1, extras=looking.extras(seen, None, SIDE, SIDE)))[0]

    assert apart(ours, theirs) <= NEAR


def embeds(pipe: Any, groups: list[list[Image.Image]]) -> list[torch.Tensor]:
    """Each adapter's pictures, for the pipeline: of no picture first, then of each."""
    made = []
    for group, layer in zip(groups, pipe.unet.encoder_hid_proj.image_projection_layers, strict=True):
        is_plus = type(layer).__name__ != "ImageProjection"
        with torch.no_grad():
            seen, blank = pipe.encode_image(group, "cpu", 1, is_plus)
        made.append(torch.stack([blank, seen]))
    return made


def test_a_picture_of_more_weight_is_seen_more(looking: UnetFamily) -> None:
    def drawn(*weights: float) -> torch.Tensor:
        seen = [Seen(picture(3 + place), weight) for place, weight in enumerate(weights)]
        return draw(looking, Asked("a cat", seed=1, extras=looking.extras(seen, None, SIDE, SIDE)))[0]

    only_first, mostly_first, both = drawn(1.0), drawn(1.0, 0.2), drawn(1.0, 1.0)

    assert apart(mostly_first, only_first) < apart(both, only_first)
    assert apart(drawn(1.0, 0.0), only_first) <= NEAR
    assert apart(drawn(0.0), draw(looking, Asked("a cat", seed=1))[0]) <= NEAR


def test_rows_with_different_pictures_and_without_draw_together_what_they_draw_alone(looking: UnetFamily) -> None:
    def seen(*roles: str) -> Any:
        shown = [Seen(picture(place), 0.5 + place / 4, role=role) for place, role in enumerate(roles)]
        return looking.extras(shown, None, SIDE, SIDE)

    asked = [
        Asked("a cat", seed=1, extras=seen("image")),
        Asked(LONG, seed=2, steps=3, extras=seen("image", "style", "image")),
        Asked("a mat", seed=3, steps=5),
        Asked("a hot mat", seed=4, guidance=0.0, extras=seen("style")),
    ]

    for one, latents in zip(asked, draw(looking, *asked), strict=True):
        assert apart(latents, draw(looking, one)[0]) <= NEAR


def test_a_picture_does_not_leak_into_the_next_row(looking: UnetFamily, folder: Path) -> None:
    plain = family_of(ResidentParts(folder), model_of("sdxl", folder))
    assert isinstance(plain, UnetFamily)
    extras = looking.extras([Seen(picture(3), 1.0)], None, SIDE, SIDE)
    draw(looking, Asked("a cat", extras=extras))
    wrong = {name: tensor for name, tensor in extras.tensors.items() if name != "image_blank"}
    with pytest.raises(KeyError):
        draw(looking, Asked("a cat", extras=replace(extras, tensors=wrong)))

    assert torch.equal(draw(looking, Asked("a cat"))[0], draw(plain, Asked("a cat"))[0])


def test_pictures_are_shown_as_clip_wants_them() -> None:
    for size in ((50, 40), (33, 97), (32, 32), (20, 31)):
        image = picture(1, side=97).resize(size)
        theirs = CLIPImageProcessorPil(size=32, crop_size=32)(image, return_tensors="pt").pixel_values[0]

        assert apart(clip_pixels(image, 32), theirs) <= NEAR


def test_a_model_without_an_adapter_says_that_it_cannot_look(following: UnetFamily) -> None:
    with pytest.raises(Unavailable, match="IP-Adapter"):
        following.extras([Seen(picture(3))], None, SIDE, SIDE)


def test_nothing_to_see_is_nothing_extra(following: UnetFamily) -> None:
    assert following.extras((), None, SIDE, SIDE) is NO_EXTRAS


def test_who_shares_a_pass_of_fixed_size_changes_no_byte(following: UnetFamily, looking: UnetFamily) -> None:
    def call(family: UnetFamily, seed: int, extras: Any, share: float = 0.0) -> Call:
        solver = family.solver(4, SIDE, SIDE)
        text = family.encode(["a cat"])[0]
        return Call(solver.scaled(noise(seed), 0), solver.timestep(0), text, extras=extras, share=share)

    def seen(seed: int, role: str) -> Any:
        return looking.extras([Seen(picture(seed), 0.7, role=role)], None, SIDE, SIDE)

    ended = call(following, 2, follow(following, "depth", until=0.5), share=0.6)
    for family, one, other in (
        (following, call(following, 1, follow(following, "tile")), ended),
        (following, ended, call(following, 1, follow(following, "tile"))),
        (looking, call(looking, 1, seen(1, "image")), call(looking, 2, seen(2, "style"))),
    ):
        alone = family.denoise([one, one, one, one])[0]

        assert torch.equal(family.denoise([one, other, other, other])[0], alone)
