"""Which engines there are, and which one this machine should use.

Nothing heavy is imported before an engine is chosen: the API process never loads one.
"""

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from brushwork.engines.base import Engine
from brushwork.engines.diffusion.options import DiffusionOptions, RemoteOptions
from brushwork.errors import Unavailable


@dataclass(frozen=True)
class EngineOptions:
    """What an operator may say about engines, besides which."""

    flow_model: Path | None = None
    """Folder of the learned painter's networks; None is the one that ships with Brushwork."""
    diffusion: DiffusionOptions = field(default_factory=DiffusionOptions)
    remote: RemoteOptions = field(default_factory=RemoteOptions)


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


def build_diffusion(options: EngineOptions) -> Engine:
    from brushwork.engines.diffusion.engine import DiffusionEngine

    return DiffusionEngine(options.diffusion)


def build_remote(options: EngineOptions) -> Engine:
    from brushwork.engines.remote import RemoteEngine

    return RemoteEngine(options.remote)


def build_noop(_: EngineOptions) -> Engine:
    from brushwork.engines.noop import NoopEngine

    return NoopEngine()


def missing_module(name: str) -> Callable[[EngineOptions], str | None]:
    return lambda _: None if importlib.util.find_spec(name) else f"the Python package {name} is not installed"


def missing_models(options: EngineOptions) -> str | None:
    """Why open checkpoints cannot be drawn with here. Looks for torch without loading it."""
    for package in ("torch", "diffusers", "transformers"):
        if not importlib.util.find_spec(package):
            return f"the Python package {package} is not installed; pip install 'brushwork[diffusers]'"
    from brushwork.engines.catalog.installed import usable_models

    if not usable_models(options.diffusion):
        return "no model is installed; see `brushwork models list`, then `brushwork models pull NAME`"
    return None


def missing_address(options: EngineOptions) -> str | None:
    return None if options.remote.url else "BRUSHWORK_REMOTE_URL does not say where the server is"


def missing_weights(options: EngineOptions) -> str | None:
    from brushwork.engines.flow.model import PACKAGED, missing

    if not missing(options.flow_model or PACKAGED):
        return None
    if options.flow_model:
        return missing(options.flow_model)
    return "no weights ship with it; train them with `make train-flow` and set BRUSHWORK_FLOW_MODEL to their folder"


ENGINES: tuple[EngineEntry, ...] = (
    EngineEntry(
        "diffusers",
        "Open checkpoints on your GPU, in a denoising loop that all jobs share.",
        "Apache-2.0; each model has its own, see `brushwork models list`",
        missing_models,
        build_diffusion,
    ),
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
        "remote",
        "Another server that speaks the OpenAI image API.",
        "Apache-2.0; that server's models have their own",
        missing_address,
        build_remote,
    ),
    EngineEntry(
        "noop", "Draws one flat colour at once: for benchmarks and tests.", "Apache-2.0", lambda _: None, build_noop
    ),
)
"""Best first: `auto` takes the first that can run, and never the no-op engine."""

AUTOMATIC = ("diffusers", "diorama")


def is_automatic(engine: EngineEntry, options: EngineOptions) -> bool:
    """Whether `auto` may take it. Checkpoints need minutes a picture on a CPU: there they have to be asked for."""
    if engine.name == "diffusers" and options.diffusion.device.startswith("cpu"):
        return False
    return engine.name in AUTOMATIC


def entry(name: str, options: EngineOptions = USUAL) -> EngineEntry:
    """The entry of that name; "auto" is the best that runs here. Raises Unavailable with the reason."""
    if name == "auto":
        automatic = [engine for engine in ENGINES if is_automatic(engine, options)]
        usable = [engine for engine in automatic if engine.problem(options) is None]
        if not usable:
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
