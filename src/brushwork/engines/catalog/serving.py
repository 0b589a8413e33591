"""Which model draws which version of the API, with the memory there is. Knows neither files nor devices."""

from collections.abc import Mapping
from dataclasses import dataclass

from brushwork.engines.catalog.model import VERSIONS, Model


@dataclass(frozen=True)
class Serving:
    """One version of the API, and what draws it."""

    version: str
    model: Model
    fits: bool
    """Whether it stays in the device's memory as a whole; otherwise its parts take turns there, which is slow."""


def serving(models: Mapping[str, Model], *, memory_gb: float = 0.0) -> Mapping[str, Serving]:
    """Version → what draws it, of the models in the order given; a version that nothing draws is left out.

    A model that fits goes first, then one that suits the version, then the upper one. No memory means all there is.
    """
    found = {version: choose(version, models, memory_gb) for version in VERSIONS}
    return {version: choice for version, choice in found.items() if choice}


def choose(version: str, models: Mapping[str, Model], memory_gb: float = 0.0) -> Serving | None:
    able = [model for model in models.values() if version in model.profiles]
    if not able:
        return None
    best = min(able, key=lambda model: (not fits(model, memory_gb), model.profiles[version].fallback))
    return Serving(version, best, fits(best, memory_gb))


def fits(model: Model, memory_gb: float) -> bool:
    return not memory_gb or model.vram_gb <= memory_gb


def missing_for(version: str, catalog: Mapping[str, Model], *, memory_gb: float = 0.0) -> Model | None:
    """The model to install so that this version is drawn as it should be: suited, and permissive where one is."""
    suited = [model for model in catalog.values() if version in model.profiles and not model.profiles[version].fallback]
    return min(suited, key=lambda model: (not fits(model, memory_gb), not model.licence.permissive), default=None)
