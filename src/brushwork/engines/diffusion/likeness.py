"""Whether two folders hold the same component: the weights and what of the configuration matters.

Tensor names, shapes and types are compared first, from the files' heads. Only components alike in these are read whole.
"""

import hashlib
import json
from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import Any

import torch

NAMES_OF_FILES = ("_name_or_path", "_diffusers_version", "transformers_version", "dtype", "torch_dtype")
"""Keys of a configuration that say who wrote it, not what it is."""

HEAD_LIMIT = 100_000_000
"""Bytes; the format allows no longer head."""


class Likeness:
    """Which of the folders seen so far holds the same component as a new one."""

    def __init__(self) -> None:
        self.alike: dict[str, list[Path]] = defaultdict(list)
        self.firsts: dict[Path, Path] = {}

    def first(self, folder: Path) -> Path:
        """The first folder that was seen with this component; `folder` itself when there was none."""
        if folder not in self.firsts:
            peers = self.alike[sketch(folder)]
            same = (peer for peer in peers if digest(peer) == digest(folder))
            self.firsts[folder] = next(same, folder)
            if self.firsts[folder] == folder:
                peers.append(folder)
        return self.firsts[folder]


def sketch(folder: Path) -> str:
    """What can be told without reading the weights."""
    configuration = {key: value for key, value in configured(folder).items() if key not in NAMES_OF_FILES}
    tensors = sorted((name, entry["dtype"], entry["shape"]) for name, entry in all_tensors(folder))
    return hashlib.sha256(json.dumps([configuration, tensors], sort_keys=True).encode()).hexdigest()


def configured(folder: Path) -> dict[str, Any]:
    try:
        configuration = json.loads((folder / "config.json").read_text())
    except (OSError, ValueError):
        return {"folder": str(folder)}
    return configuration if isinstance(configuration, dict) else {"folder": str(folder)}


@cache
def digest(folder: Path) -> str:
    """SHA-256 of all weights. A file that is changed while it is in use is a new one after the next start."""
    total = hashlib.sha256()
    for file in sorted(folder.glob("*.safetensors")):
        with file.open("rb") as opened:
            total.update(hashlib.file_digest(opened, "sha256").digest())
    return total.hexdigest()


def weight_bytes(folder: Path, dtype: torch.dtype) -> int:
    """Memory that a folder's weights will need, from the heads of its files."""
    count = sum(numbers_in(entry["shape"]) for _, entry in all_tensors(folder))
    return count * int(torch.empty((), dtype=dtype).element_size())


def numbers_in(shape: list[int]) -> int:
    count = 1
    for side in shape:
        count *= side
    return count


def all_tensors(folder: Path) -> list[tuple[str, dict[str, Any]]]:
    return [item for file in sorted(folder.glob("*.safetensors")) for item in head(file).items()]


def head(file: Path) -> dict[str, Any]:
    """Tensor name → type, shape and place, as the file begins with."""
    with file.open("rb") as opened:
        length = int.from_bytes(opened.read(8), "little")
        tensors = json.loads(opened.read(length)) if length <= HEAD_LIMIT else {}
    return {name: entry for name, entry in tensors.items() if name != "__metadata__"}
