"""The full recipe of a picture, as plain JSON, and the way back: the same plan, and with it the same bytes.

Pictures that a row brought are named by their hashes; whoever draws it again brings them again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from PIL.Image import Image

from brushwork import __version__
from brushwork.engines.base import Op, Place, Row
from brushwork.engines.diffusion.pixels import digest
from brushwork.engines.diffusion.plan import Control, Noise, Plan, Seen, Words
from brushwork.engines.diffusion.planning.recipes import recipe_of
from brushwork.engines.diffusion.state import Drawn

SHORT = 6
"""Digits of a noise level after the point: for readers, the plan's numbers are what counts."""


@dataclass(frozen=True)
class Pictures:
    """What a plan brought along, in the sizes in which the plan had it."""

    init: Image | None = None
    mask: Image | None = None
    seen: Sequence[Image] = ()
    control: Image | None = None


NONE = Pictures()


def full_recipe(
    drawn: Drawn, *, sha256: str, policy: Mapping[str, Any], added: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """All that is needed to make the same bytes again. `added`: hashes of what was added to the model, by name."""
    plan = drawn.plan
    return {
        **recipe_of(plan),
        "brushwork": __version__,
        "sha256": sha256,
        "added": dict(added or {}),
        "seed": plan.row.seed,
        "params": {name: value for name, value in plan.row.params.items() if isinstance(value, str | int | float)},
        "applied": dict(plan.applied),
        "sigmas": [round(sigma, SHORT) for sigma in drawn.sigmas],
        "pictures": hashes_of(pictures_of(plan)),
        "control_until": plan.control.until if plan.control else None,
        "policy": dict(policy),
    }


def pictures_of(plan: Plan) -> Pictures:
    seen = tuple(one.image for one in plan.seen)
    return Pictures(plan.init, plan.mask, seen, plan.control.image if plan.control else None)


def hashes_of(pictures: Pictures) -> dict[str, Any]:
    return {
        "init": digest(pictures.init),
        "mask": digest(pictures.mask),
        "seen": [digest(one) for one in pictures.seen],
        "control": digest(pictures.control),
    }


def replay(recipe: Mapping[str, Any], pictures: Pictures = NONE, *, row: Row | None = None) -> Plan:
    """The plan that the recipe was made of. Raises ValueError when its pictures are not these.

    `row` is the one that was drawn; where it had no source, the recipe says enough about it.
    """
    if hashes_of(pictures) != recipe["pictures"]:
        raise ValueError("these are not the pictures that the recipe was made with")
    noise, control = recipe["noise"], recipe["control"]
    row_width, row_height = recipe["size"]
    width, height = recipe["drawn"]
    return Plan(
        row=row
        or Row(
            index=recipe["index"],
            seed=recipe["seed"],
            text=recipe["text"],
            width=row_width,
            height=row_height,
            model=recipe["version"],
            params=recipe["params"],
            op=Op(recipe["op"]),
        ),
        model=recipe["model"],
        texts=tuple(Words(text, weight) for text, weight in recipe["texts"]),
        width=width,
        height=height,
        steps=recipe["steps"],
        noise=Noise(noise["seed"], noise["towards"], noise["amount"]),
        start=recipe["start"],
        stop=recipe["end"],
        guidance=recipe["guidance"],
        guidance_end=recipe["guidance_end"],
        negative=recipe["negative"],
        init=pictures.init,
        mask=pictures.mask,
        seen=tuple(
            Seen(image, one["weight"], one["role"], one["how"])
            for one, image in zip(recipe["seen"], pictures.seen, strict=True)
        ),
        control=Control(
            pictures.control, control["kind"], control["adapter"], control["scale"], recipe["control_until"]
        )
        if control and pictures.control
        else None,
        tile=recipe["tile"],
        panes=recipe["panes"],
        conditioning_noise=recipe["conditioning_noise"],
        push=recipe["push"],
        adapters=tuple((name, weight) for name, weight in recipe["adapters"]),
        part=Place(*recipe["part"]) if recipe["part"] else None,
        applied=recipe["applied"],
        notes=recipe["notes"],
    )
