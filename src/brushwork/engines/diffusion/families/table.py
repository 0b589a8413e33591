"""Which class steps which family. A family's module, and torch with it, is imported when a model of it is loaded."""

import importlib
from collections.abc import Mapping
from typing import cast

from brushwork.engines.catalog.model import Model
from brushwork.engines.diffusion.families.base import Family
from brushwork.engines.diffusion.parts import Parts
from brushwork.errors import Unavailable

HERE = "brushwork.engines.diffusion.families"

CLASSES: Mapping[str, tuple[str, str]] = {
    "sd": (f"{HERE}.unet", "SdFamily"),
    "sdxl": (f"{HERE}.unet", "SdxlFamily"),
    "zimage": (f"{HERE}.zimage", "ZImageFamily"),
    "flux2": (f"{HERE}.flux2", "Flux2Family"),
    "qwen": (f"{HERE}.qwen", "QwenFamily"),
}
"""Family → (module, class). Every class is built as `Class(parts, model)`."""


def family_of(parts: Parts, model: Model) -> Family:
    """The model, ready to be stepped. Raises Unavailable for a family that nobody steps."""
    if model.family not in CLASSES:
        raise Unavailable(f"The model {model.name!r} is of the family {model.family!r}, which has no step loop.")
    module, name = CLASSES[model.family]
    return cast("Family", getattr(importlib.import_module(module), name)(parts, model))
