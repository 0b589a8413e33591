"""Qwen-Image and Qwen-Image-Edit: what their own pipelines draw, for many rows at once."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import QwenImageEditPlusPipeline, QwenImagePipeline, TaylorSeerCacheConfig
from diffusers.pipelines.qwenimage import pipeline_qwenimage_edit_plus as edit_plus
from PIL import Image
from torch import Tensor
from transformers import Qwen2VLProcessor

from brushwork.engines.catalog.model import Checkpoint, Licence, Model
from brushwork.engines.diffusion.facts import FAMILIES
from brushwork.engines.diffusion.families.base import NO_EXTRAS, Call
from brushwork.engines.diffusion.families.qwen import DRAWING_BEGINS, LONGEST, QwenFamily, packed, unpacked
from brushwork.engines.diffusion.parts import ResidentParts
from brushwork.engines.diffusion.plan import Seen
from brushwork.errors import Unavailable
from tests.engines.diffusion.tiny_qwen import save_qwen, save_qwen_edit

SIDE = 64
EXACT = 1e-5
MODEL = Model("tiny", "Tiny", "image", "qwen", Checkpoint(), Licence("Apache-2.0"), side=SIDE)


@pytest.fixture(scope="module")
def family(tmp_path_factory: pytest.TempPathFactory) -> QwenFamily:
    return QwenFamily(ResidentParts(save_qwen(tmp_path_factory.mktemp("models") / "qwen")), MODEL)


@pytest.fixture(scope="module")
def editor(tmp_path_factory: pytest.TempPathFactory) -> QwenFamily:
    return QwenFamily(ResidentParts(save_qwen_edit(tmp_path_factory.mktemp("models") / "qwen-edit")), MODEL)


@pytest.fixture(scope="module")
def pipe(family: QwenFamily) -> Any:
    return quiet(QwenImagePipeline(**components(family)))


@pytest.fixture
def edit_pipe(editor: QwenFamily, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The real one, with pictures scaled to the side of the tiny model.

    Its text encoder is told where the patches of pictures are: diffusers leaves that out (its issue 14194), and then
    reads them as if they were words in a row, which no checkpoint was trained for.
    """
    monkeypatch.setattr(edit_plus, "CONDITION_IMAGE_SIZE", SIDE * SIDE)
    monkeypatch.setattr(edit_plus, "VAE_IMAGE_SIZE", SIDE * SIDE)
    found = components(editor)
    encoder = found["text_encoder"]

    def with_places(_module: Any, args: Any, kwargs: dict[str, Any]) -> Any:
        return args, kwargs | {"mm_token_type_ids": (kwargs["input_ids"] == encoder.config.image_token_id).int()}

    hook = encoder.register_forward_pre_hook(with_places, with_kwargs=True)
    yield quiet(QwenImageEditPlusPipeline(**found, processor=processor_of(editor, found["tokenizer"])))
    hook.remove()


def processor_of(family: QwenFamily, tokenizer: Any) -> Any:
    """The real processor, without its half for videos, which would need torchvision."""
    processor = object.__new__(Qwen2VLProcessor)
    with family.parts.use("processor") as pictures:
        processor.image_processor = pictures
    processor.tokenizer = tokenizer
    processor.image_token, processor.video_token = "<|image_pad|>", "<|video_pad|>"
    processor.image_token_id, processor.video_token_id = tokenizer.convert_tokens_to_ids(
        ["<|image_pad|>", "<|video_pad|>"]
    )
    processor.chat_template = None
    return processor


def components(family: QwenFamily) -> dict[str, Any]:
    found = {}
    for name in ("tokenizer", "text_encoder", "transformer", "vae", "scheduler"):
        with family.parts.use(name) as part:
            found[name] = part
    return found


def quiet(pipeline: Any) -> Any:
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def picture(seed: int, width: int = SIDE, height: int = SIDE) -> Image.Image:
    grid = np.random.default_rng(seed).integers(0, 255, (4, 4, 3), dtype=np.uint8)
    return Image.fromarray(grid).resize((width, height), Image.Resampling.BICUBIC)


def noise(family: QwenFamily, seed: int, width: int, height: int) -> Tensor:
    """As the pipeline draws it: frame before channels, of which there is one."""
    channels, h, w = family.latent_shape(width, height)
    return torch.randn((1, 1, channels, h, w), generator=torch.Generator().manual_seed(seed))[0, 0]


class Asked:
    """One row of a test."""

    def __init__(self, text: str, negative: str, *, seed: int, steps: int, guidance: float, seen: Sequence[Seen] = ()):
        self.text, self.negative, self.seed, self.steps, self.guidance, self.seen = (
            text,
            negative,
            seed,
            steps,
            guidance,
            seen,
        )


def draw(family: QwenFamily, rows: Sequence[Asked], width: int = SIDE, height: int = SIDE) -> list[Tensor]:
    """A small loop: each step is one forward pass of all rows that are still on their way, at their own places."""
    texts = [family.encode([row.text, row.negative], row.seen) for row in rows]
    extras = [family.extras(row.seen, None, width, height) for row in rows]
    solvers = [family.solver(row.steps, width, height) for row in rows]
    latents = [solver.begin(noise(family, row.seed, width, height)) for solver, row in zip(solvers, rows, strict=True)]
    for step in range(max(row.steps for row in rows)):
        live = [place for place, row in enumerate(rows) if step < row.steps]
        guided = [place for place in live if family.is_guided(rows[place].guidance)]
        calls = [
            Call(latents[place], solvers[place].timestep(step), texts[place][which], extras=extras[place])
            for which, places in ((0, live), (1, guided))
            for place in places
        ]
        answers = family.denoise(calls)
        negatives = dict(zip(guided, answers[len(live) :], strict=True))
        for place, answer in zip(live, answers, strict=False):
            if place in negatives:
                answer = family.guide(answer, negatives[place], rows[place].guidance)
            latents[place] = solvers[place].step(answer, step, latents[place], None)
    return latents


def off(one: Tensor, other: Tensor) -> float:
    return float((one - other).abs().max())


def test_a_text_is_encoded_as_its_pipeline_does(family: QwenFamily, pipe: Any) -> None:
    texts = ["a cat", "", "many words " * 60]

    encoded = family.encode(texts)

    for text, one in zip(texts, encoded, strict=True):
        with torch.inference_mode():
            theirs = pipe.encode_prompt(text, max_sequence_length=LONGEST)[0][0]
        assert one.tensors["text"].shape == theirs.shape
        assert off(one.tensors["text"], theirs) < EXACT
    assert len(encoded[2].tensors["text"]) == LONGEST


def test_the_template_is_left_out_of_what_is_encoded(family: QwenFamily) -> None:
    one, other = family.encode(["a", "ab"])

    assert len(other.tensors["text"]) - len(one.tensors["text"]) == 1
    with family.parts.use("tokenizer") as tokenizer:
        assert (
            len(one.tensors["text"])
            < len(tokenizer("Describe the image by detailing")["input_ids"]) + 10 * DRAWING_BEGINS
        )


@pytest.mark.parametrize(("width", "height"), [(SIDE, SIDE), (96, 48)])
def test_rows_in_one_batch_become_what_their_pipeline_draws_alone(
    family: QwenFamily, pipe: Any, width: int, height: int
) -> None:
    rows = [
        Asked("a cat", "a dog, ugly", seed=1, steps=4, guidance=4.0),
        Asked("a much longer prompt, about many dogs in the rain", "", seed=2, steps=3, guidance=1.0),
        Asked("trees", "leaves", seed=3, steps=5, guidance=2.5),
    ]

    drawn = draw(family, rows, width, height)

    for row, latents in zip(rows, drawn, strict=True):
        theirs = pipe(
            row.text,
            negative_prompt=row.negative if row.guidance > 1 else None,
            true_cfg_scale=row.guidance,
            num_inference_steps=row.steps,
            width=width,
            height=height,
            generator=torch.Generator().manual_seed(row.seed),
            output_type="pt",
        ).images[0]
        assert off(family.decode([latents])[0], theirs) < EXACT
        assert off(latents, draw(family, [row], width, height)[0]) < EXACT


def test_guidance_and_words_make_a_difference(family: QwenFamily) -> None:
    usual = draw(family, [Asked("a cat", "", seed=1, steps=3, guidance=4.0)])[0]

    assert off(usual, draw(family, [Asked("a dog", "", seed=1, steps=3, guidance=4.0)])[0]) > 1e-3
    assert off(usual, draw(family, [Asked("a cat", "", seed=1, steps=3, guidance=1.0)])[0]) > 1e-3
    assert off(usual, draw(family, [Asked("a cat", "rain", seed=1, steps=3, guidance=4.0)])[0]) > 1e-3


def test_guidance_makes_no_token_louder(family: QwenFamily) -> None:
    own, other = torch.randn(2, *family.latent_shape(SIDE, SIDE), generator=torch.Generator().manual_seed(1))

    guided = family.guide(own, other, 6.0)

    assert torch.allclose(packed(guided).norm(dim=-1), packed(own).norm(dim=-1), rtol=1e-5)


def test_packing_is_undone_by_unpacking(family: QwenFamily) -> None:
    latents = torch.randn(*family.latent_shape(96, 48), generator=torch.Generator().manual_seed(1))

    assert torch.equal(unpacked(packed(latents), *latents.shape[1:]), latents)


def test_a_picture_is_encoded_as_its_pipeline_does(editor: QwenFamily, edit_pipe: Any) -> None:
    pixels = editor.pictures.preprocess(picture(5))[0]

    with torch.inference_mode():
        theirs = edit_pipe._encode_vae_image(pixels[None, :, None], generator=None)[0, :, 0]

    assert off(editor.encode_image(pixels), theirs) < EXACT


@pytest.mark.parametrize("count", [1, 2, 3])
def test_an_edit_with_pictures_becomes_what_its_pipeline_draws(editor: QwenFamily, edit_pipe: Any, count: int) -> None:
    images = [picture(7, 120, 30), picture(8), picture(9, 30, 120)][:count]
    row = Asked("make it winter", "summer", seed=4, steps=3, guidance=3.0, seen=[Seen(image) for image in images])

    drawn = editor.decode(draw(editor, [row]))[0]

    theirs = edit_pipe(
        image=images,
        prompt=row.text,
        negative_prompt=row.negative,
        true_cfg_scale=row.guidance,
        num_inference_steps=row.steps,
        width=SIDE,
        height=SIDE,
        generator=torch.Generator().manual_seed(row.seed),
        output_type="pt",
    ).images[0]
    assert off(drawn, theirs) < EXACT


def test_edits_of_like_pictures_share_a_batch_and_stay_what_they_are_alone(editor: QwenFamily) -> None:
    rows = [
        Asked("make it winter", "", seed=1, steps=3, guidance=3.0, seen=[Seen(picture(1)), Seen(picture(2, 120, 30))]),
        Asked("a much longer instruction about night", "day", seed=2, steps=4, guidance=2.0,
              seen=[Seen(picture(3)), Seen(picture(4, 120, 30))]),
    ]  # fmt: skip

    together = draw(editor, rows)

    for row, latents in zip(rows, together, strict=True):
        assert off(latents, draw(editor, [row])[0]) < EXACT
    assert off(together[0], together[1]) > 1e-2


def test_pictures_of_other_shapes_are_of_another_kind(editor: QwenFamily) -> None:
    square, wide = (editor.extras([Seen(image)], None, SIDE, SIDE) for image in (picture(1), picture(1, 120, 30)))

    assert square.kind == editor.extras([Seen(picture(2))], None, SIDE, SIDE).kind
    assert len({square.kind, wide.kind, editor.extras([], None, SIDE, SIDE).kind}) == 3


def test_an_encoded_text_belongs_to_its_pictures(editor: QwenFamily) -> None:
    none, one = editor.encode(["winter"])[0], editor.encode(["winter"], [Seen(picture(1))])[0]
    other = editor.encode(["winter"], [Seen(picture(2))])[0]

    assert FAMILIES["qwen"].reads_pictures
    assert len(one.tensors["text"]) > len(none.tensors["text"])
    assert off(one.tensors["text"], other.tensors["text"]) > 1e-3


def test_a_model_of_words_refuses_pictures(family: QwenFamily) -> None:
    assert family.extras([], None, SIDE, SIDE) is NO_EXTRAS
    with pytest.raises(Unavailable, match="words alone"):
        family.extras([Seen(picture(1))], None, SIDE, SIDE)


def test_sizes_are_multiples_of_what_the_facts_say(family: QwenFamily) -> None:
    assert family.multiple == FAMILIES["qwen"].multiple == 16
    assert family.latent_shape(96, 48) == (4, 6, 12)


def test_a_picture_without_edges_meets_itself(family: QwenFamily) -> None:
    latents = torch.randn(*family.latent_shape(128, 128), generator=torch.Generator().manual_seed(6))
    rolled = torch.roll(latents, (8, 8), (1, 2))

    def seam(*, tile: bool) -> float:
        straight, turned = (family.decode([one], tile=tile)[0] for one in (latents, rolled))
        return float((torch.roll(straight, (64, 64), (1, 2)) - turned).abs().mean())

    assert family.decode([latents], tile=True)[0].shape == (3, 128, 128)
    assert seam(tile=True) < seam(tile=False) / 2


def test_a_preview_is_a_small_picture(family: QwenFamily) -> None:
    latents = torch.randn(*family.latent_shape(512, 256), generator=torch.Generator().manual_seed(6))

    small = family.preview(latents)

    assert small.shape == (3, 128, 256)
    assert 0 <= float(small.min()) < float(small.max()) <= 1


def test_nothing_of_a_cache_leaks_into_the_next_picture(tmp_path: Path) -> None:
    family = QwenFamily(ResidentParts(save_qwen(tmp_path / "qwen")), MODEL)
    with family.parts.use("transformer") as transformer:
        transformer.enable_cache(TaylorSeerCacheConfig(cache_interval=3, disable_cache_before_step=1))
    rows = [Asked(text, "", seed=3, steps=4, guidance=1.0) for text in ("a cat", "a dog")]
    clean = draw(family, rows[:1])[0]
    family.reset()

    draw(family, rows[1:])
    leaked = draw(family, rows[:1])[0]
    family.reset()
    again = draw(family, rows[:1])[0]

    assert torch.equal(again, clean)
    assert off(leaked, clean) > 1e-6


def test_half_precision_draws_nearly_the_same_picture(family: QwenFamily, editor: QwenFamily) -> None:
    for exact, seen in ((family, ()), (editor, (Seen(picture(1)),))):
        half = QwenFamily(ResidentParts(exact.parts.folder, dtype=torch.bfloat16), MODEL)  # type: ignore[attr-defined]
        row = Asked("a cat", "", seed=1, steps=3, guidance=3.0, seen=seen)

        (rough,), (fine,) = draw(half, [row]), draw(exact, [row])

        assert rough.dtype == torch.float32
        assert off(half.decode([rough])[0], exact.decode([fine])[0]) < 0.1
