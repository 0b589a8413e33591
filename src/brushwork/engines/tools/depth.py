"""How near each pixel of any picture is, for moving through it: an order with gaps, no metres."""

import numpy as np
from PIL import Image

from brushwork.engines.tools.guided import enlarged
from brushwork.engines.tools.matting_depth import NEAR, looked_at, opaque
from brushwork.engines.tools.network import Floats

REACH, SMOOTHNESS = 3, 1e-3
ENDS = (0.01, 0.99)
"""Shares of the picture that become 0 and 1."""
FLAT = 0.05
"""A smaller difference between the ends says that there is no depth to speak of, and is not blown up to one."""


def nearness(image: Image.Image, *, threads: int | None = None) -> Floats:
    """(H, W) 0..1, as 1 / distance grows: 1 is the nearest, 0 the sky."""
    colours, _ = opaque(image)
    small, answer = looked_at(colours, threads=threads)
    near = answer[NEAR] ** 2  # it was trained on the root
    low, high = (float(end) for end in np.quantile(near, ENDS))
    near = (near - np.float32(low)) / np.float32(max(high - low, FLAT))
    large = enlarged(near, small, colours, reach=REACH, smoothness=SMOOTHNESS)
    return np.clip(large, 0, 1, out=large)
