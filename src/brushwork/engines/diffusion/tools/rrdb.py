"""The network of ESRGAN and Real-ESRGAN (residual in residual dense blocks), built to fit the weights of a file.

Written here, because the usual loader wants torchvision and reads pickled files. How wide and how deep the network is
can be seen in the weights; their names may be those of Real-ESRGAN, or the older ones of ESRGAN.
"""

import re
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

from brushwork.engines.base import Ask, always_wanted
from brushwork.errors import Unavailable

SLOPE = 0.2
"""Of the leaky rectifiers."""
CALM = 0.2
"""Share of a block's result that is added to what came in."""
FACTORS = {3: 4, 12: 2, 48: 1}
"""Channels that come in → how many times larger what comes out is; above 3, squares of pixels come in as channels."""
PREFIXES = ("params_ema.", "params.", "module.")
OLDER = (
    (r"^model\.0\.", "conv_first."),
    (r"^model\.1\.sub\.(\d+)\.RDB(\d)\.conv(\d)\.0\.", r"body.\1.rdb\2.conv\3."),
    (r"^model\.1\.sub\.\d+\.", "conv_body."),
    (r"^model\.3\.", "conv_up1."),
    (r"^model\.6\.", "conv_up2."),
    (r"^model\.8\.", "conv_hr."),
    (r"^model\.10\.", "conv_last."),
)
"""Names of ESRGAN → names here."""


def conv(inputs: int, outputs: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, padding=1)


class Dense(nn.Module):  # type: ignore[misc]  # torch is not installed where types are checked
    """Five convolutions, each of which sees all that came before it."""

    def __init__(self, features: int, growth: int) -> None:
        super().__init__()
        for number in range(1, 6):
            outputs = growth if number < 5 else features
            self.add_module(f"conv{number}", conv(features + (number - 1) * growth, outputs))

    def forward(self, x: Tensor) -> Tensor:
        seen = x
        for number in range(1, 5):
            seen = torch.cat([seen, functional.leaky_relu(self.get_submodule(f"conv{number}")(seen), SLOPE)], dim=1)
        return x + CALM * self.get_submodule("conv5")(seen)


class Block(nn.Module):  # type: ignore[misc]
    """Three dense blocks around which a share goes on unchanged."""

    def __init__(self, features: int, growth: int) -> None:
        super().__init__()
        for number in range(1, 4):
            self.add_module(f"rdb{number}", Dense(features, growth))

    def forward(self, x: Tensor) -> Tensor:
        inner = x
        for number in range(1, 4):
            inner = self.get_submodule(f"rdb{number}")(inner)
        return x + CALM * inner


class Rrdb(nn.Module):  # type: ignore[misc]
    """(B, 3, H, W) in 0..1 to (B, 3, factor H, factor W)."""

    def __init__(self, *, inputs: int = 3, features: int = 64, growth: int = 32, blocks: int = 23) -> None:
        super().__init__()
        self.factor = FACTORS[inputs]
        self.square = 4 // self.factor
        self.conv_first = conv(inputs, features)
        self.body = nn.ModuleList(Block(features, growth) for _ in range(blocks))
        self.conv_body = conv(features, features)
        self.conv_up1 = conv(features, features)
        self.conv_up2 = conv(features, features)
        self.conv_hr = conv(features, features)
        self.conv_last = conv(features, 3)

    def forward(self, x: Tensor, ask: Ask = always_wanted) -> Tensor:
        height, width = x.shape[-2:]
        if self.square > 1:  # sides must be whole squares
            missing = (0, -width % self.square, 0, -height % self.square)
            x = functional.pixel_unshuffle(functional.pad(x, missing, mode="replicate"), self.square)
        first = inner = self.conv_first(x)
        for block in self.body:
            ask()
            inner = block(inner)
        large = first + self.conv_body(inner)
        for enlarge in (self.conv_up1, self.conv_up2):
            ask()
            large = functional.leaky_relu(
                enlarge(functional.interpolate(large, scale_factor=2.0, mode="nearest")), SLOPE
            )
        ask()
        large = self.conv_last(functional.leaky_relu(self.conv_hr(large), SLOPE))
        return large[..., : height * self.factor, : width * self.factor]


def rrdb_of(file: Path) -> Rrdb:
    """The network of a safetensors file, on the CPU, in float32. Raises Unavailable when it is another one."""
    try:
        weights = renamed(load_file(file))
        network = Rrdb(**shape_of(weights))
        network.load_state_dict({name: tensor.float() for name, tensor in weights.items()}, strict=True)
    except (KeyError, RuntimeError, SafetensorError) as error:
        reason = str(error).splitlines()[0]
        raise Unavailable(f"The file {file.name} does not hold the weights of an ESRGAN ({reason}).") from None
    network.eval().requires_grad_(False)
    return network


def renamed(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """With the names used here."""
    names = {}
    for name, tensor in weights.items():
        short = next((name.removeprefix(prefix) for prefix in PREFIXES if name.startswith(prefix)), name)
        for old, new in OLDER:
            short = re.sub(old, new, short)
        names[short] = tensor
    return names


def shape_of(weights: Mapping[str, Tensor]) -> dict[str, int]:
    """Widths and depth. Raises KeyError when something is not there."""
    features, inputs = weights["conv_first.weight"].shape[:2]
    if inputs not in FACTORS:
        raise KeyError(f"{inputs} channels come in")
    blocks = {int(found[1]) for name in weights if (found := re.match(r"body\.(\d+)\.", name))}
    growth = weights["body.0.rdb1.conv1.weight"].shape[0]
    return {"inputs": int(inputs), "features": int(features), "growth": int(growth), "blocks": len(blocks)}
