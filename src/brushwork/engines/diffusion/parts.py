"""The components of a model on this machine, brought to the device when they are used.

A component is the unit of residency, not a pipeline: models share text encoders. Only classes of diffusers and
transformers are built, from safetensors and JSON; no code comes with a checkpoint.
"""

import importlib
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import structlog
import torch

from brushwork.errors import Unavailable

log = structlog.get_logger(__name__)

LIBRARIES = ("diffusers", "transformers")
"""Where component classes may come from."""
PICTURE_HALVES = {
    "Qwen2VLProcessor": "Qwen2VLImageProcessorPil",
    "Qwen2_5_VLProcessor": "Qwen2VLImageProcessorPil",
}
"""Processors of text, pictures and videos, of which only the half for pictures is loaded: the one for videos would need
torchvision, and the one for text is the tokenizer, which the checkpoint has as well."""


class Parts(Protocol):
    """The components of one model."""

    device: torch.device
    dtype: torch.dtype

    def has(self, name: str) -> bool:
        """Whether the checkpoint has such a component."""

    def use(self, name: str) -> AbstractContextManager[Any]:
        """The component, ready on its device for as long as the context lasts: "transformer", "vae", "tokenizer"."""

    def added(self, name: str, read: Callable[[], Any]) -> AbstractContextManager[Any]:
        """Likewise, a network beside the checkpoint, such as a ControlNet. `read` gives it on the CPU, to be kept."""


class ResidentParts:
    """All components stay where they were loaded: for tests and for machines with room for everything."""

    def __init__(self, folder: Path, *, device: str = "cpu", dtype: torch.dtype = torch.float32) -> None:
        self.folder = folder
        self.device = torch.device(device)
        self.dtype = dtype
        self.loaded: dict[str, Any] = {}

    @cached_property
    def index(self) -> dict[str, Any]:
        return read_index(self.folder)

    def has(self, name: str) -> bool:
        return bool((self.index.get(name) or [None])[0])

    @contextmanager
    def use(self, name: str) -> Iterator[Any]:
        if name not in self.loaded:
            part = load_part(self.folder, name, dtype=self.dtype)
            self.loaded[name] = part.to(self.device) if isinstance(part, torch.nn.Module) else part
        yield self.loaded[name]

    @contextmanager
    def added(self, name: str, read: Callable[[], Any]) -> Iterator[Any]:
        if name not in self.loaded:
            self.loaded[name] = read().to(self.device)
        yield self.loaded[name]


def read_index(folder: Path) -> dict[str, Any]:
    """`model_index.json` of a folder in the layout of diffusers. Raises Unavailable when it has none."""
    try:
        index = json.loads((folder / "model_index.json").read_text())
    except (OSError, ValueError) as error:
        raise Unavailable(f"The folder {folder.name} is not a model in the layout of diffusers ({error}).") from None
    if not isinstance(index, dict):
        raise Unavailable(f"The folder {folder.name} is not a model in the layout of diffusers.")
    return index


def load_part(folder: Path, name: str, *, dtype: torch.dtype) -> Any:
    """A component of the folder, on the CPU, in evaluation mode."""
    library, class_name = (read_index(folder).get(name) or (None, None))[:2]
    if library not in LIBRARIES or not class_name:
        raise Unavailable(f"The model {folder.name} has no {name} that can be loaded without code of its own.")
    cls = getattr(importlib.import_module(library), PICTURE_HALVES.get(class_name, class_name), None)
    if not isinstance(cls, type):
        raise Unavailable(f"This {library} does not know {class_name}, which {folder.name} needs.")
    if not issubclass(cls, torch.nn.Module):
        return read_part(cls, folder, name)
    named = {"torch_dtype": dtype} if library == "diffusers" else {"dtype": dtype}
    return read_part(cls, folder, name, use_safetensors=True, **named).eval().requires_grad_(False)


def read_part(cls: Any, folder: Path, name: str, **how: Any) -> Any:
    """Raises Unavailable when its files are not all there, or not what they should be."""
    try:
        return cls.from_pretrained(folder / name, local_files_only=True, **how)
    except Exception as error:
        if isinstance(error, MemoryError) or "memory" in str(error).lower():
            raise
        log.warning("component.unreadable", folder=str(folder / name), error=type(error).__name__, reason=str(error))
        raise Unavailable(
            f"The {name} of the model {folder.name} cannot be read: its files are missing, damaged or not safetensors, "
            f"or do not fit {cls.__name__}. `brushwork models verify` looks for what is wrong."
        ) from None
