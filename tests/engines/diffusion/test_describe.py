"""Prompts of a picture by tiny vision language models with random weights, loaded from disk as real ones are."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from PIL import Image, ImageDraw

from brushwork.engines.base import RowCancelled, always_wanted
from brushwork.engines.diffusion.describe import QUESTIONS, Describer
from brushwork.engines.diffusion.speaking import Question
from brushwork.engines.diffusion.wording import MOST_WORDS, different, prompt_of
from brushwork.engines.tools.describe import describe as describe_plainly
from brushwork.errors import Unavailable
from tests.engines.diffusion.tiny_speakers import WORDS, save_florence, save_qwen

Save = Callable[[Path], Path]
each_model = pytest.mark.parametrize("save", [save_qwen, save_florence])


def fox(*, size: tuple[int, int] = (120, 90), colour: str = "orange") -> Image.Image:
    image = Image.new("RGB", size, "white")
    ImageDraw.Draw(image).ellipse((size[0] // 4, size[1] // 4, size[0] // 2, size[1] // 2), fill=colour)
    return image


@pytest.fixture(scope="module", params=[save_qwen, save_florence], ids=["qwen3-vl", "florence-2"])
def describer(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Describer:
    return Describer(request.param(tmp_path_factory.mktemp("speaker")))


def test_four_different_prompts_are_the_models_own_words(describer: Describer) -> None:
    prompts = describer.describe(fox())

    assert len(set(prompts)) == 4
    for prompt in prompts:
        words = re.findall(r"\w+", prompt)
        assert set(words) <= set(WORDS)
        assert 3 <= len(words) <= MOST_WORDS


def test_the_same_picture_gets_the_same_prompts_and_another_one_others(describer: Describer) -> None:
    first = describer.describe(fox())
    torch.manual_seed(99)

    assert describer.describe(fox()) == first
    assert describer.describe(fox(colour="navy")) != first


@pytest.mark.parametrize(
    "image",
    [
        fox(size=(3000, 40)),
        fox(size=(7, 900)),
        Image.new("L", (33, 33), 128),
        Image.new("RGBA", (40, 40), (255, 0, 0, 0)),
        Image.new("RGB", (1, 1)),
    ],
    ids=["wide", "tall", "grey", "clear", "one pixel"],
)
def test_any_picture_can_be_described(describer: Describer, image: Image.Image) -> None:
    assert len(set(describer.describe(image))) == 4


def test_an_answer_that_nobody_waits_for_ends_at_once(describer: Describer) -> None:
    asked = 0

    def ask() -> None:
        nonlocal asked
        asked += 1
        if asked > 3:
            raise RowCancelled

    with pytest.raises(RowCancelled):
        describer.describe(fox(), ask=ask)

    assert asked == 4


def test_a_model_that_says_nothing_of_use_leaves_it_to_the_shipped_describer(tmp_path: Path) -> None:
    folder = save_qwen(tmp_path, words=list("%$&/()=?+"))

    assert Describer(folder).describe(fox()) == describe_plainly(fox())


def test_memory_is_given_back_and_the_model_loaded_again(describer: Describer) -> None:
    before = describer.describe(fox())
    describer.drop()

    assert describer.speaker is None
    assert describer.describe(fox()) == before


def test_a_model_that_speaks_is_not_dropped_and_nobody_waits_for_it(describer: Describer) -> None:
    describer.describe(fox())
    with describer.lock:
        describer.drop()

        assert describer.speaker is not None


def test_how_freely_a_model_speaks_is_its_temperature(describer: Describer) -> None:
    describer.describe(fox())
    assert describer.speaker is not None

    def answers(temperature: float) -> set[str]:
        question = Question("be brief", "what is this", temperature)
        assert describer.speaker is not None
        return {describer.speaker.answer(fox(), question, seed=seed, ask=always_wanted) for seed in range(3)}

    assert (len(answers(0.0)), len(answers(1.0))) == (1, 3)
    assert len({question.system for question in QUESTIONS}) == 4


@each_model
def test_only_safetensors_are_loaded(tmp_path: Path, save: Save) -> None:
    folder = save(tmp_path)
    weights = folder / "model.safetensors"
    torch.save({"x": torch.zeros(1)}, folder / "pytorch_model.bin")
    weights.unlink()

    with pytest.raises(Unavailable, match="cannot be loaded"):
        Describer(folder).describe(fox())


def test_a_model_of_another_kind_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "gpt2"}')

    with pytest.raises(Unavailable, match="gpt2"):
        Describer(tmp_path).describe(fox())
    with pytest.raises(Unavailable, match="no readable config"):
        Describer(tmp_path / "nowhere").describe(fox())


@pytest.mark.parametrize(
    ("said", "prompt"),
    [
        ("A red fox in the snow.", "A red fox in the snow"),
        ("**Prompt:** A *red* fox in the snow", "A red fox in the snow"),
        ("Sure, here is a prompt: a red fox, in the snow", "a red fox, in the snow"),
        ("The image shows a red fox in the snow", "a red fox in the snow"),
        ("This picture depicts: a fox in deep snow", "This picture depicts: a fox in deep snow"),
        ('"a red fox in the snow"', "a red fox in the snow"),
        ("a red fox in the snow --ar 16:9 --v 7", "a red fox in the snow"),
        ("a red fox --no birds, in the snow", "a red fox, in the snow"),
        ("a red fox::2 in the snow::-0.5", "a red fox in the snow"),
        ("a red fox — in the snow", "a red fox — in the snow"),
        ("a red fox -- in the snow", "a red fox, in the snow"),
        ("- a red fox\n- in the snow\n- at dusk", "a red fox in the snow at dusk"),
        ("<think>a fox?</think>a red fox in the snow<|im_end|>", "a red fox in the snow"),
        ("<think>a fox, is it? I wonder", ""),
        (
            "a {red, blue} fox in [the](https://example.com) snow https://example.com/x.png",
            "a red, blue fox in the snow",
        ),
        ("fox", ""),
        ("", ""),
        ("#### %% !! ??", ""),
        ("a red\x00 fox\u200b in\tthe snow", "a red fox in the snow"),
    ],
)
def test_what_is_said_becomes_a_plain_prompt(said: str, prompt: str) -> None:
    assert prompt_of(said) == prompt


def test_a_long_answer_ends_with_a_sentence_or_a_phrase() -> None:
    sentence = "A red fox walks through the deep snow of a silent forest at dusk."
    assert prompt_of(" ".join([sentence] * 9)) == " ".join([sentence] * 5).rstrip(".")
    assert prompt_of(" ".join([f"So {sentence}"] * 9)) == " ".join([f"So {sentence}"] * 4).rstrip(".")
    phrases = "a red fox, deep snow, silent forest, dusk, "
    assert prompt_of(phrases * 30).endswith(("fox", "snow", "forest", "dusk"))
    assert len(prompt_of("word " * 500).split()) == MOST_WORDS


def test_what_only_repeats_an_earlier_prompt_is_left_out() -> None:
    assert different(["A red fox.", "a red, fox", "a blue fox", ""]) == ["A red fox.", "a blue fox"]
