"""Pictures become PNG files without side information, and grids keep their order."""

import io

import pytest
from PIL import Image

from brushwork.files.images import GRID_SIDE, encode_png, grid

COLOURS = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0)]


def flat(colour: tuple[int, int, int], size: tuple[int, int] = (32, 16)) -> Image.Image:
    return Image.new("RGB", size, colour)


def test_a_png_holds_the_pixels_and_only_the_given_text() -> None:
    image = flat((12, 34, 56))
    image.info["exif"] = b"secret place"

    data = encode_png(image, text={"Software": "Brushwork"})
    again = Image.open(io.BytesIO(data))
    again.load()

    assert again.format == "PNG"
    assert again.tobytes() == image.tobytes()
    assert dict(again.text) == {"Software": "Brushwork"}  # type: ignore[attr-defined]  # of a PNG image
    assert b"secret place" not in data


def test_odd_modes_are_converted() -> None:
    assert Image.open(io.BytesIO(encode_png(Image.new("CMYK", (4, 4))))).mode == "RGB"
    assert Image.open(io.BytesIO(encode_png(Image.new("RGBA", (4, 4))))).mode == "RGBA"


def test_a_grid_is_two_by_two_in_reading_order() -> None:
    whole = grid([flat(colour) for colour in COLOURS])

    assert whole.size == (64, 32)
    assert [whole.getpixel(at) for at in [(0, 0), (63, 0), (0, 31), (63, 31)]] == COLOURS


@pytest.mark.parametrize("size", [(2048, 2048), (3808, 272), (272, 3808)])
def test_a_grid_of_large_pictures_stays_an_overview(size: tuple[int, int]) -> None:
    whole = grid([flat(colour, size) for colour in COLOURS])

    assert max(whole.size) <= GRID_SIDE
    assert whole.width / whole.height == pytest.approx(size[0] / size[1], rel=0.02)
