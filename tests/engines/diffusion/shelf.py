"""Tiny checkpoints on a shelf, and plans for them: what tests of the loop draw with."""

import importlib
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from brushwork.engines.base import NullSink, Row, RowCancelled
from brushwork.engines.catalog.model import Checkpoint, Licence, Model
from brushwork.engines.diffusion.facts import FAMILIES, Facts
from brushwork.engines.diffusion.families.base import Family
from brushwork.engines.diffusion.families.table import family_of
from brushwork.engines.diffusion.loop import Loop
from brushwork.engines.diffusion.options import CachePolicy, DiffusionOptions
from brushwork.engines.diffusion.parts import ResidentParts
from brushwork.engines.diffusion.plan import Noise, Plan, Words

SIDE = 64
GUIDED: Mapping[str, float] = {"sd": 5.0, "sdxl": 5.0, "zimage": 3.0, "flux2": 4.0, "qwen": 4.0}
"""A guidance that needs a negative prompt."""
UNGUIDED: Mapping[str, float] = {"sd": 1.0, "sdxl": 1.0, "zimage": 0.0, "flux2": 1.0, "qwen": 1.0}
DENOISER: Mapping[str, str] = {"sd": "unet", "sdxl": "unet"}
"""Name of the part that predicts; else it is the transformer."""


@dataclass
class TinyShelf:
    """Models whose names are their families'."""

    root: Path
    families: dict[str, Family] = field(default_factory=dict)
    parts: dict[str, ResidentParts] = field(default_factory=dict)
    relieved: int = 0
    skipping: CachePolicy = "none"

    @property
    def device(self) -> torch.device:
        return torch.device("cpu")

    def model(self, name: str) -> Model:
        return Model(name, name, "image", name, Checkpoint(folder=str(self.root / name)), Licence("MIT"), side=SIDE)

    def facts(self, model: str) -> Facts:
        return FAMILIES[model]

    def cache(self, model: str) -> CachePolicy:  # the same for all
        return self.skipping

    def family(self, model: str) -> Family:
        if model not in self.families:
            folder = self.root / model
            if not folder.exists():
                module = importlib.import_module(f"tests.engines.diffusion.tiny_{model}")
                getattr(module, f"save_{model}")(folder)
            self.parts[model] = ResidentParts(folder)
            self.families[model] = family_of(self.parts[model], self.model(model))
        return self.families[model]

    def denoiser(self, model: str) -> torch.nn.Module:
        """The network that predicts, for tests that make it stumble."""
        self.family(model)
        with self.parts[model].use(DENOISER.get(model, "transformer")) as part:
            network: torch.nn.Module = part
        return network

    def drawing(self, model: str, pixels: int) -> AbstractContextManager[None]:
        return nullcontext()

    def relieve(self) -> None:
        self.relieved += 1


def loop_of(shelf: TinyShelf, **options: Any) -> Loop:
    return Loop(shelf, DiffusionOptions(**options))


def plan_of(
    model: str, index: int = 0, *, text: str = "a red fox", size: tuple[int, int] = (SIDE, SIDE), **how: Any
) -> Plan:
    row = Row(index=index, seed=index, text=text, width=size[0], height=size[1])
    usual: dict[str, Any] = {
        "texts": (Words(text),),
        "width": size[0],
        "height": size[1],
        "steps": 4,
        "noise": Noise(100 + index),
        "guidance": UNGUIDED[model],
    }
    return Plan(row=row, model=model, **{**usual, **how})


def picture(seed: int = 0, size: tuple[int, int] = (SIDE, SIDE)) -> Image.Image:
    values = torch.randint(0, 256, (size[1] // 8, size[0] // 8, 3), generator=torch.Generator().manual_seed(seed))
    return Image.fromarray(values.to(torch.uint8).numpy()).resize(size, Image.Resampling.BICUBIC)


def half_mask(size: tuple[int, int] = (SIDE, SIDE)) -> Image.Image:
    """The right half is drawn."""
    mask = Image.new("L", size)
    mask.paste(255, (size[0] // 2, 0, *size))
    return mask


class Watching(NullSink):
    """Notes what it is told; nobody wants rows in `cancelled` any more."""

    def __init__(self) -> None:
        self.steps: list[tuple[int, int, int]] = []
        self.previews: list[tuple[int, Image.Image]] = []
        self.cancelled: set[int] = set()
        self.reached = threading.Event()
        self.goal: tuple[int, int] | None = None

    def step(self, row: Row, done: int, total: int) -> None:
        self.steps.append((row.index, done, total))
        if self.goal is not None and row.index == self.goal[0] and done >= self.goal[1]:
            self.reached.set()
        if row.index in self.cancelled:
            raise RowCancelled

    def preview(self, row: Row, image: Image.Image) -> None:
        self.previews.append((row.index, image))


class Holding(Watching):
    """Holds the loop at one step of one row, so that a test can do something meanwhile."""

    def __init__(self, index: int, done: int) -> None:
        super().__init__()
        self.goal = (index, done)
        self.release = threading.Event()

    def step(self, row: Row, done: int, total: int) -> None:
        super().step(row, done, total)
        if (row.index, done) == self.goal:
            self.release.wait(20)


@contextmanager
def decoded(shelf: TinyShelf, model: str) -> Iterator[list[torch.Tensor]]:
    """What the decoder gives meanwhile, one tensor per picture."""
    shelf.family(model)
    found: list[torch.Tensor] = []
    with shelf.parts[model].use("vae") as vae:
        hook = vae.decoder.register_forward_hook(lambda _module, _given, output: found.extend(output.clone()))
    yield found
    hook.remove()


@contextmanager
def passes(shelf: TinyShelf, model: str, act: Callable[[int, Any, Any], None] | None = None) -> Iterator[list[int]]:
    """How many calls each forward pass of the denoiser has; `act` is told (number, args, kwargs) before each."""
    sizes: list[int] = []

    def before(_module: torch.nn.Module, args: Any, kwargs: Any) -> None:
        latents = args[0] if args else kwargs["hidden_states"]
        sizes.append(len(latents))
        if act is not None:
            act(len(latents), args, kwargs)

    hook = shelf.denoiser(model).register_forward_pre_hook(before, with_kwargs=True)
    yield sizes
    hook.remove()


def distance(one: list[torch.Tensor], many: list[torch.Tensor]) -> float:
    """How far the tensor is from the nearest of many."""
    return min(float((one[0] - other).abs().max()) for other in many if other.shape == one[0].shape)
