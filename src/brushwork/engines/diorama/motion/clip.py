"""Frames of a Scene: its clock runs, its camera moves. The first frame at time 0 is the still picture itself.

Plates are painted at a few stops of the camera's path, always counted from time 0; each frame is seen from the two
stops around it, gets its sky, water, weather and subjects as they are by then, and the style's finish. Frames come one
by one, in order, made a few at a time side by side; a clip is never held in memory. Knows no file format.
"""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from brushwork.engines.diorama.camera import Camera
from brushwork.engines.diorama.land.landscape import window_above
from brushwork.engines.diorama.looks.brushes import remembering
from brushwork.engines.diorama.looks.finish import leave_unfinished, turn_hues
from brushwork.engines.diorama.looks.grade import finished
from brushwork.engines.diorama.memory import give_back_memory
from brushwork.engines.diorama.motion.actors import Actor, actors_of, set_actors
from brushwork.engines.diorama.motion.moving import breeze, painted
from brushwork.engines.diorama.motion.path import MARGIN, Motion, Path, Stand, camera_on, moment_at, path_of, stops_on
from brushwork.engines.diorama.motion.plates import Plate, Setting, plate_of, setting_of
from brushwork.engines.diorama.motion.reproject import Sight, moved, sight_of, softened
from brushwork.engines.diorama.noise import Field
from brushwork.engines.diorama.scene import Scene, natural_view
from brushwork.engines.diorama.subjects.pattern import toss_subjects
from brushwork.engines.diorama.subjects.standing import paint_subjects
from brushwork.engines.diorama.worlds.world import paint_world

FPS = 24
WORKERS = 2
Frame = NDArray[np.uint8]
OnFrame = Callable[[int, int], None]
"""Told (frame, frames) before each frame is handed over; raises to stop the clip."""


Plates = dict[int, "Future[tuple[Plate, Field]]"]
"""By their stop."""


@dataclass
class Shoot:
    """All that frames of one clip share."""

    scene: Scene
    width: int
    height: int
    path: Path
    period: float | None
    exp: float
    detail: float
    setting: Setting
    stops: list[float]
    memory: dict[Any, Any] = field(default_factory=dict)
    """What the style made for the first picture."""
    actors: list[Actor] = field(default_factory=list)
    still: Field | None = None
    """(H, W, 3) display colours of the still picture."""
    plates: Plates = field(default_factory=dict)


def frames(
    scene: Scene,
    *,
    width: int,
    height: int,
    seconds: float = 5.0,
    fps: int = FPS,
    motion: Motion = "low",
    loop: bool = False,
    start: float = 0.0,
    exp: float = 0.0,
    detail: float = 1.0,
    workers: int = WORKERS,
    on_frame: OnFrame | None = None,
) -> Iterator[Frame]:
    """(H, W, 3) frames from `start` on. A clip that goes on where another ended starts at that one's length. With
    `loop` the frame after the last would be the first again.
    """
    count = max(1, round(seconds * fps))
    period = count / fps if loop else None
    shoot = opened(
        scene, width, height, path=path_of(scene, motion, period=period), period=period, exp=exp, detail=detail,
        start=start, end=start + count / fps,
    )  # fmt: skip
    times = [start + number / fps for number in range(count)]
    yield from shot(shoot, times, workers=workers, on_frame=on_frame)


def render(
    scene: Scene, t: float, *, width: int, height: int, motion: Motion = "low", period: float | None = None
) -> Frame:
    """One frame: the scene as it is `t` seconds after its still picture."""
    path = path_of(scene, motion, period=period)
    shoot = opened(scene, width, height, path=path, period=period, start=abs(t), end=abs(t) + 1e-3)
    return next(shot(shoot, [t], workers=1))


def opened(
    scene: Scene,
    width: int,
    height: int,
    *,
    path: Path,
    period: float | None = None,
    exp: float = 0.0,
    detail: float = 1.0,
    start: float = 0.0,
    end: float = 5.0,
) -> Shoot:
    """A clip before its first frame: the still picture is painted, which fixes the style's paper and palette."""
    if period is not None:
        start, end = 0.0, period
    stops = stops_on(path, scene, start=start, end=end)
    shoot = Shoot(scene, width, height, path, period, exp, detail, setting_of(scene), stops)
    cv2.setNumThreads(1)
    with remembering(shoot.memory):
        shoot.still = _still(shoot)
    return shoot


def shot(
    shoot: Shoot, times: list[float], *, workers: int = WORKERS, on_frame: OnFrame | None = None
) -> Iterator[Frame]:
    """The frames at some times, in order."""
    tell = on_frame or (lambda _number, _count: None)
    with ThreadPoolExecutor(workers, thread_name_prefix="clip") as pool:
        waiting: deque[Future[Frame]] = deque()
        try:
            for number in range(len(times) + workers):
                if number < len(times):
                    plates = _ordered_plates(shoot, pool, times[number])
                    waiting.append(pool.submit(_frame_at, shoot, times[number], plates))
                if number >= workers:
                    tell(number - workers, len(times))
                    yield waiting.popleft().result()
        finally:
            for frame in waiting:
                frame.cancel()
            for plate in shoot.plates.values():
                plate.cancel()


def _frame_at(shoot: Shoot, t: float, plates: Plates) -> Frame:
    give_back_memory()
    return np.asarray(_colours_at(shoot, t, plates) * 255 + 0.5, np.float32).astype(np.uint8)


def _colours_at(shoot: Shoot, t: float, plates: Plates) -> Field:
    """(H, W, 3) display colours 0..1 at a time."""
    t = _on_clock(shoot, t)
    assert shoot.still is not None
    if t == 0:
        return shoot.still
    if shoot.scene.tile:
        return _scrolled(shoot.still, t, shoot.period)
    stand = shoot.path(abs(t))  # before time 0 the camera comes the same way back
    plate, world_camera = _plate_at(shoot, t, stand, plates)
    moment = moment_at(shoot.scene, t, shoot.period)
    world = painted(shoot.setting, plate, moment, shoot.height)
    scene = shoot.scene
    if scene.weird > 0:
        world.color = turn_hues(world.color, scene)
    if scene.stop < 1:
        world.color = leave_unfinished(world.color, scene, world.camera)
    set_actors(world, shoot.actors, scene, world_camera, moment)
    here = tuple(replace(subject, z=max(subject.z - stand.z, 0.8)) for subject in scene.subjects)
    with remembering(shoot.memory):
        return finished(world.color, world.depth, replace(scene, subjects=here), exp=shoot.exp)


def _still(shoot: Shoot) -> Field:
    """The still picture, and the actors for what comes after it."""
    scene = shoot.scene
    world = paint_world(scene, natural_view(scene, shoot.width, shoot.height), detail=shoot.detail)
    if scene.tile:
        toss_subjects(world.color, scene)
    else:
        shoot.actors = actors_of(scene, world)
        paint_subjects(world, scene)
    return finished(world.color, world.depth, scene, exp=shoot.exp)


def _scrolled(still: Field, t: float, period: float | None) -> Field:
    """A tile that drifts over its own seams; with a period by whole tiles."""
    height, width = still.shape[:2]
    x, y = (0.02 * min(still.shape[:2]) * t * way for way in (1.0, 0.6))
    if period is not None:
        angle = 2 * np.pi * t / period
        x, y = (0.05 * min(height, width) * float(way) for way in (np.sin(angle), 1 - np.cos(angle)))
    columns = np.broadcast_to((np.arange(width, dtype=np.float32) + np.float32(x))[None, :], (height, width))
    rows = np.broadcast_to((np.arange(height, dtype=np.float32) + np.float32(y))[:, None], (height, width))
    where = np.ascontiguousarray(columns), np.ascontiguousarray(rows)
    return np.asarray(cv2.remap(still, *where, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP), np.float32)


# ---------------------------------------------------------------- plates


def _around(shoot: Shoot, t: float) -> tuple[int, int]:
    """The stops before and after a time."""
    after = next((index for index, stop in enumerate(shoot.stops) if stop > t), len(shoot.stops) - 1)
    return max(after - 1, 0), after


def _on_clock(shoot: Shoot, t: float) -> float:
    t = round(t, 6)
    return t if shoot.period is None else round(t % shoot.period, 6) % shoot.period


def _ordered_plates(shoot: Shoot, pool: ThreadPoolExecutor, t: float) -> Plates:
    """Have the plates painted that a frame needs, and soon the next; forget those that lie behind."""
    t = _on_clock(shoot, t)
    if shoot.scene.tile or t == 0:
        return {}
    before, after = _around(shoot, abs(t))
    for index in [index for index in shoot.plates if index < before or index > after + 1]:
        del shoot.plates[index]
    ahead = after + 1 if 0 < shoot.stops[after] - t < 0.4 else after
    for index in range(before, min(ahead, len(shoot.stops) - 1) + 1):
        if index not in shoot.plates:
            shoot.plates[index] = pool.submit(_painted_plate, shoot, shoot.stops[index])
    return {index: shoot.plates[index] for index in (before, after)}


def _painted_plate(shoot: Shoot, stop: float) -> tuple[Plate, Field]:
    camera = camera_on(shoot.scene, shoot.path(stop), shoot.width, shoot.height, margin=MARGIN)
    plate = plate_of(shoot.setting, camera, detail=shoot.detail)
    give_back_memory()
    return plate, softened(plate.inverse)


def _plate_at(shoot: Shoot, t: float, stand: Stand, plates: Plates) -> tuple[Plate, Camera]:
    camera = camera_on(shoot.scene, stand, shoot.width, shoot.height)
    tall = replace(camera, view=window_above(camera.view, camera, shoot.setting.mirrors))
    before, after = _around(shoot, abs(t))
    way = (
        (abs(t) - shoot.stops[before]) / max(shoot.stops[after] - shoot.stops[before], 1e-9) if after > before else 0.0
    )
    share = float(np.clip(way, 0, 1))
    share = share * share * (3 - 2 * share)
    chosen = [(index, part) for index, part in ((before, 1 - share), (after, share)) if part > 0.002]
    sights: list[Sight] = []
    for index, _ in chosen:
        plate, soft = plates[index].result()
        sights.append(sight_of(plate, tall, soft))
    moment = moment_at(shoot.scene, t, shoot.period)
    gusts = {"storm": 2.0, "windy": 1.9, "fog": 0.5}.get(shoot.scene.weather, 1.0)
    lean = breeze(tall, moment, strength=gusts, under_water=shoot.scene.place == "underwater")
    return moved(sights, [part for _, part in chosen], tall, lean), camera
