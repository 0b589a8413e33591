"""Pictures whose structure Z-Image follows: a ControlNet of its own, which borrows the transformer's first blocks.

Rows with and without one share a batch; each row has its own strength, and its own end.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import torch
from diffusers import ZImageControlNetModel
from torch import Tensor
from torch.nn import functional

from brushwork.engines.catalog.model import Model
from brushwork.engines.diffusion.families.base import Call
from brushwork.engines.diffusion.families.control import folder_of
from brushwork.engines.diffusion.parts import Parts
from brushwork.errors import Unavailable


class ZImageControls:
    """The ControlNets of one model."""

    def __init__(self, parts: Parts, model: Model) -> None:
        self.parts = parts
        self.adapters = {name: each for name, each in model.adapters.items() if each.kind == "controlnet"}

    def use(self, name: str) -> AbstractContextManager[Any]:
        if name not in self.adapters:
            raise Unavailable(f"This model has no ControlNet {name!r}.")
        return self.parts.added(name, lambda: self.load(name))

    def load(self, name: str) -> Any:
        network = ZImageControlNetModel.from_pretrained(
            folder_of(self.adapters[name]), torch_dtype=self.parts.dtype, use_safetensors=True, local_files_only=True
        )
        return network.eval().requires_grad_(False)

    def residuals(
        self, transformer: Any, calls: Sequence[Call], shown: Sequence[Tensor], times: Tensor, texts: Sequence[Tensor]
    ) -> dict[int, Tensor] | None:
        """Layer → what is added after it, (B, L, D), zeros for rows without control; None when no row has one."""
        scales = [scale_of(call) for call in calls]
        if not any(scales):
            return None
        # Rows whose control has ended go through as well, so that one row's bytes do not depend on another's end
        groups: dict[str, list[int]] = defaultdict(list)
        for row, call in enumerate(calls):
            if call.extras.control is not None:
                groups[call.extras.control.adapter].append(row)
        lengths = [tokens(picture, text) for picture, text in zip(shown, texts, strict=True)]
        sums: dict[int, Tensor] = {}
        for name, rows in groups.items():
            with self.use(name) as network, lent(transformer, network):
                guides = [guide(calls[row], network.config.control_in_dim) for row in rows]
                found = network(
                    [shown[row] for row in rows],
                    times[rows],
                    [texts[row] for row in rows],
                    [each.to(shown[0]) for each in guides],
                    conditioning_scale=torch.tensor([scales[row] for row in rows]).view(-1, 1, 1).to(shown[0]),
                )
            for layer, part in found.items():
                if layer not in sums:
                    sums[layer] = part.new_zeros(len(calls), max(lengths), part.shape[-1])
                sums[layer][rows, : part.shape[1]] += part
        return sums


@contextmanager
def lent(transformer: Any, network: Any) -> Iterator[None]:
    """The layers that the network shares with the denoiser. They stay the denoiser's: the two are moved one by one."""
    ZImageControlNetModel.from_transformer(network, transformer)
    try:
        yield
    finally:
        for name in (*network._modules, *network._parameters):
            if getattr(network, name) is getattr(transformer, name, network):
                setattr(network, name, None)


def scale_of(call: Call) -> float:
    """How strongly the call's control acts at this step."""
    control = call.extras.control
    return control.scale if control is not None and call.share < control.until else 0.0


def guide(call: Call, channels: int) -> Tensor:
    """(channels, 1, h, w): the encoded picture, of which a call may look at a pane, and nothing in other channels."""
    picture = call.extras.tensors["control"]
    if call.window is not None:
        top, left, height, width = call.window
        picture = picture[:, top : top + height, left : left + width]
    return functional.pad(picture.unsqueeze(1), (0, 0, 0, 0, 0, 0, 0, channels - len(picture)))


def tokens(picture: Tensor, text: Tensor) -> int:
    """Of a row in the transformer: 2×2 latent pixels make one; both are filled up to a multiple of 32."""
    return sum(-(-length // 32) * 32 for length in (picture[0].numel() // 4, len(text)))
