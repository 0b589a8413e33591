"""Make a picture exactly as large as asked, up to 12288 pixels a side, without ever holding the result in memory.

The super-resolution networks enlarge the source two, four, eight or sixteen times. The last of these steps is done in
bands: each band goes to libvips as it is ready, which brings it to the exact size, crops or pads it, and writes the
file as it goes. So memory holds the source, one band and libvips' few lines, whatever comes out.

Knows no task and no job; what it is told to raise in `on_tile` stops the work.
"""

import struct
import threading
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations_with_replacement
from math import prod
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
from PIL import Image

from brushwork.engines.base import Ask, always_wanted
from brushwork.engines.tools.super_resolution import SHIPPED, Bytes, Enlarger, OnTile, enlarged_tile, with_margin
from brushwork.engines.tools.tiles import tiles

Content = Literal["standard", "photo", "illustration", "text", "low_res"]
Crop = Literal["letterbox", "crop", "stretch"]
Format = Literal["jpeg", "png", "tiff"]

SIDE = 256
"""Of a tile, before enlarging."""
SEEN = 3
"""How far from a pixel smoothing looks."""
ENOUGH = 1.1
"""What is missing after a step of super-resolution up to this factor is done by resampling."""
NEARLY = 1.05
"""Up to this factor nothing but resampling is done."""
MOST_STEPS = 2
"""One after the other: four and four."""
BAR = (0, 0, 0)
"""Colour of the bars of a letterbox."""
PAPER = (255, 255, 255)
"""What shows behind transparency in a file that has none."""


@dataclass(frozen=True)
class Frame:
    """The sizes of an enlargement, in pixels."""

    inner: tuple[int, int]
    """(width, height) of the whole source, enlarged."""
    outer: tuple[int, int]
    """(width, height) of the file: the inner picture is centred in it, cut or with bars."""


@dataclass(frozen=True)
class Touch:
    """What is done for a kind of content."""

    smooth: float = 0.0
    """0-1: how much noise and blocks are taken out before."""
    sigma: float = 0.0
    """Radius of the sharpening afterwards, in pixels of the result at four times the source."""
    amount: float = 0.0
    """Strength of the sharpening afterwards."""


TOUCHES: Mapping[Content, Touch] = {
    "standard": Touch(),
    "photo": Touch(smooth=0.15, sigma=1.2, amount=0.35),
    "illustration": Touch(smooth=0.45, sigma=1.0, amount=0.55),
    "text": Touch(smooth=0.1, sigma=1.6, amount=1.1),
    "low_res": Touch(smooth=1.0, sigma=1.4, amount=0.5),
}


def frame_for(width: int, height: int, *, long_edge: int, ratio: tuple[int, int] | None, crop: Crop) -> Frame:
    """The sizes for a source of width x height: the file's longer side is exactly `long_edge`."""
    across, down = ratio or (width, height)
    outer = sized(across, down, long_edge)
    if ratio is None or crop == "stretch":
        return Frame(outer, outer)
    by_width, by_height = outer[0] / width, outer[1] / height
    scale = min(by_width, by_height) if crop == "letterbox" else max(by_width, by_height)
    return Frame((max(1, round(width * scale)), max(1, round(height * scale))), outer)


def sized(across: int, down: int, long_edge: int) -> tuple[int, int]:
    if across >= down:
        return long_edge, max(1, round(long_edge * down / across))
    return max(1, round(long_edge * across / down)), long_edge


def enlarge_to(
    picture: Image.Image | Bytes,
    frame: Frame,
    path: Path,
    *,
    form: Format,
    content: Content = "standard",
    enlarger: Enlarger = SHIPPED,
    on_tile: OnTile,
) -> None:
    """Write the enlarged picture to `path`. Transparency is kept, but for JPEG, which gets white paper behind it.

    A large one is better given as `pixels_of` it. Raises what `on_tile` raises, and OSError when the disk is full.
    """
    pixels, frame = trimmed(picture if isinstance(picture, np.ndarray) else pixels_of(picture), frame, enlarger.margin)
    height, width = pixels.shape[:2]
    touch = TOUCHES[content]
    steps = steps_for(max(frame.inner[0] / width, frame.inner[1] / height), enlarger.factors)
    work = Work(steps, width, height, enlarger, on_tile)
    alpha = np.ascontiguousarray(pixels[..., 3]) if pixels.shape[2] == 4 else None
    small = smoothed(pixels[..., :3], touch.smooth, on_strip=work.ask)
    del pixels, picture
    for step in steps[:-1]:
        small = np.concatenate(list(work.bands(small, step)))
    height, width = small.shape[:2]
    if steps:
        stream = Stream(work.bands(small, steps[-1]), width * steps[-1], height * steps[-1])
    else:
        stream = Stream(work.strips(small), width, height)
    try:
        result = resized(sharpened(stream.image(), touch) if steps else stream.image(), frame.inner)
        if alpha is not None:
            result = with_alpha(result, alpha, frame.inner, form)
        save(framed(result, frame), path, form)
    except Exception as problem:
        if stream.problem is not None:  # what libvips makes of it says less than what it was
            raise stream.problem from None
        raise OSError(f"The enlarged picture cannot be written: {problem}") from problem
    work.finish()


def pixels_of(image: Image.Image, *, ask: Ask = always_wanted) -> Bytes:
    """(H, W, 3), or 4 where something is transparent. Whoever has these can let the picture go.

    Strip by strip: Pillow would hold a large picture three times meanwhile, and there are some of 600 MB.
    """
    mode = "RGBA" if image.has_transparency_data else "RGB"
    pixels = np.empty((image.height, image.width, len(mode)), np.uint8)
    for top in range(0, image.height, SIDE):
        ask()
        strip = image.crop((0, top, image.width, min(top + SIDE, image.height)))
        pixels[top : top + SIDE] = np.asarray(strip.convert(mode))
    return pixels


def trimmed(pixels: Bytes, frame: Frame, margin: int) -> tuple[Bytes, Frame]:
    """Without what would be enlarged only to be cut off: a strip cropped to a square may have a million pixels of it.

    As much goes on either side, so the middle stays the middle; what two networks look at beyond the edge stays too.
    """
    height, width = pixels.shape[:2]
    sides = zip((width, height), frame.inner, frame.outer, strict=True)
    left, top = (max(0, int((side - side * outer / inner) / 2) - 2 * margin) for side, inner, outer in sides)
    if not left and not top:
        return pixels, frame
    part = pixels[top : height - top, left : width - left]
    inner = round(frame.inner[0] * part.shape[1] / width), round(frame.inner[1] * part.shape[0] / height)
    return part, Frame((max(frame.outer[0], inner[0]), max(frame.outer[1], inner[1])), frame.outer)


def steps_for(factor: float, factors: tuple[int, ...]) -> tuple[int, ...]:
    """The steps of an enlargement, the larger ones first: the fewest, of these the least, that are enough."""
    if factor <= NEARLY:
        return ()
    choices = [
        steps for number in range(1, MOST_STEPS + 1) for steps in combinations_with_replacement(factors[::-1], number)
    ]
    choices.sort(key=lambda steps: (len(steps), prod(steps)))
    return next((steps for steps in choices if factor <= prod(steps) * ENOUGH), choices[-1])


def smoothed(colours: Bytes, amount: float, *, on_strip: Ask) -> Bytes:
    """Without a share of its noise and blocks; edges stay. Strip by strip, without a seam."""
    if amount <= 0:
        return colours
    calm = np.empty(colours.shape, np.uint8)
    for top in range(0, len(colours), SIDE):
        on_strip()
        above, bottom = max(0, top - SEEN), min(top + SIDE, len(colours))
        source = np.ascontiguousarray(colours[above : bottom + SEEN])
        strip = cv2.bilateralFilter(source, 2 * SEEN + 1, 12 + 30 * amount, 1 + 2 * amount)
        cv2.addWeighted(source, 1 - amount, strip, amount, 0, dst=strip)
        calm[top:bottom] = strip[top - above : bottom - above]
    return calm


class Work:
    """The steps of an enlargement, tile by tile, and how far it is."""

    def __init__(self, steps: tuple[int, ...], width: int, height: int, enlarger: Enlarger, on_tile: OnTile) -> None:
        self.enlarger = enlarger
        self.on_tile = on_tile
        self.done = 0
        self.total = 0 if steps else -(-height // SIDE)
        for step in steps:
            self.total += len(tiles(width, height, side=SIDE))
            width, height = width * step, height * step

    def bands(self, colours: Bytes, factor: int) -> Iterator[Bytes]:
        """The picture, enlarged, in bands from top to bottom."""
        height, width, _ = colours.shape
        padded = with_margin(colours, self.enlarger)
        band: list[Bytes] = []
        for tile in tiles(width, height, side=SIDE):
            band.append(enlarged_tile(padded, tile, factor, self.enlarger, self.ask))
            self.tell()
            if tile.right == width:
                yield np.concatenate(band, axis=1)
                band = []

    def strips(self, colours: Bytes) -> Iterator[Bytes]:
        """The picture as it is, from top to bottom."""
        for strip in np.array_split(colours, self.total):
            yield strip
            self.tell()

    def tell(self) -> None:
        self.done += 1
        if self.done < self.total:
            self.ask()

    def ask(self) -> None:
        self.on_tile(self.done, self.total)

    def finish(self) -> None:
        self.on_tile(self.total, self.total)


class Stream:
    """Bands of a picture as a source of libvips, which asks for bytes when it needs them: a PNG without compression.

    libvips asks from threads of its own and swallows what is raised there, so the problem is kept.
    """

    def __init__(self, bands: Iterator[Bytes], width: int, height: int) -> None:
        self.chunks = png_chunks(bands, width, height)
        self.rest = memoryview(b"")
        self.problem: BaseException | None = None
        self.lock = threading.Lock()

    def read(self, size: int) -> bytes:
        with self.lock:
            if not self.rest and self.problem is None:
                try:
                    self.rest = memoryview(next(self.chunks, b""))
                except BaseException as problem:  # a cancelled job too: it belongs to whoever waits for the file
                    self.problem = problem
            part, self.rest = self.rest[:size], self.rest[size:]
            return bytes(part)

    def image(self) -> Any:
        import pyvips

        self.source = pyvips.SourceCustom()  # libvips holds no reference of its own
        self.source.on_read(self.read)
        return pyvips.Image.new_from_source(self.source, "", access="sequential", fail_on="truncated")


def png_chunks(bands: Iterator[Bytes], width: int, height: int) -> Iterator[bytes]:
    """A PNG file of (h, width, 3) bands, piece by piece; the one format libvips reads from a pipe line by line."""
    yield b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    stored = zlib.compressobj(0)
    for band in bands:
        rows = np.zeros((band.shape[0], 1 + width * 3), np.uint8)  # each row begins with its filter: none
        rows[:, 1:] = band.reshape(band.shape[0], -1)
        yield png_chunk(b"IDAT", stored.compress(rows.data))
    yield png_chunk(b"IDAT", stored.flush()) + png_chunk(b"IEND", b"")


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return b"".join((struct.pack(">I", len(data)), kind, data, struct.pack(">I", zlib.crc32(data, zlib.crc32(kind)))))


def sharpened(picture: Any, touch: Touch) -> Any:
    """With crisper edges; what is flat stays as it is."""
    if not touch.amount:
        return picture
    return picture.sharpen(sigma=touch.sigma, x1=1, m1=0, m2=touch.amount * 3, y2=18, y3=24)


def resized(picture: Any, size: tuple[int, int]) -> Any:
    if (picture.width, picture.height) == size:
        return picture
    return exactly(picture.resize(size[0] / picture.width, vscale=size[1] / picture.height, kernel="lanczos3"), size)


def exactly(picture: Any, size: tuple[int, int]) -> Any:
    """Rounding inside libvips may miss a pixel: the last row or column is repeated or cut."""
    if (picture.width, picture.height) == size:
        return picture
    return picture.embed(0, 0, *size, extend="copy")


def with_alpha(picture: Any, alpha: Bytes, size: tuple[int, int], form: Format) -> Any:
    import pyvips

    small = pyvips.Image.new_from_memory(np.ascontiguousarray(alpha).data, alpha.shape[1], alpha.shape[0], 1, "uchar")
    joined = picture.bandjoin(resized(small, size).cast("uchar"))
    return joined.flatten(background=list(PAPER)) if form == "jpeg" else joined


def framed(picture: Any, frame: Frame) -> Any:
    """Centred in the file's size: cut where it is larger, with bars where it is smaller."""
    width, height = frame.outer
    if frame.inner == frame.outer:
        return picture
    if frame.inner[0] > width or frame.inner[1] > height:
        return picture.crop((frame.inner[0] - width) // 2, (frame.inner[1] - height) // 2, width, height)
    bar = [*BAR, 255] if picture.bands == 4 else list(BAR)
    left, top = (width - frame.inner[0]) // 2, (height - frame.inner[1]) // 2
    return picture.embed(left, top, width, height, extend="background", background=bar)


def save(picture: Any, path: Path, form: Format) -> None:
    picture = picture.copy(interpretation="srgb")
    if form == "jpeg":
        picture.jpegsave(str(path), Q=92, keep="none", optimize_coding=False)
    elif form == "png":
        picture.pngsave(str(path), compression=3, keep="none")
    else:
        picture.tiffsave(str(path), compression="lzw", predictor="horizontal", keep="none", bigtiff=False)
