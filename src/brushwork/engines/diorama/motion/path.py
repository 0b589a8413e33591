"""The way of a camera through a world, and when to paint it anew along it.

Low motion is a slow push towards what the picture is about; high motion flies over the land, or round its subject.
At time 0 every path stands where the still picture was taken. Knows no pixels.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from brushwork.engines.diorama.camera import Camera
from brushwork.engines.diorama.motion.clock import Moment
from brushwork.engines.diorama.scene import Scene, View, natural_view
from brushwork.engines.diorama.worlds.places import PLACES

Motion = Literal["low", "high"]


@dataclass(frozen=True)
class Stand:
    """Where the camera is, against the still picture."""

    x: float = 0.0
    z: float = 0.0
    up: float = 0.0
    """Metres, each."""
    pan: float = 0.0
    """Units of the image plane that the window has moved to the right."""
    lift: float = 0.0
    """... and upwards."""
    zoom: float = 1.0
    """More than 1 sees less."""


Path = Callable[[float], Stand]
"""Seconds → where the camera is."""


def path_of(scene: Scene, motion: Motion, *, period: float | None = None) -> Path:
    """The way for a scene; with a period it comes back to where it began."""
    kind = PLACES[scene.place].kind
    if scene.tile:
        return lambda _t: Stand()
    if kind == "space":
        return _zoom_in(motion, period)
    if kind == "studio":
        return _round(scene, 0.35 if motion == "low" else 1.0, period)
    subjects = [subject for subject in scene.subjects if subject.lift < 2 * scene.eye + 4]
    if motion == "low":
        return _push(scene, period)
    if subjects or (scene.subjects and scene.place in ("sky", "sea")):
        return _round(scene, 1.0, period)
    return _fly_over(scene, period)


def focus_of(scene: Scene) -> float:
    """Metres to what the picture is about."""
    near = min((subject.z for subject in scene.subjects), default=0.0)
    if near > 0:
        return near
    return {"sky": 700.0, "sea": 18.0, "island": 40.0, "skyline": 60.0, "volcano": 20.0}.get(scene.place, 12.0)


def _there_and_back(t: float, period: float) -> float:
    """0 at the start, 1 half-way, 0 again after a period; at rest at both ends of the way."""
    return (1 - math.cos(2 * math.pi * t / period)) / 2


def _arriving(t: float, seconds: float) -> float:
    """0 → 1, ever slower; starts from rest."""
    soft = t - 0.45 * (1 - math.exp(-t / 0.45))
    return 1 - math.exp(-soft / seconds)


def _side(scene: Scene) -> float:
    """Which way to go: by the seed."""
    return 1.0 if (scene.seed * 2654435761 >> 7) % 2 else -1.0


def _push(scene: Scene, period: float | None) -> Path:
    """Towards the subject, with a little drift to the side that keeps it where it is in the picture."""
    focus = focus_of(scene)
    reach, drift = min(0.24 * focus, 0.9 + 0.05 * focus), 0.028 * min(focus, 30.0) * _side(scene)
    if scene.place in ("skyline", "sky"):
        reach, drift = 0.10 * focus, 0.03 * focus * _side(scene)

    def at(t: float) -> Stand:
        if period is not None:
            go, side = _there_and_back(t, period), math.sin(2 * math.pi * t / period)
        else:
            go, side = 1.6 * _arriving(t, 9.0), 1.5 * _arriving(t, 7.0)
        x = drift * side
        return Stand(x, reach * go, 0.0, -0.75 * x / focus * scene.focal)

    return at


def _round(scene: Scene, share: float, period: float | None) -> Path:
    """A part of a circle about the subject, which stays where it is in the picture."""
    focus = focus_of(scene)
    reach = 0.20 * min(focus, 24.0) * share * _side(scene)
    closer, rise = 0.14 * focus * share, 0.10 * min(focus, 12.0) * share

    def at(t: float) -> Stand:
        if period is not None:
            side, go = math.sin(2 * math.pi * t / period), _there_and_back(t, period)
        else:
            side, go = 1.7 * _arriving(t, 6.0), 1.3 * _arriving(t, 6.0)
        x, z, up = reach * side, closer * go, rise * go
        return Stand(x, z, up, -x / (focus - z) * scene.focal, -up / (focus - z) * scene.focal)

    return at


def _fly_over(scene: Scene, period: float | None) -> Path:
    """Forwards and up over the land; down streets at a walking pace."""
    city = PLACES[scene.place].kind == "city" and scene.place != "skyline"
    focus = focus_of(scene)
    pace = 1.5 if city else 0.16 * min(focus, 40.0) if scene.place != "sky" else 60.0
    high = 0.8 if city or scene.place in _LOW else 0.0 if scene.place == "sky" else min(0.22 * focus, 9.0)
    side = 0.0 if city else 0.04 * focus * _side(scene)

    def at(t: float) -> Stand:
        if period is not None:
            go, across = _there_and_back(t, period), math.sin(2 * math.pi * t / period)
            return Stand(side * across, 0.55 * pace * period * go, high * go, 0.0, -0.05 * go * (high > 0))
        soft = t - 0.6 * (1 - math.exp(-t / 0.6))
        go = _arriving(t, 4.0)
        return Stand(side * 1.4 * _arriving(t, 5.0), pace * soft, high * go, 0.0, -0.05 * go * (high > 0))

    return at


_LOW = frozenset({
    "forest", "autumn_forest", "winter_forest", "jungle", "meadow", "flower_field", "lavender_field", "wheat_field",
})  # fmt: skip
"""Places to fly through rather than over: between trunks, or close above what grows, which has no tops to show."""


def _zoom_in(motion: Motion, period: float | None) -> Path:
    """Among the stars nothing is near: the window itself drifts and narrows."""
    much = 0.05 if motion == "low" else 0.16

    def at(t: float) -> Stand:
        go = _there_and_back(t, period) if period is not None else 1.5 * _arriving(t, 8.0)
        side = math.sin(2 * math.pi * t / period) if period is not None else 1.5 * _arriving(t, 8.0)
        return Stand(pan=0.5 * much * side, zoom=1 + much * go)

    return at


# ---------------------------------------------------------------- cameras on a path


def camera_on(scene: Scene, stand: Stand, width: int, height: int, *, margin: float = 0.0) -> Camera:
    """The camera of a stand; `margin` widens its window on all sides, in units, at the same scale."""
    v = natural_view(scene, width, height)
    middle, half_u, half_v = stand.pan, (v.right - v.left) / 2 / stand.zoom, (v.bottom - v.top) / 2 / stand.zoom
    view = replace(
        v, left=middle - half_u, right=middle + half_u, top=-stand.lift - half_v, bottom=-stand.lift + half_v
    )
    if margin:
        view = wider(view, margin)
    tilt = math.tan(math.radians(scene.pitch))
    return Camera(scene.eye + stand.up, scene.focal, tilt, view, stand.x, stand.z)


def wider(view: View, margin: float) -> View:
    """A whole number of pixels more on every side."""
    across, down = view.width / (view.right - view.left), view.height / (view.bottom - view.top)
    m, n = math.ceil(margin * across), math.ceil(margin * down)
    return View(
        view.left - m / across,
        view.top - n / down,
        view.right + m / across,
        view.bottom + n / down,
        view.width + 2 * m,
        view.height + 2 * n,
    )


MARGIN = 0.10
"""Units that a plate is wider than the picture."""


def stops_on(path: Path, scene: Scene, *, start: float, end: float) -> list[float]:
    """When plates are to be painted, from the first that is needed at `start` to the one after `end`. Always counted
    from time 0, so that a clip and its continuation share them.
    """
    near = nearest_of(scene)
    stops, t, last = [0.0], 0.0, path(0.0)
    step = 1 / 24
    while stops[-1] < end:
        t += step
        here = path(t)
        if _apart(last, here, near + 0.8 * here.up, scene.focal) > 1 or t - stops[-1] >= 8:
            stops.append(t)
            last = here
    first = max(index for index, stop in enumerate(stops) if stop <= start)
    return stops[first:]


def nearest_of(scene: Scene) -> float:
    """Metres to the nearest ground that the natural picture shows."""
    v = natural_view(scene, 64, 64)
    fall = v.bottom / scene.focal - math.tan(math.radians(scene.pitch))
    ground = min(scene.eye, 30.0) if scene.place != "sky" else 600.0
    return ground / fall if fall > 0.02 else 30.0


def _apart(one: Stand, other: Stand, near: float, focal: float) -> float:
    """How much of what one plate can serve the way between two stands takes; 1 is all of it."""
    forward = abs(other.z - one.z) / (0.20 * near)
    aside = math.hypot(other.x - one.x, other.up - one.up) / near * focal / 0.16
    turned = math.hypot(other.pan - one.pan, other.lift - one.lift) / (0.8 * MARGIN)
    return max(forward, aside, turned)


def moment_at(scene: Scene, t: float, period: float | None) -> Moment:
    """The moment of a scene: its time, and its wind."""
    force = {"storm": 2.2, "windy": 1.9, "fog": 0.5, "rain": 1.2}.get(scene.weather, 1.0)
    return Moment(t % period if period is not None else t, period, force * _side(scene))
