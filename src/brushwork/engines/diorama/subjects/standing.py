"""Subjects into the world: the scene's light on them, their shadows and mirror images, haze, and what stands in front.

Takes artwork from sprites.py and a painted world; changes the world's colours in place. Knows nothing of words.
"""

from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from brushwork.engines.diorama.scene import Scene, Subject
from brushwork.engines.diorama.sky.light import Light, to_display, to_light
from brushwork.engines.diorama.subjects.recolour import recoloured
from brushwork.engines.diorama.subjects.sprites import drawn
from brushwork.engines.diorama.words.lexicon import concepts
from brushwork.engines.diorama.worlds.places import PLACES
from brushwork.engines.diorama.worlds.world import World

Field: TypeAlias = NDArray[np.float32]
GLOWS = {
    "fire": (1.0, 0.55, 0.2), "candle": (1.0, 0.72, 0.35), "red lantern": (1.0, 0.35, 0.2),
    "light bulb": (1.0, 0.85, 0.5), "jack-o-lantern": (1.0, 0.55, 0.15), "star": (1.0, 0.85, 0.4),
    "crescent moon": (1.0, 0.92, 0.7), "phoenix": (1.0, 0.5, 0.2), "full moon": (1.0, 0.92, 0.75),
    "crystal ball": (0.6, 0.5, 1.0), "ghost": (0.7, 0.75, 1.0), "fairy": (0.8, 0.95, 1.0), "ufo": (0.6, 1.0, 0.7),
    "jellyfish": (0.5, 0.7, 1.0),
}  # fmt: skip
"""Shine by themselves."""
GRASSY = frozenset({
    "meadow", "hills", "mountains", "flower_field", "lavender_field", "wheat_field", "forest", "autumn_forest",
    "jungle", "village", "castle_grounds", "snow_peaks",
})  # fmt: skip
"""Where blades rise before the feet."""
NEUTRAL = 1.45
"""Irradiance under which artwork looks as it was drawn."""


@dataclass(frozen=True)
class Pose:
    """A subject in pixels: its premultiplied artwork and where it goes."""

    subject: Subject
    picture: Field
    """(h, w, 4)"""
    left: int
    top: int
    feet: float
    """Row where it meets what it stands on."""
    scale: float
    """Pixels per metre at its distance."""
    lifted: float
    """Metres between the ground and its lower edge."""


def paint_subjects(world: World, scene: Scene) -> None:
    """All subjects, far to near, onto the world's colours."""
    rng = np.random.default_rng([scene.seed, 17])
    poses = [posed(subject, world, scene, rng) for subject in sorted(scene.subjects, key=lambda subject: -subject.z)]
    for pose in poses:
        cast_shadow(world, scene, pose)
    for pose in poses:
        paint(world, scene, pose)


def posed(subject: Subject, world: World, scene: Scene, rng: np.random.Generator) -> Pose:
    concept = concepts()[subject.concept]
    artwork = concept.artwork[int(rng.integers(0, len(concept.artwork)))]
    artwork = subject.artwork or artwork
    ground = world.ground(subject.x, subject.z) if PLACES[scene.place].stands not in ("space", "sky") else 0.0
    flying = subject.lift > 0.35 * subject.height and not on_something(subject, scene)
    base = subject.lift if flying else ground + subject.lift
    px, py, scale = world.project(subject.x, base, subject.z)
    rows = world.color.shape[0]
    height = int(np.clip(round(subject.height * scale), 2, rows * 3))
    picture = drawn(artwork, height=height, flip=subject.flip, tilt=subject.tilt)
    if subject.colour:
        picture = recoloured(picture, subject.colour, person=concept.kind == "person")
    middle = py - height / 2
    top = round(middle - picture.shape[0] / 2)
    return Pose(subject, picture, round(px - picture.shape[1] / 2), top, py, scale, max(base - ground, 0.0))


def on_something(subject: Subject, scene: Scene) -> bool:
    """Whether another subject lies right under it, so that it is lifted but does not fly."""
    return any(
        other is not subject
        and abs(other.x - subject.x) < 0.5 * other.height
        and abs(other.z / subject.z - 1) < 0.1
        and other.lift < subject.lift
        for other in scene.subjects
    )


def paint(world: World, scene: Scene, pose: Pose) -> None:
    """One subject: lit, hazed, partly hidden, then mirrored in the water before it."""
    rows, columns = world.color.shape[:2]
    y0, y1 = max(pose.top, 0), min(pose.top + pose.picture.shape[0], rows)
    x0, x1 = max(pose.left, 0), min(pose.left + pose.picture.shape[1], columns)
    if y1 <= y0 or x1 <= x0:
        return
    lit = lit_by(world, scene, pose)
    part = lit[y0 - pose.top : y1 - pose.top, x0 - pose.left : x1 - pose.left]
    depth = world.depth[y0:y1, x0:x1]
    alpha = part[..., 3] * unhidden(depth, pose)
    if pose.lifted < 0.05 * pose.subject.height:
        alpha = alpha * standing_in(world, scene, pose, alpha.shape, y0, x0)
    target = world.color[y0:y1, x0:x1]
    target += (part[..., :3] - target) * alpha[..., None]
    depth[...] = np.where(alpha > 0.5, np.float32(pose.subject.z), depth)
    if world.cover is not None:
        world.cover[y0:y1, x0:x1] += (1 - world.cover[y0:y1, x0:x1]) * alpha
    if not on_something(pose.subject, scene):
        mirror(world, scene, pose, lit)
    if pose.subject.concept in GLOWS:
        glow(world, pose, GLOWS[pose.subject.concept])


def unhidden(depth: Field, pose: Pose) -> Field:
    """0-1: how far the world lets the subject be seen."""
    z = pose.subject.z
    thick = min(0.25 * pose.picture.shape[1] / max(pose.scale, 1e-6), 0.2 * z) + 0.04 * z
    flies = pose.lifted > 0.35 * pose.subject.height  # and passes before crowns and cliffs
    nearest = 0.6 * z if flies else z - thick
    hidden = (depth < nearest).astype(np.float32)
    # What hides it must be a thing, not the ground that rises gently to its feet.
    keep = 1 - cv2.GaussianBlur(hidden, (0, 0), 0.8)
    if pose.lifted < 0.05 * pose.subject.height:
        above = np.clip(
            (pose.feet - (max(pose.top, 0) + np.arange(depth.shape[0]))) / (0.10 * pose.picture.shape[0]), 0, 1
        )
        keep = np.maximum(keep, (1 - above)[:, None] * (depth > 0.72 * z))
    return np.asarray(keep, np.float32)


# ---------------------------------------------------------------- light


def lit_by(world: World, scene: Scene, pose: Pose) -> Field:
    """The artwork under the scene's light: straight colours and alpha, hazed."""
    picture, light = pose.picture, world.light
    alpha = picture[..., 3]
    colours = picture[..., :3] / np.maximum(alpha[..., None], 1e-3)
    if pose.subject.concept in GLOWS or scene.place == "studio":
        shaded = np.clip(colours, 0, 1)
        if scene.place == "studio":
            shaded = shaded * studio_shade(alpha)[..., None]
    else:
        normal = relief(alpha)
        toward = np.array(
            [light.sun[0], -light.sun[1], -light.sun[2]], np.float32
        )  # image axes: x right, y down, z to us
        facing = np.clip(normal @ toward * 0.62 + 0.38, 0, 1)
        sky = np.clip(0.72 - 0.28 * normal[..., 1], 0.3, 1)
        irradiance = sky[..., None] * light.ambient + facing[..., None] * light.sun_colour * 0.9
        irradiance = irradiance + (1 - sky[..., None]) * light.bounce
        seen = seen_light(irradiance, dark=0.34 if scene.place == "cyberpunk" else 0.26)
        shaded = to_display(np.asarray(to_light(np.clip(colours * 0.965, 0, 0.965)) * seen, np.float32))
        shaded = np.clip(shaded + rim(alpha, light, pose), 0, 1)
    if scene.place not in ("space", "studio", "moon"):
        shaded = world.haze(np.asarray(shaded, np.float32), pose.subject.z)
    return np.concatenate([np.asarray(shaded, np.float32), alpha[..., None]], 2)


def seen_light(irradiance: Field, *, dark: float) -> Field:
    """As the eye adapts: nights not too dark, colours of light not too strong."""
    level = np.maximum(irradiance.mean(axis=-1, keepdims=True), 1e-4) / NEUTRAL
    tint = irradiance / NEUTRAL / level
    seen = np.minimum(level**0.72, 1.0 + 0.12 * np.clip(level - 1, 0, 1))
    return np.asarray(np.maximum(seen, dark) * tint**0.62, np.float32)


def relief(alpha: Field) -> Field:
    """Normals of a cushion with this outline: (h, w, 3), x right, y down, z to us."""
    size = max(alpha.shape)
    small = min(1.0, 160 / size)
    low = cv2.resize(alpha, None, fx=small, fy=small, interpolation=cv2.INTER_AREA)
    distance = cv2.distanceTransform((np.pad(low, 1) > 0.5).astype(np.uint8), cv2.DIST_L2, 3)[1:-1, 1:-1]
    height = np.sqrt(np.minimum(distance, 26.0) * 26.0)
    height = cv2.GaussianBlur(height, (0, 0), 3.0)
    dx, dy = cv2.Sobel(height, cv2.CV_32F, 1, 0, ksize=3) / 8, cv2.Sobel(height, cv2.CV_32F, 0, 1, ksize=3) / 8
    normal = np.dstack([-dx, -dy, np.ones_like(dx)])
    normal = np.asarray(cv2.resize(normal, (alpha.shape[1], alpha.shape[0]), interpolation=cv2.INTER_LINEAR))
    return np.asarray(normal / np.linalg.norm(normal, axis=2, keepdims=True), np.float32)


def rim(alpha: Field, light: Light, pose: Pose) -> Field:
    """Light that grazes the edge turned to the sun; strong when the sun stands behind."""
    width = max(1.2, 0.012 * pose.picture.shape[0])
    along = np.array([light.sun[0], -max(float(light.sun[1]), 0.15)], np.float32)
    along = along / np.linalg.norm(along) * width * 1.6
    shift = np.array([[1, 0, -along[0]], [0, 1, -along[1]]], np.float32)
    moved = cv2.warpAffine(alpha, shift, (alpha.shape[1], alpha.shape[0]))
    edge = cv2.GaussianBlur(np.clip(alpha - moved, 0, 1), (0, 0), width * 0.7)
    strength = (0.12 + 0.36 * max(float(light.sun[2]), 0.0)) * (0.3 if pose.subject.concept == "rock" else 1.0)
    colour = (
        light.sun_colour / max(float(light.sun_colour.max()), 1e-3) * min(float(light.sun_colour.max()), 1.6) ** 0.6
    )
    return np.asarray(edge[..., None] * colour * strength, np.float32)


def studio_shade(alpha: Field) -> Field:
    """A soft box from the upper left."""
    normal = relief(alpha)
    return np.asarray(np.clip(0.93 + 0.13 * (normal @ np.array([-0.5, -0.7, 0.5], np.float32)), 0, 1.08), np.float32)


def glow(world: World, pose: Pose, colour: tuple[float, float, float]) -> None:
    """A halo on what is around, stronger in the dark."""
    rows, columns = world.color.shape[:2]
    radius = 0.9 * max(pose.picture.shape[:2])
    cy, cx = pose.top + pose.picture.shape[0] / 2, pose.left + pose.picture.shape[1] / 2
    y = (np.arange(rows, dtype=np.float32) - np.float32(cy))[:, None] / np.float32(radius)
    x = (np.arange(columns, dtype=np.float32) - np.float32(cx))[None, :] / np.float32(radius)
    halo = np.exp(-(x * x + y * y) * 2.2) * (0.42 if world.light.is_night else 0.16)
    world.color += halo[..., None] * np.array(colour, np.float32) * (1 - np.clip(world.color, 0, 1))


# ---------------------------------------------------------------- contact with the world


def standing_in(world: World, scene: Scene, pose: Pose, shape: tuple[int, ...], y0: int, x0: int) -> Field:
    """Alpha that lets blades, snow or ripples cover the lowest part."""
    rows = (y0 + np.arange(shape[0], dtype=np.float32))[:, None]
    height = pose.picture.shape[0]
    concept = concepts()[pose.subject.concept]
    columns = x0 + np.arange(shape[1])
    wet = wet_feet(world, pose)
    if wet > 0.5:
        cut = 0.03 if concept.kind == "boat" else 0.06
        wave = 0.006 * np.sin(columns * (42.0 / max(pose.picture.shape[1], 8)) + pose.subject.x)
        line = pose.feet - height * (cut + wave)
        return np.asarray(
            np.clip(line[None, :] - rows + 0.5, 0, 1) * 0.9 + 0.1 * (rows < pose.feet - height * cut), np.float32
        )
    if scene.place in GRASSY or scene.season == "winter":
        tall = {"lavender_field": 0.22, "wheat_field": 0.26, "flower_field": 0.16, "jungle": 0.14}.get(
            scene.place, 0.09
        )
        blade = max(min(tall * pose.scale, 0.045 * height), 0.02 * height)
        noise = np.random.default_rng([scene.seed, 23, int(abs(pose.subject.x) * 100)])
        if scene.season == "winter":
            edge = cv2.GaussianBlur(noise.random((1, shape[1])).astype(np.float32), (0, 0), 9)[0] * 2 * blade * 0.6
        else:
            fine = cv2.GaussianBlur(noise.random((1, shape[1])).astype(np.float32), (0, 0), max(0.8, blade * 0.12))[0]
            edge = np.clip((fine - fine.mean()) / max(float(fine.std()), 1e-4) * 0.3 + 0.45, 0, 1) ** 1.5 * blade
        return np.asarray(np.clip((pose.feet - edge)[None, :] - rows + 0.5, 0, 1), np.float32)
    return np.ones(shape, np.float32)


def wet_feet(world: World, pose: Pose) -> float:
    """0-1: whether the feet stand in water."""
    rows, columns = world.water.shape
    y = int(np.clip(pose.feet + 0.01 * pose.picture.shape[0], 0, rows - 1))
    x0 = int(np.clip(pose.left + 0.3 * pose.picture.shape[1], 0, columns - 1))
    x1 = int(np.clip(pose.left + 0.7 * pose.picture.shape[1], x0 + 1, columns))
    return float(world.water[max(y - 2, 0) : y + 3, x0:x1].mean())


def mirror(world: World, scene: Scene, pose: Pose, lit: Field, *, ripple: float = 0.0) -> None:
    """The subject upside down in water that lies before it, broken by ripples; `ripple` is how far they have run."""
    rows, columns = world.color.shape[:2]
    gap = pose.lifted * pose.scale
    start = round(pose.feet + gap - (0.05 * pose.picture.shape[0] if gap < 1 else 0))
    height = min(pose.picture.shape[0], rows - start)
    x0, x1 = max(pose.left, 0), min(pose.left + pose.picture.shape[1], columns)
    if height < 2 or start < 0 or x1 <= x0 or scene.place == "underwater":
        return
    mask = world.water[start : start + height, x0:x1]
    if float(mask.max()) < 0.3:
        return
    flipped = np.ascontiguousarray(lit[::-1][:height])
    y = np.arange(height, dtype=np.float32)[:, None]
    rng = np.random.default_rng([scene.seed, 29])
    phase = rng.uniform(0, 6.28, 3)
    calm = 1.6 if scene.weather in ("storm", "windy") else 1.0
    wave = sum(
        np.sin(y * (f / (1 + y * 0.004)) + p + ripple) * a
        for f, p, a in zip((0.55, 0.23, 0.11), phase, (0.6, 1.0, 1.4), strict=True)
    )
    sway = wave * (0.6 + y * 0.02) * calm * (pose.picture.shape[1] / 260 + 0.4)
    grid_x = np.broadcast_to(np.arange(x0 - pose.left, x1 - pose.left, dtype=np.float32), (height, x1 - x0)) + sway
    grid_y = np.broadcast_to(y, grid_x.shape)
    image = cv2.remap(flipped, np.asarray(grid_x, np.float32), np.ascontiguousarray(grid_y), cv2.INTER_LINEAR)
    image = cv2.GaussianBlur(image, (0, 0), sigmaX=0.8, sigmaY=1.6)
    fade = np.clip(1 - y / max(pose.picture.shape[0], 1), 0.15, 1) * 0.58
    nearer = world.depth[start : start + height, x0:x1] <= pose.subject.z * 1.02
    alpha = image[..., 3] * mask * fade * nearer
    target = world.color[start : start + height, x0:x1]
    target += (image[..., :3] * 0.82 - target) * alpha[..., None]


def cast_shadow(world: World, scene: Scene, pose: Pose) -> None:
    """The dark spot under the subject, and its long shadow away from the sun."""
    place = PLACES[scene.place]
    if place.stands in ("space", "sky") or (place.kind == "underwater" and pose.lifted > 0.5 * pose.subject.height):
        return
    contact(world, pose, strength=0.5 if scene.place == "studio" else 0.42)
    sun = world.light.sun
    if scene.place == "studio" or float(sun[1]) < 0.03 or pose.lifted > 4 * pose.subject.height:
        return
    height, z, x = pose.subject.height, pose.subject.z, pose.subject.x
    reach = min(1 / max(float(sun[1]), 0.16), 3.2)
    dx, dz = -float(sun[0]) * reach, -float(sun[2]) * reach
    low, high = pose.lifted, pose.lifted + height
    half = height * pose.picture.shape[1] / pose.picture.shape[0] / 2
    corners = []
    for side, up in ((-1, high), (1, high), (1, low), (-1, low)):
        gz = max(z + up * dz + (0.08 * height if up == low else -0.10 * height * np.sign(sun[2])), z * 0.35)
        gx = x + side * half + up * dx
        px, py, _ = world.project(gx, world.ground(x, z), gz)
        corners.append((px, py - 0.03 * pose.picture.shape[0]))
    lay_shadow(world, pose, np.array(corners, np.float32), strength=shadow_strength(world.light, scene))


def shadow_strength(light: Light, scene: Scene) -> float:
    sun, sky = float(light.sun_colour.mean()) * max(float(light.sun[1]), 0.2), float(light.ambient.mean())
    cloud = {"overcast": 0.25, "rain": 0.2, "fog": 0.2, "storm": 0.25, "snow": 0.3}.get(scene.weather, 1.0)
    return float(np.clip(sun / (sun + sky + 1e-4) * 1.15, 0.1, 0.62)) * cloud


def lay_shadow(world: World, pose: Pose, corners: Field, *, strength: float) -> None:
    """Warp the outline onto the ground and darken what it covers."""
    rows, columns = world.color.shape[:2]
    x0, y0 = np.floor(corners.min(0)).astype(int) - 12
    x1, y1 = np.ceil(corners.max(0)).astype(int) + 12
    x0, y0, x1, y1 = max(x0, 0), max(y0, 0), min(x1, columns), min(y1, rows)
    if x1 - x0 < 3 or y1 - y0 < 3 or abs(cv2.contourArea(corners)) < 8:
        return
    alpha = pose.picture[..., 3]
    h, w = alpha.shape
    source = np.array([[0, 0], [w, 0], [w, h], [0, h]], np.float32)
    shift = corners - np.array([x0, y0], np.float32)
    matrix = cv2.getPerspectiveTransform(source, np.asarray(shift, np.float32))
    shadow = cv2.warpPerspective(alpha, matrix, (x1 - x0, y1 - y0))
    soft = max(1.0, 0.012 * pose.picture.shape[0] + pose.lifted * pose.scale * 0.03)
    shadow = cv2.GaussianBlur(shadow, (0, 0), soft)
    depth = world.depth[y0:y1, x0:x1]
    ground = (np.isfinite(depth) & (depth < pose.subject.z * 3.2) & (depth > pose.subject.z * 0.3)).astype(np.float32)
    dry = 1 - 0.75 * world.water[y0:y1, x0:x1]
    amount = (shadow * ground * dry * strength)[..., None]
    world.color[y0:y1, x0:x1] *= 1 - amount * np.array([1.0, 0.94, 0.82], np.float32)


def contact(world: World, pose: Pose, *, strength: float) -> None:
    """An ellipse of shade where the subject touches, or hovers above, the ground."""
    rows, columns = world.color.shape[:2]
    _, feet, _ = world.project(pose.subject.x, world.ground(pose.subject.x, pose.subject.z), pose.subject.z)
    away = pose.lifted / max(pose.subject.height, 1e-3)
    foot = pose.picture[-max(2, pose.picture.shape[0] // 8) :, :, 3].max(0)
    occupied = np.flatnonzero(foot > 0.3)
    if not occupied.size or away > 2.5:
        return
    cx = pose.left + (occupied[0] + occupied[-1]) / 2
    rx = max((occupied[-1] - occupied[0]) * 0.62, 2.0) * (1 + away)
    ry = max(rx * 0.22, 1.5)
    x0, x1 = int(max(cx - 2.5 * rx, 0)), int(min(cx + 2.5 * rx + 1, columns))
    y0, y1 = int(max(feet - 2.5 * ry, 0)), int(min(feet + 2.5 * ry + 1, rows))
    if x1 <= x0 or y1 <= y0:
        return
    x = (np.arange(x0, x1, dtype=np.float32) - np.float32(cx)) / np.float32(rx)
    y = (np.arange(y0, y1, dtype=np.float32) - np.float32(feet)) / np.float32(ry)
    spot = np.exp(-((x * x)[None, :] + (y * y)[:, None]) * 1.6) * strength / (1 + 3 * away) ** 2
    spot = spot * (1 - 0.6 * world.water[y0:y1, x0:x1]) * np.isfinite(world.depth[y0:y1, x0:x1])
    world.color[y0:y1, x0:x1] *= 1 - np.asarray(spot, np.float32)[..., None] * np.array([1.0, 0.96, 0.88], np.float32)
