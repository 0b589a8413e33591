"""Somebody out of a reference picture: cut out by the matting tool, and set into a painted world under its light."""

import cv2
import numpy as np
from PIL import Image

from brushwork.engines.diorama.drawing import Figure
from brushwork.engines.diorama.noise import Field
from brushwork.engines.diorama.scene import Scene, Subject
from brushwork.engines.diorama.subjects.standing import Pose, cast_shadow, paint
from brushwork.engines.diorama.worlds.painted import World
from brushwork.engines.tools import matting

SIDE = 1024
"""Longer side of a reference that is cut out."""
FLAT = 4.0
"""Contrast, of 255, below which there is nothing to be told apart."""
LEAST, MOST = 0.05, 0.97
"""Share of the picture that a subject may cover to be one."""
SPECK = 0.002
"""Likewise, of one that came cut out."""


def cut_out(image: Image.Image) -> Field | None:
    """(h, w, 4) premultiplied colours and alpha, cropped; None where no subject is told from the background."""
    image = image.convert("RGBA") if image.has_transparency_data else image.convert("RGB")
    image.thumbnail((SIDE, SIDE))
    picture = np.asarray(np.asarray(subject_of(image), np.float32) / 255, np.float32)
    alpha = picture[..., 3] * largest_part(picture[..., 3])
    least = SPECK if image.mode == "RGBA" else LEAST
    if not least < float(alpha.mean()) < MOST:
        return None
    rows, columns = np.flatnonzero((alpha > 0.2).any(1)), np.flatnonzero((alpha > 0.2).any(0))
    part = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    return np.asarray(np.dstack([picture[part][..., :3] * alpha[part][..., None], alpha[part]]), np.float32)


def subject_of(image: Image.Image) -> Image.Image:
    """RGBA: as it came cut out, else by the network."""
    if image.mode == "RGBA":
        return image
    if np.asarray(image).std() < FLAT:
        return Image.new("RGBA", image.size, (0, 0, 0, 0))
    return matting.cut_out(image, threads=1)


def largest_part(alpha: Field) -> Field:
    """1 on the largest connected part, and softly around it."""
    count, labels, facts, _ = cv2.connectedComponentsWithStats((alpha > 0.3).astype(np.uint8))
    if count < 2:
        return np.zeros_like(alpha)
    main = (labels == 1 + int(np.argmax(facts[1:, cv2.CC_STAT_AREA]))).astype(np.uint8)
    return np.asarray(cv2.dilate(main, np.ones((9, 9), np.uint8)), np.float32)


def figure_of(cut: Field, place: Subject, scene: Scene) -> Figure:
    """Sets the cut-out where `place` would stand, as tall as it."""

    def figure(world: World) -> None:
        base = world.ground(place.x, place.z) + place.lift
        px, py, scale = world.project(place.x, base, place.z)
        height = int(np.clip(round(place.height * scale), 4, world.color.shape[0] * 2))
        width = round(height * cut.shape[1] / cut.shape[0])
        most = round(0.9 * world.color.shape[1])
        if width > most:
            height, width = round(height * most / width), most
        method = cv2.INTER_AREA if height < cut.shape[0] else cv2.INTER_CUBIC
        picture = np.asarray(np.clip(cv2.resize(cut, (width, height), interpolation=method), 0, 1), np.float32)
        lifted = max(base - world.ground(place.x, place.z), 0.0)
        pose = Pose(place, picture, round(px - width / 2), round(py - height), py, scale, lifted)
        cast_shadow(world, scene, pose)
        paint(world, scene, pose)

    return figure
