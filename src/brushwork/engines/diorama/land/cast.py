"""From a height function to the picture: which spot of the land each pixel sees. Knows nothing of colour.

Every pixel column is a vertical plane. The land is sampled along it at some hundred growing distances, all columns at
once; the running maximum of the slopes says what each sample hides, and one count per pixel finds the first sample
that reaches it.
"""

from dataclasses import dataclass

import numpy as np

from brushwork.engines.diorama.camera import Camera
from brushwork.engines.diorama.land.terrain import Land
from brushwork.engines.diorama.noise import Field, as_f32


@dataclass(frozen=True)
class Seen:
    """What the pixels see. (H, W) each; where `hit` is False there is sky."""

    hit: "np.ndarray[tuple[int, ...], np.dtype[np.bool_]]"
    z: Field
    """Distance along the view axis, metres; inf for sky."""
    edge: Field
    """Slope of the nearest ridge below which the pixel's spot peeps out; for smooth silhouettes."""
    top: Field
    """(W,) slope of the skyline."""


def distances(camera: Camera, land: Land, detail: float) -> Field:
    """The sampling distances (N,): geometric, with extra ones where the large forms stand."""
    fineness = float(np.clip((camera.scale / 512) ** 0.6 * detail**0.5, 0.4, 1.7))
    height = max(camera.eye - (land.water or 0.0), 0.5)
    start = min(max(height * 0.35, 0.3), 120.0)
    near = np.geomspace(start, land.far, int(540 * fineness))
    low, high = land.big
    extra = np.geomspace(max(low, start), high, int(400 * fineness))
    return as_f32(np.unique(np.concatenate([near, extra])))


def cast(camera: Camera, land: Land, *, detail: float = 1.0) -> Seen:
    """First hits for every pixel of the camera's window."""
    z = distances(camera, land, detail)[:, None]
    ratio = camera.columns()[None, :]
    far = np.broadcast_to(z + np.float32(camera.z), (z.shape[0], ratio.shape[1]))
    high = land.height(ratio * z + np.float32(camera.x), far)
    if land.water is not None:
        high = np.maximum(high, np.float32(land.water))
    slope = (high - np.float32(camera.eye)) / z  # (N, W)
    horizon = np.maximum.accumulate(slope, axis=0)
    rows = camera.rows()
    H, W = rows.size, ratio.shape[1]
    pitch = np.float32((rows[0] - rows[-1]) / max(H - 1, 1))
    # A sample with horizon m is first seen in row ceil((rows[0] - m) / pitch).
    first = np.clip(np.ceil((rows[0] - horizon) / pitch), 0, H).astype(np.int32)
    counts = np.bincount((first * W + np.arange(W, dtype=np.int32)[None, :]).ravel(), minlength=(H + 1) * W).reshape(
        H + 1, W
    )
    del first
    index = z.shape[0] - np.cumsum(counts[:H], axis=0, dtype=np.int32)  # samples that are not yet high enough
    hit = index < z.shape[0]
    k = np.minimum(index, z.shape[0] - 1)
    before = np.maximum(k - 1, 0)
    del counts, index
    s1 = np.take_along_axis(slope, k, 0)
    s0 = np.take_along_axis(slope, before, 0)
    edge = np.take_along_axis(horizon, before, 0)
    z1, z0 = z[:, 0][k], z[:, 0][before]
    p = rows[:, None]
    below = (s0 - p) * z0  # metres of the ray above the land at the sample before, negated
    above = (s1 - p) * z1
    t = np.clip(-below / np.maximum(above - below, 1e-6), 0, 1)
    depth = np.where(hit, z0 + (z1 - z0) * t, np.float32(np.inf))
    return Seen(hit, as_f32(depth), as_f32(edge), as_f32(horizon[-1]))
