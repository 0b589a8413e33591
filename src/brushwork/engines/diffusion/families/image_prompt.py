"""Pictures as prompts: an IP-Adapter, whose attention to the pictures is added to the attention to the text.

Each row has its own pictures and weights, and rows without any share the batch. Pictures of one row and role are looked
at together, like several pictures of one adapter in diffusers; those for the style alone act in fewer layers.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from weakref import WeakSet

import numpy as np
import torch
from PIL import Image
from safetensors import safe_open
from torch import Tensor, nn
from transformers import CLIPVisionModelWithProjection

from brushwork.engines.catalog.model import Adapter, Model
from brushwork.engines.diffusion.families.base import Call
from brushwork.engines.diffusion.families.control import folder_of
from brushwork.engines.diffusion.parts import Parts
from brushwork.engines.diffusion.plan import Seen
from brushwork.errors import Unavailable

STYLE_LAYERS = "up_blocks.0.attentions.1"
"""Of SDXL: where a picture changes colours and strokes, and not what is shown (InstantStyle, arXiv:2404.02733)."""
CLIP_MEAN = np.array((0.48145466, 0.4578275, 0.40821073), dtype=np.float32)
CLIP_DEVIATION = np.array((0.26862954, 0.26130258, 0.27577711), dtype=np.float32)


@dataclass
class Gaze:
    """What the layers look at in the pass that is running; None outside of one."""

    tokens: Tensor | None = None
    """(B, pictures * T, D)."""
    everywhere: tuple[Tensor, Tensor] | None = None
    """Logarithm of each token's share (B, 1, 1, pictures * T), and how much is added in all (B, 1, 1)."""
    style: tuple[Tensor, Tensor] | None = None


class ImageAttention(nn.Module):  # type: ignore[misc]  # torch is unknown where types are checked
    """An attention processor around the one that was there."""

    def __init__(self, inner: Any, key: Tensor, value: Tensor, gaze: Gaze, *, is_style: bool) -> None:
        super().__init__()
        self.inner = inner
        self.gaze = gaze
        self.is_style = is_style
        self.to_key = nn.Parameter(key, requires_grad=False)
        self.to_value = nn.Parameter(value, requires_grad=False)

    def forward(self, attn: Any, hidden_states: Tensor, *args: Any, **named: Any) -> Tensor:
        seen: Tensor = self.inner(attn, hidden_states, *args, **named)
        groups = (self.gaze.everywhere, self.gaze.style if self.is_style else None)
        if self.gaze.tokens is None or not any(groups):
            return seen
        key, value = (
            nn.functional.linear(self.gaze.tokens, weight).unflatten(-1, (attn.heads, -1)).transpose(1, 2)
            for weight in (self.to_key, self.to_value)
        )
        query = attn.to_q(hidden_states).unflatten(-1, (attn.heads, -1)).transpose(1, 2)
        added = torch.zeros_like(hidden_states)
        for share, scale in (group for group in groups if group is not None):
            looked = nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=share)
            added = added + scale * looked.transpose(1, 2).flatten(-2)
        out = attn.to_out[0]  # with a bias, which the inner processor has added already
        return seen + out(added) - out(torch.zeros_like(added[:1, :1]))


class Eyes(nn.Module):  # type: ignore[misc]
    """What turns pictures into tokens: the adapter's projection, after the encoder that it was made for."""

    def __init__(self, projection: Any, encoder: CLIPVisionModelWithProjection) -> None:
        super().__init__()
        self.projection = projection
        self.encoder = encoder

    def forward(self, pixels: Tensor, *, blank: bool = False) -> Tensor:
        """(N, 3, H, W) → (N, T, D). `blank`: of no picture at all."""
        if type(self.projection).__name__ != "ImageProjection":  # looks at all places of the picture
            return self.projection(self.encoder(pixels, output_hidden_states=True).hidden_states[-2])
        embedding = self.encoder(pixels).image_embeds
        return self.projection(torch.zeros_like(embedding) if blank else embedding)


class ImagePrompts:
    """The IP-Adapter of one model: none, or the first in its catalog entry."""

    def __init__(self, parts: Parts, model: Model) -> None:
        self.parts = parts
        self.adapter = next((each for each in model.adapters.values() if each.kind == "ip_adapter"), None)
        self.knows_style = model.family == "sdxl"
        self.gaze = Gaze()
        self.attached: WeakSet[Any] = WeakSet()
        """Networks that have been given eyes; one that was evicted comes back without."""

    def encode(self, seen: Sequence[Seen]) -> dict[str, Tensor]:
        """Tokens of the pictures (N, T, D) and of none (T, D), weights (N,) and which are for the style alone (N,)."""
        if self.adapter is None:
            raise Unavailable("This model looks at pictures only with an IP-Adapter, and has none.")
        adapter, device, dtype = self.adapter, self.parts.device, self.parts.dtype

        def read() -> Eyes:
            with self.parts.use("unet") as unet:
                eyes = Eyes(*load_projection(adapter, unet))
            eyes.to(dtype)
            return eyes

        with self.parts.added(f"eyes of {adapter.name}", read) as eyes:
            pixels = torch.stack([clip_pixels(each.image, eyes.encoder.config.image_size) for each in seen])
            tokens = eyes(pixels.to(device, dtype))
            blank = eyes(torch.zeros_like(pixels[:1]).to(device, dtype), blank=True)
        return {
            "image_tokens": tokens,
            "image_blank": blank[0],
            # On the CPU, where it is asked whether there is anything to see.
            "image_weights": torch.tensor([float(each.weight) for each in seen]),
            "image_style": torch.tensor([self.knows_style and each.role == "style" for each in seen]),
        }

    @contextmanager
    def shown(self, unet: Any, calls: Sequence[Call]) -> Iterator[None]:
        """Each row looks at its own pictures for as long as the context lasts."""
        if not any("image_tokens" in call.extras.tensors for call in calls):
            yield
            return
        assert self.adapter is not None
        if unet not in self.attached:
            with torch.inference_mode(mode=False):
                attach(unet, self.adapter, self.gaze, dtype=self.parts.dtype)
            self.attached.add(unet)
        try:
            self.gaze.tokens, self.gaze.everywhere, self.gaze.style = gazes(calls, self.parts.dtype)
            yield
        finally:
            self.gaze.tokens = self.gaze.everywhere = self.gaze.style = None


def gazes(calls: Sequence[Call], dtype: torch.dtype) -> tuple[Tensor, Any, Any]:
    """Tokens of all rows, padded to the most pictures, and how they are shared and scaled in both kinds of layers."""
    some = next(call.extras.tensors["image_tokens"] for call in calls if "image_tokens" in call.extras.tensors)
    most = max(len(call.extras.tensors.get("image_tokens", ())) for call in calls)
    count, width = some.shape[1:]
    tokens = some.new_zeros(len(calls), most, count, width)
    weights = torch.zeros(2, len(calls), most)  # everywhere, and for the style alone
    for row, call in enumerate(calls):
        tensors = call.extras.tensors
        if "image_tokens" not in tensors:
            continue
        pictures = len(tensors["image_tokens"])
        tokens[row, :pictures] = tensors["image_blank"] if call.negative else tensors["image_tokens"]
        style = tensors["image_style"]
        weights[0, row, :pictures] = tensors["image_weights"] * ~style
        weights[1, row, :pictures] = tensors["image_weights"] * style
    groups = []
    for group in weights:
        scale = group.amax(dim=1)
        share = torch.where(scale[:, None] > 0, group, 1.0).log()  # nothing to see: no NaN, and a scale of 0
        share = (share - share.amax(dim=1, keepdim=True)).repeat_interleave(count, dim=1)
        both = share[:, None, None], scale.view(-1, 1, 1)
        groups.append(tuple(each.to(some.device, dtype) for each in both) if bool(scale.any()) else None)
    return tokens.flatten(1, 2).to(dtype), groups[0], groups[1]


def attach(unet: Any, adapter: Adapter, gaze: Gaze, *, dtype: torch.dtype) -> None:
    """Give the text attention of every layer its eyes. Without a gaze they do nothing."""
    processors = dict(unet.attn_processors)
    layers = [name for name in processors if name.endswith("attn2.processor")]
    weights = read_weights(adapter, "ip_adapter.")
    for place, name in enumerate(layers):
        # The checkpoints count all attention layers, of which every second one looks at the text.
        key, value = (weights[f"{2 * place + 1}.{part}.weight"] for part in ("to_k_ip", "to_v_ip"))
        eyes = ImageAttention(
            processors[name],
            key.to(unet.device, dtype),
            value.to(unet.device, dtype),
            gaze,
            is_style=name.startswith(STYLE_LAYERS),
        )
        processors[name] = eyes
    unet.set_attn_processor(processors)


def read_weights(adapter: Adapter, prefix: str) -> dict[str, Tensor]:
    path = folder_of(adapter) / adapter.file
    if path.suffix != ".safetensors":
        raise Unavailable(f"The adapter {adapter.name!r} is not a file of safetensors.")
    with safe_open(path, framework="pt", device="cpu") as file:
        names = [key for key in file.keys() if key.startswith(prefix)]  # noqa: SIM118  # not a mapping
        return {name.removeprefix(prefix): file.get_tensor(name) for name in names}


def load_projection(adapter: Adapter, unet: Any) -> tuple[Any, CLIPVisionModelWithProjection]:
    """What turns a picture into tokens: the projection in the adapter's file, and the encoder it was made for."""
    weights = read_weights(adapter, "image_proj.")
    projection = unet._convert_ip_adapter_image_proj_to_diffusers(weights, low_cpu_mem_usage=False)
    takes = {
        "ImageProjection": ("projection_dim", "proj.weight"),
        "IPAdapterPlusImageProjection": ("hidden_size", "proj_in.weight"),
        "IPAdapterFullImageProjection": ("hidden_size", "proj.0.weight"),
    }.get(type(projection).__name__)
    if takes is None:
        raise Unavailable(f"The adapter {adapter.name!r} looks at faces that somebody else has found, not at pictures.")
    field, tensor = takes
    folder = encoder_folder(adapter, field, weights[tensor].shape[-1])
    encoder = CLIPVisionModelWithProjection.from_pretrained(folder, use_safetensors=True, local_files_only=True)
    return projection.eval().requires_grad_(False), encoder.eval().requires_grad_(False)


def encoder_folder(adapter: Adapter, field: str, width: int) -> Path:
    """The picture encoder among those beside the adapter whose `field` is that wide."""
    root = folder_of(adapter)
    for folder in (root / Path(adapter.file).parent, root, root / "models"):
        config = folder / "image_encoder" / "config.json"
        if config.is_file() and json.loads(config.read_text()).get(field) == width:
            return config.parent
    raise Unavailable(f"The adapter {adapter.name!r} has no image_encoder with a {field} of {width} beside it.")


def clip_pixels(image: Image.Image, size: int) -> Tensor:
    """(3, size, size), as CLIP wants it: the short side scaled, the middle cut out, in CLIP's own units."""
    image = image.convert("RGB")
    scale = size / min(image.size)
    # Whole numbers cut off, as CLIP's own preprocessing does.
    wide, high = (size if side == min(image.size) else int(side * scale) for side in image.size)
    image = image.resize((wide, high), Image.Resampling.BICUBIC)
    left, top = (wide - size) // 2, (high - size) // 2
    image = image.crop((left, top, left + size, top + size))
    pixels = np.asarray(image, dtype=np.float32) / 255
    units = (pixels - CLIP_MEAN) / CLIP_DEVIATION
    return torch.from_numpy(units).permute(2, 0, 1)
