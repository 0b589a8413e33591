"""Enlarge what was found out about a small picture so that its edges lie where the large picture has them.

A guided filter (He, Sun and Tang, 2010): around each pixel of the small picture, the values are explained as a linear
function of the three colours; the functions are enlarged, and applied to the large picture. Knows no network.
"""

import cv2
import numpy as np

from brushwork.engines.tools.network import Floats

Bytes = np.ndarray[tuple[int, ...], np.dtype[np.uint8]]


def enlarged(values: Floats, small: Floats, large: Bytes, *, reach: int, smoothness: float) -> Floats:
    """(h, w) values of the small picture (h, w, 3) 0..1 → (H, W) values of the large one, (H, W, 3) bytes.

    `reach` in pixels of the small picture; with more `smoothness`, only stronger edges of the colours count.
    """
    slopes, offset = explained(values, small, reach=reach, smoothness=smoothness)
    size = (large.shape[1], large.shape[0])
    result = as_large(offset, size)
    for channel in range(3):  # one at a time: a large picture's memory counts
        result += as_large(slopes[..., channel], size) * (large[..., channel] * np.float32(1 / 255))
    return result


def explained(values: Floats, small: Floats, *, reach: int, smoothness: float) -> tuple[Floats, Floats]:
    """(h, w, 3) slopes and (h, w) offset of values ≈ slopes · colours + offset, averaged over the neighbourhood."""
    mean_colour, mean_value = mean(small, reach), mean(values, reach)
    together = mean(small * values[..., None], reach) - mean_colour * mean_value[..., None]
    products = mean((small[..., :, None] * small[..., None, :]).reshape(*values.shape, 9), reach)
    spread = products.reshape(*values.shape, 3, 3) - mean_colour[..., :, None] * mean_colour[..., None, :]
    spread += np.float32(smoothness) * np.eye(3, dtype=np.float32)
    slopes = np.linalg.solve(spread, together[..., None])[..., 0].astype(np.float32)
    offset = mean_value - (slopes * mean_colour).sum(-1)
    return mean(slopes, reach), mean(offset, reach)


def mean(field: Floats, reach: int) -> Floats:
    """Over the square that reaches so far from each pixel. Any number of channels."""
    side = 2 * reach + 1
    planes = field.reshape(*field.shape[:2], -1)
    blurred = [cv2.blur(np.ascontiguousarray(planes[..., k]), (side, side)) for k in range(planes.shape[2])]
    return np.asarray(np.stack(blurred, -1).reshape(field.shape), np.float32)


def as_large(field: Floats, size: tuple[int, int]) -> Floats:
    return np.asarray(cv2.resize(field, size, interpolation=cv2.INTER_LINEAR), np.float32)
