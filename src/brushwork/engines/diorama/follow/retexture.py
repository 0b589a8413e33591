"""The shapes of a picture with other materials: gold, ice, wood, stone, neon …, a style, or the look of a place.

A material is a ramp of colours over light and shade, a relief that catches light, and a grain; the picture's edges and
tones stay. Words without a material paint their own picture, whose colours and grain the shapes then take. Knows no
Scene but that one.
"""

import re
from collections.abc import Sequence

import cv2
import numpy as np

from brushwork.engines.base import Row
from brushwork.engines.diorama.drawing import as_colours, paint_shot
from brushwork.engines.diorama.follow import pixels
from brushwork.engines.diorama.follow.materials import NAMES, Material, Ramp
from brushwork.engines.diorama.looks import brushes
from brushwork.engines.diorama.looks.brushes import luma
from brushwork.engines.diorama.looks.styles import Sheet, styled
from brushwork.engines.diorama.noise import Field, texture
from brushwork.engines.diorama.recipe import natural_shot, without_scene
from brushwork.engines.diorama.rows import Made, OnPass, scene_for, source_of, understood, words
from brushwork.engines.diorama.subjects.recolour import COLOURS


def retextured(row: Row, tell: OnPass) -> Made:
    """The source in the material, style or place of the row's words."""
    tell("material")
    source = pixels.covering(as_colours(source_of(row).image), row.width, row.height)
    material, asked = material_in(row.text), understood(row)
    strength = float(np.clip(row.params.get("stylize", 100) / 1000, 0, 1)) if row.params else 0.1
    if material:
        picture = cast_in(source, material, seed=row.seed + row.index)
    elif asked.style and asked.style != "none":
        picture = source
    elif asked.place or asked.mentions or asked.time or asked.weather or asked.season:
        shot = natural_shot(scene_for(row), row.width, row.height)
        picture = dressed(source, paint_shot(shot, on_pass=tell))
    else:
        colours = [np.array(COLOURS[asked.palette], np.float32)] if asked.palette in COLOURS else hues(row)
        picture = tinted_by(source, colours, seed=row.seed + row.index)
    if asked.style and asked.style != "none":
        tell("style")
        picture = in_style(picture, asked.style, seed=row.seed + row.index, strength=0.35 + 0.65 * strength)
    recipe = without_scene(row.width, row.height, words=words(row))
    return Made(picture, recipe, {"retexture": "emulated"})


def material_in(text: str) -> Material | None:
    """The first material that the words name."""
    return next((NAMES[word] for word in re.findall(r"[a-z]+", text.lower()) if word in NAMES), None)


# ---------------------------------------------------------------- materials


def cast_in(picture: Field, material: Material, *, seed: int) -> Field:
    """Every form made of the material."""
    unit = brushes.unit_of(picture)
    grey = levelled(luma(picture))
    form = brushes.blurred(luma(brushes.smoothed(picture, unit=unit)), 1.2 * unit)
    grain = grained(picture, material, seed, unit)
    tone = grey * 0.86 + 0.07 + (grain - 0.5) * np.float32(material.amount * 1.6)
    height = form * np.float32(70 * unit) + grain * np.float32(26 * unit * material.amount)
    slope_x, slope_y = cv2.Sobel(height, cv2.CV_32F, 1, 0) / 8, cv2.Sobel(height, cv2.CV_32F, 0, 1) / 8
    tone = tone - np.tanh(slope_x * 0.5 + slope_y * 0.8) * np.float32(0.16 * material.relief)
    out = coloured(np.asarray(tone, np.float32), material.ramp)
    own = pixels.to_lab(picture)
    lab = pixels.to_lab(out)
    lab[..., 1:] += own[..., 1:] * np.float32(material.keep)
    out = pixels.from_lab(lab)
    if material.gloss:
        shine = np.exp(-((slope_x + 0.35) ** 2 + (slope_y + 0.45) ** 2) * 9) * (grey > 0.12)
        bands = 0.5 + 0.5 * np.sin(form * 22 + slope_y * 3)
        light = (0.5 * shine + 0.16 * bands * grey) * np.float32(material.gloss)
        out = 1 - (1 - out) * (
            1 - np.clip(light, 0, 0.8)[..., None] * coloured(np.full((1, 1), 0.97, np.float32), material.ramp)
        )
    return np.asarray(np.clip(out, 0, 1), np.float32)


def levelled(grey: Field) -> Field:
    """The whole range of tones used, details of dull parts lifted."""
    low, high = np.quantile(grey[::4, ::4], (0.01, 0.99))
    even = np.clip((grey - low) / max(float(high - low), 0.08), 0, 1)
    clahe = cv2.createCLAHE(clipLimit=1.6, tileGridSize=(4, 4)).apply((even * 255).astype(np.uint8))
    return np.asarray(even * 0.6 + clahe.astype(np.float32) / 255 * 0.4, np.float32)


def coloured(tone: Field, ramp: Ramp) -> Field:
    """Colours of a ramp at tones 0..1."""
    stops = np.array([[int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)] for colour in ramp], np.float32)
    at = np.linspace(0, 1, len(ramp))
    return np.stack([np.interp(tone, at, stops[:, channel]) for channel in range(3)], -1).astype(np.float32)


def grained(picture: Field, material: Material, seed: int, unit: float) -> Field:
    """(H, W) about 0..1: the grain, drawn out along the forms where the material has fibres."""
    height, width = picture.shape[:2]
    rng = np.random.default_rng([seed, 103])
    oy, ox = rng.integers(0, 1024, 2)
    noise = texture(material.grain)
    plane = noise[..., 1] if material.grain == "cells" else noise[..., 0] if noise.ndim == 3 else noise
    step = (
        np.float32(1024 / (material.size * 8 * unit))
        if material.grain != "cells"
        else np.float32(1024 / (material.size * 2.2 * unit))
    )
    y, x = np.mgrid[:height, :width].astype(np.float32)
    if material.stretch > 1:
        angle = float(rng.uniform(-0.25, 0.25))
        bend = brushes.blurred(luma(picture), 10 * unit) * np.float32(60 * unit)
        across = y * np.float32(np.cos(angle)) + x * np.float32(np.sin(angle)) + bend
        along = (x * np.float32(np.cos(angle)) - y * np.float32(np.sin(angle))) / np.float32(material.stretch)
        x, y = along, across
    u, v = (x * step + ox) % 1024, (y * step + oy) % 1024
    looked = cv2.remap(
        plane, np.asarray(u, np.float32), np.asarray(v, np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP
    )
    return np.asarray(np.clip(looked, 0, 1), np.float32)


# ---------------------------------------------------------------- looks


def dressed(picture: Field, look: Field) -> Field:
    """The picture's forms in the colours of another picture, light for light and height for height, with its grain."""
    own, other = pixels.to_lab(picture), pixels.to_lab(look)
    tone = levelled(luma(picture))
    order = np.argsort(other[..., 0], axis=None, kind="stable")
    sorted_ = other.reshape(-1, 3)[order]
    steps = np.array([part.mean(0) for part in np.array_split(sorted_, 48)], np.float32)
    at = np.linspace(0, 1, len(steps))
    by_light = np.stack([np.interp(tone, at, steps[:, channel]) for channel in range(3)], -1).astype(np.float32)
    side = min(picture.shape[:2])
    by_place = pixels.broad(other, side / 9)
    lab = by_light.copy()
    lab[..., 1:] = 0.6 * by_light[..., 1:] + 0.6 * by_place[..., 1:] + 0.10 * own[..., 1:]
    lab[..., 0] = 0.72 * (tone * 92 + 4) + 0.28 * by_light[..., 0]
    fine = other - pixels.broad(other, side / 60)
    busy = np.clip(1 - 6 * pixels.edge_map(picture), 0.25, 1)[..., None]
    return pixels.from_lab(np.asarray(lab + fine * 0.45 * busy, np.float32))


def hues(row: Row) -> list[Field]:
    """Two colours that stand for words which mean nothing to the painter: always the same for the same words."""
    rng = np.random.default_rng([*row.text.lower().encode(), 7])
    names = sorted(COLOURS)
    return [np.array(COLOURS[names[int(pick)]], np.float32) for pick in rng.choice(len(names), 2, replace=False)]


def tinted_by(picture: Field, colours: Sequence[Field], *, seed: int) -> Field:
    """Shade, the colours and light as a ramp, on a soft relief."""
    ramp = ["#101014", *("#" + "".join(f"{int(c * 255):02x}" for c in colour) for colour in colours), "#fffaf0"]
    stuff = Material(tuple(ramp), relief=1.2, gloss=0.4, grain="soft", amount=0.10, keep=0.15)
    return cast_in(picture, stuff, seed=seed)


def in_style(picture: Field, style: str, *, seed: int, strength: float) -> Field:
    depth = np.full(picture.shape[:2], 20.0, np.float32)
    sheet = Sheet(seed=seed % 2**31, strength=strength, unit=brushes.unit_of(picture), depth=depth, focus=0.0)
    return styled(picture, style, sheet)
