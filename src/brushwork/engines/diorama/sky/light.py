"""The light of a scene: sun or moon, sky gradient, fog and exposure, from time, weather, place and seed.

Inside the painter colours are *light*: linear and open-ended. `to_display` is the only tone curve, and palettes are
written as display colours, so that a palette's colour is what the eye finally sees. Knows nothing of geometry.
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np

from brushwork.engines.diorama.noise import Field, as_f32
from brushwork.engines.diorama.scene import Scene


def to_display(light: Field) -> Field:
    """Linear light (..., 3) → display colour 0..1: a soft shoulder, then gamma."""
    shape = light.shape
    flat = np.ascontiguousarray(np.maximum(light, 0), dtype=np.float32).reshape(-1, shape[-1])
    np.negative(flat, out=flat)  # one copy only: this is the whole picture
    cv2.exp(flat, flat)
    np.subtract(1, flat, out=flat)
    return as_f32(cv2.pow(flat, 1 / 2.2, flat).reshape(shape))


def to_light(display: Field) -> Field:
    """Inverse of `to_display`, for palettes."""
    return as_f32(-np.log(1 - np.clip(display, 0, 0.992) ** 2.2))


def hexes(*codes: str) -> Field:
    """Display colours written as "#rrggbb" → light: (n, 3)."""
    values = [[int(code[i : i + 2], 16) / 255 for i in (1, 3, 5)] for code in codes]
    return to_light(as_f32(values))


def hex_light(code: str) -> Field:
    return as_f32(hexes(code)[0])


@dataclass(frozen=True)
class Light:
    """What shines on the scene. All colours are linear light, (3,)."""

    sun: Field
    """Unit vector towards the sun or moon."""
    sun_colour: Field
    """Irradiance of the sun or moon on a surface facing it."""
    ambient: Field
    """Irradiance from the whole sky."""
    bounce: Field
    """Irradiance from below."""
    zenith: Field
    middle: Field
    horizon: Field
    glow: Field
    """Colour that surrounds the sun."""
    glow_strength: float
    fog_colour: Field
    fog_distance: float
    """Metres after which 63 % of a thing's colour is fog."""
    mist: float
    """0-1: low mist in the valleys."""
    cloud_cover: float
    cloud_lit: Field
    cloud_dark: Field
    stars: float
    exposure: float
    is_night: bool
    sun_disc: float
    """Angular radius of the disc in radians; 0 hides it."""


# zenith, middle, horizon, glow, sun (display); elevation and azimuth from..to in degrees (0 = straight ahead);
# power of the sun, strength of the glow, stars

_Sky = tuple[str, str, str, str, str, float, float, float, float, float, float]
SKIES: dict[str, tuple[_Sky, ...]] = {
    "dawn": (
        ("#5689c4", "#a9b3d2", "#ffdfb4", "#ffbf86", "#ffc694", 6, 8, 26, 1.7, 0.75, 0.0),
        ("#659bd0", "#c9bfd0", "#ffe6c4", "#ffcc9c", "#ffd0a0", 7, 10, 30, 1.8, 0.65, 0.0),
        ("#44699f", "#8f96c6", "#ffc9a8", "#ffa583", "#ffb98c", 5, 5, 24, 1.5, 0.80, 0.06),
    ),
    "morning": (
        ("#3f81cf", "#8cbdea", "#eaf0ea", "#fff0cf", "#ffedcd", 24, 40, 70, 2.3, 0.45, 0.0),
        ("#4a8ad2", "#9ccbe9", "#fbefdb", "#ffeabb", "#ffe6bd", 20, 32, 60, 2.3, 0.55, 0.0),
    ),
    "noon": (
        ("#1d62bf", "#5aa0e4", "#cfe8f7", "#ffffff", "#fff8ea", 58, 70, 120, 2.7, 0.3, 0.0),
        ("#1a68c6", "#58aae8", "#c3e6f2", "#ffffff", "#fff8ea", 52, 60, 110, 2.7, 0.3, 0.0),
    ),
    "afternoon": (
        ("#2b70c2", "#78b2e6", "#e6ecdf", "#fff0c8", "#fff0d2", 34, 55, 105, 2.5, 0.4, 0.0),
        ("#2f7bc8", "#82c0e6", "#f1eed8", "#ffefc0", "#ffecca", 30, 48, 95, 2.5, 0.45, 0.0),
    ),
    "golden_hour": (
        ("#5688bf", "#b9c0b4", "#ffe2a2", "#ffcb66", "#ffc36a", 11, 14, 36, 2.3, 1.1, 0.0),
        ("#6b93b8", "#d9bf9d", "#ffd58c", "#ffbd55", "#ffb75c", 9, 10, 30, 2.2, 1.2, 0.0),
        ("#4d7fb8", "#a9b9bf", "#ffe6b8", "#ffd27d", "#ffcc7c", 13, 18, 42, 2.4, 1.0, 0.0),
    ),
    "sunset": (
        ("#3b5490", "#b7868f", "#ffb163", "#ff8d3f", "#ff9a55", 4.5, 4, 20, 1.7, 1.3, 0.0),
        ("#41407f", "#a0768f", "#ff9a74", "#ffad62", "#ff9460", 4.0, 4, 22, 1.6, 1.2, 0.05),
        ("#2d5c88", "#cf9a7e", "#ffa24c", "#ff7f38", "#ff8c4a", 5.0, 3, 18, 1.7, 1.3, 0.0),
        ("#544a8d", "#cf8a8c", "#ffc07a", "#ff9a68", "#ffa070", 4.5, 6, 22, 1.6, 1.2, 0.03),
    ),
    "dusk": (
        ("#1c3575", "#4a64a8", "#d8a7a6", "#ffab8c", "#e3b0b4", 7, 4, 26, 0.66, 0.42, 0.30),
        ("#20306f", "#55709f", "#e3ab94", "#ffa27c", "#e5ad9f", 7, 4, 26, 0.66, 0.50, 0.25),
        ("#153f73", "#3f76a8", "#cdb9b4", "#ffc09c", "#d9b6b4", 8, 6, 28, 0.64, 0.38, 0.30),
    ),
    "night": (
        ("#0c2050", "#1b3f78", "#47719f", "#8fb4e0", "#b4cdf2", 26, 8, 24, 0.62, 0.55, 0.75),
        ("#101f54", "#23407d", "#56729f", "#9db4e0", "#b9c9f2", 24, 8, 24, 0.62, 0.55, 0.75),
    ),
    "midnight": (
        ("#081641", "#12306a", "#2f5a8c", "#7fa8dc", "#a9c6f2", 25, 10, 26, 0.62, 0.5, 1.0),
        ("#0b1242", "#1a2c6b", "#38568c", "#869fdc", "#adbff2", 27, 10, 26, 0.62, 0.5, 1.0),
    ),
}

# weather: (grey of the sky 0..1, its colour by day, cloud cover, sun factor, fog distance m, ambient factor, mist)
_Weather = tuple[float, str, float, float, float, float, float]
WEATHERS: dict[str, _Weather] = {
    "clear": (0.0, "#ffffff", 0.42, 1.0, 15000, 1.0, 0.25),
    "windy": (0.0, "#ffffff", 0.52, 1.0, 17000, 1.0, 0.1),
    "cloudy": (0.12, "#c3d0dc", 0.72, 0.9, 13000, 1.0, 0.2),
    "overcast": (0.72, "#b9c4cf", 0.97, 0.28, 7000, 1.15, 0.4),
    "rain": (0.80, "#94a5b4", 0.97, 0.2, 2200, 1.1, 0.6),
    "snow": (0.78, "#ccd6e2", 0.9, 0.3, 1500, 1.15, 0.5),
    "fog": (0.75, "#d3d9dc", 0.3, 0.35, 150, 1.15, 1.0),
    "storm": (0.80, "#5d7080", 1.0, 0.3, 5000, 0.95, 0.4),
    "aurora": (0.0, "#ffffff", 0.12, 0.8, 15000, 1.0, 0.2),
    "rainbow": (0.30, "#8fa6b8", 0.62, 1.0, 9000, 1.0, 0.3),
}

_TIME_DIM = {"dawn": 0.9, "golden_hour": 0.95, "sunset": 0.72, "dusk": 0.42, "night": 0.17, "midnight": 0.12}
NIGHTS = ("night", "midnight")

_FOG_BY_PLACE = {
    "forest": 0.022,
    "autumn_forest": 0.024,
    "winter_forest": 0.03,
    "jungle": 0.012,
    "waterfall": 0.06,
    "river": 0.4,
    "village": 0.6,
    "city_street": 0.035,
    "cyberpunk": 0.012,
    "skyline": 0.35,
    "desert": 1.0,
    "mars": 0.25,
    "arctic": 0.8,
    "volcano": 0.5,
    "flower_field": 0.6,
    "lavender_field": 0.6,
    "meadow": 0.7,
    "hills": 0.6,
    "lake": 0.75,
    "canyon": 0.6,
}


_SEEN_IN_FOG = {"mountains": 1500, "snow_peaks": 1500, "volcano": 1300, "island": 260, "skyline": 700, "lake": 320}
"""Metres at least that fog leaves to see, where what gives the place its name is far."""


def _fog_distance(scene: Scene, usual: float) -> float:
    """Metres, from what is usual for the weather."""
    least = _SEEN_IN_FOG.get(scene.place, 70) if scene.weather == "fog" else min(usual, 70)
    return float(max(usual * _FOG_BY_PLACE.get(scene.place, 1.0), least))


def _direction(elevation: float, azimuth: float) -> Field:
    e, a = np.radians(elevation), np.radians(azimuth)
    return as_f32([np.cos(e) * np.sin(a), np.sin(e), np.cos(e) * np.cos(a)])


def _saturation(colour: Field, amount: float) -> Field:
    grey = colour.mean()
    return as_f32(np.maximum(grey + (colour - grey) * amount, 0))


def light_for(scene: Scene) -> Light:
    """The light of a scene."""
    rng = np.random.default_rng([scene.seed, 4001])
    time = scene.time if scene.time in SKIES else "afternoon"
    if scene.weather == "aurora" and time not in NIGHTS:
        time = "night"
    skies = SKIES[time]
    zenith_, middle_, horizon_, glow_, sun_, elevation, az_low, az_high, power, glow_strength, stars = skies[
        int(rng.integers(len(skies)))
    ]
    zenith, middle, horizon, glow, sun = hexes(zenith_, middle_, horizon_, glow_, sun_)
    azimuth = float(rng.uniform(az_low, az_high) * (1 if rng.random() < 0.5 else -1))
    grey, grey_hex, cover, sun_factor, fog_distance, ambient_factor, mist = WEATHERS.get(
        scene.weather, WEATHERS["clear"]
    )
    night = time in NIGHTS
    dim = _TIME_DIM.get(time, 1.0)
    if scene.weather == "rainbow":
        azimuth = 180 - azimuth * 0.3
        elevation = min(max(elevation, 8), 22)
    cover = float(np.clip(cover + (rng.uniform(-0.08, 0.1) if cover < 0.9 else 0), 0, 1))

    overcast = _overcast(grey_hex, dim, horizon, night=night)
    zenith = zenith + (overcast * 0.72 - zenith) * grey
    middle = middle + (overcast * 0.9 - middle) * grey
    horizon = horizon + (overcast * 1.05 - horizon) * grey
    glow_strength *= 1 - 0.8 * grey

    sun_tint = sun / max(float(sun.max()), 1e-3)
    sun_colour = sun_tint * power * sun_factor
    ambient = _ambient(zenith, middle, time, ambient_factor)
    bounce = (sun_colour * max(np.sin(np.radians(elevation)), 0.15) * 0.10 + ambient * 0.28).astype(np.float32)
    fog = horizon * 0.80 + middle * 0.20
    if time in ("noon", "morning", "afternoon"):
        fog = fog * 0.62 + middle * 0.30  # distant hills turn blue, not white
    cloud_lit, cloud_dark = _clouds(
        sun_tint, power, grey, (zenith, middle, horizon, overcast), scene.weather, night=night
    )
    light = Light(
        sun=_direction(elevation, azimuth),
        sun_colour=as_f32(sun_colour),
        ambient=as_f32(ambient),
        bounce=bounce,
        zenith=as_f32(zenith),
        middle=as_f32(middle),
        horizon=as_f32(horizon),
        glow=as_f32(glow),
        glow_strength=float(glow_strength),
        fog_colour=as_f32(fog),
        fog_distance=_fog_distance(scene, fog_distance),
        mist=float(mist),
        cloud_cover=cover,
        cloud_lit=as_f32(cloud_lit),
        cloud_dark=as_f32(cloud_dark),
        stars=0.0 if grey > 0.5 else float(stars),
        exposure=1.0,
        is_night=night,
        sun_disc=0.0 if grey > 0.5 else 0.036 if night else 0.022,
    )
    return _elsewhere(light, scene.place, time, grey, dim)


def _clouds(
    sun_tint: Field, power: float, grey: float, sky: tuple[Field, Field, Field, Field], weather: str, *, night: bool
) -> tuple[Field, Field]:
    """Colours of clouds in the sun and in shade, under a sky of zenith, middle, horizon and overcast."""
    zenith, middle, horizon, overcast = sky
    lit = sun_tint * (0.35 + 0.42 * power) * (1 - 0.6 * grey) + horizon * 0.35 + overcast * grey * 0.5
    dark = zenith * 0.42 + middle * 0.34 + horizon * 0.06
    if night:
        lit = sun_tint * 0.30 + middle * 0.6
        dark = zenith * 0.6 + middle * 0.3
    if weather == "storm":
        dark = dark * 0.42
        lit = lit * 0.75
    return lit, dark


def _overcast(code: str, dim: float, horizon: Field, *, night: bool) -> Field:
    """Colour of a closed sky at this hour."""
    overcast = hex_light(code) * dim
    if night:
        return as_f32(overcast * as_f32([0.55, 0.78, 1.25]))
    return as_f32(overcast * (0.55 + 0.45 * horizon / max(float(horizon.max()), 1e-3)))


def _ambient(zenith: Field, middle: Field, time: str, ambient_factor: float) -> Field:
    """Irradiance from the whole sky."""
    night = time in NIGHTS
    ambient = _saturation(zenith * 0.45 + middle * 0.55, 0.75) * (0.95 * ambient_factor)
    floor = 0.16 if night else 0.30  # nothing that is in shade is ever black
    ambient = ambient + floor * (0.35 * ambient / max(float(ambient.max()), 1e-3) + 0.1 * (not night))
    if time == "dusk":
        ambient = ambient * 1.3 + as_f32([0.02, 0.035, 0.075])
    if night:
        ambient = ambient * 1.75 + as_f32([0.03, 0.065, 0.13])
    return as_f32(ambient)


def _elsewhere(light: Light, place: str, time: str, grey: float, dim: float) -> Light:
    """The skies of other worlds."""
    if place == "mars" and not light.is_night:
        low = time in ("sunset", "dawn", "dusk")
        codes = ("#4a3a3e", "#9a7a70", "#9fb4c8") if low else ("#8a5a3e", "#c98d5f", "#e8b98a")
        zenith, middle, horizon = hexes(*codes) * (1 - 0.3 * grey) * max(dim, 0.55)
        return replace(
            light,
            zenith=as_f32(zenith),
            middle=as_f32(middle),
            horizon=as_f32(horizon),
            fog_colour=as_f32(horizon * 0.85),
            glow=hex_light("#a8d0f0") if low else light.glow,
            cloud_cover=light.cloud_cover * 0.25,
        )
    if place == "moon":
        zenith, middle, horizon = hexes("#03040a", "#05060d", "#080a12")
        shows = grey <= 0.5
        return replace(
            light,
            sun=_direction(24.0, float(np.degrees(np.arctan2(light.sun[0], light.sun[2])))),
            sun_colour=as_f32([2.6, 2.55, 2.5]),
            ambient=as_f32([0.10, 0.11, 0.14]),
            bounce=as_f32([0.12, 0.12, 0.12]),
            zenith=zenith,
            middle=middle,
            horizon=horizon,
            fog_colour=horizon,
            glow=as_f32([1.0, 1.0, 1.0]),
            glow_strength=0.12,
            fog_distance=4e6,
            mist=0.0,
            cloud_cover=0.0,
            stars=0.8 if shows else 0.0,
            is_night=False,
            sun_disc=0.022 if shows else 0.0,
        )
    return light
