"""One plate seen from another place near by: every pixel asks where on the plate it lies, from the plate's distances.

The distances are softened at their edges, so that the background stretches a little beside what is near instead of
tearing, and nothing flickers from frame to frame. Two plates, one from before and one from after, hide even that.
"""

from dataclasses import dataclass, replace

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
    parts = [_taken(sight, camera, lean) for sight in sights]
    if len(parts) == 1:
        return parts[0]
    amounts = [(sight.seen + np.float32(1e-4)) * np.float32(share) for sight, share in zip(sights, shares, strict=True)]
    weights = [as_f32(amount / (amounts[0] + amounts[1])) for amount in amounts]

    def mixed(name: str) -> Field | None:
        layers = [getattr(part, name) for part in parts]
        if any(layer is None for layer in layers):
            return None
        out = np.zeros_like(layers[0])
        for layer, weight in zip(layers, weights, strict=True):
            out += layer * (weight[..., None] if layer.ndim == 3 else weight)
        return as_f32(out)

    main = parts[0] if shares[0] >= shares[1] else parts[1]
    far = mixed("far")
    assert far is not None
    return replace(
        main,
        far=far,
        near=mixed("near"),
        glow=mixed("glow"),
        mask=mixed("mask"),
        bed=mixed("bed"),
    )


def _taken(sight: Sight, camera: Camera, lean: Field | None) -> Plate:
    plate = sight.plate
    x, y = sight.x, sight.y

    def look(layer: Field, way: int) -> Field:
        return as_f32(cv2.remap(layer, x, y, way, borderMode=cv2.BORDER_REPLICATE))

    bend = look(plate.bend, cv2.INTER_LINEAR) if lean is not None else plate.bend
    if lean is not None:
        x = as_f32(x - bend * lean)
    dz = np.float32(camera.z - plate.camera.z)

    def inverse_of(layer: Field | None) -> Field | None:
        if layer is None:
            return None
        found = cv2.remap(layer, sight.x, sight.y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)
        return as_f32(found / np.maximum(1 - dz * found, 0.05))

    def colours(layer: Field | None) -> Field | None:
        return None if layer is None else np.maximum(look(layer, cv2.INTER_CUBIC), 0)

    far, near = colours(plate.far), colours(plate.near)
    inverse = inverse_of(plate.inverse)
    assert far is not None
    assert inverse is not None
    for layer in (far, near):
        if layer is not None:
            np.minimum(layer[..., 3], 1, out=layer[..., 3])
    return Plate(
        camera,
        far,
        inverse,
        bend,
        near=near,
        back=inverse_of(plate.back),
        bed=None if plate.bed is None else look(plate.bed, cv2.INTER_LINEAR),
        mask=None if plate.mask is None else look(plate.mask, cv2.INTER_LINEAR),
        glow=None if plate.glow is None else look(plate.glow, cv2.INTER_LINEAR),
        cell=None
        if plate.cell is None
        else as_f32(cv2.remap(plate.cell, sight.x, sight.y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)),
    )
