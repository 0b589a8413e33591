"""A picture as plain JSON and back: what a result carries so that the same bytes can be made again, or that another
operation can go on in the same world. Knows no pixels.

`pixels: true` says that the picture is no longer what its Scene alone would give: then the Scene is only a hint of
what is in it, and whoever works on the picture works on its pixels.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from brushwork.engines.diorama.scene import Scene, Subject, View, natural_view

VERSION = 1
"""Of the painter: raised whenever the same Scene would give other bytes."""
Grade = tuple[float, ...]
"""12 numbers, a matrix and an offset, that turn Lab colours into those of a style reference."""
Segments = Sequence[tuple[str, float]]


@dataclass(frozen=True)
class Shot:
    """A Scene through a window: all that decides about a picture's pixels."""

    scene: Scene
    view: View
    exp: float = 0.0
    detail: float = 1.0
    """Fine detail of the world besides what `--quality` and `--stop` say: a draft has less."""
    grade: Grade | None = None


def natural_shot(scene: Scene, width: int, height: int, *, exp: float = 0.0, detail: float = 1.0) -> Shot:
    """The whole picture, as a prompt makes it."""
    return Shot(scene, natural_view(scene, width, height), exp, detail)


def recipe_of(shot: Shot, *, words: Segments = (), pixels: bool = False) -> dict[str, Any]:
    """Everything that is needed to paint this picture again. `words` are those that asked for it."""
    view = shot.view
    recipe: dict[str, Any] = {
        "engine": "diorama", "version": VERSION, "width": view.width, "height": view.height, "exp": shot.exp,
        "detail": shot.detail, "scene": facts_of(shot.scene), "words": [list(pair) for pair in words],
    }  # fmt: skip
    if view != natural_view(shot.scene, view.width, view.height):
        recipe["view"] = [view.left, view.top, view.right, view.bottom]
    if shot.grade:
        recipe["grade"] = list(shot.grade)
    if pixels:
        recipe["pixels"] = True
    return recipe


def without_scene(width: int, height: int, *, words: Segments = ()) -> dict[str, Any]:
    """The recipe of a picture that no Scene describes."""
    return {
        "engine": "diorama", "version": VERSION, "width": width, "height": height, "pixels": True,
        "words": [list(pair) for pair in words],
    }  # fmt: skip


def facts_of(scene: Scene) -> dict[str, Any]:
    facts = asdict(scene)
    facts["forbidden"] = sorted(scene.forbidden)
    facts["aspect"] = list(scene.aspect)
    facts["emphasis"] = [list(pair) for pair in scene.emphasis]
    facts["subjects"] = list(facts["subjects"])
    return facts


def scene_of(recipe: Mapping[str, Any]) -> Scene:
    """The Scene of a recipe."""
    facts = dict(recipe["scene"])
    facts["forbidden"] = frozenset(facts["forbidden"])
    facts["aspect"] = (int(facts["aspect"][0]), int(facts["aspect"][1]))
    facts["emphasis"] = tuple((str(name), float(factor)) for name, factor in facts["emphasis"])
    facts["subjects"] = tuple(Subject(**subject) for subject in facts["subjects"])
    return Scene(**facts)


def shot_of(recipe: Mapping[str, Any] | None) -> Shot | None:
    """The Shot whose pixels the picture shows; None for pictures from outside and for reworked pixels."""
    return None if not recipe or recipe.get("pixels") else shot_hinted(recipe)


def shot_hinted(recipe: Mapping[str, Any] | None) -> Shot | None:
    """The Shot that a picture came from, even when its pixels were reworked since."""
    if not recipe or recipe.get("engine") != "diorama" or recipe.get("version") != VERSION or "scene" not in recipe:
        return None
    scene, width, height = scene_of(recipe), int(recipe["width"]), int(recipe["height"])
    view = natural_view(scene, width, height)
    if "view" in recipe:
        left, top, right, bottom = (float(edge) for edge in recipe["view"])
        view = View(left, top, right, bottom, width, height)
    grade = tuple(float(number) for number in recipe["grade"]) if "grade" in recipe else None
    return Shot(scene, view, float(recipe.get("exp", 0)), float(recipe.get("detail", 1)), grade)


def words_of(recipe: Mapping[str, Any] | None) -> tuple[tuple[str, float], ...]:
    """The words that asked for a picture."""
    return tuple((str(text), float(weight)) for text, weight in (recipe or {}).get("words", ()))
