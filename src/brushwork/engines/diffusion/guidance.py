"""What a row asks the denoiser at a step, and what it makes of the answers: prompts in parts, guidance, panes, tiles.

Parts of a prompt are composed as in composable diffusion (Liu et al., 2022): each is an answer of its own, and they are
added up by weight, negative ones pushing away. Pure arithmetic; the model is asked by `loop.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from brushwork.engines.diffusion.facts import Facts
from brushwork.engines.diffusion.families.base import Call, Conditioning
from brushwork.engines.diffusion.noise import generator_of, roll_of
from brushwork.engines.diffusion.panes import Window, blended, cut, windows
from brushwork.engines.diffusion.state import Brush, Work

EARLY = 0.6
"""Noise on the conditioning acts from a row's first noise level down to this share of it, less and less."""


@dataclass(frozen=True)
class Wish:
    """One row's calls of one step, and how their answers become one prediction."""

    work: Work
    brush: Brush
    calls: tuple[Call, ...]
    panes: tuple[Window, ...]
    roll: tuple[int, int]
    is_guided: bool
    """Whether each pane's last call is the negative prompt's."""

    def granted(self, answers: Sequence[Tensor]) -> Tensor:
        """The prediction for the whole picture."""
        each = len(self.calls) // len(self.panes)
        composed = [
            self.composed([answer.float() for answer in answers[at : at + each]])
            for at in range(0, len(self.calls), each)
        ]
        if len(self.panes) == 1:
            whole = composed[0]
        else:
            latents = self.work.latents
            assert latents is not None
            whole = blended(composed, self.panes, *latents.shape[1:])
        return torch.roll(whole, (-self.roll[0], -self.roll[1]), (1, 2)) if any(self.roll) else whole

    def composed(self, answers: Sequence[Tensor]) -> Tensor:
        """One answer per part of the prompt, and the negative prompt's last → one prediction."""
        weights = [weight for _, weight in self.brush.texts]
        if not self.is_guided:
            return mean(answers, weights)
        positive = around(answers[-1], answers[:-1], weights)
        return self.brush.family.guide(positive, answers[-1], self.work.plan.guidance)


def wish_of(work: Work, facts: Facts) -> Wish:
    """What the row asks next."""
    brush, latents, plan = work.brush, work.latents, work.plan
    assert brush is not None
    assert latents is not None
    height, width = latents.shape[1:]
    roll = roll_of(plan.noise.seed, work.step, height, width) if plan.tile and facts.tile == "approximate" else (0, 0)
    shown = brush.solver.scaled(latents, work.step)
    if any(roll):
        shown = torch.roll(shown, roll, (1, 2))
    timestep = brush.solver.timestep(work.step)
    left = timestep / max(brush.solver.timestep(plan.start), 1e-9)
    texts = [(noisy(text, work, left, part), False) for part, (text, _) in enumerate(brush.texts)]
    is_guided = brush.negative is not None and work.step < (plan.guidance_end or plan.end)
    if brush.negative is not None and is_guided:
        texts.append((brush.negative, True))
    panes = panes_of(work, brush, height, width)
    calls = tuple(
        Call(
            latents=cut(shown, pane) if len(panes) > 1 else shown,
            timestep=timestep,
            conditioning=text,
            guidance=plan.guidance,
            extras=brush.extras,
            window=pane if len(panes) > 1 else None,
            share=work.step / plan.steps,
            tile=plan.tile and facts.tile == "exact",
            adapters=plan.adapters,
            negative=is_negative,
        )
        for pane in panes
        for text, is_negative in texts
    )
    return Wish(work, brush, calls, panes, roll, is_guided)


def panes_of(work: Work, brush: Brush, height: int, width: int) -> tuple[Window, ...]:
    plan = work.plan
    if not plan.panes:
        return ((0, 0, height, width),)
    align = max(1, brush.family.multiple * height // plan.height)
    return tuple(windows(height, width, plan.panes * height // plan.height, align))


def noisy(text: Conditioning, work: Work, left: float, part: int) -> Conditioning:
    """The text as it is read while most of the drawing is left (`--chaos`): each row reads it a little wrong.

    `left` is 1 where the row begins, be it with pure noise or over another picture, and falls to 0.
    """
    amount = (left - EARLY) / (1 - EARLY)
    if work.plan.conditioning_noise <= 0 or amount <= 0:
        return text
    generator = generator_of(work.plan.noise.seed, "reading", part)
    return text.noised(generator, work.plan.conditioning_noise * amount)


def pushed(text: Conditioning, usual: Conditioning, push: float) -> Conditioning:
    """The text, further from `usual` (an empty prompt): `push` standard deviations along its own way from there."""
    return Conditioning({name: further(value, usual.tensors.get(name), push) for name, value in text.tensors.items()})


def further(value: Tensor, usual: Tensor | None, push: float) -> Tensor:
    if usual is None or not value.is_floating_point():
        return value
    plain = usual.float()
    away = value.float() - (plain.mean(0, keepdim=True) if plain.ndim > 1 else plain)
    return (value.float() + push * value.float().std() * away / away.std().clamp_min(1e-6)).to(value.dtype)


def mean(answers: Sequence[Tensor], weights: Sequence[float]) -> Tensor:
    """The positive parts' mean by weight; negative parts push away from it. For models without guidance."""
    positive = [(answer, weight) for answer, weight in zip(answers, weights, strict=True) if weight > 0]
    if len(positive) == len(answers) == 1:
        return answers[0]
    whole = sum(weight for _, weight in positive)
    middle = torch.stack([answer * (weight / whole) for answer, weight in positive]).sum(0)
    away = [
        (middle - answer) * (-weight / whole) for answer, weight in zip(answers, weights, strict=True) if weight < 0
    ]
    return torch.stack([middle, *away]).sum(0)


def around(nothing: Tensor, answers: Sequence[Tensor], weights: Sequence[float]) -> Tensor:
    """What the parts say together, as ways from what is said without them; positive weights count as shares of one."""
    if len(answers) == 1 and weights[0] > 0:
        return answers[0]
    whole = sum(weight for weight in weights if weight > 0) or 1.0
    ways = [(answer - nothing) * (weight / whole) for answer, weight in zip(answers, weights, strict=True)]
    return torch.stack([nothing, *ways]).sum(0)
