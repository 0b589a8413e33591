"""The video tasks over HTTP, with tiny Wan models and a real worker: files as long and as large as promised."""

import base64
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from brushwork.engines.diffusion.engine import DiffusionEngine
from brushwork.engines.diffusion.options import DiffusionOptions
from brushwork.engines.tools.super_resolution import upscaled
from brushwork.engines.tools.video import Reel
from tests.api.conftest import Api, running, settings_for
from tests.conftest import NewDatabase
from tests.contracts.asking import SQUARE, all_ended, check_output
from tests.engines.diffusion.test_film_engine import options
from tests.engines.diffusion.tiny_tools import save_esrgan

SECONDS = 300


ENLARGER = """
[models.tiny-enlarger]
title = "Tiny"
kind = "tool"
family = "enlarger"
licence = "tests"
checkpoint = {{ folder = "{folder}" }}
"""


def small(root: Path) -> DiffusionOptions:
    """Wan models that draw in thumbnails, and an ESRGAN: what is delivered has the promised size all the same."""
    made = options(root, "wan-i2v", "wan-vace")
    catalog = made.catalogs[0]
    text = catalog.read_text().replace("side = 512\nmax_side = 640", "side = 96\nmax_side = 128")
    save_esrgan(root / "esrgan" / "twice.safetensors", inputs=12)
    catalog.write_text(f"{text}\n{ENLARGER.format(folder=root / 'esrgan')}")
    return made


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DiffusionEngine]:
    made = DiffusionEngine(small(tmp_path_factory.mktemp("films")))
    yield made
    made.close()


@pytest.fixture
async def api(tmp_path: Path, new_sqlite: NewDatabase) -> Any:
    settings = settings_for(tmp_path / "data", new_sqlite()).model_copy(update={"log_level": "warning"})
    async with running(settings) as api:
        yield api


async def asked(api: Api, engine: DiffusionEngine, task: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = await api.client.post(f"/api/v1/{task}", json=body)
    assert answer.status_code == 200, answer.text
    (job,) = await all_ended(api, [answer.json()["job_id"]], engine, seconds=SECONDS)
    assert job["status"] == "completed", job["error"]
    check_output(job["output"], "video")
    return job


async def decoded(api: Api, job: dict[str, Any]) -> Reel:
    """The job's clip, all of whose frames can be read."""
    reel = Reel(BytesIO((await api.client.get(job["output"]["video_urls"][0])).content))
    assert len(list(reel.frames(0, reel.count))) == reel.count
    return reel


async def test_clips_are_made_and_go_on_with_open_models(api: Api, engine: DiffusionEngine) -> None:
    uploaded = await api.client.post(
        "/api/v1/files", files={"file": ("square.png", base64.b64decode(SQUARE.partition(",")[2]))}
    )
    assert uploaded.status_code == 200, uploaded.text
    prompt = f"{uploaded.json()['url']} a fox runs --bs 1 --motion high"

    first = await asked(api, engine, "video-diffusion", {"prompt": prompt})
    longer = await asked(api, engine, "extend-video", {"jobId": first["job_id"], "videoNo": 0, "prompt": "rain --bs 1"})
    larger = await asked(api, engine, "video-upscale", {"jobId": first["job_id"], "videoNo": 0})

    clip, more, large = [await decoded(api, job) for job in (first, longer, larger)]
    assert abs(clip.count - 120) <= 1
    assert min(clip.width, clip.height) == 480
    assert abs(more.count - clip.count - 96) <= 1
    assert (more.width, more.height, more.fps) == (clip.width, clip.height, 24)
    assert first["detail"]["recipe"]["rows"][0]["model"]
    assert (large.count, large.fps) == (clip.count, clip.fps)
    assert (large.width, large.height) == (2 * clip.width, 2 * clip.height)
    assert larger["detail"]["recipe"]["rows"][0]["tool"] == "tiny-enlarger"
    expected = upscaled(clip.frame(40), 2, enlarger=engine.tools.enlarger)
    assert np.abs(np.asarray(large.frame(40), float) - np.asarray(expected, float)).mean() < 6
    for job in (first, longer, larger):
        degraded = {item.removeprefix("parameter:") for item in job["detail"]["degraded"]}
        assert degraded.isdisjoint(job["detail"]["applied"])
