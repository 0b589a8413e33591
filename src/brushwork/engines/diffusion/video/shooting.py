"""One clip on the device: words and pictures encoded, steps of the denoiser, latents decoded one after the other.

Everything here runs in the thread that owns the device, a piece at a time, and a piece that failed for want of memory
can be done again: what a clip holds changes only when a piece is through.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

import torch
from torch import Tensor

from brushwork.engines.base import Frame, RowCancelled
from brushwork.engines.diffusion.noise import generator_of
from brushwork.engines.diffusion.parts import Parts
from brushwork.engines.diffusion.pixels import bytes_of
from brushwork.engines.diffusion.video.coder import (
    chunks,
    decode_chunk,
    encode_chunk,
    mean_of,
    memory_of,
    to_decode,
)
from brushwork.engines.diffusion.video.facts import CLIP_STRIDE
from brushwork.engines.diffusion.video.plan import FilmPlan
from brushwork.engines.diffusion.video.texts import Texts
from brushwork.engines.diffusion.video.wan import SHOWN, Shown, Step, denoised, kept_in_place
from brushwork.errors import EngineFailed, Unavailable


class IndexedParts(Parts, Protocol):
    """Components, with what the checkpoint says about them."""

    @property
    def index(self) -> Mapping[str, Any]: ...


class Shooting:
    """A clip that is being drawn."""

    def __init__(self, plan: FilmPlan, parts: IndexedParts, texts: Texts) -> None:
        self.plan = plan
        self.parts = parts
        self.texts = texts
        self.is_unwanted = False
        """Set from another thread; looked at before every block of the denoiser."""
        self.words: list[Tensor] = []
        """Of the prompt and, where there is guidance, of what is unwanted."""
        self.shown = Shown()
        self.latents = torch.empty(0)
        self.scheduler: Any = None
        self.step = 0
        self.decoded = 0
        self.remembered: list[Any] = []

    @property
    def length(self) -> int:
        """Of the clip, in latents."""
        return (self.plan.timing.drawn - 1) // CLIP_STRIDE + 1

    @property
    def total(self) -> int:
        """All that counts in progress: getting ready, steps, latents that are decoded."""
        return 1 + self.plan.steps + self.length

    @property
    def done(self) -> int:
        return (1 if self.scheduler is not None else 0) + self.step + self.decoded

    # ── before the first step ──

    def read(self) -> None:
        """Encode the words; the text encoder may leave the device then."""
        said = [self.plan.text, self.plan.negative] if self.plan.guidance > 1 else [self.plan.text]
        self.words = [self.texts.encode(text) for text in said]

    def look(self) -> None:
        """Encode the frames that are known, and draw the first noise."""
        plan = self.plan
        with self.parts.use("vae") as vae:
            shape = (1, vae.config.z_dim, self.length, *self.sides(vae))
            self.shown = SHOWN[plan.family](plan, shape, lambda frames: self.encoded(vae, frames))
        with self.parts.use("scheduler") as kept:
            scheduler = scheduler_like(kept, plan.shift)
        scheduler.set_timesteps(plan.steps, device=self.parts.device)
        self.latents = torch.randn(shape, generator=generator_of(plan.seed)).to(self.parts.device)
        self.scheduler = scheduler

    def sides(self, vae: Any) -> tuple[int, int]:
        factor = int(vae.config.scale_factor_spatial)
        return self.plan.height // factor, self.plan.width // factor

    def encoded(self, vae: Any, frames: Iterator[Tensor]) -> Tensor:
        found, memory = [], memory_of(vae.encoder)
        for chunk in chunks(frames):
            self.go_on()
            latent, memory = encode_chunk(vae, chunk, memory)
            found.append(latent)
        return mean_of(vae, found).to(self.parts.device)

    # ── steps ──

    def take_steps(self, seconds: float, after_each: Callable[[], None]) -> None:
        """As many as fit into that time, at least one."""
        begun = time.monotonic()
        while self.step < self.plan.steps:
            self.go_on()
            self.take_step()
            after_each()
            if time.monotonic() - begun >= seconds:
                return

    def take_step(self) -> None:
        moment = self.scheduler.timesteps[self.step]
        with self.parts.use(self.expert(float(moment))) as transformer, stopping(transformer, self.go_on):
            if transformer.config.image_dim is not None:
                raise Unavailable("Wan models that look at pictures through CLIP are not drawn with here.")
            said = [denoised(transformer, Step(self.latents, moment, text, self.shown)) for text in self.words]
        velocity = said[0] if len(said) == 1 else said[1] + self.plan.guidance * (said[0] - said[1])
        self.latents = self.scheduler.step(velocity, moment, self.latents, return_dict=False)[0]
        self.step += 1
        if self.step == self.plan.steps:
            self.latents = kept_in_place(self.latents, self.shown)
            if not bool(self.latents.isfinite().all()):
                raise EngineFailed("The model's numbers left their range, so there is no clip; nothing was charged.")

    def expert(self, moment: float) -> str:
        """Of two experts, the first draws where there is much noise, and the second where there is little."""
        ratio = self.parts.index.get("boundary_ratio")
        if ratio is None or not self.parts.has("transformer_2"):
            return "transformer"
        if moment >= float(ratio) * self.scheduler.config.num_train_timesteps:
            return "transformer"
        return "transformer_2"

    # ── frames ──

    def develop(self) -> list[Frame]:
        """The frames of the next latent: one of the first, four of each other."""
        self.go_on()
        with self.parts.use("vae") as vae:
            memory = self.remembered or memory_of(vae.decoder)
            latent = to_decode(vae, self.latents[:, :, self.decoded : self.decoded + 1])
            frames, memory = decode_chunk(vae, latent, memory, is_first=self.decoded == 0)
        made = [bytes_of((frame + 1) / 2).cpu().numpy() for frame in frames.float()]
        self.remembered = memory
        self.decoded += 1
        return made

    def drop(self) -> None:
        """Let go of all that the clip holds on the device."""
        self.words, self.shown, self.remembered = [], Shown(), []
        self.latents, self.scheduler = torch.empty(0), None

    def go_on(self) -> None:
        if self.is_unwanted:
            raise RowCancelled


def scheduler_like(kept: Any, shift: float) -> Any:
    """One of its own for each clip: it counts steps, and remembers the last of them."""
    name = "flow_shift" if "flow_shift" in kept.config else "shift"
    return type(kept).from_config(kept.config, **({name: shift} if shift else {}))


@contextmanager
def stopping(transformer: Any, ask: Callable[[], None]) -> Iterator[None]:
    """Ask before each block whether to go on: a step of a large clip takes half a minute."""

    def before(_block: Any, _given: Any) -> None:
        ask()

    hooks = [block.register_forward_pre_hook(before) for block in transformer.blocks]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
        if getattr(transformer, "is_cache_enabled", False):
            transformer._reset_stateful_cache()
