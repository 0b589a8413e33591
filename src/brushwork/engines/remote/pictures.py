"""Pictures on their way to another server and back: canvas, mask, PNG; a careful look at what comes from a stranger."""

import io

from PIL import Image, ImageChops, UnidentifiedImageError

from brushwork.engines.base import Place, Row
from brushwork.errors import EngineFailed

FORMATS = ("PNG", "JPEG", "WEBP")
MOST_PIXELS = 64_000_000
SMALL = 16
"""Pixels of a side of the blurred copy that fills a canvas around its picture."""


def png_of(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def canvas_of(row: Row) -> Image.Image:
    """The row's source on a canvas of the row's size, its colours running on where it ends."""
    assert row.source is not None  # operations that work on a picture bring one
    image = row.source.image.convert("RGB")
    size = (row.width, row.height)
    place = row.place or Place(0, 0, *size)
    ground = image.resize((SMALL, SMALL), Image.Resampling.BOX).resize(size, Image.Resampling.BICUBIC)
    ground.paste(image.resize((place.width, place.height), Image.Resampling.LANCZOS), (place.left, place.top))
    return ground


def mask_of(row: Row) -> Image.Image:
    """Transparent and white where to paint: OpenAI's servers look at the one, those of diffusers at the other."""
    assert row.mask is not None
    mask = row.mask.convert("L")
    return Image.merge("RGBA", (mask, mask, mask, ImageChops.invert(mask)))


def put_back(row: Row, painted: Image.Image) -> Image.Image:
    """The painted picture with the row's own pixels wherever nothing was to be painted, and in part at soft edges."""
    assert row.mask is not None
    place = row.place or Place(0, 0, row.width, row.height)
    paint = Image.new("L", (row.width, row.height), 255)
    paint.paste(0, (place.left, place.top, place.left + place.width, place.top + place.height))
    return Image.composite(painted, canvas_of(row), ImageChops.lighter(paint, row.mask.convert("L")))


def picture_of(data: bytes) -> Image.Image:
    """An RGB picture out of bytes that nobody has vouched for."""
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            if image.width * image.height > MOST_PIXELS:
                raise EngineFailed(f"The image server sent a picture of {image.width} by {image.height} pixels.")
            return image.convert("RGB")
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise EngineFailed("The image server sent something that is not a picture; nothing was charged.") from None


def covering(image: Image.Image, width: int, height: int) -> Image.Image:
    """The middle of the picture that has the wanted shape, at the wanted size."""
    if image.size == (width, height):
        return image
    scale = max(width / image.width, height / image.height)
    wide, tall = width / scale, height / scale
    left, top = (image.width - wide) / 2, (image.height - tall) / 2
    return image.resize((width, height), Image.Resampling.LANCZOS, box=(left, top, left + wide, top + tall))
