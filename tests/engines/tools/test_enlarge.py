"""Enlarging to an exact size: sizes, fidelity, transparency, formats, cancelling."""

import io
import tracemalloc
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageFilter

from brushwork.engines.tools.enlarge import (
    Content,
    Crop,
    Format,
    enlarge_to,
    frame_for,
    pixels_of,
    smoothed,
    steps_for,
)

PHOTO = Path(__file__).parent / "photos" / "chelsea.webp"


def photo(size: tuple[int, int]) -> Image.Image:
    return Image.open(PHOTO).convert("RGB").resize(size, Image.Resampling.LANCZOS)


def enlarged(
    source: Image.Image,
    folder: Path,
    *,
    long_edge: int,
    ratio: tuple[int, int] | None = None,
    crop: Crop = "letterbox",
    form: Format = "png",
    content: Content = "standard",
) -> Image.Image:
    frame = frame_for(*source.size, long_edge=long_edge, ratio=ratio, crop=crop)
    path = folder / f"large.{form}"
    enlarge_to(source, frame, path, form=form, content=content, on_tile=lambda _done, _total: None)
    return Image.open(io.BytesIO(path.read_bytes()))


def distance(one: Image.Image, other: Image.Image) -> float:
    """Mean difference of two pictures of one size, 0-255."""
    a, b = (np.asarray(picture.convert("RGB"), np.float32) for picture in (one, other))
    return float(np.abs(a - b).mean())


@pytest.mark.parametrize(
    ("width", "height", "long_edge"), [(300, 200, 801), (200, 300, 1920), (97, 31, 777), (640, 640, 320), (9, 9, 400)]
)
def test_the_longer_side_is_exactly_what_was_asked(tmp_path: Path, width: int, height: int, long_edge: int) -> None:
    large = enlarged(photo((width, height)), tmp_path, long_edge=long_edge)

    short = round(long_edge * min(width, height) / max(width, height))
    assert large.size == ((long_edge, short) if width >= height else (short, long_edge))


@pytest.mark.parametrize("long_edge", [100, 205, 300, 520, 900, 1700])
def test_the_result_is_the_source_when_made_small_again(tmp_path: Path, long_edge: int) -> None:
    source = photo((112, 112))

    large = enlarged(source, tmp_path, long_edge=long_edge)

    small, size = large.resize((56, 56), Image.Resampling.LANCZOS), (56, 56)
    assert distance(small, source.resize(size, Image.Resampling.LANCZOS)) < 2.5
    turned = source.rotate(90).resize(size, Image.Resampling.LANCZOS)
    assert distance(small, turned) > 20  # what the bar above would not let pass


def test_bands_meet_without_a_seam(tmp_path: Path) -> None:
    source = photo((300, 700))  # three bands

    tall = np.asarray(enlarged(source, tmp_path, long_edge=1400), np.float32)

    steps = np.abs(np.diff(tall, axis=0)).mean(axis=(1, 2))
    seams = [round(700 * number / 3) * 2 - 1 for number in (1, 2)]
    for seam in seams:
        assert steps[seam] < 2 * np.median(steps[seam - 20 : seam + 20])


@pytest.mark.parametrize(("crop", "inner"), [("letterbox", (400, 200)), ("crop", (800, 400)), ("stretch", (400, 400))])
def test_a_ratio_is_reached_by_bars_by_cutting_or_by_stretching(
    tmp_path: Path, crop: Crop, inner: tuple[int, int]
) -> None:
    source = photo((200, 100))

    large = enlarged(source, tmp_path, long_edge=400, ratio=(1, 1), crop=crop)

    assert frame_for(200, 100, long_edge=400, ratio=(1, 1), crop=crop).inner == inner
    assert large.size == (400, 400)
    expected = Image.new("RGB", (400, 400))
    whole = source.resize(inner, Image.Resampling.LANCZOS)
    expected.paste(whole, ((400 - inner[0]) // 2, (400 - inner[1]) // 2))
    assert distance(large, expected) < 6
    has_bars = np.asarray(large)[:90].max() == 0
    assert has_bars == (crop == "letterbox")


@pytest.mark.parametrize("form", ["jpeg", "png", "tiff"])
def test_every_format_holds_the_same_picture(tmp_path: Path, form: Format) -> None:
    source = photo((120, 90))

    large = enlarged(source, tmp_path, long_edge=480, form=form)

    assert (large.format or "").lower() == form
    assert large.size == (480, 360)
    assert distance(large, source.resize((480, 360), Image.Resampling.LANCZOS)) < 8


def test_transparency_is_kept_where_the_format_has_it_and_white_where_not(tmp_path: Path) -> None:
    source = photo((100, 100))
    source.putalpha(Image.new("L", (100, 100), 0))
    source.paste(Image.new("RGBA", (50, 100), (200, 30, 30, 255)), (50, 0))

    clear = enlarged(source, tmp_path, long_edge=400, form="png")
    opaque = enlarged(source, tmp_path, long_edge=400, form="jpeg")

    alpha = np.asarray(clear)[..., 3]
    assert (alpha[:, :180].max(), alpha[:, 220:].min()) == (0, 255)
    assert np.asarray(opaque)[:, :180].min() > 245
    assert opaque.mode == "RGB"


def test_content_types_differ_and_stay_near_the_source(tmp_path: Path) -> None:
    source = photo((96, 96))
    kinds: tuple[Content, ...] = ("standard", "photo", "illustration", "text", "low_res")

    large = {kind: enlarged(source, tmp_path, long_edge=384, content=kind) for kind in kinds}

    plain = large["standard"]
    for kind in kinds[1:]:
        assert 0.2 < distance(large[kind], plain) < 12
    assert edges(large["text"]) > 1.15 * edges(plain)


def edges(picture: Image.Image) -> float:
    return float(np.asarray(picture.convert("L").filter(ImageFilter.FIND_EDGES), np.float32).mean())


def test_progress_counts_every_tile_of_every_step(tmp_path: Path) -> None:
    source, told = photo((150, 150)), []
    frame = frame_for(150, 150, long_edge=1200, ratio=None, crop="letterbox")

    enlarge_to(source, frame, tmp_path / "x.jpeg", form="jpeg", on_tile=lambda *both: told.append(both))

    total = 1 + 9  # 150 pixels a side are one tile, 600 are nine
    assert told == [(number, total) for number in range(1, total + 1)]


def test_what_is_raised_between_two_tiles_ends_the_work(tmp_path: Path) -> None:
    class EnoughError(Exception):
        pass

    def stop(done: int, _total: int) -> None:
        if done == 3:
            raise EnoughError

    frame = frame_for(600, 600, long_edge=1200, ratio=None, crop="letterbox")
    with pytest.raises(EnoughError):
        enlarge_to(photo((600, 600)), frame, tmp_path / "x.png", form="png", on_tile=stop)


@pytest.mark.parametrize("content", ["standard", "low_res"])
def test_a_picture_that_is_large_already_can_be_stopped_too(tmp_path: Path, content: Content) -> None:
    told: list[int] = []

    def stop(done: int, _total: int) -> None:
        told.append(done)
        if len(told) == 2:
            raise InterruptedError

    frame = frame_for(300, 900, long_edge=900, ratio=None, crop="letterbox")
    with pytest.raises(InterruptedError):
        enlarge_to(photo((300, 900)), frame, tmp_path / "x.png", form="png", content=content, on_tile=stop)

    assert told == ([1, 2] if content == "standard" else [0, 0])


def test_strips_are_smoothed_as_the_whole_would_be() -> None:
    pixels = np.asarray(photo((90, 700)))
    whole = cv2.bilateralFilter(pixels, 7, 12 + 30, 1 + 2)

    assert np.array_equal(smoothed(pixels, 1.0, on_strip=lambda: None), whole)


def test_a_folder_that_cannot_be_written_is_said_so(tmp_path: Path) -> None:
    frame = frame_for(60, 60, long_edge=120, ratio=None, crop="letterbox")

    with pytest.raises(OSError, match="cannot be written"):
        enlarge_to(photo((60, 60)), frame, tmp_path / "no" / "x.png", form="png", on_tile=lambda *_: None)


def test_no_more_steps_are_made_than_the_size_needs() -> None:
    factors = (0.5, 1.0, 1.5, 2.1, 3, 4.3, 7, 12, 40)
    assert [steps_for(factor, (2, 4)) for factor in factors] == [
        (), (), (2,), (2,), (4,), (4,), (4, 2), (4, 4), (4, 4),
    ]  # fmt: skip
    assert [steps_for(factor, (4,)) for factor in factors] == [
        (), (), (4,), (4,), (4,), (4,), (4, 4), (4, 4), (4, 4),
    ]  # fmt: skip


def test_of_a_strip_only_the_part_that_is_seen_is_enlarged(tmp_path: Path) -> None:
    source = photo((1600, 100))
    tiles: list[int] = []

    frame = frame_for(*source.size, long_edge=400, ratio=(1, 1), crop="crop")
    enlarge_to(source, frame, tmp_path / "large.png", form="png", on_tile=lambda _done, total: tiles.append(total))

    assert set(tiles) == {1}
    large = Image.open(tmp_path / "large.png")
    middle = source.crop((750, 0, 850, 100))
    assert large.size == (400, 400)
    assert distance(large.resize((50, 50)), middle.resize((50, 50))) < 2.5
    assert distance(large.resize((50, 50)), source.crop((735, 0, 835, 100)).resize((50, 50))) > 2.5


@pytest.mark.parametrize("size", [(20_000, 1), (1, 20_000)])
def test_a_line_can_be_cropped_to_a_square(tmp_path: Path, size: tuple[int, int]) -> None:
    large = enlarged(photo(size), tmp_path, long_edge=1920, ratio=(1, 1), crop="crop")

    assert large.size == (1920, 1920)


def test_pixels_of_a_picture_are_its_own_and_take_the_memory_of_one_copy() -> None:
    source = photo((500, 6000))
    source.putpixel((7, 5999), (1, 2, 3))

    tracemalloc.start()
    pixels = pixels_of(source)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert np.array_equal(pixels, np.asarray(source))
    assert most < 1.3 * pixels.nbytes


def test_a_picture_without_alpha_keeps_its_transparent_colour() -> None:
    source = photo((40, 300)).convert("P")
    source.info["transparency"] = 3

    assert np.array_equal(pixels_of(source), np.asarray(source.convert("RGBA")))
