"""Frames into latents and back, a few at a time: a clip is never in memory as a whole, neither is it decoded as one.

A causal decoder remembers the last frames between two chunks. That memory is kept here and not in the module, so that a
chunk that fails can be done again, and nothing of a cancelled clip is seen in the next.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import torch
from diffusers.models.autoencoders.autoencoder_kl_wan import patchify, unpatchify
from torch import Tensor

from brushwork.engines.diffusion.video.facts import CLIP_STRIDE

Memory = list[Any]


def memory_of(half: torch.nn.Module) -> Memory:
    """Room for what each causal convolution of the encoder or the decoder remembers."""
    return [None] * sum(type(part).__name__ == "WanCausalConv3d" for part in half.modules())


def chunks(frames: Iterable[Tensor]) -> Iterator[Tensor]:
    """(3, H, W) each → (1, 3, n, H, W): the first alone, then four by four."""
    waiting: list[Tensor] = []
    wanted = 1
    for frame in frames:
        waiting.append(frame)
        if len(waiting) == wanted:
            yield torch.stack(waiting, dim=1)[None]
            waiting, wanted = [], CLIP_STRIDE


def encode_chunk(vae: Any, chunk: Tensor, memory: Memory) -> tuple[Tensor, Memory]:
    """The moments of a chunk's latent, before they are made into one, and what is remembered after it."""
    after = list(memory)
    values = chunk.to(vae.device, vae.dtype)
    if vae.config.patch_size is not None:
        values = patchify(values, patch_size=vae.config.patch_size)
    return vae.encoder(values, feat_cache=after, feat_idx=[0]), after


def mean_of(vae: Any, encoded: list[Tensor]) -> Tensor:
    """(1, C, T, h, w) in the scale of the denoiser, float32. The mean of the distribution: nothing by chance."""
    mean = vae.quant_conv(torch.cat(encoded, dim=2)).chunk(2, dim=1)[0].float()
    centre, spread = scale_of(vae, mean)
    return (mean - centre) * spread


def decode_chunk(vae: Any, latent: Tensor, memory: Memory, *, is_first: bool) -> tuple[Tensor, Memory]:
    """One latent (1, C, 1, h, w), as `to_decode` gives it → frames (n, 3, H, W) in -1..1, and what is remembered."""
    after = list(memory)
    values = vae.decoder(latent, feat_cache=after, feat_idx=[0], **({"first_chunk": True} if is_first else {}))
    if vae.config.patch_size is not None:
        values = unpatchify(values, patch_size=vae.config.patch_size)
    return values[0].clamp(-1, 1).transpose(0, 1), after


def to_decode(vae: Any, latents: Tensor) -> Tensor:
    """Latents from the denoiser, in the scale of the decoder."""
    values = latents.to(vae.device, vae.dtype)
    centre, spread = scale_of(vae, values)
    ready: Tensor = vae.post_quant_conv(values / spread + centre)
    return ready


def scale_of(vae: Any, like: Tensor) -> tuple[Tensor, Tensor]:
    """Mean, and one by the deviation, of each channel of a latent."""
    shape = (1, vae.config.z_dim, 1, 1, 1)
    centre = torch.tensor(vae.config.latents_mean).view(shape).to(like.device, like.dtype)
    return centre, 1.0 / torch.tensor(vae.config.latents_std).view(shape).to(like.device, like.dtype)
