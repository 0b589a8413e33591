"""Tiny learned tools on disk: an ESRGAN under each of its names, and an ONNX network that takes red for the subject."""

import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

from brushwork.engines.catalog.model import Checkpoint, Licence, Model
from brushwork.engines.diffusion.tools.kit import Installed
from brushwork.engines.diffusion.tools.rrdb import Rrdb

BLOCKS = 2
OLD_PARTS = {
    "conv_first": "model.0",
    "conv_body": f"model.1.sub.{BLOCKS}",
    "conv_up1": "model.3",
    "conv_up2": "model.6",
    "conv_hr": "model.8",
    "conv_last": "model.10",
}


def tool(family: str, name: str, folder: Path, *files: str) -> Installed:
    return Installed(Model(name, name, "tool", family, Checkpoint(include=files), Licence("MIT")), folder)


def save_esrgan(file: Path, *, inputs: int = 3, seed: int = 0, naming: str = "new") -> Path:
    """Random, but it enlarges: what comes in is repeated, and little is added."""
    torch.manual_seed(seed)
    network = Rrdb(inputs=inputs, features=8, growth=4, blocks=BLOCKS)
    weights = {name: tensor * 0.5 for name, tensor in network.state_dict().items()}
    file.parent.mkdir(parents=True, exist_ok=True)
    save_file({named(name, naming): tensor.contiguous() for name, tensor in weights.items()}, file)
    return file


def named(name: str, naming: str) -> str:
    if naming == "prefixed":
        return f"params_ema.{name}"
    if naming == "new":
        return name
    part, _, rest = name.partition(".")
    if part != "body":
        return f"{OLD_PARTS[part]}.{rest}"
    block, dense, conv, kind = rest.split(".")
    return f"model.1.sub.{block}.{dense.upper()}.{conv}.0.{kind}"


# ---------------------------------------------------------------- ONNX, written by hand: a file is nested fields


def number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value)


def data(field: int, value: bytes | str) -> bytes:
    raw = value.encode() if isinstance(value, str) else value
    return varint(field << 3 | 2) + varint(len(raw)) + raw


def varint(value: int) -> bytes:
    parts = []
    while True:
        value, low = value >> 7, value & 127
        parts.append(low | (128 if value else 0))
        if not value:
            return bytes(parts)


def tensor(name: str, values: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> bytes:
    sizes = b"".join(number(1, size) for size in values.shape)
    return sizes + number(2, 1) + data(8, name) + data(9, struct.pack(f"<{values.size}f", *values.ravel()))


def value(name: str, shape: Sequence[int]) -> bytes:
    dimensions = b"".join(data(1, number(1, size)) for size in shape)
    return data(1, name) + data(2, data(1, number(1, 1) + data(2, dimensions)))


def save_matting(file: Path, *, side: int = 32, sigmoid: bool = False) -> Path:
    """Logits that are high where there is more red than green and blue; or shares, with the sigmoid in the file."""
    weights = np.array([4, -4, -4], np.float32).reshape(1, 3, 1, 1)
    nodes = [data(1, "picture") + data(1, "weights") + data(2, "logits") + data(4, "Conv")]
    if sigmoid:
        nodes.append(data(1, "logits") + data(2, "shares") + data(4, "Sigmoid"))
    last = "shares" if sigmoid else "logits"
    graph = b"".join(
        [
            *(data(1, node) for node in nodes),
            data(2, "red"),
            data(5, tensor("weights", weights)),
            data(11, value("picture", (1, 3, side, side))),
            data(12, value(last, (1, 1, side, side))),
        ]
    )
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(number(1, 8) + data(7, graph) + data(8, data(1, "") + number(2, 13)))
    return file
