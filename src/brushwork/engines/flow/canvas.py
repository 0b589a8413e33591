"""Pictures of any size to those the network was made for, and back.

Knows sizes, masks and places, and no network but the one that enlarges.
"""

import cv2
import numpy as np
from PIL import Image

from brushwork.engines.base import Place, Source
from brushwork.engines.flow.shapes import PATCH
from brushwork.engines.tools.super_resolution import OnTile, upscale

Floats = np.ndarray[tuple[int, ...], np.dtype[np.float32]]
TOUCHED = 16
"""Of 255: a latent is free where any of its pixels is to be repainted more than this."""


def small(image: Image.Image, shape: tuple[int, int]) -> Floats:
    """The picture, stretched to (H, W) latents' pixels: (H, W, 3) of 0..1."""
    height, width = (length * PATCH for length in shape)
    resized = image.convert("RGB").resize((width, height), Image.Resampling.LANCZOS)
    return np.asarray(resized, np.float32) / np.float32(255)


def laid_out(source: Source, place: Place | None, size: tuple[int, int], shape: tuple[int, int]) -> Floats:
    """The source where it lies on a canvas of `size` (width, height); what it leaves free is filled from its edges."""
    if place is None:
        return small(source.image, shape)
    height, width = (length * PATCH for length in shape)
    across, down = width / size[0], height / size[1]
    scaled = source.image.convert("RGB").resize(
        (max(1, round(place.width * across)), max(1, round(place.height * down))), Image.Resampling.LANCZOS
    )
    at = (round(place.left * across), round(place.top * down))
    canvas, cover = Image.new("RGB", (width, height)), Image.new("L", (width, height))
    canvas.paste(scaled, at)
    cover.paste(255, (*at, at[0] + scaled.width, at[1] + scaled.height))
    covered = np.asarray(cover, np.float32)[..., None] / np.float32(255)
    return filled(np.asarray(canvas, np.float32) / np.float32(255), covered)


def filled(picture: Floats, cover: Floats) -> Floats:
    """What is not covered takes the colour of what is near."""
    result, weight = picture * cover, cover
    for reach in (2.0, 6.0, 18.0, 54.0):
        near = cv2.GaussianBlur(picture * cover, (0, 0), reach)
        amount = cv2.GaussianBlur(cover, (0, 0), reach)[..., None]
        take = (1 - weight) * np.clip(amount * 20, 0, 1)
        result, weight = result + take * near / np.maximum(amount, 1e-6), weight + take
    rest = (picture * cover).sum((0, 1)) / max(float(cover.sum()), 1.0)
    return np.asarray(result + (1 - weight) * rest, np.float32)


def free_latents(mask: Image.Image | None, shape: tuple[int, int]) -> Floats:
    """(1, H, W): 1 for each latent of which something is to be repainted; without a mask, all of them."""
    height, width = shape
    if mask is None:
        return np.ones((1, height, width), np.float32)
    pixels = np.asarray(mask.convert("L").resize((width * PATCH, height * PATCH), Image.Resampling.BOX))
    most = pixels.reshape(height, PATCH, width, PATCH).max((1, 3))
    return np.asarray(most > TOUCHED, np.float32)[None]


def as_image(picture: Floats) -> Image.Image:
    return Image.fromarray(np.asarray(picture.clip(0, 1) * 255 + 0.5, np.uint8), "RGB")


def enlarged(
    image: Image.Image, size: tuple[int, int], *, crop: bool, on_tile: OnTile | None = None, threads: int | None = None
) -> Image.Image:
    """At exactly `size` (width, height): what sticks out is cut off; or, to keep every place, it is stretched."""
    while (factor := max(size[0] / image.width, size[1] / image.height)) > 1.25:
        image = upscale(image, factor=4 if factor > 2 else 2, on_tile=on_tile, threads=threads)
    box = middle(image.size, size) if crop else None
    return image.resize(size, Image.Resampling.LANCZOS, box=box)


def middle(have: tuple[int, int], want: tuple[int, int]) -> tuple[float, float, float, float]:
    """The largest box of the wanted shape in the middle of a picture."""
    scale = min(have[0] / want[0], have[1] / want[1])
    width, height = want[0] * scale, want[1] * scale
    left, top = (have[0] - width) / 2, (have[1] - height) / 2
    return (left, top, left + width, top + height)
