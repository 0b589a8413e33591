"""Forward passes: the calls of all rows, in as few of them as fit. Out of memory, half as many are tried.

Where bytes must not depend on the company, all passes have one size: calls of equal shapes only, the last repeated
until the pass is full.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog
import torch
from torch import Tensor

from brushwork.engines.diffusion.families.base import Call, Family
from brushwork.engines.diffusion.guidance import Wish
from brushwork.engines.diffusion.trouble import is_memory

log = structlog.get_logger(__name__)

TRUST = 100
"""After so many passes without trouble, one of double size is tried again."""


@dataclass
class Passes:
    """How many calls one pass takes."""

    most: int
    bucket: int = 0
    """Above 0: the fixed size of all passes."""
    size: int = 0
    sound: int = 0
    """Passes since the last trouble."""

    def __post_init__(self) -> None:
        self.size = self.bucket or self.most

    def grant(self, wishes: Sequence[Wish], relieve: Callable[[], None]) -> list[Tensor]:
        """The predictions of rows of one model. Raises when not even one call at a time fits."""
        calls = [call for wish in wishes for call in wish.calls]
        families = [wish.brush.family for wish in wishes for _ in wish.calls]
        answers: dict[int, Tensor] = {}
        for group in self.groups(calls):
            found = self.asked(families[group[0]], [calls[place] for place in group], relieve)
            answers |= dict(zip(group, found, strict=True))
        in_order = iter([answers[place] for place in range(len(calls))])
        return [wish.granted([next(in_order) for _ in wish.calls]) for wish in wishes]

    def groups(self, calls: Sequence[Call]) -> list[list[int]]:
        """Places of the calls that can share a pass."""
        groups: dict[object, list[int]] = {}
        for place, call in enumerate(calls):
            groups.setdefault((call.extras.kind, signature(call) if self.bucket else None), []).append(place)
        return list(groups.values())

    def asked(self, family: Family, calls: Sequence[Call], relieve: Callable[[], None]) -> list[Tensor]:
        answers: list[Tensor] = []
        while len(answers) < len(calls):
            some = calls[len(answers) : len(answers) + self.size]
            error = self.answered(family, some, answers)
            if error is None:
                self.trust()
                continue
            if not is_memory(error) or self.size == 1:
                raise error
            self.size = max(1, min(self.size, len(some)) // 2)
            self.sound = 0
            log.warning("memory.short", calls=len(some), now=self.size)
            family.reset()
            relieve()
        return answers

    def answered(self, family: Family, calls: Sequence[Call], answers: list[Tensor]) -> Exception | None:
        padding = [calls[-1]] * (self.size - len(calls)) if self.bucket else []
        try:
            answers += family.denoise([*calls, *padding])[: len(calls)]
        except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
            return error.with_traceback(None)  # its frames hold on to the memory that is short
        return None

    def trust(self) -> None:
        self.sound += 1
        if self.sound >= TRUST and self.size < (self.bucket or self.most):
            self.size, self.sound = min(self.bucket or self.most, 2 * self.size), 0


def signature(call: Call) -> tuple[object, ...]:
    """Equal for calls whose tensors have equal shapes."""
    named = {**call.conditioning.tensors, **{f"extra {name}": value for name, value in call.extras.tensors.items()}}
    return (tuple(call.latents.shape), tuple(sorted((name, tuple(value.shape)) for name, value in named.items())))
