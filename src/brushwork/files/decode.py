"""Turning a stranger's bytes into a picture of ours: plain sRGB, upright, and nothing in the file but pixels.

The kind is told by the first bytes, never by a name or a header. What `containers` can refuse is never decoded; what is
decoded is written anew as PNG, so that nothing else that was in the file gets any further. Works on the CPU for as long
as seconds: call it in a thread. Knows no URL and no store.
"""

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image, ImageCms

from brushwork.errors import PictureTooLarge, UnreadablePicture
from brushwork.files.containers import Broken, Header, inspect, kind_of
from brushwork.files.images import encode_png

MEGA = 1_000_000
MAX_PROFILE = 2_000_000
"""Bytes of an ICC profile; a larger one is ignored, and the colours are taken as sRGB."""

MAX_SIDE = 32_768
"""Pixels. Nobody's picture is longer; tables of rows and columns stay small."""


LARGE = 16 * MEGA
"""Pixels. A picture of 64 megapixels takes 0.3 to 1.1 GB while it is read; `pictures` spends that much
once at a time."""


@dataclass(frozen=True)
class Limits:
    """What is taken, in bytes of the file and in pixels of the picture."""

    max_bytes: int = 10 * MEGA
    max_pixels: int = 64 * MEGA
    tiff: bool = False


ENHANCE_LIMITS = Limits(max_bytes=100 * MEGA, max_pixels=151 * MEGA, tiff=True)
"""What `enhance-upscale` takes: it is made for large pictures."""

# Pillow's own guard warns far below what enhance-upscale takes. Nothing reaches it before `containers` has measured it.
Image.MAX_IMAGE_PIXELS = ENHANCE_LIMITS.max_pixels


@dataclass(frozen=True)
class CleanPicture:
    """A picture that came from outside, and that we wrote ourselves."""

    png: bytes
    """RGB or RGBA, 8 bits, no metadata."""
    width: int
    height: int
    has_alpha: bool
    """Whether any pixel is not opaque."""
    origin: str = ""
    """The job or upload of this server that it is of; "" for a stranger's."""

    def image(self) -> Image.Image:
        return Image.open(io.BytesIO(self.png))


def read_picture(data: bytes, *, limits: Limits = Limits(), field: str = "picture") -> CleanPicture:
    """Check, decode and clean a picture. Raises UnreadablePicture or PictureTooLarge, which name `field`."""
    return cleaned(checked_header(data, limits=limits, field=field), field=field)


def cleaned(header: Header, *, field: str) -> CleanPicture:
    """Decode and clean a picture whose header was found acceptable. Raises UnreadablePicture."""
    try:
        image = plain(header)
    except MemoryError:  # ours to solve, not the client's
        raise
    except Exception:  # whatever a decoder raises on bytes that it cannot make sense of
        raise UnreadablePicture(field, "is damaged or cut off, so it cannot be read") from None
    return CleanPicture(encode_png(image), image.width, image.height, has_alpha=image.mode == "RGBA")


def is_large(header: Header) -> bool:
    """Whether a picture takes so much time and memory that only one such should be read at a time."""
    return header.width * header.height > LARGE


def checked_header(data: bytes, *, limits: Limits, field: str) -> Header:
    """What the file says of itself, when all of that is acceptable."""
    if len(data) > limits.max_bytes:
        raise PictureTooLarge(
            field, f"has {len(data)} bytes; at most {limits.max_bytes} are taken", limit=limits.max_bytes
        )
    kind = kind_of(data)
    if kind is None or (kind == "TIFF" and not limits.tiff):
        kinds = "PNG, a JPEG, a TIFF" if limits.tiff else "PNG, a JPEG"
        raise UnreadablePicture(field, f"is neither a {kinds} nor a WebP picture")
    try:
        header = inspect(data, kind=kind)
    except Broken as problem:
        raise UnreadablePicture(field, str(problem)) from None
    if header.width * header.height > limits.max_pixels or max(header.width, header.height) > MAX_SIDE:
        raise PictureTooLarge(
            field,
            f"has {header.width} × {header.height} pixels; at most {limits.max_pixels // MEGA} megapixels are taken,"
            f" and {MAX_SIDE} on a side",
            limit=limits.max_pixels,
        )
    return header


def plain(header: Header) -> Image.Image:
    """Decode the first picture of a file into upright sRGB, with an alpha channel only where it says something."""
    # Only the decoder of that kind: another one that tries its luck on the same bytes is one more that can fail.
    with Image.open(io.BytesIO(header.essence), formats=[header.kind]) as opened:
        if opened.size != (header.width, header.height):
            raise ValueError("two sizes in one file")
        opened.load()
        profile = header.profile or opened.info.get("icc_profile")
        turn = TURNS.get(orientation(opened))
        image = in_srgb(eight_bits(opened), profile)
        if "A" in image.mode and image.getchannel("A").getextrema() == (255, 255):
            image = image.convert("RGB")
        upright = image.transpose(turn) if turn is not None else image
        upright.info = {}  # Pillow writes profile and EXIF again where it finds them here
        return upright


TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""EXIF orientation → what puts the picture upright."""

ORIENTATION = 0x0112


def orientation(image: Image.Image) -> Any:
    """What EXIF says, or 1 where it says nothing that can be read."""
    try:
        return image.getexif().get(ORIENTATION, 1)
    except Exception:  # damaged EXIF is as good as none
        return 1


def eight_bits(image: Image.Image) -> Image.Image:
    """The picture with 8 bits a channel, as RGB, RGBA, L, LA or CMYK."""
    if image.mode in ("I;16", "I;16B", "I;16L", "I;16N", "I"):
        # From 16 bits; Pillow's own conversion would cut off all that is brighter than 255 of 65535.
        return Image.fromarray((np.asarray(image).astype(np.uint32) >> 8).clip(0, 255).astype(np.uint8))
    if image.mode in ("RGBa", "La", "PA") or "transparency" in image.info:
        return image.convert("RGBA")
    if image.mode in ("P", "1", "YCbCr"):
        return image.convert("RGBA" if image.palette and image.palette.mode == "RGBA" else "RGB")
    if image.mode in ("RGB", "RGBA", "L", "LA", "CMYK"):
        return image
    raise ValueError(f"unknown mode {image.mode}")


SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
PROFILE_SPACES = {"RGB": b"RGB ", "L": b"GRAY", "CMYK": b"CMYK"}
PROFILE_CLASSES = (b"scnr", b"mntr", b"prtr", b"spac")


def in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """RGB or RGBA in sRGB. A profile that is damaged, or is not for such a picture, is ignored."""
    target = "RGBA" if "A" in image.mode else "RGB"
    if profile is None or not is_sound(profile, mode=image.mode.removesuffix("A")):
        return in_mode(image, target)
    opaque = in_mode(image, image.mode.removesuffix("A"))
    try:
        given = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if image.mode.startswith("RGB") and "sRGB" in ImageCms.getProfileDescription(given):
            return in_mode(image, target)  # nearly every photo: nothing to do, and nothing to round
        seen = ImageCms.profileToProfile(opaque, given, SRGB, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError):
        return in_mode(image, target)
    assert seen is not None  # it is None for work in place only
    if target == "RGBA":
        seen.putalpha(image.getchannel("A"))
    return seen


def in_mode(image: Image.Image, mode: str) -> Image.Image:
    """The picture in this mode; itself if it is. Pillow would make a copy, and there are hundreds of megabytes."""
    return image if image.mode == mode else image.convert(mode)


def is_sound(profile: bytes, *, mode: str) -> bool:
    """Whether a profile is of a kind that describes the colours of a picture of this mode, and is no larger than it."""
    return (
        128 <= len(profile) <= MAX_PROFILE
        and int.from_bytes(profile[:4], "big") <= len(profile)
        and profile[36:40] == b"acsp"
        and profile[12:16] in PROFILE_CLASSES
        and profile[16:20] == PROFILE_SPACES.get(mode)
    )
