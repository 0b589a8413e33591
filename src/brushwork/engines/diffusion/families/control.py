"""Pictures whose structure is followed: a ControlNet beside the denoiser. Rows with and without one share a batch."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import diffusers
import torch
from torch import Tensor

from brushwork.engines.catalog.model import Adapter, Model
from brushwork.engines.diffusion.families.autoencoder import SIDE
from brushwork.engines.diffusion.families.base import Call
from brushwork.engines.diffusion.families.seamless import seamless
from brushwork.engines.diffusion.parts import Parts
from brushwork.errors import Unavailable


@dataclass(frozen=True)
class Shown:
    """What the denoiser is shown in a pass, of all rows: one row of each tensor belongs to one call."""

    latents: Tensor
    timesteps: Tensor
    text: Tensor
    added: Mapping[str, Tensor]
    lengths: Sequence[int]
    """Of the texts, without padding."""


class Controls:
    """The ControlNets of one model."""

    def __init__(self, parts: Parts, model: Model) -> None:
        self.parts = parts
        self.adapters = {name: each for name, each in model.adapters.items() if each.kind == "controlnet"}

    def use(self, name: str) -> AbstractContextManager[Any]:
        if name not in self.adapters:
            raise Unavailable(f"This model has no ControlNet {name!r}.")
        return self.parts.added(name, lambda: load_controlnet(self.adapters[name], dtype=self.parts.dtype))

    def residuals(self, calls: Sequence[Call], shown: Shown) -> dict[str, Any]:
        """What is added inside the denoiser, zeros for rows without control; nothing when no row has one."""
        asked = [
            (control.adapter, control.kind, length)
            for call, length in zip(calls, shown.lengths, strict=True)
            if (control := call.extras.control) and strength_of(call, control.adapter, control.kind)
        ]
        sums: list[Tensor] = []
        for name, kind, length in dict.fromkeys(asked):
            # Also rows whose control has ended or is another: who shares a pass must not change its size.
            rows = [
                row
                for row, call in enumerate(calls)
                if call.extras.control is not None and shown.lengths[row] == length
            ]
            with self.use(name) as network:
                followed = self.follow(network, (name, kind), rows, calls, shown)
            sums = sums or [part.new_zeros(len(calls), *part.shape[1:]) for part in followed]
            for total, part in zip(sums, followed, strict=True):
                total[rows] += part
        if not sums:
            return {}
        return {"down_block_additional_residuals": tuple(sums[:-1]), "mid_block_additional_residual": sums[-1]}

    def follow(
        self, network: Any, asked: tuple[str, str], rows: list[int], calls: Sequence[Call], shown: Shown
    ) -> list[Tensor]:
        """One pass of one ControlNet, for one of its kinds, over those rows, each times its own strength."""
        name, kind = asked
        guides = torch.stack([cut(calls[row].extras.tensors["control"], calls[row]) for row in rows])
        guides = guides.to(shown.latents.dtype)
        named: dict[str, Any] = {"controlnet_cond": guides}
        if "num_control_type" in network.config:  # one network for several kinds of pictures, told which this is
            place = self.adapters[name].controls.index(kind)
            kinds = torch.zeros(len(rows), network.config.num_control_type, device=guides.device, dtype=guides.dtype)
            kinds[:, place] = 1
            named = {"controlnet_cond": [guides], "control_type": kinds, "control_type_idx": [place]}
        with seamless(network, wanted=calls[rows[0]].tile):
            down, middle = network(
                shown.latents[rows],
                shown.timesteps[rows],
                encoder_hidden_states=shown.text[rows, : shown.lengths[rows[0]]],
                added_cond_kwargs={key: value[rows] for key, value in shown.added.items()},
                return_dict=False,
                **named,
            )
        strengths = [strength_of(calls[row], name, kind) for row in rows]
        scale = torch.tensor(strengths, dtype=guides.dtype).to(guides.device, non_blocking=True).view(-1, 1, 1, 1)
        return [part * scale for part in (*down, middle)]


def strength_of(call: Call, name: str, kind: str) -> float:
    """Of that control at this step; 0 for rows that follow another one, or none any more."""
    control = call.extras.control
    if control is None or (control.adapter, control.kind) != (name, kind) or call.share >= control.until:
        return 0.0
    return control.scale


def cut(picture: Tensor, call: Call) -> Tensor:
    """The pane of a picture that a call looks at."""
    if call.window is None:
        return picture
    top, left, height, width = (SIDE * each for each in call.window)
    return picture[:, top : top + height, left : left + width]


def load_controlnet(adapter: Adapter, *, dtype: torch.dtype) -> Any:
    """From safetensors, on the CPU."""
    folder = folder_of(adapter)
    # Unions are published under a class of their authors' too; what tells them apart is that they know several kinds.
    config = diffusers.ControlNetModel.load_config(folder, local_files_only=True)
    cls = diffusers.ControlNetUnionModel if "num_control_type" in config else diffusers.ControlNetModel
    with torch.inference_mode(mode=False):
        network = cls.from_pretrained(folder, torch_dtype=dtype, use_safetensors=True, local_files_only=True)
        return network.eval().requires_grad_(False)


def folder_of(adapter: Adapter) -> Path:
    """Where the files of an adapter are on this machine; whoever builds a family has filled it in."""
    if not adapter.checkpoint.folder:
        raise Unavailable(f"The adapter {adapter.name!r} is not installed.")
    return Path(adapter.checkpoint.folder)
