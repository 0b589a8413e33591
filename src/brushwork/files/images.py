"""Pictures as files: encoding them, and putting four into a grid. Knows no store and no job."""

import io
import math
from collections.abc import Mapping, Sequence

from PIL import Image, PngImagePlugin

GRID_SIDE = 2048
"""A grid's longer side is at most this, in pixels: it is an overview, the singles have the detail."""

PNG_LEVEL = 4
"""zlib level. Level 6 takes twice the time for 3 % less on painted pictures."""


def encode_png(image: Image.Image, *, text: Mapping[str, str] | None = None) -> bytes:
    """PNG bytes, with `text` as its text chunks and nothing else: no EXIF, no profile."""
    chunks = PngImagePlugin.PngInfo()
    for key, value in (text or {}).items():
        chunks.add_itxt(key, value)
    buffer = io.BytesIO()
    plain = image if image.mode in ("RGB", "RGBA", "L") else image.convert("RGB")
    plain.save(buffer, format="PNG", compress_level=PNG_LEVEL, pnginfo=chunks)
    return buffer.getvalue()


def grid(images: Sequence[Image.Image]) -> Image.Image:
    """Two by two, row by row; smaller than the sum of its parts when that would pass `GRID_SIDE`."""
    width, height = images[0].size
    scale = min(1.0, GRID_SIDE / (2 * max(width, height)))
    cell = (max(1, round(width * scale)), max(1, round(height * scale)))
    columns = 2
    rows = math.ceil(len(images) / columns)
    whole = Image.new("RGB", (cell[0] * columns, cell[1] * rows))
    for place, image in enumerate(images):
        small = image if image.size == cell else image.resize(cell, Image.Resampling.LANCZOS)
        whole.paste(small.convert("RGB"), (place % columns * cell[0], place // columns * cell[1]))
    return whole
