"""What a file says of itself before anything is decoded: its kind, its size in pixels, whether it is whole.

Walks the chunks and segments of PNG, JPEG, WebP and TIFF, so that a bomb, a stump or two files in one are refused for
the price of reading headers. Knows no decoder, and no pixel.
"""

import math
import re
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

METADATA_BYTES = 4_000_000
"""What is said beside the picture, in PNG and WebP, inflated: text, profiles, EXIF. We keep none of it."""

MAX_CHUNKS = 50_000
"""Pieces of a file: a PNG of 100 MB in the usual 8 kB has a quarter of that."""

MAX_SCANS = 64
"""Passes of a progressive JPEG; ten are usual. Each costs a pass over all pixels, and takes 10 bytes to ask for."""

SCANNED_PIXELS = 1_500_000_000

INFLATES = 1040
"""No deflate stream yields more bytes than so many times its own."""

HOLLOW_JPEG = 1024
"""A JPEG with more pixels a byte than this cannot hold them all: a block of 64 takes a bit at the very least."""

HOLLOW_WEBP = {b"VP8L": 32_768, b"VP8 ": 4096}
"""The same for WebP, by what one plain colour takes. Its decoder fills all memory before it looks at a pixel."""

ARCHIVE_END = b"PK\x05\x06"
FOREIGN = (b"<html", b"<script", b"<svg", b"<?php", b"<!doctype", b"%pdf-")
"""Lower case. Beginnings that browsers, readers of PDF and PHP look for in a file, whatever it is called."""

SNIFFED = 1024
"""Bytes at its beginning by which programs guess what a file is."""


TOO_MANY_PIXELS = "claims more pixels than it can hold"
TOO_MANY_PIECES = "is in far too many pieces"
TOO_MUCH_BESIDE = "holds far more text and profiles than a picture needs"


class Broken(Exception):
    """The end of a sentence that begins with the name of the picture: "is cut off"."""


@dataclass(frozen=True)
class Header:
    """What a picture claims, checked against the file it is in."""

    kind: str
    """As Pillow calls the format."""
    width: int
    height: int
    essence: bytes
    """The file without what need not be decoded; the whole file where that is simpler."""
    profile: bytes | None = None
    """ICC, where it had to be unpacked here."""


def kind_of(data: bytes) -> str | None:
    """The format by its first bytes, or None."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    if data[:4] in (b"II*\x00", b"MM\x00*"):
        return "TIFF"
    return None


def inspect(data: bytes, *, kind: str) -> Header:
    """Read the headers. Raises Broken for a file that cannot be one whole, single picture."""
    if is_two_files(data):
        raise Broken("is another kind of file as well")
    try:
        header = READERS[kind](data)
    except (struct.error, IndexError):
        raise Broken("is cut off") from None
    if header.width < 1 or header.height < 1:
        raise Broken("has no pixels")
    return header


# PNG


def png(data: bytes) -> Header:
    """Keep what makes the picture: text is never inflated by the decoder, since it never sees it."""
    kept = [data[:8]]
    profile: bytes | None = None
    beside = packed = end = 0
    has_palette = False
    shape: tuple[int, ...] = ()
    for name, start, stop in png_chunks(data):
        if not shape and name != b"IHDR":
            raise Broken("does not begin as a PNG does")
        if name == b"IHDR":
            if shape or stop - start != 13:
                raise Broken("has a damaged header")
            shape = struct.unpack(">IIBBBBB", data[start:stop])
        elif name == b"acTL":
            raise Broken("is animated; send a single picture")
        elif name == b"IDAT":
            packed += stop - start
        elif name not in PNG_KEPT:
            beside += stop - start
        if name in (b"zTXt", b"iTXt", b"iCCP"):
            unpacked = inflated(name, data[start:stop], limit=max(0, METADATA_BYTES - beside))
            beside += len(unpacked)
            profile = unpacked if name == b"iCCP" else profile
        if beside > METADATA_BYTES:
            raise Broken(TOO_MUCH_BESIDE)
        if name in PNG_KEPT:
            if zlib.crc32(memoryview(data)[start - 4 : stop]) != int.from_bytes(data[stop : stop + 4], "big"):
                raise Broken("is damaged")
            has_palette |= name == b"PLTE"
            kept.append(data[start - 8 : stop + 4])
        end = stop + 4
    if data[end - 8 : end - 4] != b"IEND":
        raise Broken("is cut off")
    if end != len(data):
        raise Broken("has something else after its end")
    width, height, depth, colour = shape[:4]
    if colour == 3 and not has_palette:
        raise Broken("has no palette")
    row = width * depth * PNG_CHANNELS.get(colour, 1) // 8 + 1
    if row * height > packed * INFLATES:
        raise Broken(TOO_MANY_PIXELS)
    return Header("PNG", width, height, b"".join(kept), profile)


PNG_KEPT = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"eXIf"})
PNG_CHANNELS: Mapping[int, int] = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}


def png_chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """(name, start, stop) of each chunk's content, up to IEND."""
    at = 8
    for _ in range(MAX_CHUNKS):
        size, name = struct.unpack_from(">I4s", data, at)
        if at + 12 + size > len(data):
            raise Broken("is cut off")
        yield name, at + 8, at + 8 + size
        at += 12 + size
        if name == b"IEND":
            return
    raise Broken(TOO_MANY_PIECES)


def inflated(name: bytes, chunk: bytes, *, limit: int) -> bytes:
    """What a chunk holds in compressed form; b"" where there is nothing of the kind. Raises Broken beyond `limit`."""
    _, _, rest = chunk.partition(b"\x00")
    if name == b"iTXt":
        if rest[:1] != b"\x01":
            return b""
        rest = rest[2:].partition(b"\x00")[2].partition(b"\x00")[2]  # after the language and the translated label
    try:
        text = zlib.decompressobj().decompress(rest[1:] if name != b"iTXt" else rest, limit + 1)
    except zlib.error:
        return b""
    if len(text) > limit:
        raise Broken(TOO_MUCH_BESIDE)
    return text


# JPEG


def jpeg(data: bytes) -> Header:
    """Follow the segments and the scans to the end of the picture, and look at what comes after it."""
    at, scans = 2, 0
    shape: tuple[int, int] | None = None
    for _ in range(MAX_CHUNKS):
        at, marker = next_marker(data, at)
        if marker == 0xD9:
            break
        size = int(struct.unpack_from(">H", data, at)[0])
        if size < 2 or at + size > len(data):
            raise Broken("is cut off")
        if marker in JPEG_FRAMES:
            if shape or marker not in (0xC0, 0xC1, 0xC2):
                raise Broken("is a JPEG of a kind that is not taken; save it as baseline or progressive")
            height, width = struct.unpack_from(">HH", data, at + 3)
            shape = (width, height)
        at += size
        if marker == 0xDA:
            scans += 1
            if shape is None:
                raise Broken("has no header")
            if scans > MAX_SCANS or scans * shape[0] * shape[1] > SCANNED_PIXELS:
                raise Broken("has far too many scans")
            at = after_entropy(data, at)
    else:
        raise Broken(TOO_MANY_PIECES)
    if shape is None or not scans:
        raise Broken("holds no picture")
    if shape[0] * shape[1] > len(data) * HOLLOW_JPEG:
        raise Broken(TOO_MANY_PIXELS)
    # Phones append films, depth maps and notes of their own to real photos. Programs and pages they do not append.
    if at < len(data) and holds_foreign(data[at : at + METADATA_BYTES]):
        raise Broken("has something else after its end")
    return Header("JPEG", *shape, data)


JPEG_FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
MARKER_IN_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


def next_marker(data: bytes, at: int) -> tuple[int, int]:
    """(where its content begins, the marker) of the segment at `at`."""
    if data[at] != 0xFF:
        raise Broken("is damaged")
    while data[at] == 0xFF:
        at += 1
    return at + 1, data[at]


def after_entropy(data: bytes, at: int) -> int:
    """Where the first marker after the coded pixels is."""
    found = MARKER_IN_SCAN.search(data, at)
    if found is None:
        raise Broken("is cut off")
    return found.start()


# WebP


def webp(data: bytes) -> Header:
    size = 8 + struct.unpack_from("<I", data, 4)[0]
    if size > len(data):
        raise Broken("is cut off")
    if size + size % 2 < len(data):
        raise Broken("has something else after its end")
    shape: tuple[int, int] | None = None
    at, beside, pictures = 12, 0, 0
    for _ in range(MAX_CHUNKS):
        if at + 8 > size:
            break
        name, length = struct.unpack_from("<4sI", data, at)
        body = data[at + 8 : at + 8 + min(length, 16)]
        if at + 8 + length > size:
            raise Broken("is cut off")
        if name in (b"ANIM", b"ANMF"):
            raise Broken("is animated; send a single picture")
        if name in WEBP_SIZES:
            found = WEBP_SIZES[name](body)
            pictures += name != b"VP8X"
            if shape and shape != found:
                raise Broken("contradicts itself about its size")
            if found[0] * found[1] > length * HOLLOW_WEBP.get(name, math.inf):
                raise Broken(TOO_MANY_PIXELS)
            shape = found
        elif name != b"ALPH":
            beside += length
        at += 8 + length + length % 2
        if beside > METADATA_BYTES:
            raise Broken(TOO_MUCH_BESIDE)
    else:
        raise Broken(TOO_MANY_PIECES)
    if shape is None or pictures != 1:
        raise Broken("does not hold exactly one picture")
    return Header("WEBP", *shape, data)


def lossy_size(body: bytes) -> tuple[int, int]:
    if body[3:6] != b"\x9d\x01\x2a":
        raise Broken("is damaged")
    width, height = struct.unpack_from("<HH", body, 6)
    return width & 0x3FFF, height & 0x3FFF


def lossless_size(body: bytes) -> tuple[int, int]:
    if body[0] != 0x2F:
        raise Broken("is damaged")
    bits = struct.unpack_from("<I", body, 1)[0]
    return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1


def canvas_size(body: bytes) -> tuple[int, int]:
    if body[0] & 0x02:
        raise Broken("is animated; send a single picture")
    return int.from_bytes(body[4:7], "little") + 1, int.from_bytes(body[7:10], "little") + 1


WEBP_SIZES: Mapping[bytes, Callable[[bytes], tuple[int, int]]] = {
    b"VP8 ": lossy_size,
    b"VP8L": lossless_size,
    b"VP8X": canvas_size,
}


# TIFF


TIFF_COMPRESSIONS = frozenset({1, 5, 8, 32773, 32946})
"""None, LZW, deflate and PackBits; the others bring decoders of their own."""

TIFF_TILE = 2048
TIFF_TAGS = 512
WIDTH, HEIGHT, BITS, COMPRESSION, SAMPLES, TILE_WIDTH, TILE_HEIGHT = 256, 257, 258, 259, 277, 322, 323


def tiff(data: bytes) -> Header:
    """Read the first directory. Further ones, in circles or not, are never looked at."""
    order = "<" if data[:2] == b"II" else ">"
    at = struct.unpack_from(f"{order}I", data, 4)[0]
    count = min(struct.unpack_from(f"{order}H", data, at)[0], TIFF_TAGS)
    tags: dict[int, int] = {}
    for entry in range(count):
        tag, kind, values = struct.unpack_from(f"{order}HHI", data, at + 2 + 12 * entry)
        value = struct.unpack_from(f"{order}{'H' if kind == 3 and values == 1 else 'I'}", data, at + 10 + 12 * entry)
        tags[tag] = value[0]
    if tags.get(COMPRESSION, 1) not in TIFF_COMPRESSIONS:
        raise Broken("is compressed in a way that is not taken; use LZW, deflate or none")
    if not 1 <= tags.get(SAMPLES, 1) <= 4:
        raise Broken("has more channels than a picture needs")
    if max(tags.get(TILE_WIDTH, 0), tags.get(TILE_HEIGHT, 0)) > TIFF_TILE:
        raise Broken("is in tiles that are far too large")
    width, height = tags.get(WIDTH, 0), tags.get(HEIGHT, 0)
    if width * height // 8 * tags.get(SAMPLES, 1) > len(data) * INFLATES * 4:  # LZW packs denser than deflate
        raise Broken(TOO_MANY_PIXELS)
    return Header("TIFF", width, height, data)


READERS: Mapping[str, Callable[[bytes], Header]] = {"PNG": png, "JPEG": jpeg, "WEBP": webp, "TIFF": tiff}


# Two files in one


def holds_foreign(data: bytes) -> bool:
    """Whether a page, a script or a document begins in here."""
    lower = data.lower()
    return any(mark in lower for mark in FOREIGN)


def is_two_files(data: bytes) -> bool:
    """Whether the file begins as a page or document as well, or ends as an archive."""
    return holds_foreign(data[:SNIFFED]) or ends_as_archive(data)


def ends_as_archive(data: bytes) -> bool:
    """Whether there is a ZIP directory whose comment reaches to the very end, which is how archives are found."""
    at = data.rfind(ARCHIVE_END, max(0, len(data) - 65_557))
    return at >= 0 and len(data) - at >= 22 and at + 22 + int.from_bytes(data[at + 20 : at + 22], "little") == len(data)
