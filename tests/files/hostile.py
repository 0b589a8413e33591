"""Files that somebody might send to hurt us, made by hand, byte by byte. Each is small, and none is a whole picture.

Run as a program, this reads every file of a folder as a picture and tells what that cost: in a process of its own,
since a file that crashes a decoder must not take the tests with it, and since memory is only counted once per process.
"""

import io
import json
import struct
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from itertools import repeat
from pathlib import Path

from PIL import Image

from brushwork.errors import BrushworkError
from brushwork.files.decode import ENHANCE_LIMITS, Limits, read_picture
from tests.peak import peak_bytes

PNG = b"\x89PNG\r\n\x1a\n"
MEGA = 1_000_000


# Pieces


def chunk(name: bytes, content: bytes = b"") -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def ihdr(width: int, height: int, *, depth: int = 8, colour: int = 0, rest: bytes = b"\0\0\0") -> bytes:
    return chunk(b"IHDR", struct.pack(">IIBB", width, height, depth, colour) + rest)


def deflated(size: int) -> bytes:
    """So many zero bytes, compressed."""
    packer = zlib.compressobj(9)
    parts = [packer.compress(part) for part in repeat(bytes(MEGA), size // MEGA)]
    return b"".join([*parts, packer.compress(bytes(size % MEGA)), packer.flush()])


def png(*extra: bytes, width: int = 8, height: int = 8, pixels: bytes | None = None, **shape: int) -> bytes:
    """A grey PNG with more chunks before its pixels; whole, unless told otherwise."""
    idat = deflated((width + 1) * height) if pixels is None else pixels
    return PNG + ihdr(width, height, **shape) + b"".join(extra) + chunk(b"IDAT", idat) + chunk(b"IEND")  # type: ignore[arg-type]  # `rest` is not given here


def encoded(kind: str, *, size: tuple[int, int] = (64, 48), mode: str = "RGB", **options: object) -> bytes:
    buffer = io.BytesIO()
    picture = Image.radial_gradient("L").resize(size).convert(mode)
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def frames(kind: str, count: int) -> bytes:
    first, *others = [Image.new("RGB", (8, 8), (shade * 80 % 256, shade % 256, shade // 256)) for shade in range(count)]
    buffer = io.BytesIO()
    first.save(buffer, kind, save_all=True, append_images=others, loop=0)
    return buffer.getvalue()


def archive() -> bytes:
    """The directory that ends a ZIP, with nothing in it."""
    return b"PK\x05\x06" + bytes(18)


def segment(marker: int, content: bytes = b"") -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def frame_header(width: int, height: int, *, marker: int = 0xC0, bits: int = 8) -> bytes:
    return segment(marker, struct.pack(">BHHB", bits, height, width, 1) + b"\x01\x11\x00")


SCAN = segment(0xDA, b"\x01\x01\x00\x00\x3f\x00")
JPEG_END = b"\xff\xd9"


def jpeg_resized(width: int, height: int, *, marker: int | None = None) -> bytes:
    """A real JPEG that claims another size, or to be of another kind."""
    data = bytearray(encoded("JPEG"))
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 9] = struct.pack(">HH", height, width)
    data[at + 1] = marker or 0xC0
    return bytes(data)


def many_scans(count: int) -> bytes:
    """A progressive JPEG whose last scan comes again and again."""
    data = encoded("JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * count + JPEG_END


def riff(*chunks: tuple[bytes, bytes]) -> bytes:
    body = b"".join(
        name + struct.pack("<I", len(content)) + content + bytes(len(content) % 2) for name, content in chunks
    )
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def canvas(width: int, height: int, *, flags: int = 0) -> tuple[bytes, bytes]:
    return b"VP8X", bytes([flags, 0, 0, 0]) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")


def lossless(width: int, height: int, rest: bytes = bytes(16)) -> tuple[bytes, bytes]:
    return b"VP8L", b"\x2f" + struct.pack("<I", (width - 1) | (height - 1) << 14) + rest


def webp_chunk() -> tuple[bytes, bytes]:
    """The one chunk of a real WebP."""
    data = encoded("WEBP")
    return data[12:16], data[20:]


def tiff(*tags: tuple[int, int], pixels: bytes = bytes(64), directory_at: int | None = None) -> bytes:
    """A grey 8 × 8 TIFF in which `tags` are otherwise."""
    values = {256: 8, 257: 8, 258: 8, 259: 1, 262: 1, 273: 8, 277: 1, 278: 8, 279: 64, **dict(tags)}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in sorted(values.items()))
    directory = struct.pack("<H", len(values)) + entries + bytes(4)
    return b"II*\0" + struct.pack("<I", directory_at or 8 + len(pixels)) + pixels + directory


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :]


# The collection


NOT_PICTURES: dict[str, Callable[[], bytes]] = {
    "empty": lambda: b"",
    "one byte": lambda: b"\x89",
    "zeros": lambda: bytes(100_000),
    "text": lambda: b"This is not a picture.",
    "svg": lambda: b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
    "html": lambda: b"<!doctype html><html><script>alert(1)</script></html>",
    "html before a png": lambda: b"<html>" + png(),
    "pdf": lambda: b"%PDF-1.7\n" + bytes(1000),
    "zip": archive,
    "gif": lambda: frames("GIF", 1),
    "gif with 5000 frames": lambda: frames("GIF", 5000),
    "bmp": lambda: encoded("BMP"),
    "ico": lambda: encoded("ICO"),
    "eps, which some decoders hand to an interpreter": lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
    "film": lambda: b"\0\0\0\x18ftypmp42" + bytes(1000),
    "heic": lambda: b"\0\0\0\x18ftypheic" + bytes(1000),
    "psd": lambda: b"8BPS\0\1" + bytes(1000),
    "jpeg 2000": lambda: b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(1000),
    "sound in riff": lambda: b"RIFF\x24\0\0\0WAVEfmt " + bytes(100),
    "tiff where none is taken": lambda: tiff(),
    "too many bytes": lambda: png(chunk(b"IDAT", bytes(10 * MEGA))),
}

PNGS: dict[str, Callable[[], bytes]] = {
    "signature": lambda: PNG,
    "no header": lambda: PNG + chunk(b"IDAT", deflated(72)) + chunk(b"IEND"),
    "short header": lambda: PNG + chunk(b"IHDR", bytes(5)) + chunk(b"IEND"),
    "two headers": lambda: png(ihdr(9000, 9000)),
    "no pixels": lambda: png(width=0),
    "negative size": lambda: png(width=0xFFFFFFFF, height=0xFFFFFFFF, pixels=b""),
    "30000 squared, of real zeros": lambda: png(width=30_000, height=30_000, depth=1, pixels=deflated(112_530_000)),
    "longer than any side": lambda: png(width=40_000, height=1),
    "64 megapixels in 100 bytes": lambda: png(width=8000, height=8000, pixels=deflated(50_000)),
    "64 megapixels, a quarter there": lambda: png(width=8000, height=8000, pixels=deflated(16_000_000)),
    "a tenth of the rows missing": lambda: png(width=1000, height=1000, pixels=deflated(900_900)),
    "cut in its pixels": lambda: encoded("PNG", size=(500, 500))[:4000],
    "cut before its end": lambda: png()[:-12],
    "damaged stream": lambda: png(pixels=b"\x78\x9c" + b"\xff" * 100),
    "no stream": lambda: png(pixels=b""),
    "wrong checksum of the header": lambda: flipped(png(), 30),
    "wrong checksum of the pixels": lambda: flipped(png(), len(png()) - 14),
    "endless chunk": lambda: PNG + ihdr(8, 8) + b"\xff\xff\xff\xffIDAT" + bytes(100),
    "depth of 3": lambda: png(depth=3),
    "unknown colours": lambda: png(colour=7),
    "palette missing": lambda: png(colour=3),
    "text bomb": lambda: png(chunk(b"zTXt", b"Comment\0\0" + deflated(200 * MEGA))),
    "international text bomb": lambda: png(chunk(b"iTXt", b"Comment\0\1\0en\0\0" + deflated(200 * MEGA))),
    "profile bomb": lambda: png(chunk(b"iCCP", b"icc\0\0" + deflated(200 * MEGA))),
    "many text bombs": lambda: png(*[chunk(b"zTXt", b"Comment\0\0" + deflated(MEGA))] * 200),
    "huge text": lambda: png(chunk(b"tEXt", b"Comment\0" + b"a" * 5 * MEGA)),
    "huge unknown chunk": lambda: png(chunk(b"juNk", bytes(5 * MEGA))),
    "100000 texts": lambda: png(*[chunk(b"tEXt", b"a\0b")] * 100_000),
    "100000 pieces of pixels": lambda: png(*[chunk(b"IDAT")] * 100_000),
    "endless frames": lambda: png(chunk(b"acTL", struct.pack(">II", 0xFFFFFFFF, 0))),
    "animated": lambda: frames("PNG", 3),
    "and a zip": lambda: png() + archive(),
    "and a page": lambda: png() + b"<html><script>alert(1)</script>",
    "and another png": lambda: png() + png(),
    "page in its text": lambda: png(chunk(b"tEXt", b"Comment\0<html><script>alert(1)</script>")),
    "php in its text": lambda: png(chunk(b"tEXt", b"Comment\0<?php system($_GET[0]); ?>")),
    "pdf in its text": lambda: png(chunk(b"tEXt", b"Comment\0%PDF-1.7")),
    "zip in its text and at its end": lambda: png(chunk(b"tEXt", b"a\0PK\3\4")) + archive(),
}

JPEGS: dict[str, Callable[[], bytes]] = {
    "beginning": lambda: b"\xff\xd8\xff",
    "beginning and end": lambda: b"\xff\xd8\xff\xd9",
    "endless fill": lambda: b"\xff\xd8" + b"\xff" * MEGA,
    "cut in its pixels": lambda: encoded("JPEG", size=(500, 500))[:4000],
    "cut before its end": lambda: encoded("JPEG")[:-2],
    "65500 squared": lambda: jpeg_resized(65_500, 65_500),
    "64 megapixels in a kilobyte": lambda: jpeg_resized(8000, 8000),
    "no height": lambda: jpeg_resized(64, 0),
    "two headers": lambda: b"\xff\xd8" + frame_header(8, 8) + frame_header(8000, 8000) + SCAN + JPEG_END,
    "lossless": lambda: jpeg_resized(64, 48, marker=0xC3),
    "arithmetic": lambda: jpeg_resized(64, 48, marker=0xC9),
    "12 bits": lambda: b"\xff\xd8" + frame_header(8, 8, bits=12) + SCAN + bytes(99) + JPEG_END,
    "no tables": lambda: b"\xff\xd8" + frame_header(8, 8) + SCAN + bytes(99) + JPEG_END,
    "no scan": lambda: b"\xff\xd8" + frame_header(8, 8) + JPEG_END,
    "scan before the header": lambda: b"\xff\xd8" + SCAN + JPEG_END,
    "1000 scans": lambda: many_scans(1000),
    "100000 segments": lambda: b"\xff\xd8" + segment(0xE5) * 100_000 + encoded("JPEG")[2:],
    "segment of no length": lambda: b"\xff\xd8\xff\xe0\0\0" + encoded("JPEG")[2:],
    "endless segment": lambda: b"\xff\xd8\xff\xe0\xff\xff" + bytes(100),
    "and a zip": lambda: encoded("JPEG") + archive(),
    "and a script": lambda: encoded("JPEG") + b"<?php system($_GET[0]); ?>",
    "page in a comment": lambda: b"\xff\xd8" + segment(0xFE, b"<html><script>alert(1)</script>") + encoded("JPEG")[2:],
}

WEBPS: dict[str, Callable[[], bytes]] = {
    "nothing": lambda: riff(),
    "animated": lambda: frames("WEBP", 3),
    "endless frames": lambda: riff(canvas(8, 8, flags=2), (b"ANIM", bytes(6)), *[(b"ANMF", bytes(24))] * 1000),
    "frames not announced": lambda: riff(canvas(8, 8), (b"ANMF", bytes(24)), webp_chunk()),
    "cut": lambda: encoded("WEBP")[:-20],
    "and a zip": lambda: encoded("WEBP") + archive(),
    "and a page": lambda: encoded("WEBP") + b"<html>",
    "16 million squared": lambda: riff(canvas(1 << 24, 1 << 24), webp_chunk()),
    "16383 squared in 20 bytes": lambda: riff(lossless(16_383, 16_383)),
    "64 megapixels of nothing": lambda: riff(lossless(8000, 8000, b"")),
    "two sizes": lambda: riff(canvas(64, 49), webp_chunk()),
    "two pictures": lambda: riff(webp_chunk(), webp_chunk()),
    "canvas without a picture": lambda: riff(canvas(64, 48)),
    "damaged": lambda: riff((webp_chunk()[0], webp_chunk()[1][:12] + b"\xff" * 200)),
    "damaged lossless": lambda: riff(lossless(64, 48, b"\xff" * 200)),
    "huge exif": lambda: riff(canvas(64, 48, flags=8), webp_chunk(), (b"EXIF", bytes(5 * MEGA))),
    "100000 chunks": lambda: riff(*[(b"JUNK", b"")] * 100_000, webp_chunk()),
    "chunk longer than the file": lambda: riff((b"VP8 ", b""))[:-4] + b"\xff\xff\xff\xff",
}

TIFFS: dict[str, Callable[[], bytes]] = {
    "cut": lambda: tiff()[:40],
    "directory outside": lambda: tiff(directory_at=0xFFFFFFF0),
    "4 billion squared": lambda: tiff((256, 0xFFFFFFFF), (257, 0xFFFFFFFF)),
    "12000 squared in 64 bytes": lambda: tiff((256, 12_000), (257, 12_000)),
    "no pixels": lambda: tiff((256, 0)),
    "pixels outside": lambda: tiff((273, 0xFFFFFF00)),
    "jpeg inside": lambda: tiff((259, 7)),
    "fax": lambda: tiff((259, 4)),
    "unknown compression": lambda: tiff((259, 34_712)),
    "damaged lzw": lambda: tiff((259, 5), pixels=b"\xff" * 64),
    "damaged deflate": lambda: tiff((259, 8), pixels=b"\xff" * 64),
    "tiles of 60000": lambda: tiff((322, 60_000), (323, 60_000), (324, 8), (325, 64)),
    "1000 channels": lambda: tiff((277, 1000)),
    "64 bits": lambda: tiff((258, 64)),
    "big": lambda: b"II+\0" + tiff()[4:],
    "65535 tags": lambda: b"II*\0\x08\0\0\0\xff\xff" + bytes(1000),
}

FAMILIES = {"": NOT_PICTURES, "png": PNGS, "jpeg": JPEGS, "webp": WEBPS, "tiff": TIFFS}


def hostile_files() -> Iterator[tuple[str, Callable[[], bytes]]]:
    for family, files in FAMILIES.items():
        for name, make in files.items():
            yield f"{family}: {name}".removeprefix(": "), make


# The program


def outcome(data: bytes, limits: Limits) -> tuple[int, str]:
    try:
        picture = read_picture(data, limits=limits)
    except BrushworkError as refused:
        return refused.status, refused.message
    return 200, f"{picture.width} × {picture.height}"


def main(folder: Path) -> None:
    for kind in ("PNG", "JPEG", "WEBP", "TIFF"):  # what a decoder needs once is not what a file costs
        read_picture(encoded(kind), limits=ENHANCE_LIMITS)
    before = peak_bytes()
    for number, (name, _) in enumerate(hostile_files()):
        data = (folder / str(number)).read_bytes()
        started = time.perf_counter()
        status, message = outcome(data, ENHANCE_LIMITS if name.startswith("tiff:") else Limits())
        seconds = time.perf_counter() - started
        print(json.dumps([name, status, message, seconds, peak_bytes() - before]), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
