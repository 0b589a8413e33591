"""A checkpoint that is not whole, or not what it says, is refused in words that name the part and what helps."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from brushwork.engines.base import NullSink
from brushwork.engines.diffusion.families.base import Family
from brushwork.engines.diffusion.parts import load_part
from brushwork.errors import Unavailable
from tests.engines.diffusion.shelf import TinyShelf, loop_of, plan_of


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    shelf = TinyShelf(tmp_path_factory.mktemp("models"))
    shelf.family("sdxl")
    return shelf.root / "sdxl"


def weights(folder: Path) -> Path:
    return next((folder / "unet").glob("*.safetensors"))


def cut_off(folder: Path) -> None:
    weights(folder).write_bytes(weights(folder).read_bytes()[:1000])


def pickled(folder: Path) -> None:
    weights(folder).rename(weights(folder).with_suffix(".bin"))


def of_another_size(folder: Path) -> None:
    config = folder / "unet" / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"cross_attention_dim": 8}))


def away(folder: Path) -> None:
    shutil.rmtree(folder / "unet")


def indexed_as(library: str, name: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        index = folder / "model_index.json"
        index.write_text(json.dumps(json.loads(index.read_text()) | {"unet": [library, name]}))

    return change


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (cut_off, "unet of the model mine cannot be read"),
        (pickled, "not safetensors"),
        (of_another_size, "do not fit UNet2DConditionModel"),
        (away, "missing"),
        (indexed_as("diffusers", "AutoencoderKL"), "do not fit AutoencoderKL"),
        (indexed_as("diffusers", "logging"), "does not know logging"),
        (indexed_as("diffusers", "NewUNet"), "does not know NewUNet"),
        (indexed_as("mine", "UNet"), "without code of its own"),
    ],
)
def test_what_cannot_be_read_is_named(whole: Path, tmp_path: Path, spoil: Callable[[Path], None], said: str) -> None:
    folder = tmp_path / "mine"
    shutil.copytree(whole, folder)
    spoil(folder)

    with pytest.raises(Unavailable, match=said):
        load_part(folder, "unet", dtype=torch.float32)


def test_a_tokenizer_that_is_away_is_named(whole: Path, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    shutil.copytree(whole, folder)
    shutil.rmtree(folder / "tokenizer")

    with pytest.raises(Unavailable, match="tokenizer of the model mine cannot be read"):
        load_part(folder, "tokenizer", dtype=torch.float32)


class Counting(TinyShelf):
    asked = 0

    def family(self, model: str) -> Family:
        self.asked += 1
        return super().family(model)


def test_what_cannot_be_read_is_tried_once_for_a_job_and_told_to_it(whole: Path, tmp_path: Path) -> None:
    shutil.copytree(whole, tmp_path / "sdxl")
    cut_off(tmp_path / "sdxl")
    shelf = Counting(tmp_path)
    loop = loop_of(shelf)

    with pytest.raises(Unavailable, match="unet of the model sdxl cannot be read"):
        loop.draw([plan_of("sdxl", index) for index in range(4)], NullSink())
    loop.close()

    assert shelf.asked == 1
