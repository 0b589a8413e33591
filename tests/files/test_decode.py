"""What is a picture comes out as plain sRGB, upright, with nothing but pixels in its file."""

import io
import struct
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms

from brushwork.errors import BrushworkError, PictureTooLarge, UnreadablePicture
from brushwork.files.decode import ENHANCE_LIMITS, CleanPicture, Limits, checked_header, read_picture
from tests.files.hostile import deflated, png, tiff

SIZE = (48, 32)
RNG = np.random.default_rng(7)
NOISE = Image.fromarray(RNG.integers(0, 255, (SIZE[1], SIZE[0], 3), dtype=np.uint8))
SMOOTH = Image.merge("RGB", [Image.radial_gradient("L").resize(SIZE), *[Image.linear_gradient("L").resize(SIZE)] * 2])


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def pixels(picture: CleanPicture) -> np.ndarray[Any, Any]:
    return np.asarray(picture.image()).astype(int)


def distance(picture: CleanPicture, image: Image.Image) -> float:
    return float(np.abs(pixels(picture) - np.asarray(image).astype(int)).mean())


def chunk_names(data: bytes) -> set[bytes]:
    names, at = set(), 8
    while at < len(data):
        size, name = struct.unpack_from(">I4s", data, at)
        names.add(name)
        at += 12 + size
    return names


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P", "1"])
def test_every_kind_of_png_keeps_its_pixels(mode: str) -> None:
    given = NOISE.convert(mode)

    picture = read_picture(encoded(given, "PNG"))

    assert (picture.width, picture.height, picture.has_alpha) == (*SIZE, False)
    assert picture.image().mode == "RGB"
    assert distance(picture, given.convert("RGB")) == 0


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("options", [{}, {"progressive": True}])
def test_every_kind_of_jpeg_is_read(mode: str, options: dict[str, Any]) -> None:
    picture = read_picture(encoded(SMOOTH.convert(mode), "JPEG", quality=95, **options))

    assert distance(picture, SMOOTH.convert(mode).convert("RGB")) < 4


@pytest.mark.parametrize("options", [{"lossless": True}, {"quality": 95}, {"lossless": True, "exif": b"Exif\0\0"}])
def test_every_kind_of_webp_is_read(options: dict[str, Any]) -> None:
    assert distance(read_picture(encoded(SMOOTH, "WEBP", **options)), SMOOTH) < 4


@pytest.mark.parametrize("compression", [None, "tiff_lzw", "tiff_adobe_deflate", "packbits"])
def test_a_tiff_is_read_only_where_it_is_taken(compression: str | None) -> None:
    data = encoded(NOISE, "TIFF", compression=compression)

    assert distance(read_picture(data, limits=ENHANCE_LIMITS), NOISE) == 0
    with pytest.raises(UnreadablePicture, match="is neither a PNG, a JPEG nor a WebP picture"):
        read_picture(data)


def test_a_tiff_whose_pages_go_in_circles_is_read_to_its_first() -> None:
    data = tiff()
    circular = data[:-4] + data[4:8]  # the next directory is this one

    assert (read_picture(circular, limits=ENHANCE_LIMITS).width, circular[-4:]) == (8, data[4:8])


def test_transparency_is_kept_and_an_opaque_channel_is_not() -> None:
    clear = NOISE.convert("RGBA")
    clear.putalpha(Image.linear_gradient("L").resize(SIZE))

    for kind, options in [("PNG", {}), ("WEBP", {"lossless": True, "exact": True})]:
        picture = read_picture(encoded(clear, kind, **options))
        assert picture.has_alpha
        assert distance(picture, clear) == 0
    assert not read_picture(encoded(NOISE.convert("RGBA"), "PNG")).has_alpha


def test_a_transparent_colour_becomes_an_alpha_channel() -> None:
    given = Image.new("P", (2, 1))
    given.putpalette([255, 0, 0, 0, 255, 0])
    given.putpixel((1, 0), 1)

    picture = read_picture(encoded(given, "PNG", transparency=1))

    assert pixels(picture).tolist() == [[[255, 0, 0, 255], [0, 255, 0, 0]]]


def test_sixteen_bits_become_the_upper_eight() -> None:
    grey = (np.arange(256, dtype=np.uint16) * 256 + 128).reshape(16, 16)

    for kind in ("PNG", "TIFF"):
        picture = read_picture(encoded(Image.fromarray(grey), kind), limits=ENHANCE_LIMITS)
        assert (pixels(picture)[..., 0] == np.arange(256).reshape(16, 16)).all()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_that_lies_on_its_side_is_put_upright(kind: str, orientation: int) -> None:
    corner = Image.new("RGB", (32, 16), "black")
    corner.paste("white", (0, 0, 16, 8))
    exif = Image.Exif()
    exif[0x0112] = orientation

    picture = read_picture(encoded(corner, kind, exif=exif, **({"lossless": True} if kind == "WEBP" else {})))

    assert picture.image().size == ((32, 16) if orientation < 5 else (16, 32))
    shown = picture.image().convert("L").resize((2, 2), Image.Resampling.BOX)
    row, column = np.unravel_index(np.asarray(shown).argmax(), (2, 2))
    # where the corner that comes first in the file belongs, by the definition of each orientation
    corners = {1: (0, 0), 2: (1, 0), 3: (1, 1), 4: (0, 1), 5: (0, 0), 6: (1, 0), 7: (1, 1), 8: (0, 1)}
    assert (int(column), int(row)) == corners[orientation]


def test_colours_of_another_space_are_brought_to_srgb() -> None:
    wide = wide_profile()
    given = Image.new("RGB", (4, 4), (200, 60, 60))

    converted = [read_picture(encoded(given, kind, icc_profile=wide)) for kind in ("PNG", "JPEG", "WEBP")]
    clear = read_picture(encoded(Image.new("RGBA", (4, 4), (200, 60, 60, 90)), "PNG", icc_profile=wide))

    for picture in converted:
        assert abs(pixels(picture)[0, 0] - [200, 60, 60]).max() > 15
        assert abs(pixels(picture)[0, 0] - pixels(converted[0])[0, 0]).max() <= 6
    assert (pixels(clear)[0, 0] == [*pixels(converted[0])[0, 0], 90]).all()


def test_srgb_is_left_as_it_is() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()

    assert distance(read_picture(encoded(NOISE, "PNG", icc_profile=profile)), NOISE) == 0


def wide_profile() -> bytes:
    """A display profile whose red and green are swapped, so that its colours are certainly others."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    table = {bytes(profile[at : at + 4]): at for at in range(132, 132 + 12 * profile[131], 12)}
    red, green = table[b"rXYZ"], table[b"gXYZ"]
    profile[red : red + 4], profile[green : green + 4] = b"gXYZ", b"rXYZ"
    return bytes(profile).replace("sRGB".encode("utf-16-be"), "Wide".encode("utf-16-be"))


@pytest.mark.parametrize("profile", [b"", b"junk" * 100, wide_profile()[:200], bytes(3_000_000), wide_profile()[:-90]])
def test_a_profile_that_cannot_be_used_is_ignored(profile: bytes) -> None:
    assert distance(read_picture(encoded(NOISE, "PNG", icc_profile=profile)), NOISE) == 0


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_nothing_but_pixels_is_left(kind: str) -> None:
    exif = Image.Exif()
    exif[0x010E], exif[0x8825], exif[0x0112] = "SECRET", {1: "N", 2: (48.0, 8.0, 0.0)}, 6
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    data = encoded(NOISE, kind, exif=exif, icc_profile=profile, xmp=b"<x:xmpmeta>SECRET</x:xmpmeta>")
    assert b"SECRET" in data

    picture = read_picture(data)

    assert chunk_names(picture.png) == {b"IHDR", b"IDAT", b"IEND"}
    assert b"SECRET" not in picture.png


def test_a_photo_with_a_film_behind_it_is_taken_without_the_film() -> None:
    film = b"\0\0\0\x18ftypmp42" + bytes(5000)

    assert distance(read_picture(encoded(SMOOTH, "JPEG", quality=95) + film), SMOOTH) < 4


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_damaged_exif_does_not_cost_the_picture() -> None:
    data = encoded(SMOOTH, "JPEG", quality=95, exif=b"Exif\0\0II*\0\xff\xff\xff\xff")

    assert distance(read_picture(data), SMOOTH) < 4


def test_plain_large_pictures_are_not_taken_for_bombs() -> None:
    for size in ((1, 1), (1024, 1024), (2100, 2000)):
        white = Image.new("RGB", size, "white")
        for kind, options in [("PNG", {}), ("JPEG", {}), ("WEBP", {"lossless": True}), ("WEBP", {})]:
            assert read_picture(encoded(white, kind, **options)).image().size == size


def test_the_limits_are_exact() -> None:
    limits = Limits(max_bytes=len(png(width=100, height=100)), max_pixels=100 * 100)

    assert read_picture(png(width=100, height=100), limits=limits).width == 100
    with pytest.raises(PictureTooLarge, match="101 × 100 pixels"):
        read_picture(png(width=101, height=100), limits=Limits(max_pixels=100 * 100))
    with pytest.raises(PictureTooLarge, match="bytes; at most"):
        read_picture(png(width=100, height=100) + b"x", limits=limits)


def test_enhance_takes_what_others_refuse() -> None:
    data = png(width=12_288, height=12_288, depth=1, pixels=deflated(1537 * 12_288))

    with pytest.raises(PictureTooLarge, match="64 megapixels"):
        read_picture(data)
    header = checked_header(data, limits=ENHANCE_LIMITS, field="image_url")

    assert (header.width, header.height) == (12_288, 12_288)


def test_an_error_names_the_field() -> None:
    for data in (b"", png(width=40_000, height=1)):
        with pytest.raises(BrushworkError) as refused:
            read_picture(data, field="mask.url")
        assert refused.value.message.startswith("mask.url: ")
        assert refused.value.detail["field"] == "mask.url"
