"""The pictures that a prompt names: image URLs in front, `--sref`, `--cref`, `--oref`. As wishes, then as references.

Both lists have the same order, so that what was fetched is found again. Style codes and `random` name no picture; they
stay parameters.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from brushwork.engines.base import Reference, Role, Source
from brushwork.prompts.prompt import Prompt
from brushwork.tasks.base import Outcome
from brushwork.tasks.sources import FromUrl

LOOKED_AT = 1536
"""Pixels of a reference's longer side: more would not be seen in what is drawn like it."""


@dataclass(frozen=True)
class Kind:
    """A parameter that names pictures, and the one that weighs them."""

    param: str
    role: Role
    weight: str
    """100 is normal."""


KINDS = (Kind("sref", "style", "sw"), Kind("cref", "character", "cw"), Kind("oref", "omni", "ow"))


@dataclass(frozen=True)
class Named:
    """A picture as the prompt names it."""

    url: str
    role: Role
    weight: float


def named_in(prompt: Prompt) -> list[Named]:
    weight = float(prompt.params.get("iw", 1.0))
    found = [Named(url, "image", weight) for url in prompt.image_urls]
    for kind in KINDS:
        weight = prompt.params.get(kind.weight, 100) / 100
        items = prompt.params.get(kind.param, ())
        found += [Named(item.url, kind.role, weight * item.weight) for item in items if item.url]
    return found


def wanted_by(prompt: Prompt, *, field: str) -> list[FromUrl]:
    """What has to be there before the prompt can be drawn."""
    return [FromUrl(named.url, field) for named in named_in(prompt)]


def references_of(prompt: Prompt, pictures: Sequence[Source]) -> tuple[Reference, ...]:
    """The pictures of `wanted_by`, with what each is for."""
    return tuple(
        Reference(named.role, modest(picture), named.weight)
        for named, picture in zip(named_in(prompt), pictures, strict=True)
    )


def modest(picture: Source) -> Source:
    """A picture that is only to be resembled, at a size at which several fit into memory."""
    width, height = picture.image.size
    scale = LOOKED_AT / max(width, height)
    if scale >= 1:
        return picture
    return replace(picture, image=picture.image.resize((max(1, round(width * scale)), max(1, round(height * scale)))))


def without_references(prompt: Prompt) -> dict[str, Any]:
    """The parameters that are left when the pictures have become references."""
    params = dict(prompt.params)
    if prompt.image_urls:
        params.pop("iw", None)
    for kind in KINDS:
        items = params.get(kind.param, ())
        rest = tuple(item for item in items if not item.url)
        if len(rest) == len(items):
            continue
        if rest:
            params[kind.param] = rest
        else:
            del params[kind.param]
            params.pop(kind.weight, None)
    return params


def weighed(outcome: Outcome, params: Mapping[str, Any]) -> Outcome:
    """What became of the weights that were asked for: the same as of the pictures that they weigh."""
    applied, degraded = dict(outcome.applied), list(outcome.degraded)
    for kind in KINDS:
        unmet = f"parameter:{kind.weight}"
        if kind.weight not in params or kind.weight in applied or unmet in degraded:
            continue
        if kind.param in applied:
            applied[kind.weight] = applied[kind.param]
        elif f"parameter:{kind.param}" in degraded:
            degraded.append(unmet)
    return replace(outcome, applied=applied, degraded=degraded)
