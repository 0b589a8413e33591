"""The clock of a world: what time it is, and how things that move ask it.

Whoever moves asks for a drift, a swing or a flash; at time 0 every answer is "as in the still picture". A clock with
a period answers at `t + period` exactly what it answers at `t`. Knows no pixels.
"""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Lap:
    """One run of something that drifts and starts over, unseen, while another run is shown."""

    share: float
    """Its part of what is shown, 0..1; the shares of a moment add up to 1."""
    away: float
    """Seconds from the middle of its run, -cycle/2 .. cycle/2."""
    number: int
    """Which run; 0 is the one around time 0."""


@dataclass(frozen=True)
class Moment:
    """A point in time of a world."""

    t: float = 0.0
    """Seconds since the still picture."""
    period: float | None = None
    """Seconds after which everything is as before; None goes on for ever."""
    wind: float = 1.0
    """Strength of the wind; negative blows to the left."""

    @property
    def is_still(self) -> bool:
        return self.t == 0

    def cycles(self, seconds: float) -> int | None:
        """How often something of about `seconds` fits into the period: a whole number, or None without a period."""
        return None if self.period is None else max(1, round(self.period / seconds))

    def cycle(self, seconds: float) -> float:
        """`seconds`, stretched or shortened so that a whole number fits into the period."""
        count = self.cycles(seconds)
        return seconds if self.period is None or count is None else self.period / count

    def turns(self, seconds: float) -> float:
        """How many rounds something that takes about `seconds` has made; whole after a period."""
        return self.t / self.cycle(seconds)

    def swing(self, seconds: float, phase: float = 0.0) -> float:
        """A sine that is 0 at time 0, whatever its phase (in rounds)."""
        return math.sin(2 * math.pi * (self.turns(seconds) + phase)) - math.sin(2 * math.pi * phase)

    def laps(self, seconds: float) -> tuple[Lap, Lap]:
        """Two runs, half a cycle apart; each is unseen when it starts over."""
        cycle, count = self.cycle(seconds), self.cycles(seconds)
        found = []
        for shift in (0.0, 0.5):
            place = self.t / cycle + shift
            number = math.floor(place + 0.5)
            away = place - number
            run = 2 * (number % count if count else number) - (1 if shift else 0)
            found.append(Lap(1 - 2 * abs(away), away * cycle, run))
        return found[0], found[1]


STILL = Moment()


@dataclass(frozen=True)
class Flash:
    """Something that comes at once and fades."""

    power: float
    number: int
    """Which flash; 0 is the one at time 0."""


def flash_at(moment: Moment, seconds: float) -> Flash:
    """A flash every `seconds` or so: at its brightest at time 0, flickering as it dies."""
    cycle, count = moment.cycle(seconds), moment.cycles(seconds)
    place = moment.t / cycle
    number = math.floor(place + 0.2)
    away = (place - number) * cycle
    power = math.exp(away / 0.03) if away < 0 else math.exp(-away / 0.28) * (0.75 + 0.25 * math.cos(away * 46))
    return Flash(power, number % count if count else number)
