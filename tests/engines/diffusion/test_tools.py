"""Learned tools from tiny files on disk: which is chosen, what it makes, and what is refused."""

import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from brushwork.engines.base import RowCancelled, always_wanted
from brushwork.engines.diffusion.planning.tools import BUILT_IN, BuiltIn, Tools
from brushwork.engines.diffusion.tools.enlarger import EsrganEnlarger
from brushwork.engines.diffusion.tools.kit import Kit
from brushwork.engines.diffusion.tools.matting import OnnxMatting
from brushwork.engines.diffusion.tools.rrdb import rrdb_of
from brushwork.engines.tools.matting import cut_out
from brushwork.engines.tools.network import session
from brushwork.engines.tools.super_resolution import SHIPPED, SUPER_RESOLUTION, upscaled
from brushwork.engines.tools.toolbox import SHIPPED_CUTTER
from brushwork.engines.turns import ASK_SECONDS
from brushwork.errors import Unavailable
from tests.engines.diffusion.tiny_tools import BLOCKS, save_esrgan, save_matting, tool


def scene(width: int = 80, height: int = 60) -> Image.Image:
    """A red disc on blue."""
    image = Image.new("RGB", (width, height), (20, 40, 200))
    ImageDraw.Draw(image).ellipse((width // 4, height // 4, 3 * width // 4, 3 * height // 4), fill=(230, 20, 20))
    return image


@pytest.mark.parametrize("naming", ["new", "prefixed", "old"])
def test_an_esrgan_is_recognised_under_each_of_its_names(tmp_path: Path, naming: str) -> None:
    usual = rrdb_of(save_esrgan(tmp_path / "usual.safetensors"))
    same = rrdb_of(save_esrgan(tmp_path / "same.safetensors", naming=naming))
    picture = torch.rand(1, 3, 12, 10, generator=torch.Generator().manual_seed(1))

    assert torch.equal(usual(picture), same(picture))
    assert usual(picture).shape == (1, 3, 48, 40)


def test_the_factor_is_seen_in_the_weights(tmp_path: Path) -> None:
    double = EsrganEnlarger("double", save_esrgan(tmp_path / "x2.safetensors", inputs=12))

    assert double.factors == (2,)
    assert upscaled(scene(33, 21), 2, enlarger=double).size == (66, 42)
    with pytest.raises(ValueError, match="not 4"):
        upscaled(scene(), 4, enlarger=double)


def test_tiles_of_an_esrgan_meet_without_a_seam(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    enlarger = EsrganEnlarger("x4", save_esrgan(tmp_path / "x4.safetensors"))
    whole = np.asarray(upscaled(scene(), 4, enlarger=enlarger), int)
    monkeypatch.setattr("brushwork.engines.tools.super_resolution.SIDE", 24)

    tiled = np.asarray(upscaled(scene(), 4, enlarger=enlarger), int)

    assert np.abs(whole - tiled).max() <= 1
    assert whole.std() > 1


def test_other_weights_are_refused_in_a_sentence(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    save_file({"unet.weight": torch.zeros(3)}, tmp_path / "other.safetensors")
    (tmp_path / "broken.safetensors").write_bytes(b"\x80\x04pickled")
    for name in ("other", "broken"):
        with pytest.raises(Unavailable, match="does not hold the weights of an ESRGAN"):
            rrdb_of(tmp_path / f"{name}.safetensors")


@pytest.mark.parametrize("sigmoid", [False, True])
@pytest.mark.parametrize("size", [(80, 60), (24, 20)])
def test_a_matting_network_in_onnx_tells_the_subject(tmp_path: Path, sigmoid: bool, size: tuple[int, int]) -> None:
    matting = OnnxMatting(save_matting(tmp_path / "red.onnx", sigmoid=sigmoid))

    cut = cut_out(scene(*size), matting=matting)

    alpha = np.asarray(cut)[..., 3]
    assert cut.size == size
    assert alpha[size[1] // 2, size[0] // 2] > 250
    assert max(alpha[0, 0], alpha[-1, -1]) < 5


class Impatient:
    """Cancels after some questions, and counts those that come after."""

    def __init__(self, patience: int = 0) -> None:
        self.patience = patience

    def __call__(self) -> None:
        self.patience -= 1
        if self.patience < 0:
            raise RowCancelled


def test_an_esrgan_is_asked_between_its_blocks_where_a_tile_takes_long(tmp_path: Path) -> None:
    enlarger = EsrganEnlarger("x4", save_esrgan(tmp_path / "x4.safetensors"))
    window = np.array(scene())
    asks: list[int] = []

    large = enlarger(window, 4, ask=lambda: asks.append(1))
    with pytest.raises(RowCancelled):
        enlarger(window, 4, ask=Impatient(2))

    assert len(asks) == BLOCKS + 3
    assert np.array_equal(enlarger(window, 4), large)


def test_whoever_waits_for_a_tool_may_go_away(tmp_path: Path) -> None:
    enlarger = EsrganEnlarger("x4", save_esrgan(tmp_path / "x4.safetensors"))
    matting = OnnxMatting(save_matting(tmp_path / "red.onnx"))

    with enlarger.lock, pytest.raises(RowCancelled):
        enlarger(np.array(scene()), 4, ask=Impatient())
    with matting.lock, pytest.raises(RowCancelled):
        matting(np.asarray(scene()), ask=Impatient())


def test_a_long_look_at_a_picture_ends_between_two_layers(tmp_path: Path) -> None:
    matting = OnnxMatting(tmp_path / "unused.onnx")
    matting.session = session(SUPER_RESOLUTION[4], 1)  # any network that takes its time
    picture = {"input": np.zeros((1, 3, 900, 900), np.float32)}
    begun = time.monotonic()
    matting.answer(picture, always_wanted)
    whole = time.monotonic() - begun

    with pytest.raises(RowCancelled):
        matting.answer(picture, Impatient())

    assert whole > 1.5 * ASK_SECONDS
    assert time.monotonic() - begun - whole < max(2 * ASK_SECONDS, 0.9 * whole)


@pytest.mark.parametrize("tools", [BuiltIn(Impatient(1)), Kit().asking(Impatient(1))], ids=["built in", "installed"])
def test_planning_stops_enlarging_what_nobody_wants(tools: Tools, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("brushwork.engines.tools.super_resolution.SIDE", 24)

    with pytest.raises(RowCancelled):
        tools.enlarge(scene(), 160, 120)


def test_what_is_no_onnx_file_is_refused_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "broken.onnx").write_bytes(b"no network")

    with pytest.raises(Unavailable, match=r"broken\.onnx cannot be used"):
        cut_out(scene(), matting=OnnxMatting(tmp_path / "broken.onnx"))


def test_without_installed_tools_those_that_ship_do_the_work() -> None:
    kit = Kit()

    assert (kit.toolbox.enlarger, kit.toolbox.cutter) == (SHIPPED, SHIPPED_CUTTER)
    assert kit.toolbox.missing == {"describe"}
    assert kit.enlarge(scene(), 200, 150).tobytes() == BUILT_IN.enlarge(scene(), 200, 150).tobytes()
    assert kit.depth(scene()).tobytes() == BUILT_IN.depth(scene()).tobytes()


def test_installed_tools_take_their_places(tmp_path: Path) -> None:
    save_esrgan(tmp_path / "photo.safetensors")
    save_esrgan(tmp_path / "anime.safetensors", seed=1)
    save_matting(tmp_path / "onnx" / "model.onnx")
    kit = Kit(
        [
            tool("enlarger", "esrgan-anime", tmp_path, "anime.safetensors"),
            tool("enlarger", "esrgan", tmp_path, "photo.safetensors"),
            tool("matting", "birefnet", tmp_path, "onnx/model.onnx", "*.json"),
            tool("describer", "speaker", tmp_path),
            tool("faces", "unused", tmp_path),
        ]
    )

    tools = kit.toolbox
    assert (tools.cutter.name, tools.describer, tools.missing) == ("birefnet", "speaker", frozenset())
    assert kit.describer is not None
    assert kit.describer.folder == tmp_path
    assert tools.enlarger_for("photo").name == "esrgan"
    assert tools.enlarger_for("illustration").name == "esrgan-anime"
    assert np.asarray(cut_out(scene(), matting=tools.cutter.matting))[30, 40, 3] > 250


@pytest.mark.parametrize("size", [(80, 60), (84, 63), (160, 120), (300, 250), (900, 640), (40, 30)])
def test_planning_gets_exactly_the_size_it_asks_for(tmp_path: Path, size: tuple[int, int]) -> None:
    save_esrgan(tmp_path / "photo.safetensors")
    kit = Kit([tool("enlarger", "esrgan", tmp_path)])

    large = kit.enlarge(scene(), *size)

    assert large.size == size
    assert (large.tobytes() == Kit().enlarge(scene(), *size).tobytes()) == (size[0] < 88)


def test_a_folder_whose_weights_are_not_told_apart_is_refused(tmp_path: Path) -> None:
    for name in ("one", "two"):
        save_esrgan(tmp_path / f"{name}.safetensors")

    with pytest.raises(Unavailable, match="no single file"):
        Kit([tool("enlarger", "esrgan", tmp_path)])
