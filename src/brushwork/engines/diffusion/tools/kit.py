"""The tools that are installed, ready for tasks and for planning; what is missing is done with those that ship.

Nothing is loaded before it is used. Says which file of a catalog entry is the one that counts.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from brushwork.engines.base import Ask, always_wanted
from brushwork.engines.catalog.model import Model
from brushwork.engines.diffusion.planning.tools import BUILT_IN
from brushwork.engines.diffusion.tools.enlarger import EsrganEnlarger
from brushwork.engines.diffusion.tools.matting import OnnxMatting
from brushwork.engines.tools.enlarge import steps_for
from brushwork.engines.tools.super_resolution import SHIPPED, Enlarger, upscaled
from brushwork.engines.tools.tags import TAGS
from brushwork.engines.tools.toolbox import SHIPPED_CUTTER, Cutter, Toolbox
from brushwork.errors import Unavailable

DRAWN = "anime"
"""Part of the name of an enlarger for drawings."""


@dataclass(frozen=True)
class Installed:
    """A tool of the catalog on this machine."""

    model: Model
    folder: Path
    """Where its files are, as in its repository."""


class Kit:
    """The tools of one worker. What planning asks of tools is answered here, and what tasks use is in `toolbox`."""

    def __init__(self, installed: Iterable[Installed] = (), *, device: str = "cpu") -> None:
        of_family: dict[str, list[Installed]] = {}
        for one in installed:
            of_family.setdefault(one.model.family, []).append(one)
        self.describer: Installed | None = next(iter(of_family.get("describer", ())), None)
        enlargers = of_family.get("enlarger", [])
        drawn = [one for one in enlargers if DRAWN in one.model.name]
        usual = [one for one in enlargers if one not in drawn]
        self.toolbox = Toolbox(
            cutter=cutter_of(next(iter(of_family.get("matting", ())), None), device),
            enlarger=enlarger_of(usual[0], device) if usual else SHIPPED,
            illustrations=enlarger_of(drawn[0], device) if drawn else None,
            describer=self.describer.model.name if self.describer else TAGS.name,
            missing=frozenset() if self.describer else frozenset({"describe"}),
        )

    def enlarge(self, image: Image.Image, width: int, height: int, *, ask: Ask = always_wanted) -> Image.Image:
        """The RGB picture at exactly that size, by super-resolution as far as it is larger."""
        enlarger = self.toolbox.enlarger
        for factor in steps_for(max(width / image.width, height / image.height), enlarger.factors):
            image = upscaled(image, factor, enlarger=enlarger, on_tile=lambda _tile, _tiles: ask())
        return image if image.size == (width, height) else image.resize((width, height), Image.Resampling.LANCZOS)

    def depth(self, image: Image.Image) -> Image.Image:
        """A picture of mode L: near is bright."""
        return BUILT_IN.depth(image)

    def asking(self, ask: Ask) -> "Asking":
        """These tools, for one row."""
        return Asking(self, ask)


@dataclass(frozen=True)
class Asking:
    """The tools of a kit as planning knows them. They raise what `ask` raises."""

    kit: Kit
    ask: Ask

    def enlarge(self, image: Image.Image, width: int, height: int) -> Image.Image:
        return self.kit.enlarge(image, width, height, ask=self.ask)

    def depth(self, image: Image.Image) -> Image.Image:
        return self.kit.depth(image)


def cutter_of(installed: Installed | None, device: str) -> Cutter:
    if installed is None:
        return SHIPPED_CUTTER
    return Cutter(installed.model.name, OnnxMatting(file_of(installed, ".onnx"), device=device))


def enlarger_of(installed: Installed, device: str) -> Enlarger:
    return EsrganEnlarger(installed.model.name, file_of(installed, ".safetensors"), device=device)


def file_of(installed: Installed, ending: str) -> Path:
    """The one file of weights: the first that the entry names, or the only one there is. Raises Unavailable."""
    named = [installed.folder / name for name in installed.model.checkpoint.include if name.endswith(ending)]
    there = sorted(installed.folder.rglob(f"*{ending}"))
    found = next((file for file in named if file.is_file()), there[0] if len(there) == 1 else None)
    if found is None:
        raise Unavailable(f"The tool {installed.model.name} has no single file *{ending} in {installed.folder.name}.")
    return found
