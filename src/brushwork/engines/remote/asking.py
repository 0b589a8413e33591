"""A row as a request in OpenAI's words, and what of the row such a request cannot say.

Knows no HTTP: fields and files only.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from PIL.Image import Image

from brushwork.engines.base import Op, Role, Row
from brushwork.engines.diffusion.options import RemoteOptions
from brushwork.engines.remote.pictures import canvas_of, mask_of, png_of
from brushwork.engines.remote.servers import Server

MULTIPLE, MAX_SIDE = 16, 2048
DRAFT = 0.5
"""Share of the steps with --draft."""
NOT_OURS = frozenset({"fast", "turbo", "relax", "version", "v"})
"""Said to the queue or to the catalog, not to an engine."""
ALWAYS_MET = frozenset({"ar", "raw"})
"""By the size that is asked for, and by saying nothing that was not said."""
EDITED = frozenset({Op.VARY, Op.INPAINT, Op.BLEND, Op.RETEXTURE})
ROLES: Mapping[Role, tuple[str, str]] = {
    "image": ("image", "based on image {}"),
    "style": ("sref", "in the style of image {}"),
    "character": ("cref", "with the person in image {}"),
    "omni": ("oref", "with the subject of image {}"),
}
"""Role → prompt parameter, and how it is said to a model that looks at pictures."""
KEEP_SHAPES = (
    "Keep the shapes, the composition and the camera of the picture, and change what everything is made of: {}"
)
BLEND_ALL = "One new picture that blends all of these pictures. {}"
SLIGHT, STRONG = "A slight variation of this picture. {}", "A free variation of this picture. {}"
SLIGHT_BELOW = 0.5


@dataclass(frozen=True)
class Asked:
    """One request."""

    path: str
    fields: Mapping[str, Any]
    files: tuple[tuple[str, bytes], ...] = ()
    """(field, PNG), for edits."""
    applied: Mapping[str, str] = field(default_factory=dict)
    degraded: tuple[str, ...] = ()


def asked(row: Row, *, model: str, server: Server, options: RemoteOptions) -> Asked:
    """The request that asks for the row, as well as such a server can be asked."""
    width, height = size_of(row, server)
    looked_at = pictures_of(row, options)
    sent, met, lost = extensions(row, server, options)
    fields: dict[str, Any] = {
        "prompt": words_of(row, server, looks=bool(looked_at)),
        "n": 1,
        "size": f"{width}x{height}",
    }
    if model:
        fields["model"] = model
    if server.asks_format:
        fields["response_format"] = "b64_json"
    shown = {ROLES[one.role][0] for one in row.references if one.role in ROLES}
    if looked_at:
        met |= dict.fromkeys(shown, "emulated")
    degraded = tuple(dict.fromkeys([*lost, *unmet(row, met, () if looked_at else sorted(shown))]))
    if not looked_at:
        return Asked("/v1/images/generations", fields | sent, applied=met, degraded=degraded)
    files = [("image" if len(looked_at) == 1 else "image[]", png_of(image)) for image in looked_at]
    if row.op is Op.INPAINT and row.mask is not None:
        files.append(("mask_image" if "mask_image" in server.fields else "mask", png_of(mask_of(row))))
    return Asked("/v1/images/edits", fields | sent, tuple(files), met, degraded)


def unmet(row: Row, met: Mapping[str, str], shown: Iterable[str]) -> list[str]:
    """Parameters that were said, and shown, but that the request does not carry."""
    said = [name for name, value in row.params.items() if value not in (None, False, "", ())]
    carried = met.keys() | ALWAYS_MET | NOT_OURS
    return [f"parameter:{name}" for name in (*said, *shown) if name not in carried]


def pictures_of(row: Row, options: RemoteOptions) -> list[Image]:
    """What an edit model is to look at; nothing when words must do."""
    if row.op is Op.BLEND or (row.op is Op.TEXT_TO_IMAGE and options.edits):
        return [reference.source.image for reference in row.references]
    return [canvas_of(row)] if row.op in EDITED else []


def words_of(row: Row, server: Server, *, looks: bool) -> str:
    """The prompt, with what has no field of its own said in words."""
    text = ", ".join(part for part, weight in row.segments if weight > 0) or row.text
    if row.op is Op.TEXT_TO_IMAGE and looks:
        said = [
            ROLES[one.role][1].format(place) for place, one in enumerate(row.references, start=1) if one.role in ROLES
        ]
        text = ", ".join([text, *said])
    if row.op is Op.VARY and "strength" not in server.fields:
        text = (SLIGHT if row.strength < SLIGHT_BELOW else STRONG).format(text)
    text = {Op.RETEXTURE: KEEP_SHAPES, Op.BLEND: BLEND_ALL}.get(row.op, "{}").format(text).strip()
    unwanted = negatives_of(row)
    if unwanted and "negative_prompt" not in server.fields:
        text = f"{text}. Without {', '.join(unwanted)}."
    return text


def negatives_of(row: Row) -> list[str]:
    return [*row.negative, *(text for text, weight in row.segments if weight < 0)]


def extensions(row: Row, server: Server, options: RemoteOptions) -> tuple[dict[str, Any], dict[str, str], list[str]]:
    """Fields beyond OpenAI's own; the parameters that are met by them, and how; what is lost for want of a field."""
    has = server.fields.__contains__
    sent: dict[str, Any] = {}
    met: dict[str, str] = {}
    lost: list[str] = []
    if has("seed"):
        sent["seed"] = seed_of(row)
        met |= named(row, "seed")
    if negatives_of(row):
        if has("negative_prompt"):
            sent["negative_prompt"] = ", ".join(negatives_of(row))
        met["no"] = "native" if has("negative_prompt") else "emulated"
    if has("num_inference_steps") and options.steps:
        sent["num_inference_steps"] = steps_of(row, options.steps)
        met |= named(row, "quality", "draft")
    if has("guidance_scale") and options.guidance:
        sent["guidance_scale"] = options.guidance
    if row.op is Op.VARY and has("strength"):
        sent["strength"] = round(row.strength, 4)
    if any(weight not in (0, 1) for _, weight in row.segments if weight > 0):
        lost.append("parameter:weights")
    return sent, met, lost


def named(row: Row, *names: str) -> dict[str, str]:
    return {name: "native" for name in names if row.params.get(name) not in (None, False)}


def steps_of(row: Row, usual: int) -> int:
    share = float(row.params.get("quality") or 1) * (DRAFT if row.params.get("draft") else 1)
    return max(1, round(usual * share))


def seed_of(row: Row) -> int:
    """Of this picture: the grid's seed and its index, mixed. 31 bits, which every server takes."""
    mixed = hashlib.blake2b(f"{row.seed}/{row.index}".encode(), digest_size=4).digest()
    return int.from_bytes(mixed, "big") >> 1


def size_of(row: Row, server: Server) -> tuple[int, int]:
    """What is asked for: the row's size in multiples that servers draw, or the nearest shape that this one has."""
    ratio = row.width / row.height
    if server.sizes:
        return min(server.sizes, key=lambda size: apart(size[0] / size[1], ratio))
    scale = min(1.0, MAX_SIDE / max(row.width, row.height))
    return multiple(row.width * scale), multiple(row.height * scale)


def apart(one: float, other: float) -> float:
    return max(one / other, other / one)


def multiple(side: float) -> int:
    """Up, so that a picture is cut rather than stretched."""
    return min(MAX_SIDE, max(MULTIPLE, -(-int(side) // MULTIPLE) * MULTIPLE))


def strings(fields: Mapping[str, Any]) -> dict[str, str]:
    """Fields as a form has them."""
    return {name: str(value) for name, value in fields.items()}


def told(fields: Mapping[str, Any], leave_out: Iterable[str] = ("n", "response_format")) -> dict[str, Any]:
    """What of a request belongs into a recipe."""
    return {name: value for name, value in fields.items() if name not in leave_out}
