"""Pictures as models take them: RGB, at exactly the size that is drawn."""

import math

from PIL import Image

from brushwork.engines.catalog.model import Model
from brushwork.engines.diffusion.planning.sizes import multiple_of, nearest

LANCZOS = Image.Resampling.LANCZOS


def opaque(image: Image.Image) -> Image.Image:
    """RGB; what is transparent is white."""
    if not image.has_transparency_data:
        return image.convert("RGB")
    picture = image.convert("RGBA")
    ground = Image.new("RGBA", picture.size, "white")
    return Image.alpha_composite(ground, picture).convert("RGB")


def stretched(image: Image.Image, width: int, height: int) -> Image.Image:
    """At that size; a little squeezed where the shape is another, which `finish` undoes."""
    picture = opaque(image)
    return picture if picture.size == (width, height) else picture.resize((width, height), LANCZOS)


def covering(image: Image.Image, width: int, height: int) -> Image.Image:
    """At that size, undistorted: what does not fit is cut at both sides."""
    picture = opaque(image)
    box = middle(picture.size, (width, height))
    return picture.resize((width, height), LANCZOS, box=box)


def middle(size: tuple[int, int], shape: tuple[int, int]) -> tuple[float, float, float, float]:
    """The largest box of that shape in the middle of a picture of that size."""
    scale = min(size[0] / shape[0], size[1] / shape[1])
    across, down = shape[0] * scale, shape[1] * scale
    left, top = max(0.0, (size[0] - across) / 2), max(0.0, (size[1] - down) / 2)
    return left, top, min(float(size[0]), left + across), min(float(size[1]), top + down)


def looked_at(image: Image.Image, model: Model) -> Image.Image:
    """A reference: in its own shape, no larger than what the model draws."""
    picture = opaque(image)
    area = min(picture.width * picture.height, model.side**2)
    ratio = min(4.0, max(0.25, picture.width / picture.height))
    return covering(picture, *nearest(area, ratio, multiple_of(model)))


def mean_of(images: list[Image.Image], weights: list[float]) -> Image.Image:
    """Pictures of one size, laid over each other."""
    total = math.fsum(weights)
    mixed, share = images[0], weights[0]
    for image, weight in zip(images[1:], weights[1:], strict=True):
        share += weight
        mixed = Image.blend(mixed, image, weight / share if total else 0.5)
    return mixed
