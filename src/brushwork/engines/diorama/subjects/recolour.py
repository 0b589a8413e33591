"""A colour word for a thing: its main colour is replaced, its shading, eyes and highlights stay. Knows nothing of
scenes.
"""

from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

Field: TypeAlias = NDArray[np.float32]

COLOURS: dict[str, tuple[float, float, float]] = {
    "red": (0.88, 0.13, 0.14), "orange": (0.97, 0.52, 0.10), "yellow": (0.99, 0.82, 0.16), "gold": (0.93, 0.70, 0.22),
    "green": (0.24, 0.66, 0.28), "teal": (0.10, 0.66, 0.66), "blue": (0.16, 0.40, 0.90), "purple": (0.54, 0.26, 0.82),
    "pink": (0.98, 0.48, 0.70), "brown": (0.50, 0.31, 0.19), "black": (0.13, 0.13, 0.15), "white": (0.96, 0.96, 0.97),
    "grey": (0.55, 0.56, 0.59), "silver": (0.76, 0.79, 0.84),
}  # fmt: skip
"""Colour word → the colour itself."""
SKIN = (4, 26)
"""Hues (of 180) that a person's skin may have; never recoloured on people."""


def recoloured(picture: Field, colour: str, *, person: bool = False) -> Field:
    """Premultiplied RGBA in another main colour."""
    alpha = picture[..., 3]
    rgb = np.clip(picture[..., :3] / np.maximum(alpha[..., None], 1e-3), 0, 1)
    part = main_part(np.asarray(rgb, np.float32), alpha, person=person)
    light = rgb @ np.array([0.30, 0.55, 0.15], np.float32)
    weight = part * alpha
    middle = float((light * weight).sum() / max(float(weight.sum()), 1e-3))
    shade = light / max(middle, 0.05)
    target = np.array(COLOURS[colour], np.float32)
    # Shade below the middle darkens the colour; above it, it goes towards white.
    dark = np.clip(shade, 0, 1)[..., None] ** (0.75 if colour in ("white", "silver") else 1.0)
    bright = np.clip((shade - 1) * 0.55, 0, 0.6)[..., None]
    painted = target * (0.22 + 0.78 * dark)
    painted = painted + (1 - painted) * bright
    out = rgb + (painted - rgb) * part[..., None]
    return np.concatenate([out * alpha[..., None], alpha[..., None]], 2).astype(np.float32)


def main_part(rgb: Field, alpha: Field, *, person: bool) -> Field:
    """0-1 for every pixel: whether it bears the main colour."""
    hsv = cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2HSV)  # hue 0..360
    hue, saturation, value = hsv[..., 0] / 2, hsv[..., 1], hsv[..., 2]
    weight = saturation * value * (alpha > 0.5)
    if person:
        rows = np.arange(alpha.shape[0])[:, None] / alpha.shape[0]
        skin = (hue > SKIN[0]) & (hue < SKIN[1]) & (saturation < 0.62)
        weight = weight * (rows > 0.42) * ~skin
    coloured = float(weight.sum()) / max(float((alpha > 0.5).sum()), 1.0)
    if coloured < (0.05 if person else 0.13):  # a grey thing: all but the very dark
        part = np.clip((value - 0.22) / 0.12, 0, 1)
        return np.asarray(
            part * (np.arange(alpha.shape[0])[:, None] > 0.42 * alpha.shape[0]) if person else part, np.float32
        )
    histogram, _ = np.histogram(hue, bins=36, range=(0, 180), weights=weight)
    smooth = histogram + 0.6 * (np.roll(histogram, 1) + np.roll(histogram, -1))
    main = (int(smooth.argmax()) + 0.5) * 5
    distance = np.abs((hue - main + 90) % 180 - 90)
    part = (
        np.clip((24 - distance) / 8, 0, 1)
        * np.clip((saturation - 0.06) / 0.10, 0, 1)
        * np.clip((value - 0.12) / 0.1, 0, 1)
    )
    if person:
        part = part * np.clip((np.arange(alpha.shape[0])[:, None] / alpha.shape[0] - 0.40) / 0.05, 0, 1)
    return np.asarray(cv2.GaussianBlur(part.astype(np.float32), (0, 0), 0.8), np.float32)
