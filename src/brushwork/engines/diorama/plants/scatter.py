"""Planting the world: where trees, tufts, flowers and stones stand, and how they are set into the picture.

Every layer is an endless jittered grid on the ground; what grows in a cell depends on the cell and the seed alone. So
a moved or wider window finds the same plants. They are painted from far to near, with the haze and shadow of their
spot.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from brushwork.engines.diorama.camera import Camera
from brushwork.engines.diorama.land.terrain import Land
from brushwork.engines.diorama.noise import Field, Grain, as_f32, hash01, smooth
from brushwork.engines.diorama.plants.planting import LANDMARKS, Layer, layers_of
from brushwork.engines.diorama.plants.wardrobe import Wardrobe
from brushwork.engines.diorama.scene import Scene
from brushwork.engines.diorama.sky.light import Light

# ---------------------------------------------------------------- colours


# ---------------------------------------------------------------- where things stand


@dataclass(frozen=True)
class Stand:
    """Things that stand in the picture, far to near: arrays (n,)."""

    kind: "np.ndarray[tuple[int, ...], np.dtype[np.int32]]"
    """Index into `kinds`."""
    x: Field
    y: Field
    z: Field
    size: Field
    draw: Field
    """A random number 0..1 each, for variant, tint and flip."""
    tone: Field
    """Brightness of its patch of ground, about 1."""
    kinds: tuple[str, ...]


def stand_of(kind: str, things: list[tuple[float, float, float, float]]) -> Stand:
    """Things of one kind on level ground, from (x, z, height, random number), far to near."""
    x, z, size, draw = as_f32(things).reshape(-1, 4).T
    zero = np.zeros_like(x)
    return Stand(zero.astype(np.int32), x, zero, z, size, draw, zero + 1, (kind,))


def _cells(camera: Camera, layer: Layer, seed: int) -> tuple[Field, Field, Field, Field]:
    """Filled and empty cells of a layer in the camera's wedge: jittered x, z and two random numbers each."""
    ratio_low, ratio_high = camera.view.left / camera.focal, camera.view.right / camera.focal
    margin = layer.size[1] * 1.2 + layer.cell
    near = layer.near if camera.z <= 0 else max(layer.near, camera.z - layer.cell)
    j0, j1 = int(near / layer.cell), int((layer.far + max(camera.z, 0)) / layer.cell) + 1
    columns, rows = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for row in range(j0, j1):  # one row of cells at a time: the wedge is narrow in front
        far_edge = max((row + 1) * layer.cell - camera.z, 0.0)
        first = int(np.floor((camera.x + ratio_low * far_edge - margin) / layer.cell))
        last = int(np.ceil((camera.x + ratio_high * far_edge + margin) / layer.cell))
        columns.append(np.arange(first, last))
        rows.append(np.full(last - first, row))
    i, j = np.concatenate(columns), np.concatenate(rows)
    x = (i + hash01(i, j, seed)) * np.float32(layer.cell)
    z = (j + hash01(i, j, seed + 1)) * np.float32(layer.cell)
    return as_f32(x), as_f32(z), hash01(i, j, seed + 2), hash01(i, j, seed + 3)


def place_things(scene: Scene, camera: Camera, grain: Grain, land: Land, *, amount: float, smallest: float) -> Stand:
    """Everything that stands, far to near. `smallest`: things of fewer pixels are left out."""
    wanted = frozenset(name for name, _ in scene.emphasis)
    layers = [layer for layer in layers_of(scene.place, wanted) if layer.name not in scene.forbidden]
    landmark = LANDMARKS.get(scene.place)
    if landmark and landmark[1] in scene.forbidden:
        landmark = None
    kinds = tuple(sorted({layer.kind for layer in layers} | ({landmark[0]} if landmark else set())))
    table = [np.zeros((7, 0), np.float32)]
    for index, layer in enumerate(layers):
        seed = (scene.growth_seed * 31 + index * 7919) % (2**31)
        found = _grown(scene, camera, grain, land, layer, seed, amount=amount, smallest=smallest)
        table.append(np.concatenate([np.full((1, found.shape[1]), kinds.index(layer.kind), np.float32), found]))
    if landmark:
        table.append(
            as_f32([[kinds.index(landmark[0])], *([value] for value in _landmark(scene, land, landmark)), [1.0]])
        )
    whole = np.concatenate(table, axis=1)
    whole = whole[:, np.lexsort((whole[5], -whole[3]))]
    kind, x, y, z, size, draw, tone = whole
    x, z = x - np.float32(camera.x), z - np.float32(camera.z)
    return Stand(kind.astype(np.int32), x, y, z, size, draw, tone, kinds)


def _grown(
    scene: Scene, camera: Camera, grain: Grain, land: Land, layer: Layer, seed: int, *, amount: float, smallest: float
) -> Field:
    """What grows of one layer: rows x, y, z, size, random number, tone of (6, n)."""
    x, z, keep, draw = _cells(camera, layer, seed)
    if layer.row > 0:
        x, z = _on_rows(scene, x, z, layer.row)
    patch = grain.at("soft", x, z, layer.patch_size * 8, 600 + sum(layer.kind.encode()) % 50)
    dense = smooth(0.42, 0.60, patch[..., 0]) * layer.patches + (1 - layer.patches)
    factor = float(dict(scene.emphasis).get(layer.name, 1.0))
    here = keep < layer.share * dense * factor * (amount if amount < 1 else min(amount**0.4, 1.6))
    away = z - np.float32(camera.z)
    here &= (z > layer.near) & (away < layer.far) & (np.abs(x) > layer.clear * z + layer.clear * 14)
    size = layer.size[0] + (layer.size[1] - layer.size[0]) * (draw * 7.77 % 1) * (0.6 + 0.4 * patch[..., 1])
    size = as_f32(size * (0.5 + 0.5 * min(factor, 1.6)))
    here &= (away > _AT_THE_LENS) | (camera.z == 0)
    here &= size / camera.footprint(np.maximum(away, np.float32(_AT_THE_LENS))) > smallest
    x, z, draw, size = x[here], z[here], draw[here], size[here]
    y = land.height(x, z)
    tone = 0.82 + 0.36 * grain.at("soft", x, z, 210, 301)[..., 0]
    found = np.stack([x, y - layer.sunk * size, z, size, draw, tone])
    if land.water is not None:
        found = found[:, (y - land.water > layer.shore[0]) & (y - land.water < layer.shore[1])]
    return as_f32(found)


_AT_THE_LENS = 0.8
"""What a moving camera comes nearer to than this is not drawn, metres."""


def _landmark(
    scene: Scene, land: Land, landmark: tuple[str, str, float, float]
) -> tuple[float, float, float, float, float]:
    """x, y, z, size and random number of the place's landmark: off the middle, on its own ground."""
    rng = np.random.default_rng([scene.seed, 650])
    z = landmark[2] * float(rng.uniform(0.9, 1.15))
    x = z * float(rng.uniform(0.05, 0.22)) * (1 if rng.random() < 0.5 else -1)
    y = float(land.height(as_f32([[x]]), as_f32([[z]]))[0, 0])
    return x, y - 1.5, z, landmark[3], float(rng.random())


def split(stand: Stand, distance: float) -> tuple[Stand, Stand]:
    """What stands farther, and what nearer."""
    far = stand.z > distance
    return tuple(  # type: ignore[return-value]  # two, by construction
        Stand(
            stand.kind[m], stand.x[m], stand.y[m], stand.z[m], stand.size[m], stand.draw[m], stand.tone[m], stand.kinds
        )
        for m in (far, ~far)
    )


def _on_rows(scene: Scene, x: Field, z: Field, row: float) -> tuple[Field, Field]:
    """Move things into the rows that the ground shows (see `ground._lavender`)."""
    turn = float(np.random.default_rng([scene.seed, 365]).uniform(-0.28, 0.28))
    across = (x - z * turn) / row
    frac = across - np.floor(across)
    inward = np.where(frac < 0.5, frac * 0.5, 1 - (1 - frac) * 0.5)
    return as_f32((np.floor(across) + inward) * row + z * turn), z


# ---------------------------------------------------------------- painting


FLEXIBLE = {
    "tuft": 0.13, "meadow_tuft": 0.15, "daisy": 0.12, "poppy": 0.13, "tulip": 0.08, "spike": 0.10, "wheat": 0.12,
    "fern": 0.07, "reed": 0.10, "sunflower": 0.05, "bush": 0.025, "broadleaf": 0.016, "birch": 0.020, "pine": 0.010,
    "palm": 0.022, "dead_tree": 0.006, "kelp": 0.10, "sea_fan": 0.05, "coral": 0.0,
}  # fmt: skip
"""How far a kind's tip bends in a breeze, in parts of its height; others stand still."""


@dataclass
class Traces:
    """What painting things leaves besides colours."""

    through: Field
    """(H, W, 1): how much of what was behind is still seen."""
    bend: Field
    """(H, W): pixels that a breeze moves the thing here to the side."""

    def note(self, kind: str, cover: Field, box: tuple[int, int, int, int], foot: float, height: int) -> None:
        left, top, right, bottom = box
        self.through[top:bottom, left:right] *= 1 - cover
        up = np.clip((foot - np.arange(top, bottom, dtype=np.float32)) / np.float32(max(height, 1)), 0, 1)
        reach = as_f32(FLEXIBLE.get(kind, 0.0) * height * up * np.sqrt(up))[:, None]
        region = self.bend[top:bottom, left:right]
        np.copyto(region, np.broadcast_to(reach, region.shape), where=cover[..., 0] > 0.35)


def paint_things(
    picture: Field,
    depth: Field,
    shadow: Field,
    stand: Stand,
    wardrobe: Wardrobe,
    *,
    camera: Camera,
    fog: Field,
    share: Field,
    traces: Traces | None = None,
) -> None:
    """Paint what stands into picture and depth, in place. `fog` (W, 3) and `share` (n,): haze colour by column,
    amount by thing. `traces` notes what a clip needs to know besides.
    """
    H, W = depth.shape
    tall = stand.size / camera.footprint(stand.z)
    px = camera.column_of(stand.x / stand.z)
    py = camera.row_of((stand.y - np.float32(camera.eye)) / stand.z)
    for n in _visible(px, py, tall, W, H):
        kind = stand.kinds[int(stand.kind[n])]
        cut = wardrobe.pick(kind, float(stand.draw[n]), float(tall[n]))
        h, w = cut.height, cut.width
        x0, y0 = round(float(px[n]) - w / 2), round(float(py[n])) - h + 1
        left, top, right, bottom = max(x0, 0), max(y0, 0), min(x0 + w, W), min(y0 + h, H)
        if left >= right or top >= bottom:
            continue
        z = stand.z[n]
        behind = depth[top:bottom, left:right]
        open_ = behind > z * np.float32(0.96) - np.float32(0.25)
        if not open_.any():
            continue
        if kind in _CASTS and h > 14:
            spot = float(px[n]), float(py[n]), w, float(z), float(stand.y[n])
            _ground_shadow(picture, depth, *spot, camera, wardrobe.light)
            if traces is not None:
                _ground_shadow(traces.through, depth, *spot, camera, wardrobe.light)
        part = wardrobe.window(cut, left - x0, top - y0, right - x0, bottom - y0)
        cover = part[..., 3:]
        foot_x, foot_y = min(max(int(px[n]), 0), W - 1), min(max(int(py[n]), 0), H - 1)
        bright = stand.tone[n] * (0.55 + 0.45 * shadow[foot_y, foot_x])
        f = share[n]
        colour = part[..., :3] * (bright * (1 - f)) + cover * (fog[foot_x] * f)
        if not open_.all():
            cover = cover * open_[..., None]
            colour = colour * open_[..., None]
        region = picture[top:bottom, left:right]
        region *= 1 - cover
        region += colour
        behind[cover[..., 0] > 0.5] = z
        if traces is not None:
            traces.note(kind, cover, (left, top, right, bottom), float(py[n]), h)


_CASTS = frozenset(
    ("broadleaf", "birch", "pine", "palm", "bush", "cottage", "castle", "rock", "cactus", "dead_tree", "mushroom")
)


def _ground_shadow(
    picture: Field, depth: Field, px: float, py: float, width: int, z: float, y: float, camera: Camera, light: Light
) -> None:
    """Darken the ground under and behind a thing: a soft ellipse, stretched away from the sun."""
    H, W = depth.shape
    flat = min(max((camera.eye - y) / z, 0.02), 0.5)  # how much the ground is foreshortened there
    long = min(0.35 / max(float(light.sun[1]), 0.18), 1.6)
    rx, ry = width * 0.42, max(width * 0.42 * flat * (1 + long), 1.5)
    cx = px - float(light.sun[0]) * long * width * 0.30
    cy = py + float(light.sun[2]) * long * width * 0.42 * flat
    x0, x1, y0, y1 = (
        max(int(cx - rx * 1.6), 0),
        min(int(cx + rx * 1.6) + 1, W),
        max(int(cy - ry * 1.6), 0),
        min(int(cy + ry * 1.6) + 1, H),
    )
    if x0 >= x1 or y0 >= y1:
        return
    dx = ((np.arange(x0, x1, dtype=np.float32) - np.float32(cx)) / np.float32(rx)) ** 2
    dy = ((np.arange(y0, y1, dtype=np.float32) - np.float32(cy)) / np.float32(ry)) ** 2
    shade = np.exp(-(dy[:, None] + dx[None, :]) * np.float32(1.4)) * np.float32(0.42)
    near = depth[y0:y1, x0:x1]
    shade *= np.abs(near - np.float32(z)) < np.float32(0.45 * z)
    picture[y0:y1, x0:x1] *= (1 - shade)[..., None]


def _visible(px: Field, py: Field, tall: Field, W: int, H: int) -> Iterator[int]:
    half = tall * 1.15
    seen = (px + half > 0) & (px - half < W) & (py > 0) & (py - tall < H)
    return iter(np.flatnonzero(seen).tolist())
