"""Super-resolution: nearer to the truth than Lanczos, without seams, the same bytes always, on any picture."""

import hashlib
import subprocess
import sys
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from PIL import Image, ImageDraw
from PIL.Image import Resampling

from brushwork.engines.base import NullSink, Row
from brushwork.engines.diorama.engine import DioramaEngine
from brushwork.engines.tools import super_resolution
from brushwork.engines.tools.super_resolution import SIDE, upscale

PHOTOS = Path(__file__).parent / "photos"
PROMPTS = ("a wizard next to a castle, misty morning", "a lighthouse on the coast, stormy sea, lightning")
FACTORS = pytest.mark.parametrize("factor", [2, 4])
LUMA = np.array([65.481, 128.553, 24.966]) / 255
BETTER_BY = 0.2
"""Decibels, at least."""


def photograph(name: str = "chelsea") -> Image.Image:
    return Image.open(PHOTOS / f"{name}.webp").convert("RGB")


def painted(prompt: str) -> Image.Image:
    return DioramaEngine(workers=1).run([Row(0, 5, prompt, 384, 384, model="7")], NullSink())[0].image


def noise(width: int, height: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8))


def luma_psnr(image: Image.Image, original: Image.Image) -> float:
    difference = (np.asarray(image, float) - np.asarray(original, float)) @ LUMA
    return float(10 * np.log10(255**2 / np.mean(difference[4:-4, 4:-4] ** 2)))


def gain(original: Image.Image, factor: Literal[2, 4]) -> float:
    """Decibels nearer to the original than Lanczos."""
    small = original.resize((original.width // factor, original.height // factor), Resampling.BICUBIC)
    lanczos = small.resize(original.size, Resampling.LANCZOS)
    return luma_psnr(upscale(small, factor=factor), original) - luma_psnr(lanczos, original)


@FACTORS
@pytest.mark.parametrize("name", ["chelsea", "coffee"])
def test_photographs_are_nearer_to_the_original_than_with_lanczos(name: str, factor: Literal[2, 4]) -> None:
    assert gain(photograph(name), factor) > BETTER_BY


@pytest.mark.parametrize("prompt", PROMPTS)
def test_pictures_of_the_painter_are_nearer_to_the_original_than_with_lanczos(prompt: str) -> None:
    original = painted(prompt)

    assert gain(original, 2) > BETTER_BY
    assert gain(original, 4) > BETTER_BY


@FACTORS
def test_tiles_meet_without_a_seam(factor: Literal[2, 4], monkeypatch: pytest.MonkeyPatch) -> None:
    image = photograph()
    whole = np.asarray(upscale(image, factor=factor), int)
    monkeypatch.setattr(super_resolution, "SIDE", 30)

    tiled = np.asarray(upscale(image, factor=factor), int)

    assert np.abs(tiled - whole).max() <= 1  # rounding
    assert (tiled != whole).mean() < 1e-3


@FACTORS
@pytest.mark.parametrize("size", [(1, 1), (2, 90), (301, 17)])
def test_any_size_and_shape_is_enlarged(size: tuple[int, int], factor: Literal[2, 4]) -> None:
    image = noise(*size)

    large = upscale(image, factor=factor)

    assert large.size == (size[0] * factor, size[1] * factor)
    assert large.mode == "RGB"


@FACTORS
@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255), (200, 30, 90), (1, 128, 254)])
def test_flat_colour_stays_as_it_is(colour: tuple[int, int, int], factor: Literal[2, 4]) -> None:
    large = np.asarray(upscale(Image.new("RGB", (24, 20), colour), factor=factor), int)

    assert np.abs(large - colour).max() <= 2


@pytest.mark.parametrize(
    ("mode", "expected"),
    [("L", "RGB"), ("1", "RGB"), ("P", "RGB"), ("CMYK", "RGB"), ("LA", "RGBA"), ("RGBA", "RGBA")],
)
def test_every_kind_of_picture_is_understood(mode: str, expected: str) -> None:
    image = photograph().resize((40, 30)).convert(mode)

    large = upscale(image, factor=2)

    assert (large.mode, large.size) == (expected, (80, 60))
    assert luma_psnr(large.convert("RGB").reduce(2), image.convert("RGB")) > 15


def test_opaque_stays_opaque_and_clear_stays_clear() -> None:
    image = photograph().resize((40, 40)).convert("RGBA")
    image.putalpha(Image.new("L", image.size, 255))
    assert upscale(image, factor=2).getchannel("A").getextrema() == (255, 255)

    image.putalpha(Image.new("L", image.size, 0))
    assert upscale(image, factor=2).getchannel("A").getextrema() == (0, 0)


def test_what_is_transparent_does_not_stain_the_edge() -> None:
    cut_out = Image.new("RGBA", (60, 60))  # black where it is clear
    ImageDraw.Draw(cut_out).ellipse((12, 12, 48, 48), fill=(250, 210, 40, 255))

    large = np.asarray(upscale(cut_out, factor=2), int)

    seen = large[large[..., 3] > 0][:, :3]
    assert len(seen) > 4000
    assert np.abs(seen - (250, 210, 40)).max() <= 12


def test_every_tile_is_told() -> None:
    told: list[tuple[int, int]] = []

    upscale(noise(SIDE + 1, 20), factor=2, on_tile=lambda done, total: told.append((done, total)))

    assert told == [(1, 2), (2, 2)]


def test_whoever_is_told_may_stop_the_work() -> None:
    told: list[int] = []

    def stop(done: int, _total: int) -> None:
        told.append(done)
        raise InterruptedError

    with pytest.raises(InterruptedError):
        upscale(noise(SIDE + 1, SIDE + 1), factor=2, on_tile=stop)
    assert told == [1]


@FACTORS
def test_the_same_bytes_come_again_with_other_threads_and_in_another_process(factor: Literal[2, 4]) -> None:
    code = (
        "import hashlib, sys; from PIL import Image; from brushwork.engines.tools.super_resolution import upscale;"
        f"large = upscale(Image.open(sys.argv[1]).convert('RGB'), factor={factor}, threads=1);"
        "print(hashlib.sha256(large.tobytes()).hexdigest())"
    )
    process = subprocess.run(
        [sys.executable, "-c", code, str(PHOTOS / "chelsea.webp")], check=True, capture_output=True, text=True
    )

    again = [upscale(photograph(), factor=factor, threads=threads).tobytes() for threads in (1, 2, 2)]

    assert {hashlib.sha256(each).hexdigest() for each in again} == {process.stdout.strip()}
