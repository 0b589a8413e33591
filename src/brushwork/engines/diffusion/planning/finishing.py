"""From the drawn picture to the finished one: exactly the row's size, and the kept part of a canvas put back."""

import cv2
import numpy as np
from PIL import Image

from brushwork.engines.base import Op, Place
from brushwork.engines.diffusion.plan import Plan
from brushwork.engines.diffusion.planning import canvas as canvases
from brushwork.engines.diffusion.planning.pictures import LANCZOS, middle
from brushwork.engines.diffusion.planning.told import concerns
from brushwork.engines.diffusion.planning.tools import BUILT_IN, Tools

AROUND = 16
"""Pixels of the opposite edge beside a tile, while it is scaled."""
CONTRAST = 0.35
"""Of local differences, at `--exp 100`."""
BROAD = 1 / 40
"""Of the shorter side: what counts as local."""


def finish(plan: Plan, image: Image.Image, tools: Tools = BUILT_IN) -> Image.Image:
    """The picture of the plan's row. The same plan and picture give the same bytes."""
    row = plan.row
    place = plan.part or Place(0, 0, row.width, row.height)
    picture = fitted(plan, image.convert("RGB"), place.width, place.height, tools)
    exp = float(row.params.get("exp") or 0) if plan.applied.get("exp") and concerns(row.op, "exp") else 0.0
    if exp:
        picture = contrasted(picture, CONTRAST * exp / 100)
    return put_back(plan, picture, place) if row.op is Op.INPAINT else picture


def fitted(plan: Plan, image: Image.Image, width: int, height: int, tools: Tools) -> Image.Image:
    """At that size: of a free picture the middle is cut; one that lies over its source is stretched back."""
    if image.size == (width, height):
        return image
    if plan.tile:
        return tile_scaled(image, width, height, tools)
    lies_over = plan.row.source is not None and (plan.init is not None or plan.control is not None)
    if not lies_over:
        left, top, right, bottom = (round(edge) for edge in middle(image.size, (width, height)))
        image = image.crop((left, top, max(right, left + 1), max(bottom, top + 1)))
    return scaled(image, width, height, tools)


def scaled(image: Image.Image, width: int, height: int, tools: Tools) -> Image.Image:
    if width <= image.width and height <= image.height:
        return image.resize((width, height), LANCZOS)
    return tools.enlarge(image, width, height)


def tile_scaled(image: Image.Image, width: int, height: int, tools: Tools) -> Image.Image:
    """Scaled as if it went on at its edges, so that it still does."""
    across, down = width / image.width, height / image.height
    pixels = np.pad(np.asarray(image), ((AROUND, AROUND), (AROUND, AROUND), (0, 0)), mode="wrap")
    wide = Image.fromarray(pixels)
    box = (AROUND, AROUND, AROUND + image.width, AROUND + image.height)
    if max(across, down) > 1:
        larger = scaled(wide, round(wide.width * across), round(wide.height * down), tools)
        across, down = larger.width / wide.width, larger.height / wide.height
        left, top = AROUND * across, AROUND * down
        return larger.resize(
            (width, height), LANCZOS, box=(left, top, left + image.width * across, top + image.height * down)
        )
    return wide.resize((width, height), LANCZOS, box=box)


def contrasted(picture: Image.Image, amount: float) -> Image.Image:
    """With stronger differences to what is around."""
    pixels = np.asarray(picture, np.float32)
    broad = cv2.GaussianBlur(pixels, (0, 0), max(1.0, BROAD * min(picture.size)))
    return Image.fromarray(np.asarray(np.rint((pixels + amount * (pixels - broad)).clip(0, 255)), np.uint8))


def put_back(plan: Plan, picture: Image.Image, place: Place) -> Image.Image:
    """The drawn part on its canvas, with as much of the source as the mask keeps."""
    canvas = canvases.laid(plan.row)
    part = canvas.part(place)
    share = canvases.softened(part.hole, canvas.reach)[..., None]
    mixed = part.colours * (1 - share) + np.asarray(picture, np.float32) * share
    whole = canvas.colours.copy()
    rows, columns = slice(place.top, place.top + place.height), slice(place.left, place.left + place.width)
    whole[rows, columns] = np.rint(mixed).astype(np.uint8)
    return Image.fromarray(whole)
