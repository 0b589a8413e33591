"""Which engines there are, and which one this machine should use.

Nothing heavy is imported before an engine is chosen: the API process never loads one.
"""

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from brushwork.engines.base import Engine
from brushwork.errors import Unavailable


@dataclass(frozen=True)
class EngineOptions:
    """What an operator may say about engines, besides which."""

    flow_model: Path | None = None
    """Folder of the learned painter's networks; None is the one that ships with Brushwork."""


USUAL = EngineOptions()


@dataclass(frozen=True)
class EngineEntry:
    """One engine, as operators see it."""

    name: str
    summary: str
    licence: str
    problem: Callable[[EngineOptions], str | None]
    """Why it cannot run here, or None when it can."""
    build: Callable[[EngineOptions], Engine]


def build_diorama(_: EngineOptions) -> Engine:
    from brushwork.engines.diorama.engine import DioramaEngine

    return DioramaEngine()


def build_flow(options: EngineOptions) -> Engine:
    from brushwork.engines.flow.engine import FlowEngine

    return FlowEngine(options.flow_model)


def build_noop(_: EngineOptions) -> Engine:
    from brushwork.engines.noop import NoopEngine

    return NoopEngine()


def missing_module(name: str) -> Callable[[EngineOptions], str | None]:
    return lambda _: None if importlib.util.find_spec(name) else f"the Python package {name} is not installed"


def missing_weights(options: EngineOptions) -> str | None:
    from brushwork.engines.flow.model import PACKAGED, missing

    if not missing(options.flow_model or PACKAGED):
        return None
    if options.flow_model:
        return missing(options.flow_model)
    return "no weights ship with it; train them with `make train-flow` and set BRUSHWORK_FLOW_MODEL to their folder"


ENGINES: tuple[EngineEntry, ...] = (
    EngineEntry(
        "diorama",
        "The embedded painter: procedural scenes on the CPU, offline. Not a diffusion model.",
        "Apache-2.0; artwork as listed in NOTICE",
        missing_module("cv2"),
        build_diorama,
    ),
    EngineEntry(
        "flow",
        "The learned painter, an experiment: a small flow-matching network trained on the embedded painter.",
        "Apache-2.0",
        missing_weights,
        build_flow,
    ),
    EngineEntry(
        "noop", "Draws one flat colour at once: for benchmarks and tests.", "Apache-2.0", lambda _: None, build_noop
    ),
)
"""Best first: `auto` takes the first that can run, and never the no-op engine."""

AUTOMATIC = ("diorama",)


def entry(name: str, options: EngineOptions = USUAL) -> EngineEntry:
    """The entry of that name; "auto" is the best that runs here. Raises Unavailable with the reason."""
    if name == "auto":
        usable = [engine for engine in ENGINES if engine.name in AUTOMATIC and engine.problem(options) is None]
        if not usable:
            automatic = [engine for engine in ENGINES if engine.name in AUTOMATIC]
            reasons = "; ".join(f"{engine.name}: {engine.problem(options)}" for engine in automatic)
            raise Unavailable(f"No engine can run here ({reasons}).")
        return usable[0]
    for engine in ENGINES:
        if engine.name == name:
            return engine
    raise Unavailable(f"There is no engine {name!r}; there are: {', '.join(engine.name for engine in ENGINES)}.")


def usable(name: str, options: EngineOptions = USUAL) -> EngineEntry:
    """The entry of that name. Raises Unavailable when it cannot run here, and says why."""
    chosen = entry(name, options)
    if problem := chosen.problem(options):
        raise Unavailable(f"The engine {name!r} cannot run here: {problem}.")
    return chosen
