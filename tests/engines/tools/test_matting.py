"""Matting: the subject and not its background, soft where it is soft, on any picture, the same bytes always."""

import hashlib
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from brushwork.engines.diorama.subjects.sprites import drawn
from brushwork.engines.tools import matting
from brushwork.engines.tools.matting import cut_out, matte, subject_colours
from brushwork.engines.tools.network import Floats
from tests.engines.tools.painted import painted

PHOTOS = Path(__file__).parent / "photos"
UNSEEN = (
    "a polar bear in a meadow, noon",
    "a tropical fish, coral reef",
    "a red telephone on a table",
    "a cow on the beach, oil",
)
"""Training leaves out every tenth concept."""


def photograph(name: str = "chelsea") -> Image.Image:
    return Image.open(PHOTOS / f"{name}.webp").convert("RGB")


def iou(given: Floats, truth: Floats) -> float:
    a, b = given > 0.5, truth > 0.5
    return float((a & b).sum() / (a | b).sum())


def soft_disc(size: int = 240, radius: float = 70, softness: float = 8) -> Floats:
    y, x = np.mgrid[:size, :size].astype(np.float32) - size / 2
    return np.asarray(np.clip((radius - np.hypot(x, y)) / softness + 0.5, 0, 1), np.float32)


def test_colours_at_a_soft_edge_are_the_subjects_own() -> None:
    alpha = soft_disc()
    red, green = np.array([220, 30, 40], np.float32), np.array([30, 180, 60], np.float32)
    mixed = np.asarray(red * alpha[..., None] + green * (1 - alpha[..., None]) + 0.5, np.uint8)

    clean = subject_colours(mixed, alpha).astype(float)

    edge = (alpha > 0.1) & (alpha < 0.9)
    assert np.abs(clean[edge] - red).mean() < 6
    assert np.abs(mixed[edge].astype(float) - red).mean() > 30
    assert (clean[alpha == 1] == mixed[alpha == 1]).all()


def test_tiles_of_the_cut_out_meet_without_a_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    alpha = soft_disc(size=300, radius=100, softness=40)
    picture = np.asarray(photograph().resize((300, 300)))
    whole = subject_colours(picture, alpha).astype(int)
    monkeypatch.setattr(matting, "TILE", 70)

    tiled = subject_colours(picture, alpha).astype(int)

    assert np.abs(tiled - whole)[alpha > 0].max() <= 1


def over_a_blurred_photograph(artwork: str, height: int = 260) -> tuple[Image.Image, Floats]:
    """A sharp thing before an unsharp place, as cameras see it."""
    ground = cv2.GaussianBlur(np.asarray(photograph("coffee").resize((400, 400)), np.float32) / 255, (0, 0), 6)
    thing, alpha = drawn(artwork, height=height), np.zeros((400, 400), np.float32)
    top, left = 400 - height - 40, (400 - thing.shape[1]) // 2
    box = np.s_[top : top + thing.shape[0], left : left + thing.shape[1]]
    alpha[box] = thing[..., 3]
    ground[box] = ground[box] * (1 - thing[..., 3:]) + thing[..., :3]
    return Image.fromarray((ground * 255 + 0.5).astype(np.uint8)), alpha


@pytest.mark.parametrize("prompt", UNSEEN)
def test_subjects_of_painter_pictures_are_told_from_what_is_around(prompt: str) -> None:
    picture = painted(prompt)

    assert iou(matte(picture.image), picture.cover) > 0.8


@pytest.mark.parametrize("artwork", ["f-1F413", "f-1F989", "f-1F6B2"])
def test_things_before_an_unsharp_photograph_are_cut_out(artwork: str) -> None:
    image, alpha = over_a_blurred_photograph(artwork)

    given = matte(image)

    assert iou(given, alpha) > 0.8
    soft = (alpha > 0.05) & (alpha < 0.95)
    assert np.abs(given - alpha)[soft].mean() < 0.3


def test_the_subject_of_a_photograph_is_found() -> None:
    cat, portrait = matte(photograph("cat")), matte(photograph("astronaut"))

    assert cat[100:200, 150:300].mean() > 0.8
    assert portrait[100:190, 140:200].mean() > 0.7  # the face
    assert portrait[:40, 230:300].mean() < 0.1  # the wall


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (517, 40), (301, 333)])
def test_any_size_and_shape_has_a_matte(size: tuple[int, int]) -> None:
    alpha = matte(photograph().resize(size))

    assert alpha.shape == size[::-1]
    assert alpha.dtype == np.float32
    assert float(alpha.min()) >= 0
    assert float(alpha.max()) <= 1
    assert cut_out(photograph().resize(size)).size == size


@pytest.mark.parametrize("mode", ["L", "1", "P", "CMYK", "LA", "RGBA"])
def test_every_kind_of_picture_is_understood(mode: str) -> None:
    image = photograph().resize((80, 60)).convert(mode)

    result = cut_out(image)

    assert (result.mode, result.size) == ("RGBA", (80, 60))


def test_what_was_clear_stays_clear() -> None:
    image = photograph().convert("RGBA")
    half = Image.new("L", image.size, 255)
    half.paste(0, (0, 0, image.width // 2, image.height))
    image.putalpha(half)

    assert matte(image)[:, : image.width // 2].max() == 0
    assert np.asarray(cut_out(image))[:, : image.width // 2, 3].max() == 0


def test_the_same_bytes_come_again_in_another_process() -> None:
    code = (
        "import hashlib, sys; from PIL import Image; from brushwork.engines.tools.matting import cut_out;"
        "result = cut_out(Image.open(sys.argv[1]).convert('RGB'), threads=1);"
        "print(hashlib.sha256(result.tobytes()).hexdigest())"
    )
    process = subprocess.run(
        [sys.executable, "-c", code, str(PHOTOS / "chelsea.webp")], check=True, capture_output=True, text=True
    )

    again = [cut_out(photograph(), threads=threads).tobytes() for threads in (1, 2, 2)]

    assert {hashlib.sha256(each).hexdigest() for each in again} == {process.stdout.strip()}
