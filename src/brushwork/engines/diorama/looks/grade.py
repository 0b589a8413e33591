"""After the world and its subjects: mood of colour, what `--weird`, `--stop` and `--exp` do to all of it, the style.

Works on display colours. The order is: palette, weird, stop, style, exp. Knows neither words nor geometry.
"""

from collections.abc import Callable, Mapping

import cv2
import numpy as np

from brushwork.engines.diorama.looks import brushes
from brushwork.engines.diorama.looks.brushes import Field, luma
from brushwork.engines.diorama.looks.styles import Sheet, styled
from brushwork.engines.diorama.scene import Scene
from brushwork.engines.diorama.subjects.recolour import COLOURS


def finished(
    picture: Field,
    depth: Field,
    scene: Scene,
    *,
    exp: float = 0.0,
    unit: float | None = None,
    frame: tuple[float, float, float, float] | None = None,
) -> Field:
    """The picture as it is handed over, clipped to 0..1. `unit` and `frame` say how large the natural picture would be
    and where it lies, when this is another window of it.
    """
    out = np.asarray(np.clip(picture, 0, 1), np.float32)
    unit = unit or brushes.unit_of(out)
    if scene.palette:
        mood = in_mood(out, scene.palette)
        share = 0.45 if scene.palette in ("dark", "black") and scene.time in ("night", "midnight") else 1.0
        out = np.asarray(out + (mood - out) * np.float32(share), np.float32)  # nights are dark enough
    if scene.weird > 0:
        out = made_weird(out, scene)
    if scene.stop < 1:
        out = unfinished(out, scene)
    margin = round(48 * unit) if scene.tile else 0
    if margin:  # strokes run over the seam
        out = np.pad(out, ((margin, margin), (margin, margin), (0, 0)), mode="wrap")
        depth = np.pad(depth, margin, mode="wrap")
    out = styled(out, scene.style, sheet_for(scene, depth, unit, frame))
    if exp > 0:
        out = explored(out, exp, unit)
    if margin:
        out = seamless(np.ascontiguousarray(out[margin:-margin, margin:-margin]), max(2, round(24 * unit)))
    return np.asarray(np.clip(out, 0, 1), np.float32)


def sheet_for(scene: Scene, depth: Field, unit: float, frame: tuple[float, float, float, float] | None) -> Sheet:
    return Sheet(
        seed=scene.seed,
        strength=float(np.sqrt(scene.stylize)),
        unit=unit,
        depth=depth,
        focus=min((subject.z for subject in scene.subjects), default=0.0) if not scene.tile else 0.0,
        has_edges=not scene.tile,
        frame=frame,
    )


def tinted(
    picture: Field, shadows: tuple[float, float, float], lights: tuple[float, float, float], amount: float
) -> Field:
    """Colours drawn towards a ramp from one colour to another, lightness kept."""
    grey = luma(picture)[..., None]
    ramp = np.array(shadows, np.float32) * (1 - grey) + np.array(lights, np.float32) * grey
    ramp = ramp * (grey / np.maximum(luma(np.asarray(ramp, np.float32))[..., None], 1e-3))
    return np.asarray(np.clip(picture + (ramp - picture) * np.float32(amount), 0, 1), np.float32)


MOODS: Mapping[str, Callable[[Field], Field]] = {
    "pastel": lambda p: np.asarray(
        brushes.saturated(p, 0.78) * 0.68 + np.array([0.30, 0.275, 0.29], np.float32), np.float32
    ),
    "warm": lambda p: tinted(brushes.saturated(p, 1.1), (0.42, 0.24, 0.20), (1.0, 0.86, 0.62), 0.34),
    "cold": lambda p: tinted(p, (0.14, 0.22, 0.42), (0.80, 0.92, 1.0), 0.38),
    "dark": lambda p: brushes.contrasted(
        tinted(
            brushes.vignette(np.asarray(p**1.28 * 0.92, np.float32), 0.5), (0.10, 0.14, 0.22), (0.86, 0.86, 0.80), 0.32
        ),
        0.3,
    ),
    "vibrant": lambda p: brushes.saturated(brushes.contrasted(p, 0.22), 1.75),
    "dreamy": lambda p: tinted(
        brushes.bloom(p, 0.5, brushes.unit_of(p), threshold=0.6), (0.36, 0.24, 0.46), (1.0, 0.88, 0.94), 0.26
    ),
    "teal_orange": lambda p: tinted(brushes.contrasted(p, 0.2), (0.02, 0.30, 0.38), (1.0, 0.78, 0.52), 0.42),
}
"""Mood → how it grades."""


def in_mood(picture: Field, palette: str) -> Field:
    """A mood's own grade, or a duotone of a colour word."""
    mood = MOODS.get(palette)
    if mood:
        return mood(picture)
    r, g, b = COLOURS[palette]
    light = (min(1.0, 0.55 + 0.5 * r), min(1.0, 0.55 + 0.5 * g), min(1.0, 0.55 + 0.5 * b))
    amount = {"black": 0.5, "white": 0.35, "grey": 0.5}.get(palette, 0.62)
    base = np.asarray(picture**1.5, np.float32) if palette == "black" else picture
    return tinted(base, (0.5 * r + 0.02, 0.5 * g + 0.02, 0.5 * b + 0.04), light, amount)


def made_weird(picture: Field, scene: Scene) -> Field:
    """Hues wander off in patches, and the world bends."""
    w, unit = scene.weird, brushes.unit_of(picture)
    rng = np.random.default_rng([scene.seed, 47])
    turn = float(rng.choice([-1, 1]) * rng.uniform(40, 130)) * min(1.0, 0.15 + w)
    patches = brushes.noise(picture.shape[:2], scene.seed + 3, 110 * unit)
    hsv = cv2.cvtColor(np.clip(picture, 0, 1), cv2.COLOR_RGB2HSV)
    hsv[..., 0] = (hsv[..., 0] + turn * np.clip(0.4 + 0.7 * patches, 0, 1.4)) % 360
    hsv[..., 1] = np.clip(hsv[..., 1] * (1 + 0.35 * w), 0, 1)
    swapped = cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)
    out = picture + (swapped - picture) * np.float32(min(1.0, 0.2 + 0.9 * w))
    return brushes.warped(np.asarray(out, np.float32), scene.seed + 11, reach=30 * w * unit, size=70 * unit)


def unfinished(picture: Field, scene: Scene) -> Field:
    """Stopped early: the blocking-in of a painting, soft and with few details, colours still thin."""
    left, unit = 1 - scene.stop, brushes.unit_of(picture)
    soft = brushes.blurred(picture, (1.0 + 14 * left**1.6) * unit)
    strokes = brushes.warped(soft, scene.seed + 13, reach=14 * left * unit, size=9 * unit)
    out = picture + (strokes - picture) * np.float32(min(1.0, 0.35 + left * 1.1))
    grey = luma(np.asarray(out, np.float32))[..., None]
    return np.asarray(out + (grey * 0.7 + 0.22 - out) * np.float32(0.25 * left), np.float32)


def explored(picture: Field, amount: float, unit: float) -> Field:
    """`--exp`: local contrast, sparkle and colour, beyond what looks natural at 100."""
    wide = brushes.blurred(picture, 14 * unit)
    out = picture + (picture - wide) * np.float32(0.9 * amount)
    out = brushes.saturated(np.asarray(np.clip(out, 0, 1), np.float32), 1 + 0.55 * amount)
    out = brushes.contrasted(out, 0.35 * amount)
    return brushes.bloom(out, 0.35 * amount, unit, threshold=0.7)


def seamless(picture: Field, width: int) -> Field:
    """What the style still left of a seam is blended away within `width` pixels of the border."""
    out = picture
    for axis in (0, 1):
        view = out if axis == 0 else out.transpose(1, 0, 2)
        first, last = view[:1].copy(), view[-1:].copy()
        middle = (first + last) / 2
        ramp = ((1 - (np.arange(width, dtype=np.float32) + 0.5) / width) ** 2)[:, None, None]
        view[:width] += (middle - first) * ramp
        view[-width:] += (middle - last) * ramp[::-1]
    return out
