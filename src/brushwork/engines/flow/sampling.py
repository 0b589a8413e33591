"""From noise to a picture in latents, step by step: the arithmetic of rectified flow. Knows no prompts and no pixels.

At level t a picture is (1 - t) x + t e, with noise e. The network says which way e - x lies; each step goes a little
against it. A drawing that begins below 1 begins with a picture, under that much noise. Every drawing is computed by
itself, so that its bytes do not depend on what is drawn beside it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from brushwork.engines.flow.model import Caption, FlowModel

Floats = np.ndarray[tuple[int, ...], np.dtype[np.float32]]
SHIFT = 1.5
"""Above 1: more steps where the noise is strong and composition is decided."""


@dataclass(frozen=True)
class Plan:
    """What a drawing needs besides its beginning."""

    levels: tuple[float, ...]
    """Noise levels, falling; one more than there are steps."""
    caption: Caption
    """First what is to be left behind (nothing, or what must not be seen), then what is to be followed."""
    weights: tuple[float, ...]
    """How much each of the latter counts; 1 in all."""
    guidance: float


@dataclass
class Drawing:
    """One picture on its way."""

    plan: Plan
    latents: Floats
    """(C, H, W) at level `plan.levels[done]`."""
    noise: Floats
    known: Floats | None = None
    """What may not change, without noise …"""
    free: Floats | None = None
    """… and (1, H, W): 1 where it may."""
    done: int = 0
    clear: Floats = field(default_factory=lambda: np.zeros(0, np.float32))
    """What the picture would be without the noise that is left, as of the last step."""

    @property
    def finished(self) -> bool:
        return self.done >= len(self.plan.levels) - 1


def noise_of(seed: int, index: int, shape: tuple[int, ...]) -> Floats:
    """The noise of one picture of a grid."""
    return np.random.Generator(np.random.Philox(key=[seed, index])).standard_normal(shape, np.float32)


def levels(steps: int, *, start: float = 1.0, stop: float = 1.0) -> tuple[float, ...]:
    """Noise levels from `start` to 0, of `steps` for the whole way; of those, the first `stop` of 0..1."""
    begin = start / (SHIFT + start - SHIFT * start)  # the unshifted place of `start`
    count = max(1, math.ceil(steps * begin))
    even = [begin * (1 - done / count) for done in range(count + 1)]
    shifted = [place * SHIFT / (1 + (SHIFT - 1) * place) for place in even]
    return tuple(shifted[: max(1, math.ceil(count * stop)) + 1])


def begin(
    plan: Plan, noise: Floats, *, picture: Floats | None = None, known: Floats | None = None, free: Floats | None = None
) -> Drawing:
    """A drawing at its first level; `picture` lies under the noise, where there is one."""
    level = np.float32(plan.levels[0])
    latents = noise if picture is None else (1 - level) * picture + level * noise
    return Drawing(plan, latents, noise, known, free)


def step(drawing: Drawing, model: FlowModel) -> None:
    """One step towards the picture."""
    plan = drawing.plan
    level, following = plan.levels[drawing.done], plan.levels[drawing.done + 1]
    latents = kept(drawing, drawing.latents, level)
    ways = model.way(latents, level, plan.caption)
    way = guided(ways, plan.weights, plan.guidance)
    drawing.clear = kept(drawing, latents - np.float32(level) * way, 0.0)
    drawing.latents = kept(drawing, latents + np.float32(following - level) * way, following)
    drawing.done += 1


def guided(ways: Floats, weights: Sequence[float], guidance: float) -> Floats:
    """Away from the first way, towards the others."""
    towards = sum(np.float32(weight) * (way - ways[0]) for weight, way in zip(weights, ways[1:], strict=True))
    return np.asarray(ways[0] + np.float32(guidance) * towards, np.float32)


def kept(drawing: Drawing, latents: Floats, level: float) -> Floats:
    """With what may not change as it is at this level."""
    if drawing.known is None or drawing.free is None:
        return latents
    there = np.float32(1 - level) * drawing.known + np.float32(level) * drawing.noise
    return np.asarray(drawing.free * latents + (1 - drawing.free) * there, np.float32)
