"""The networks of the learned painter: captions to states, noise to pictures in latents. Only shapes and arithmetic.

A caption becomes a row of word states (and one that is always there, so that an empty caption is something too). The
denoiser works on latents: convolutions at their resolution, a transformer at half of it that looks at the words.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from brushwork.engines.flow.words import BUCKETS, WORDS


@dataclass(frozen=True)
class Size:
    """How large the networks are."""

    pixels: int
    """Side of a square picture."""
    latent: int
    """Channels of a latent: numbers for each PATCH x PATCH pixels."""
    outer: int
    """Channels at the latents' resolution."""
    inner: int
    """Channels at half of it."""
    depth: int
    heads: int
    text: int
    text_depth: int
    decoder: int
    batch: int

    @property
    def side(self) -> int:
        """Of a square picture's latents."""
        return self.pixels // PATCH


PATCH = 8
SIZES = {
    "cpu": Size(96, 16, 96, 224, 4, 4, text=160, text_depth=2, decoder=96, batch=32),
    "tiny": Size(64, 8, 16, 32, 1, 2, text=16, text_depth=1, decoder=16, batch=32),
    "gpu": Size(256, 32, 160, 416, 9, 8, text=256, text_depth=4, decoder=160, batch=256),
}
"""7 and 39 million parameters in all; the tiny one is for tests."""


def norm(channels: int) -> nn.GroupNorm:
    return nn.GroupNorm(8, channels)


class Residual(nn.Module):
    """Two convolutions, steered by what is known of the whole picture; nothing at first."""

    def __init__(self, given: int, made: int, steer: int = 0) -> None:
        super().__init__()
        self.norm1, self.conv1 = norm(given), nn.Conv2d(given, made, 3, padding=1)
        self.norm2, self.conv2 = norm(made), nn.Conv2d(made, made, 3, padding=1)
        self.skip = nn.Conv2d(given, made, 1) if given != made else nn.Identity()
        self.steer = nn.Linear(steer, 2 * made) if steer else None
        nothing(self.conv2)

    def forward(self, x: Tensor, known: Tensor | None = None) -> Tensor:
        h = self.norm2(self.conv1(functional.silu(self.norm1(x))))
        if self.steer is not None:
            scale, shift = self.steer(known)[:, :, None, None].chunk(2, 1)
            h = h * (1 + scale) + shift
        return self.skip(x) + self.conv2(functional.silu(h))


def nothing(layer: nn.Linear | nn.Conv2d) -> None:
    """Begin as a layer that says nothing."""
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)


class Attention(nn.Module):
    """(B, N, D) looks at (B, M, E)."""

    def __init__(self, width: int, heads: int, seen: int) -> None:
        super().__init__()
        self.heads, self.sharp = heads, (width / heads) ** -0.5
        self.query, self.key, self.value = nn.Linear(width, width), nn.Linear(seen, width), nn.Linear(seen, width)
        self.out = nn.Linear(width, width)
        nothing(self.out)

    def forward(self, x: Tensor, seen: Tensor, hidden: Tensor | None = None) -> Tensor:
        """`hidden`, (B, 1, 1, M): added to the scores."""
        q, k, v = (self.split(each) for each in (self.query(x), self.key(seen), self.value(seen)))
        scores = q @ k.transpose(-1, -2) * self.sharp  # (B, H, N, M)
        if hidden is not None:
            scores = scores + hidden
        return self.out((scores.softmax(-1) @ v).transpose(1, 2).flatten(2))

    def split(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)


class FeedForward(nn.Sequential):
    def __init__(self, width: int, times: int = 3) -> None:
        super().__init__(nn.Linear(width, times * width), nn.GELU(approximate="tanh"), nn.Linear(times * width, width))
        nothing(self[2])


class TextEncoder(nn.Module):
    """(B, WORDS, PARTS) numbers → (B, 1 + WORDS, D) states and (B, 1 + WORDS) which of them are there."""

    def __init__(self, width: int, depth: int) -> None:
        super().__init__()
        self.parts = nn.Embedding(BUCKETS, width)
        self.place = nn.Parameter(torch.randn(1, 1 + WORDS, width) * 0.02)
        self.begin = nn.Parameter(torch.randn(1, 1, width) * 0.02)
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2 * depth))
        self.looks = nn.ModuleList(Attention(width, 4, width) for _ in range(depth))
        self.thinks = nn.ModuleList(FeedForward(width) for _ in range(depth))
        self.last = nn.LayerNorm(width)
        nn.init.normal_(self.parts.weight, std=0.5)

    def forward(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        known = (ids > 0).to(self.place.dtype)  # (B, W, P)
        count = known.sum(-1, keepdim=True)
        words = (self.parts(ids) * known[..., None]).sum(2) / count.clamp(min=1)
        there = torch.cat([torch.ones_like(count[:, :1, 0]), count[..., 0].clamp(max=1)], 1)
        x = torch.cat([self.begin.expand(ids.shape[0], -1, -1), words], 1) + self.place
        hidden = (1 - there)[:, None, None] * -1e4
        for index, (look, think) in enumerate(zip(self.looks, self.thinks, strict=True)):
            seen = self.norms[2 * index](x)
            x = x + look(seen, seen, hidden)
            x = x + think(self.norms[2 * index + 1](x))
        return self.last(x) * there[..., None], there


class Block(nn.Module):
    """Look around, look at the words, think; steered by noise level and caption."""

    def __init__(self, width: int, heads: int, steer: int, text: int) -> None:
        super().__init__()
        self.norm1, self.around = nn.LayerNorm(width), Attention(width, heads, width)
        self.norm2, self.words = nn.LayerNorm(width), Attention(width, heads, text)
        self.norm3, self.think = nn.LayerNorm(width), FeedForward(width)
        self.steer = nn.Linear(steer, 6 * width)
        nothing(self.steer)

    def forward(self, x: Tensor, words: Tensor, hidden: Tensor, known: Tensor) -> Tensor:
        scale1, shift1, gate1, scale3, shift3, gate3 = self.steer(known)[:, None].chunk(6, -1)
        seen = self.norm1(x) * (1 + scale1) + shift1
        x = x + self.around(seen, seen) * (1 + gate1)
        x = x + self.words(self.norm2(x), words, hidden)
        return x + self.think(self.norm3(x) * (1 + scale3) + shift3) * (1 + gate3)


class Denoiser(nn.Module):
    """(B, C, H, W) latents at noise level (B,) → which way the noise lies; H and W are even."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        outer, inner, self.inner = size.outer, size.inner, size.inner
        self.level = nn.Sequential(nn.Linear(inner, inner), nn.SiLU(), nn.Linear(inner, inner))
        self.caption = nn.Linear(size.text, inner)
        self.place = nn.Linear(inner, inner)
        self.enter = nn.Conv2d(size.latent, outer, 3, padding=1)
        self.down = nn.ModuleList(Residual(outer, outer, inner) for _ in range(2))
        self.halve = nn.Conv2d(outer, inner, 2, 2)
        self.blocks = nn.ModuleList(Block(inner, size.heads, inner, size.text) for _ in range(size.depth))
        self.widen = nn.Conv2d(inner, 4 * outer, 1)
        self.up = nn.ModuleList(Residual(outer * (2 - index), outer, inner) for index in range(2))
        self.norm, self.leave = norm(outer), nn.Conv2d(outer, size.latent, 3, padding=1)
        nothing(self.leave)

    def forward(self, x: Tensor, level: Tensor, words: Tensor, there: Tensor, places: Tensor) -> Tensor:
        """`places`, (H / 2 * W / 2, 2): where each of the transformer's points lies, from the middle."""
        mean = words.sum(1) / there.sum(1, keepdim=True)
        known = functional.silu(self.level(waves(level * 1000, self.inner, 1e4)) + self.caption(mean))
        hidden = (1 - there)[:, None, None] * -1e4
        h = self.enter(x)
        for layer in self.down:
            h = layer(h, known)
        before = h
        h = self.halve(h)
        height, width = h.shape[2:]
        row, column = (waves(places[:, axis], self.inner // 2, 100.0) for axis in range(2))
        h = h.flatten(2).transpose(1, 2) + self.place(torch.cat([row, column], -1))
        for block in self.blocks:
            h = block(h, words, hidden, known)
        h = functional.pixel_shuffle(self.widen(h.transpose(1, 2).unflatten(2, (height, width))), 2)
        h = torch.cat([h, before], 1)
        for layer in self.up:
            h = layer(h, known)
        return self.leave(functional.silu(self.norm(h)))


def waves(value: Tensor, width: int, longest: float) -> Tensor:
    """(N,) numbers as (N, width) cosines and sines."""
    steps = torch.arange(width // 2, device=value.device) / (width // 2)
    angles = value[:, None].float() * torch.exp(-math.log(longest) * steps)
    return torch.cat([angles.cos(), angles.sin()], -1)


class Painter(nn.Module):
    """Both together, as they are trained."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.text, self.denoiser = TextEncoder(size.text, size.text_depth), Denoiser(size)

    def forward(self, x: Tensor, level: Tensor, ids: Tensor, places: Tensor) -> Tensor:
        return self.denoiser(x, level, *self.text(ids), places)


class Decoder(nn.Module):
    """(B, C, H, W) latents and the picture they stand for by the linear way → a better picture."""

    def __init__(self, latent: int, width: int) -> None:
        super().__init__()
        half = width // 2
        self.enter = nn.Conv2d(latent, width, 3, padding=1)
        self.coarse = nn.Sequential(Residual(width, width), Residual(width, width))
        self.widen = nn.Conv2d(width, 4 * half, 1)
        self.fine = nn.Sequential(Residual(half, half), Residual(half, half))
        self.again = nn.Conv2d(half, 4 * 48, 1)
        self.look = nn.Conv2d(48 + 12, 48, 3, padding=1)
        self.leave = nn.Conv2d(48, 12, 3, padding=1)
        nothing(self.leave)

    def forward(self, z: Tensor, plain: Tensor) -> Tensor:
        h = functional.pixel_shuffle(self.widen(self.coarse(self.enter(z))), 2)
        h = functional.pixel_shuffle(self.again(self.fine(h)), 2)
        h = functional.silu(self.look(torch.cat([h, functional.pixel_unshuffle(plain, 2)], 1)))
        return plain + functional.pixel_shuffle(self.leave(h), 2)
