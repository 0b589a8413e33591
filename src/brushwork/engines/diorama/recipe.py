"""A Scene as plain JSON and back: what a result carries so that the same bytes can be made again. Knows no pixels."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from brushwork.engines.diorama.scene import Scene, Subject

VERSION = 1
"""Of the painter: raised whenever the same Scene would give other bytes."""


def recipe_of(scene: Scene, *, width: int, height: int, exp: float = 0.0) -> dict[str, Any]:
    """Everything that is needed to paint this picture again."""
    facts = asdict(scene)
    facts["forbidden"] = sorted(scene.forbidden)
    facts["aspect"] = list(scene.aspect)
    facts["emphasis"] = [list(pair) for pair in scene.emphasis]
    facts["subjects"] = list(facts["subjects"])
    return {"engine": "diorama", "version": VERSION, "width": width, "height": height, "exp": exp, "scene": facts}


def scene_of(recipe: Mapping[str, Any]) -> Scene:
    """The Scene of a recipe."""
    facts = dict(recipe["scene"])
    facts["forbidden"] = frozenset(facts["forbidden"])
    facts["aspect"] = (int(facts["aspect"][0]), int(facts["aspect"][1]))
    facts["emphasis"] = tuple((str(name), float(factor)) for name, factor in facts["emphasis"])
    facts["subjects"] = tuple(Subject(**subject) for subject in facts["subjects"])
    return Scene(**facts)
