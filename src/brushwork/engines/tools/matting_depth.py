"""The network that matting and depth share, and how a picture of any size is shown to it.

Trained by `training/matting_depth`. What it is and how well it does: models/README.md. Knows no task and no engine.
"""

import cv2
import numpy as np
from PIL import Image

from brushwork.engines.tools.network import Floats, Network, run

Bytes = np.ndarray[tuple[int, ...], np.dtype[np.uint8]]

MATTING_DEPTH = Network(
    name="brushwork-matting-depth",
    file="matting_depth.onnx",
    purpose="alpha of the subject, and nearness",
    licence="Apache-2.0",
    origin="training/matting_depth",
    parameters=3_586_794,
    sha256="db04e8fceb834bf83dc40c03fe62b58b7320eebb2b27c5da6b08ab805d112e48",
    bits=16,
)
ALPHA, NEAR = 0, 1
"""Channels of what it answers."""
SIDE = 256
"""Of the longer side as the network sees it: larger shows it finer edges, and less of what the subject is."""
STEP = 32
"""Sides are multiples of it."""
PAPER = 128
"""Grey under what is transparent."""


def looked_at(colours: Bytes, *, side: int = SIDE, threads: int | None = None) -> tuple[Floats, Floats]:
    """(H, W, 3) → the small picture that the network saw, (h, w, 3), and its answer, (2, h, w). All 0..1."""
    small = cv2.resize(colours, size_for(colours, side), interpolation=cv2.INTER_AREA).astype(np.float32) / np.float32(
        255
    )
    answer = run(MATTING_DEPTH, np.ascontiguousarray(small.transpose(2, 0, 1)[None]), threads=threads)[0]
    return small, answer


def size_for(colours: Bytes, side: int) -> tuple[int, int]:
    """Width and height to show it in: close to its shape."""
    height, width = colours.shape[:2]
    scale = side / max(height, width)
    across, down = (max(2 * STEP, round(length * scale / STEP) * STEP) for length in (width, height))
    return across, down


def opaque(image: Image.Image) -> tuple[Bytes, Floats | None]:
    """Its colours over grey paper, and its own alpha where it has any."""
    if not image.has_transparency_data:
        return np.asarray(image.convert("RGB")), None
    picture = image.convert("RGBA")
    paper = Image.new("RGBA", picture.size, (PAPER, PAPER, PAPER, 255))
    paper.alpha_composite(picture)
    alpha = np.asarray(picture.getchannel("A"), np.float32) / np.float32(255)
    return np.asarray(paper.convert("RGB")), alpha
