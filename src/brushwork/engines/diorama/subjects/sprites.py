"""The artwork of subjects: one zip of WebP pictures beside the code, opened when first needed. Knows no scene and no
light.
"""

import io
import zipfile
from functools import lru_cache
from threading import Lock
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from brushwork.engines.diorama.words.lexicon import ASSETS

Pixels: TypeAlias = NDArray[np.float32]
_reading = Lock()  # a ZipFile shares one file position among threads


@lru_cache(maxsize=1)
def pack() -> zipfile.ZipFile:
    return zipfile.ZipFile(ASSETS / "sprites.zip")


def names() -> frozenset[str]:
    """All artwork there is."""
    return frozenset(name.removesuffix(".webp") for name in pack().namelist())


def encoded(name: str) -> bytes:
    with _reading:
        return pack().read(f"{name}.webp")


@lru_cache(maxsize=1024)
def aspect(name: str) -> float:
    """Width over height."""
    with Image.open(io.BytesIO(encoded(name))) as picture:
        return picture.width / picture.height


@lru_cache(maxsize=24)
def sprite(name: str) -> Pixels:
    """(H, W, 4) straight colours and alpha, 0..1, cropped to what is visible: its last row is where it stands."""
    with Image.open(io.BytesIO(encoded(name))) as picture:
        return np.asarray(np.asarray(picture.convert("RGBA"), np.float32) / 255, np.float32)


def drawn(name: str, *, height: int, flip: bool = False, tilt: float = 0.0) -> Pixels:
    """The artwork `height` pixels tall, mirrored and turned clockwise by `tilt` degrees; premultiplied colours."""
    picture = sprite(name)
    picture = np.concatenate([picture[..., :3] * picture[..., 3:], picture[..., 3:]], 2)
    size = (max(1, round(height * picture.shape[1] / picture.shape[0])), max(1, height))
    shrinks = height <= picture.shape[0]
    picture = np.asarray(
        cv2.resize(picture, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC), np.float32
    )
    if height > 1.3 * sprite(name).shape[0]:
        picture = sharpened(picture, height / sprite(name).shape[0])
    picture = np.clip(picture, 0, 1)
    if flip:
        picture = np.ascontiguousarray(picture[:, ::-1])
    return turned(picture, tilt) if abs(tilt) > 0.5 else picture


def sharpened(picture: Pixels, factor: float) -> Pixels:
    """Enlarged edges, crisp again."""
    soft = cv2.GaussianBlur(picture, (0, 0), 0.7 * factor)
    return np.asarray(picture + (picture - soft) * 0.9, np.float32)


def turned(picture: Pixels, degrees: float) -> Pixels:
    """Rotated about its middle in a canvas that holds all of it."""
    height, width = picture.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), -degrees, 1.0)
    c, s = abs(matrix[0, 0]), abs(matrix[0, 1])
    new_width, new_height = int(width * c + height * s) + 1, int(height * c + width * s) + 1
    matrix[0, 2] += new_width / 2 - width / 2
    matrix[1, 2] += new_height / 2 - height / 2
    return np.asarray(cv2.warpAffine(picture, matrix, (new_width, new_height), flags=cv2.INTER_LINEAR), np.float32)
