"""A foreign picture a little otherwise: forms shift, light and colours turn, a brush goes over it. Knows no Scene."""

import math

import cv2
import numpy as np

from brushwork.engines.diorama.follow.pixels import from_lab, to_lab
from brushwork.engines.diorama.looks import brushes
from brushwork.engines.diorama.noise import Field


def retouched(picture: Field, strength: float, *, seed: int, index: int) -> Field:
    """The farther from the picture, the stronger; another one for each index."""
    rng = np.random.default_rng([seed, 89, index])
    out = reframed(picture, strength, rng)
    out = bent(out, strength, rng)
    out = relit(out, strength, rng)
    unit = brushes.unit_of(picture)
    soft = brushes.smoothed(out, unit=unit, passes=2, range_=0.05 + 0.1 * strength)
    painted = brushes.along(soft, brushes.flow(soft, sigma=3 * unit), reach=(1 + 7 * strength) * unit, samples=3)
    fine = out - brushes.blurred(out, 2.0 * unit)
    share = np.float32(min(0.25 + strength, 0.8))
    return np.asarray(np.clip(out + (painted + 0.55 * fine - out) * share, 0, 1), np.float32)


def reframed(picture: Field, strength: float, rng: np.random.Generator) -> Field:
    """Seen from a step aside: mirrored when far, a bit nearer, a bit turned, never beyond the border."""
    height, width = picture.shape[:2]
    mirrored = strength >= 0.3 and rng.random() < 0.5
    angle = math.radians(float(rng.uniform(-1, 1)) * 7 * strength)
    zoom = (
        1 + 0.03 + float(rng.uniform(0.1, 0.45)) * strength + abs(math.sin(angle)) * max(width / height, height / width)
    )
    slack_x, slack_y = (1 - 1 / zoom) * width / 2, (1 - 1 / zoom) * height / 2
    cx = width / 2 + float(rng.uniform(-0.5, 0.5)) * slack_x
    cy = height / 2 + float(rng.uniform(-0.5, 0.5)) * slack_y
    c, s = math.cos(angle) / zoom, math.sin(angle) / zoom
    sign = -1.0 if mirrored else 1.0
    matrix = np.array(
        [
            [sign * c, -s, cx - sign * c * width / 2 + s * height / 2],
            [sign * s, c, cy - sign * s * width / 2 - c * height / 2],
        ]
    )
    out = cv2.warpAffine(
        picture, matrix, (width, height), flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REFLECT
    )
    return np.asarray(np.clip(out, 0, 1), np.float32)


def bent(picture: Field, strength: float, rng: np.random.Generator) -> Field:
    """Forms drift smoothly by up to a few hundredths of the picture."""
    side, seed = min(picture.shape[:2]), int(rng.integers(2**31))
    return brushes.warped(picture, seed, reach=(0.008 + 0.05 * strength) * side, size=side / 9)


def relit(picture: Field, strength: float, rng: np.random.Generator) -> Field:
    """Light from another side, colours a little warmer or colder, more or less vivid."""
    height, width = picture.shape[:2]
    lab = to_lab(picture)
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
    turn = float(rng.uniform(0, 2 * math.pi))
    slope = x * np.float32(math.cos(turn)) + y * np.float32(math.sin(turn))
    lab[..., 0] *= 1 + slope * np.float32(0.04 + 0.22 * strength) + np.float32(rng.uniform(-0.12, 0.12) * strength)
    hue = math.radians(float(rng.uniform(-1, 1)) * (4 + 30 * strength))
    gain = 1 + float(rng.uniform(-0.25, 0.45)) * strength
    a, b = lab[..., 1].copy(), lab[..., 2].copy()
    lab[..., 1] = (a * math.cos(hue) - b * math.sin(hue)) * gain + np.float32(rng.uniform(-10, 10) * strength)
    lab[..., 2] = (a * math.sin(hue) + b * math.cos(hue)) * gain + np.float32(rng.uniform(-14, 14) * strength)
    return from_lab(lab)
