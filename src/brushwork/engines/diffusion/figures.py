"""What an engine counts of itself, as figures for the operator. Knows no torch."""

import threading
from collections import defaultdict
from dataclasses import dataclass, field

from brushwork.engines.base import Figure


@dataclass(frozen=True)
class ResidencyStats:
    """Where bytes are now, and what was done since the start."""

    device_bytes: int
    host_bytes: int
    reserve: int
    """Bytes of the device kept free for activations."""
    models: int
    components: int
    shared: int
    """Components that several models use."""
    loads: int
    moves: int
    evictions: int
    load_seconds: float
    move_seconds: float

    def figures(self) -> list[Figure]:
        return [
            Figure("models_resident", self.models),
            Figure("model_bytes", self.device_bytes, {"place": "device"}),
            Figure("model_bytes", self.host_bytes, {"place": "host"}),
            Figure("model_reserve_bytes", self.reserve),
            Figure("model_loads_total", self.loads),
            Figure("model_moves_total", self.moves),
            Figure("model_evictions_total", self.evictions),
            Figure("model_load_seconds_total", self.load_seconds),
            Figure("model_move_seconds_total", self.move_seconds),
        ]


@dataclass
class StepTimes:
    """How long steps took, by model. Safe to use from several threads."""

    steps: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, model: str, *, steps: int, seconds: float) -> None:
        with self.lock:
            self.steps[model] += steps
            self.seconds[model] += seconds

    def figures(self) -> list[Figure]:
        with self.lock:
            return [
                figure
                for model in sorted(self.steps)
                for figure in (
                    Figure("model_steps_total", self.steps[model], {"model": model}),
                    Figure("model_step_seconds_total", self.seconds[model], {"model": model}),
                )
            ]
