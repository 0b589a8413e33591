"""Finishing: tiles still go on at their edges, nothing is squeezed that need not be, contrast is what was asked for."""

import numpy as np
from PIL import Image

from brushwork.engines.diffusion.planning import finish
from brushwork.engines.diffusion.planning.pictures import middle
from brushwork.engines.diffusion.planning.tools import BUILT_IN
from tests.engines.planning.models import SDXL, TOOLS, TURBO, picture, planned


def seamless(width: int, height: int) -> Image.Image:
    x, y = np.meshgrid(np.arange(width) / width, np.arange(height) / height)
    wave = 127.5 + 100 * np.sin(2 * np.pi * (3 * x + 0.2)) * np.cos(2 * np.pi * (2 * y + 0.1))
    return Image.fromarray(np.rint(np.dstack([wave, wave, 255 - wave])).astype(np.uint8))


def seam_of(image: Image.Image) -> float:
    """The step over the edges, in steps between neighbours elsewhere."""
    pixels = np.asarray(image, np.float32)
    across = np.abs(pixels[:, 0] - pixels[:, -1]).mean() / np.abs(np.diff(pixels, axis=1)).mean()
    down = np.abs(pixels[0] - pixels[-1]).mean() / np.abs(np.diff(pixels, axis=0)).mean()
    return float(max(across, down))


def test_a_tile_still_goes_on_at_its_edges_when_it_is_scaled() -> None:
    smaller = planned(SDXL, width=900, height=600, model="6.1", params={"tile": True})
    larger = planned(SDXL, width=1500, height=1500, model="6.1", params={"tile": True})

    for plan in (smaller, larger):
        finished = finish(plan, seamless(plan.width, plan.height), TOOLS)
        assert finished.size == (plan.row.width, plan.row.height)
        assert seam_of(finished) < 1.6


def test_a_free_picture_is_cut_at_both_sides_not_squeezed() -> None:
    plan = planned(SDXL, width=1366, height=768, model="6.1")
    drawn = Image.new("RGB", (plan.width, plan.height))
    centre, radius = (plan.width // 2, plan.height // 2), plan.height // 3
    y, x = np.ogrid[: plan.height, : plan.width]
    disc = ((x - centre[0]) ** 2 + (y - centre[1]) ** 2 < radius**2)[..., None] * np.uint8(255)
    drawn = Image.fromarray(np.repeat(disc, 3, 2))

    finished = np.asarray(finish(plan, drawn, TOOLS))[..., 0] > 127

    across, down = finished.any(0).sum(), finished.any(1).sum()
    assert abs(int(across) - int(down)) <= 3


def test_the_middle_of_a_picture_has_the_wanted_shape() -> None:
    left, top, right, bottom = middle((1344, 768), (16, 9))

    assert (right - left) / (bottom - top) == 16 / 9
    assert left + right == 1344
    assert top + bottom == 768


def test_exp_strengthens_local_contrast_and_nothing_else_does() -> None:
    drawn = picture(1024, 1024)
    plain = planned(SDXL, model="6.1")
    strong = planned(SDXL, model="7", params={"exp": 100})
    ignored = planned(TURBO, model="7", params={"exp": 100})

    assert finish(plain, drawn, TOOLS) == drawn
    assert strong.applied["exp"] == "emulated"
    assert np.asarray(finish(strong, drawn, TOOLS)).std() > np.asarray(drawn).std()
    if "exp" not in ignored.applied:
        assert "parameter:exp" in ignored.degraded
        assert finish(ignored, drawn, TOOLS) == drawn


def test_the_built_in_networks_enlarge_to_the_pixel() -> None:
    assert BUILT_IN.enlarge(picture(40, 30), 130, 97).size == (130, 97)
    assert BUILT_IN.enlarge(picture(40, 30), 42, 31).size == (42, 31)
    depth = BUILT_IN.depth(picture(64, 48))
    assert (depth.size, depth.mode) == ((64, 48), "L")
