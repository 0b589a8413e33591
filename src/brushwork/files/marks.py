"""A packet of XMP put into a finished file, as its container wants it: PNG, JPEG, WebP, TIFF and MP4.

Nothing is decoded: a picture of 400 MB is copied with a few bytes more. Knows no provenance, only where a packet goes.
"""

import shutil
import struct
import zlib
from collections.abc import Callable, Mapping
from typing import BinaryIO

JPEG_XMP = b"http://ns.adobe.com/xap/1.0/\x00"
PNG_XMP = b"XML:com.adobe.xmp\x00\x00\x00\x00\x00"
MP4_XMP = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
TIFF_XMP = 700
BYTE = 1
"""The type of a TIFF entry that holds plain bytes."""
WEBP_XMP = 0x04
WEBP_ALPHA = 0x10
LARGEST_WEBP = 64 << 20


class Unmarkable(ValueError):
    """The file is not of the kind that it is said to be."""


def mark(source: BinaryIO, target: BinaryIO, kind: str, packet: bytes) -> None:
    """Copy a file with a packet in it. `kind` is its content type; both are at their beginning, `target` is empty."""
    MARKERS[kind](source, target, packet)


def mark_png(source: BinaryIO, target: BinaryIO, packet: bytes) -> None:
    """After the header, so that readers of a beginning find it."""
    head = source.read(33)
    if len(head) < 33 or head[12:16] != b"IHDR":
        raise Unmarkable("this is no PNG")
    chunk = b"iTXt" + PNG_XMP + packet
    target.write(head + struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk)))
    shutil.copyfileobj(source, target)


def mark_jpeg(source: BinaryIO, target: BinaryIO, packet: bytes) -> None:
    """After the JFIF segment, which has to be the first when there is one."""
    head = source.read(2)
    if head != b"\xff\xd8":
        raise Unmarkable("this is no JPEG")
    following = source.read(4)
    if following[:2] == b"\xff\xe0":
        following += source.read(int.from_bytes(following[2:4], "big") - 2)
        head, following = head + following, b""
    segment = JPEG_XMP + packet
    target.write(head + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + following)
    shutil.copyfileobj(source, target)


def mark_webp(source: BinaryIO, target: BinaryIO, packet: bytes) -> None:
    """At the end, announced by a header that plain files do not have."""
    data = source.read(LARGEST_WEBP)
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP":
        raise Unmarkable("this is no WebP")
    body = data[12:]
    if body[:4] == b"VP8X":
        body = body[:8] + bytes([body[8] | WEBP_XMP]) + body[9:]
    else:
        width, height, has_alpha = webp_size(body)
        flags = WEBP_XMP | (WEBP_ALPHA if has_alpha else 0)
        header = bytes([flags, 0, 0, 0]) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
        body = webp_chunk(b"VP8X", header) + body
    body += webp_chunk(b"XMP ", packet)
    target.write(b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body)


def webp_size(body: bytes) -> tuple[int, int, bool]:
    """(width, height, whether it has transparency) of a plain WebP file."""
    if body[:4] == b"VP8L":
        bits = int.from_bytes(body[9:13], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1, bool(bits >> 28 & 1)
    width, height = struct.unpack_from("<HH", body, 14)
    return width & 0x3FFF, height & 0x3FFF, False


def webp_chunk(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<I", len(data)) + data + b"\x00" * (len(data) % 2)


def mark_tiff(source: BinaryIO, target: BinaryIO, packet: bytes) -> None:
    """At the end, with a second directory that has one entry more than the first and takes its place."""
    head = source.read(8)
    order = {b"II*\x00": "<", b"MM\x00*": ">"}.get(head[:4])
    if order is None:
        raise Unmarkable("this is no TIFF")
    (first,) = struct.unpack(order + "I", head[4:8])
    source.seek(first)
    (count,) = struct.unpack(order + "H", source.read(2))
    entries = [source.read(12) for _ in range(count)]
    following = source.read(4)
    source.seek(0)
    shutil.copyfileobj(source, target)
    target.write(b"\x00" * (target.tell() % 2))
    place = target.tell()
    target.write(packet + b"\x00" * (len(packet) % 2))
    directory = target.tell()
    entries.append(struct.pack(order + "HHII", TIFF_XMP, BYTE, len(packet), place))
    entries.sort(key=lambda entry: struct.unpack(order + "H", entry[:2])[0])
    target.write(struct.pack(order + "H", len(entries)) + b"".join(entries) + following)
    target.seek(4)
    target.write(struct.pack(order + "I", directory))


def mark_mp4(source: BinaryIO, target: BinaryIO, packet: bytes) -> None:
    """At the end, where no offset inside the file changes."""
    if source.read(8)[4:] != b"ftyp":
        raise Unmarkable("this is no MP4")
    source.seek(0)
    shutil.copyfileobj(source, target)
    target.write(struct.pack(">I", len(packet) + 24) + b"uuid" + MP4_XMP + packet)


MARKERS: Mapping[str, Callable[[BinaryIO, BinaryIO, bytes], None]] = {
    "image/png": mark_png,
    "image/jpeg": mark_jpeg,
    "image/webp": mark_webp,
    "image/tiff": mark_tiff,
    "video/mp4": mark_mp4,
}
