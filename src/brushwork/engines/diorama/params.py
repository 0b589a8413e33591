"""Prompt parameters as the painter takes them: which it honours, and as what numbers.

Knows canonical names and resolved values only; spelling, ranges and versions are the prompt language's.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

HONOURED = {
    "ar": "native", "seed": "native", "chaos": "native", "stylize": "native", "weird": "native", "stop": "native",
    "tile": "native", "quality": "native", "hd": "native", "draft": "native", "raw": "native", "exp": "emulated",
    "no": "native", "niji": "emulated",
}  # fmt: skip
"""Parameter → how. `exp` is contrast and sparkle; `niji` is the anime style."""
NOT_OURS = frozenset({"fast", "turbo", "relax", "version", "v"})
"""Said to the queue or to the catalog, not to an engine."""


@dataclass(frozen=True)
class Knobs:
    """All numbers that steer a picture, with their defaults."""

    chaos: float = 0.0
    """0-1."""
    stylize: float = 0.1
    weird: float = 0.0
    stop: float = 1.0
    quality: float = 1.0
    exp: float = 0.0
    tile: bool = False
    raw: bool = False
    draft: bool = False
    anime: bool = False


def knobs_of(params: Mapping[str, Any], model: str) -> Knobs:
    """Parameters of a row → knobs."""
    return Knobs(
        chaos=number(params, "chaos", 0) / 100,
        stylize=number(params, "stylize", 100) / 1000,
        weird=number(params, "weird", 0) / 3000,
        stop=number(params, "stop", 100) / 100,
        quality=number(params, "quality", 1),
        exp=number(params, "exp", 0) / 100,
        tile=bool(params.get("tile")),
        raw=bool(params.get("raw")) or params.get("style") == "raw",
        draft=bool(params.get("draft")),
        anime=model.startswith("niji") or bool(params.get("niji")),
    )


def number(params: Mapping[str, Any], name: str, default: float) -> float:
    value = params.get(name)
    return default if value is None else float(value)


def honoured(params: Mapping[str, Any], *, negative: bool, model: str) -> dict[str, str]:
    """What of the request has an effect here, and how."""
    applied = {
        name: HONOURED[name] for name, value in params.items() if name in HONOURED and value not in (None, False)
    }
    if negative:
        applied["no"] = HONOURED["no"]
    if model.startswith("niji"):
        applied["niji"] = HONOURED["niji"]
    return applied


def not_honoured(params: Mapping[str, Any]) -> tuple[str, ...]:
    """`parameter:<name>` for everything asked for in vain."""
    asked = (name for name, value in params.items() if value not in (None, False, (), ""))
    return tuple(f"parameter:{name}" for name in asked if name not in HONOURED and name not in NOT_OURS)
