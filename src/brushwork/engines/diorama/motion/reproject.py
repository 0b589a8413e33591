"""One plate seen from another place near by: every pixel asks where on the plate it lies, from the plate's distances.

The distances are softened at their edges, so that the background stretches a little beside what is near instead of
tearing, and nothing flickers from frame to frame. Two plates, one from before and one from after, hide even that.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from brushwork.engines.diorama.camera import Camera
from brushwork.engines.diorama.motion.plates import Plate
from brushwork.engines.diorama.noise import Field, as_f32

_ROUNDS = 5
"""Corrections of the guess where a pixel lies; each leaves about a fifth of the error."""


@dataclass(frozen=True)
class Sight:
    """Where the pixels of a camera lie on a plate."""

    plate: Plate
    x: Field
    y: Field
    seen: Field
    """(H, W) 0-1: whether the plate reaches there."""


def softened(inverse: Field) -> Field:
    """1 / metres, with edges that reach over what is near and are soft."""
    unit = min(inverse.shape) / 480
    size = max(3, round(4 * unit)) | 1
    return as_f32(cv2.GaussianBlur(cv2.dilate(inverse, np.ones((size, size), np.uint8)), (0, 0), 1.6 * unit))


def sight_of(plate: Plate, camera: Camera, soft: Field) -> Sight:
    """Pixels of `camera` on `plate`. `soft` are the plate's softened distances."""
    there = plate.camera
    ratio, slope = camera.columns()[None, :], camera.rows()[:, None]
    dx, dz = np.float32(camera.x - there.x), np.float32(camera.z - there.z)
    dy = np.float32(camera.eye - there.eye)
    shape = (camera.view.height, camera.view.width)
    x = np.broadcast_to(there.column_of(ratio), shape)
    y = np.broadcast_to(there.row_of(slope), shape)
    if dx or dy or dz:
        for _ in range(_ROUNDS):
            near = cv2.remap(soft, as_f32(x), as_f32(y), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            ahead = 1 - dz * near
            x = there.column_of(ratio * ahead + dx * near)
            y = there.row_of(slope * ahead + dy * near)
    h, w = plate.inverse.shape
    inside = np.minimum(np.minimum(x + 1, w - x), np.minimum(y + 1, h - y))
    seen = np.clip(inside * np.float32(1 / 8), 0, 1)
    return Sight(plate, as_f32(x), as_f32(y), as_f32(seen))


def moved(sights: list[Sight], shares: list[float], camera: Camera, lean: Field | None) -> Plate:
    """The plate of `camera`, mixed from what is seen of one or two others. `lean`: how far things bend to the right,
    in parts of their `bend`.
    """
    weights = _weights(sights, shares)
    main = sights[0] if shares[0] >= shares[-1] else sights[-1]
    bent = [_bent(sight, lean) for sight in sights]

    def mixed(name: str, way: int = cv2.INTER_LINEAR) -> Field | None:
        """A layer out of all sights; one after the other, for little memory."""
        out: Field | None = None
        for sight, x, weight in zip(sights, bent, weights, strict=True):
            layer = getattr(sight.plate, name)
            if layer is None:
                return None
            part = cv2.remap(layer, x, sight.y, way, borderMode=cv2.BORDER_REPLICATE)
            if weight is not None:
                part *= weight[..., None] if part.ndim == 3 else weight
            out = part if out is None else np.add(out, part, out=out)
        return None if out is None else as_f32(out)

    def colours(name: str) -> Field | None:
        """Sharp, and never below nothing or above all of what is seen past it."""
        layer = mixed(name, cv2.INTER_CUBIC)
        if layer is not None:
            np.maximum(layer, 0, out=layer)
            np.minimum(layer[..., 3], 1, out=layer[..., 3])
        return layer

    def exact(name: str) -> Field | None:
        """From one plate only, and from its very pixels."""
        layer = getattr(main.plate, name)
        if layer is None:
            return None
        return as_f32(cv2.remap(layer, main.x, main.y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE))

    dz = np.float32(camera.z - main.plate.camera.z)

    def distances(name: str) -> Field | None:
        found = exact(name)
        return None if found is None else as_f32(found / np.maximum(1 - dz * found, 0.05))

    far, inverse = colours("far"), distances("inverse")
    assert far is not None
    assert inverse is not None
    return Plate(
        camera,
        far,
        inverse,
        main.plate.bend,
        near=colours("near"),
        back=distances("back"),
        bed=mixed("bed"),
        mask=mixed("mask"),
        glow=mixed("glow"),
        cell=exact("cell"),
    )


def _weights(sights: list[Sight], shares: list[float]) -> list[Field | None]:
    """How much each sight counts, by pixel; nothing to weigh where there is one."""
    if len(sights) == 1:
        return [None]
    amounts = [(sight.seen + np.float32(1e-4)) * np.float32(share) for sight, share in zip(sights, shares, strict=True)]
    whole = amounts[0] + amounts[1]
    return [as_f32(amount / whole) for amount in amounts]


def _bent(sight: Sight, lean: Field | None) -> Field:
    """Columns on the plate, after what is flexible has bent."""
    if lean is None or not sight.plate.bend.any():
        return sight.x
    bend = cv2.remap(sight.plate.bend, sight.x, sight.y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return as_f32(sight.x - bend * lean)
