"""How much of the device is kept free of weights: what was measured while pictures like these were drawn.

A kind of drawing is a model and a size. What one kind takes now and then counts for a while after it was last drawn, so
that kinds that take turns do not move weights to and fro. Knows no torch: bytes are told.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

RECENT = 600.0
"""Seconds for which a kind counts after it was drawn."""
SPARE = 1.1
"""Allocators waste a little between pieces."""

Kind = tuple[str, int]


def kind_of(model: str, pixels: int) -> Kind:
    """Sizes of nearly the same number of pixels, of all rows of a pass together, are one kind."""
    return model, max(0, pixels - 1).bit_length()


@dataclass
class Peaks:
    """The largest of each kind."""

    guess: int
    """Bytes for what was never drawn; no less is ever kept."""
    clock: Callable[[], float] = time.monotonic
    known: dict[Kind, int] = field(default_factory=dict)
    drawn: dict[Kind, float] = field(default_factory=dict)
    """When each kind was last drawn."""

    def wanted(self, kind: Kind) -> int:
        """Bytes to keep free from now on, when this kind is drawn."""
        now = self.clock()
        self.drawn = {one: moment for one, moment in self.drawn.items() if now - moment < RECENT} | {kind: now}
        return max(self.guess, *(self.known.get(one, 0) for one in self.drawn))

    def saw(self, kind: Kind, taken: int) -> None:
        """So many bytes beside the weights were in use at once."""
        self.known[kind] = max(self.known.get(kind, 0), round(SPARE * taken))
