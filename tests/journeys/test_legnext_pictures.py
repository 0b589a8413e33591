"""Every picture method of the Python client from the package index, unchanged, against a real server and worker."""

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import httpx
import numpy as np
import pytest
from legnext import Client
from legnext.types.canvas import Canvas, CanvasImg, Mask, Polygon
from legnext.types.enums import JobStatus
from legnext.types.errors import ValidationError
from PIL import Image

from tests.journeys.server import serving

AREA = Polygon(width=500, height=500, points=[0, 0, 250, 0, 250, 500, 0, 500])
"""The left half."""


@dataclass(frozen=True)
class Studio:
    """The client, a finished draft to follow, and its first picture."""

    client: Client
    source: Any
    """As the client reads it; nearly everything in it may be None for the client's types."""
    url: str
    picture: Image.Image

    def done(self, method: str, **arguments: Any) -> Any:
        submitted = getattr(self.client.midjourney, method)(**arguments)
        job: Any = self.client.tasks.wait_for_completion(submitted.job_id, timeout=120, poll_interval=0.1)
        assert job.status is JobStatus.COMPLETED
        assert job.task_type == submitted.task_type
        assert job.meta.usage.consume == submitted.meta.usage.frozen > 0
        return job

    def follow(self, method: str, **arguments: Any) -> Any:
        return self.done(method, job_id=self.source.job_id, image_no=0, **arguments)


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    with (
        serving(tmp_path_factory.mktemp("legnext")) as server,
        Client(api_key=server.key, base_url=f"{server.url}/api") as client,
    ):
        submitted = client.midjourney.diffusion(text="a lighthouse by the sea --draft")
        source: Any = client.tasks.wait_for_completion(submitted.job_id, timeout=60, poll_interval=0.1)
        url = str(source.output.image_urls[0])
        yield Studio(client, source, url, opened(url))


def opened(url: Any) -> Image.Image:
    answer = httpx.get(str(url), trust_env=False)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/png"
    return Image.open(BytesIO(answer.content))


def pictures(job: Any, count: int) -> list[Image.Image]:
    assert len(job.output.image_urls) == count
    assert (job.output.image_url in job.output.image_urls) == (count == 1)
    return [opened(url) for url in job.output.image_urls]


def keeps(image: Image.Image, source: Image.Image, left: int, top: int) -> bool:
    """Whether the source lies there, byte for byte."""
    part = image.crop((left, top, left + source.width, top + source.height))
    return bool((np.asarray(part.convert("RGB")) == np.asarray(source.convert("RGB"))).all())


def test_pictures_like_another(studio: Studio) -> None:
    jobs = [
        studio.follow("variation", type=0),
        studio.follow("variation", type=1, remix_prompt="a windmill"),
        studio.follow("remix", remix_prompt="a windmill"),
        studio.follow("remix", remix_prompt="a windmill", mode=1),
        studio.done("reroll", job_id=studio.source.job_id),
    ]

    for job in jobs:
        assert len(pictures(job, 4)) == 4
        assert set(job.output.available_actions) == {
            "edit", "inpaint", "outpaint", "pan", "remix", "reroll", "upscale", "variation"
        }  # fmt: skip
    assert [job.meta.usage.consume for job in jobs] == [120, 120, 120, 120, 40]


def test_one_larger_or_finished_picture(studio: Studio) -> None:
    subtle, creative, finished = (
        studio.follow("upscale", type=0),
        studio.follow("upscale", type=1),
        studio.follow("enhance"),
    )

    assert [job.meta.usage.consume for job in (subtle, creative, finished)] == [120, 160, 80]
    for job in (subtle, creative, finished):
        pictures(job, 1)
    assert subtle.output.available_actions["upscale"] == []
    assert subtle.output.available_actions["pan"] == [0]
    assert subtle.output.available_actions["reroll"] is False


def test_more_of_a_picture(studio: Studio) -> None:
    width, height = studio.picture.size

    right = studio.follow("pan", direction=1, scale=2.0)
    up = studio.follow("pan", direction=2, scale=3.0, remix_prompt="clouds")
    around = studio.follow("outpaint", scale=2.0)

    for job, size, place in (
        (right, (2 * width, height), (0, 0)),
        (up, (width, 3 * height), (0, 2 * height)),
        (around, (2 * width, 2 * height), (width // 2, height // 2)),
    ):
        for image in pictures(job, 4):
            assert image.size == size
            assert keeps(image, studio.picture, *place)


def test_another_part_of_a_picture(studio: Studio) -> None:
    width, height = studio.picture.size
    mask = Image.new("L", (100, 100), 0)
    mask.paste(255, (0, 0, 50, 100))
    file = BytesIO()
    mask.save(file, "PNG")

    job = studio.follow("inpaint", mask=file.getvalue(), remix_prompt="a boat")

    for image in pictures(job, 4):
        assert image.size == (width, height)
        right = studio.picture.crop((width // 2, 0, width, height))
        assert keeps(image, right, width // 2, 0)


@pytest.mark.parametrize("mask", [Mask(areas=[AREA]), None])
def test_a_picture_on_a_canvas(studio: Studio, mask: Mask | None) -> None:
    canvas, place = Canvas(width=100, height=90), CanvasImg(width=8, height=8, x=50, y=40)

    job = studio.follow("edit", canvas=canvas, img_pos=place, remix_prompt="a hill", mask=mask)

    for image in pictures(job, 4):
        assert image.size == (100, 90)
        kept = studio.picture.crop((4 if mask else 0, 0, 8, 8))
        assert keeps(image, kept, 54 if mask else 50, 40)


@pytest.mark.parametrize("url", [False, True])
def test_a_picture_of_ones_own_on_a_canvas(studio: Studio, url: bool) -> None:
    canvas, place = Canvas(width=100, height=90), CanvasImg(width=8, height=8, x=50, y=40)
    mask = Mask(url=studio.url) if url else Mask(areas=[AREA])

    job = studio.done(
        "upload_paint", img_url=studio.url, canvas=canvas, img_pos=place, remix_prompt="a hill", mask=mask
    )

    for image in pictures(job, 4):
        assert image.size == (100, 90)
        assert keeps(image, studio.picture.crop((4, 0, 8, 8)), 54, 40) or url


def test_what_is_made_of_pictures_of_ones_own(studio: Studio) -> None:
    other = str(studio.source.output.image_urls[1])

    blend = studio.done("blend", img_urls=[studio.url, other], aspect_ratio="3:2")
    marble = studio.done("retexture", img_url=studio.url, remix_prompt="of white marble")

    assert [job.meta.usage.consume for job in (blend, marble)] == [80, 120]
    pictures(blend, 4)
    pictures(marble, 4)


def test_what_a_picture_shows_without_its_background(studio: Studio) -> None:
    job = studio.done("remove_background", img_url=studio.url)

    (alone,) = pictures(job, 1)
    assert (alone.mode, alone.size) == ("RGBA", studio.picture.size)
    assert job.meta.usage.consume == 80


def test_words_of_a_picture_and_of_a_prompt(studio: Studio) -> None:
    described = studio.done("describe", img_url=studio.url)
    shorter = studio.done("shorten", prompt="a very beautiful red fox in a wonderful forest --ar 3:2")

    assert [job.meta.usage.consume for job in (described, shorter)] == [20, 20]
    assert len(set(described.output.prompts)) == 4
    assert all(prompt.endswith(" --ar 1:1") for prompt in described.output.prompts)
    assert all(prompt.endswith(" --ar 3:2") for prompt in shorter.output.prompts)
    assert shorter.output.description
    assert shorter.output.final_prompt == shorter.output.prompts[0]


def test_what_cannot_be_done_is_the_clients_own_error(studio: Studio) -> None:
    with pytest.raises(ValidationError) as ratio:
        studio.client.midjourney.blend(img_urls=[studio.url, studio.url], aspect_ratio="16:9")
    with pytest.raises(ValidationError) as number:
        studio.client.midjourney.enhance(job_id=studio.follow("upscale", type=0).job_id, image_no=0)
    with pytest.raises(ValidationError) as nothing:
        studio.client.midjourney.upload_paint(
            img_url=studio.url,
            canvas=Canvas(width=64, height=64),
            img_pos=CanvasImg(width=8, height=8, x=0, y=0),
            remix_prompt="a hill",
            mask=Mask(),
        )

    assert "aspect_ratio" in ratio.value.message
    assert "--draft" in number.value.message
    assert "mask" in nothing.value.message
