"""A catalog of the tiny checkpoints: each entry is the shipped one of its family, with small sides and few steps."""

import importlib
import json
from dataclasses import dataclass
from pathlib import Path

from brushwork.engines.catalog.model import VERSIONS
from brushwork.engines.diffusion.options import DiffusionOptions


@dataclass(frozen=True)
class Tiny:
    """One model for tests."""

    extends: str
    """The shipped entry: what that claims is what is tested."""
    saved_by: str
    """Module and function that write the checkpoint."""
    guidance: float
    distilled: bool = False
    edits_with: str = ""


TINIES = {
    "sdxl": Tiny("sdxl", "tiny_sdxl.save_sdxl", 6.0),
    "zimage": Tiny("z-image", "tiny_zimage.save_zimage", 4.0, edits_with="flux2"),
    "zimage-turbo": Tiny("z-image-turbo", "tiny_zimage.save_zimage", 0.0, distilled=True, edits_with="flux2"),
    "flux2": Tiny("flux2-klein-4b", "tiny_flux2.save_flux2", 1.0, distilled=True),
    "qwen": Tiny("qwen-image-2512", "tiny_qwen.save_qwen", 4.0, edits_with="qwen-edit"),
    "qwen-edit": Tiny("qwen-image-edit-2511", "tiny_qwen.save_qwen_edit", 4.0),
}


def options_for(root: Path, *names: str, side: int = 64, steps: int = 14, more: str = "") -> DiffusionOptions:
    """An engine with these models, best first: their files and the catalog that names them are written to `root`.

    Fourteen steps are not so few that a model counts as one of few steps; where it is distilled, it takes four.
    """
    lines = ["[licences.tests]", "permissive = true", more]
    for name in reversed(names):  # what edits for another stands above it
        folder = root / name
        if not folder.exists():
            module, _, function = TINIES[name].saved_by.partition(".")
            getattr(importlib.import_module(f"tests.engines.diffusion.{module}"), function)(folder)
        lines += entry(name, folder, side=side, steps=steps, with_editor=TINIES[name].edits_with in names)
    catalog = root / f"{'-'.join(names)}-{side}-{steps}.toml"
    catalog.write_text("\n".join(lines))
    own = tuple(f"tiny-{name}" for name in names)
    return DiffusionOptions(models_dir=root / "models", catalogs=(catalog,), only=own, batch=32, offline=True)


def entry(name: str, folder: Path, *, side: int, steps: int, with_editor: bool) -> list[str]:
    tiny = TINIES[name]
    drawn = min(4, steps) if tiny.distilled else steps
    profiles = {version: "anime" if version.startswith("niji") else "splendid" for version in VERSIONS}
    return [
        f"[models.tiny-{name}]",
        f"extends = {json.dumps(tiny.extends)}",
        'licence = "tests"',
        f"side = {side}",
        f"max_side = {4 * side}",
        f"steps = [1, {drawn}, {4 * drawn}]",
        f"edits_with = {json.dumps(f'tiny-{tiny.edits_with}' if with_editor else '')}",
        f"checkpoint = {{ folder = {json.dumps(str(folder))} }}",
        f"[models.tiny-{name}.profiles]",
        *(
            f'"{version}" = {{ steps = {drawn}, guidance = {tiny.guidance}, suffix = "{word}", negative = "dull" }}'
            for version, word in profiles.items()
        ),
    ]
