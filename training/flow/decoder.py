"""Train what turns latents back into pictures: as near as the linear way, without its blocks.

It learns from latents that are a little wrong, because those the painter makes are, too.
"""

import time

import numpy as np
import torch
from torch import Tensor, nn

from training.flow.codec import Codec
from training.flow.network import Decoder
from training.flow.pictures import Pictures

RATE = 1e-3
BATCH = 32
SIDE = 64
"""Of the pieces it learns from, pixels."""
WRONG = 0.15
"""Noise of the worst latents; a latent's numbers are about 1."""
EDGES = 0.5
"""Weight of differences between neighbours."""


def train_decoder(
    decoder: Decoder, codec: Codec, pictures: Pictures, held_out: Pictures, *, seconds: float, device: str
) -> dict[str, float]:
    """Learn for that long; → how near held-out pictures are, in decibels, with and without the decoder."""
    optimizer = torch.optim.AdamW(decoder.parameters(), RATE, weight_decay=0.0)
    rng, generator = np.random.default_rng(0), torch.Generator().manual_seed(0)
    began, steps = time.monotonic(), 0
    while (spent := (time.monotonic() - began) / seconds) < 1:
        optimizer.param_groups[0]["lr"] = RATE * min(1, (steps + 1) / 50) * min(1, (1 - spent) / 0.6)
        real = pieces(pictures.images, rng)
        with torch.no_grad():
            latents = codec.encode(real)
            strength = torch.rand(len(real), 1, 1, 1, generator=generator) * WRONG
            latents = latents + strength * torch.randn(latents.shape, generator=generator)
            plain = codec.decode(latents)
        made = decoder(latents.to(device), plain.to(device))
        loss = difference(made, real.to(device))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(decoder.parameters(), 1.0)
        optimizer.step()
        steps += 1
    quality = measure(decoder, codec, held_out, device)
    print(f"decoder  steps {steps}  " + "  ".join(f"{name} {value}" for name, value in quality.items()), flush=True)
    return quality


def pieces(images: np.ndarray, rng: np.random.Generator) -> Tensor:
    """(BATCH, 3, SIDE, SIDE) of 0..1, cut anywhere."""
    most = images.shape[1] - SIDE
    cut = [
        images[index, top : top + SIDE, left : left + SIDE]
        for index, top, left in zip(
            rng.integers(len(images), size=BATCH),
            rng.integers(most + 1, size=BATCH),
            rng.integers(most + 1, size=BATCH),
            strict=True,
        )
    ]
    return torch.from_numpy(np.stack(cut)).permute(0, 3, 1, 2).float() / 255


def difference(made: Tensor, real: Tensor) -> Tensor:
    edges = sum((made.diff(dim=axis) - real.diff(dim=axis)).abs().mean() for axis in (2, 3))
    return (made - real).abs().mean() + EDGES * edges


@torch.no_grad()
def measure(decoder: Decoder, codec: Codec, held_out: Pictures, device: str) -> dict[str, float]:
    real = torch.from_numpy(held_out.images[:128]).permute(0, 3, 1, 2).float() / 255
    latents = codec.encode(real)
    plain = codec.decode(latents)
    pairs = zip(latents.split(32), plain.split(32), strict=True)
    made = torch.cat([decoder(z.to(device), p.to(device)) for z, p in pairs]).cpu()
    return {"psnr_linear": decibels(plain, real), "psnr": decibels(made, real)}


def decibels(made: Tensor, real: Tensor) -> float:
    error = (made.clamp(0, 1) - real).square().mean((1, 2, 3))
    return round(float((-10 * error.log10()).mean()), 2)
