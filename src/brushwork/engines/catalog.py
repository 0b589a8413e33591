"""Which engines there are, and which one this machine should use.

Nothing heavy is imported before an engine is chosen: the API process never loads one.
"""

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass

from brushwork.engines.base import Engine
from brushwork.errors import Unavailable


@dataclass(frozen=True)
class EngineEntry:
    """One engine, as operators see it."""

    name: str
    summary: str
    licence: str
    problem: Callable[[], str | None]
    """Why it cannot run here, or None when it can."""
    build: Callable[[], Engine]


def build_diorama() -> Engine:
    from brushwork.engines.diorama.engine import DioramaEngine

    return DioramaEngine()


def build_noop() -> Engine:
    from brushwork.engines.noop import NoopEngine

    return NoopEngine()


def missing_module(name: str) -> Callable[[], str | None]:
    return lambda: None if importlib.util.find_spec(name) else f"the Python package {name} is not installed"


ENGINES: tuple[EngineEntry, ...] = (
    EngineEntry(
        "diorama",
        "The embedded painter: procedural scenes on the CPU, offline. Not a diffusion model.",
        "Apache-2.0; artwork as listed in NOTICE",
        missing_module("cv2"),
        build_diorama,
    ),
    EngineEntry(
        "noop", "Draws one flat colour at once: for benchmarks and tests.", "Apache-2.0", lambda: None, build_noop
    ),
)
"""Best first: `auto` takes the first that can run, and never the no-op engine."""

AUTOMATIC = ("diorama",)


def entry(name: str) -> EngineEntry:
    """The entry of that name; "auto" is the best that runs here. Raises Unavailable with the reason."""
    if name == "auto":
        usable = [engine for engine in ENGINES if engine.name in AUTOMATIC and engine.problem() is None]
        if not usable:
            reasons = "; ".join(f"{engine.name}: {engine.problem()}" for engine in ENGINES if engine.name in AUTOMATIC)
            raise Unavailable(f"No engine can run here ({reasons}).")
        return usable[0]
    for engine in ENGINES:
        if engine.name == name:
            return engine
    raise Unavailable(f"There is no engine {name!r}; there are: {', '.join(engine.name for engine in ENGINES)}.")


def usable(name: str) -> EngineEntry:
    """The entry of that name. Raises Unavailable when it cannot run here, and says why."""
    chosen = entry(name)
    if problem := chosen.problem():
        raise Unavailable(f"The engine {name!r} cannot run here: {problem}.")
    return chosen
