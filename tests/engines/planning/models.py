"""Models and rows to plan with: those of the shipped catalog, and tools that cost nothing."""

from typing import Any

import numpy as np
from PIL import Image

from brushwork.engines.base import Op, Reference, Role, Row, Source
from brushwork.engines.catalog.model import Checkpoint, Licence, Model
from brushwork.engines.catalog.reading import read_catalog
from brushwork.engines.diffusion.plan import Plan
from brushwork.engines.diffusion.planning import plan_row

CATALOG = {model.name: model for model in read_catalog().values() if model.kind == "image"}
TURBO, BASE, KLEIN, EDIT, SDXL, ANIME = (
    CATALOG[name]
    for name in ("z-image-turbo", "z-image", "flux2-klein-4b", "qwen-image-edit-2511", "sdxl", "animagine-xl-4")
)
"""Few steps; guided; reads pictures; reads pictures and is guided; has adapters; anime."""
PIPE = Model("pipe", "Any pipeline", "image", "pipe", Checkpoint(), Licence("MIT"), negative="native")


class PlainTools:
    """Resampling for networks."""

    def enlarge(self, image: Image.Image, width: int, height: int) -> Image.Image:
        return image.resize((width, height))

    def depth(self, image: Image.Image) -> Image.Image:
        return image.convert("L")


TOOLS = PlainTools()


def picture(width: int = 256, height: int = 256, *, seed: int = 0) -> Image.Image:
    """Large coloured fields."""
    cells = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), np.uint8)
    return Image.fromarray(cells).resize((width, height), Image.Resampling.BICUBIC)


def source(width: int = 256, height: int = 256, **recipe: Any) -> Source:
    return Source(picture(width, height), recipe or None)


def reference(role: Role, weight: float = 1.0) -> Reference:
    return Reference(role, source(), weight)


def a_row(
    text: str = "a red fox", *, width: int = 1024, height: int = 1024, op: Op = Op.TEXT_TO_IMAGE, **more: Any
) -> Row:
    return Row(
        index=more.pop("index", 0), seed=more.pop("seed", 7), text=text, width=width, height=height, op=op, **more
    )


def planned(model: Model, /, text: str = "a red fox", **more: Any) -> Plan:
    return plan_row(a_row(text, **more), model, tools=TOOLS)
