"""Every video method of the Python client from the package index, unchanged; what it reads of a clip, and the files."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from io import BytesIO
from typing import Any

import av
import httpx
import pytest
from legnext import Client
from legnext.types.enums import JobStatus
from legnext.types.errors import ValidationError

from tests.journeys.server import Server, serving

PROMPT = "waves --bs 1 --motion low"


@dataclass(frozen=True)
class Cinema:
    """The client, and a server whose engine makes clips of one colour."""

    client: Client
    server: Server

    def done(self, method: str, **arguments: Any) -> Any:
        """A finished job: as the client reads it, with `raw`, as the server said it."""
        submitted = getattr(self.client.midjourney, method)(**arguments)
        job: Any = self.client.tasks.wait_for_completion(submitted.job_id, timeout=120, poll_interval=0.1)
        assert job.status is JobStatus.COMPLETED
        assert job.meta.usage.consume == submitted.meta.usage.frozen > 0
        return job

    def raw(self, job: Any) -> dict[str, Any]:
        headers = {"x-api-key": self.server.key}
        answer = httpx.get(f"{self.server.url}/api/v1/job/{job.job_id}", headers=headers, trust_env=False)
        output: dict[str, Any] = answer.json()["output"]
        return output


@pytest.fixture(scope="module")
def cinema(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cinema]:
    with (
        serving(tmp_path_factory.mktemp("videos")) as server,
        Client(api_key=server.key, base_url=f"{server.url}/api") as client,
    ):
        yield Cinema(client, server)


def check_clip(url: str, *, size: tuple[int, int], frames: int) -> None:
    answer = httpx.get(url, trust_env=False)
    assert answer.headers["content-type"] == "video/mp4"
    with av.open(BytesIO(answer.content), "r") as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height) == size
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert stream.average_rate == Fraction(24)
        assert abs(sum(1 for _ in container.decode(stream)) - frames) <= 1


def test_a_clip_is_made_extended_four_times_and_upscaled(cinema: Cinema) -> None:
    picture: Any = cinema.client.tasks.wait_for_completion(
        cinema.client.midjourney.diffusion(text="a lighthouse --draft").job_id, timeout=60, poll_interval=0.1
    )
    first = cinema.done("video_diffusion", prompt=f"{picture.output.image_urls[0]} {PROMPT}", video_type=0)

    shown = cinema.raw(first)
    assert [str(url) for url in first.output.video_urls] == shown["video_urls"]
    assert shown["video_actions"] == {"extend": [0], "upscale": [0]}
    assert "available_actions" not in shown
    assert httpx.get(shown["poster_urls"][0], trust_env=False).headers["content-type"] == "image/jpeg"
    assert first.output.seed.isdecimal()
    assert first.meta.usage.consume == 120
    check_clip(shown["video_urls"][0], size=(480, 480), frames=120)

    job = first
    for turn in range(1, 5):
        job = cinema.done("extend_video", job_id=job.job_id, video_no=0, prompt="--bs 1")
        check_clip(cinema.raw(job)["video_urls"][0], size=(480, 480), frames=120 + turn * 96)
    assert cinema.raw(job)["video_actions"] == {"extend": [], "upscale": [0]}
    with pytest.raises(ValidationError) as fifth:
        cinema.client.midjourney.extend_video(job_id=job.job_id, video_no=0)
    assert "extended 4 times" in fifth.value.message

    large = cinema.done("video_upscale", job_id=first.job_id, video_no=0)
    assert large.meta.usage.consume == 480
    assert cinema.raw(large)["video_actions"] == {"extend": [], "upscale": []}
    check_clip(cinema.raw(large)["video_urls"][0], size=(960, 960), frames=120)


def test_clips_from_words_have_the_shape_that_is_asked_for(cinema: Cinema) -> None:
    job = cinema.done("video_diffusion", prompt="a river --ar 16:9 --bs 2 --loop", video_type=1)

    urls = cinema.raw(job)["video_urls"]
    assert len(urls) == 2
    assert job.meta.usage.consume == 1536 // 2
    check_clip(urls[1], size=(1280, 720), frames=120)


def test_what_cannot_be_done_is_the_clients_own_error(cinema: Cinema) -> None:
    clip = cinema.done("video_diffusion", prompt=PROMPT)
    with pytest.raises(ValidationError) as number:
        cinema.client.midjourney.extend_video(job_id=clip.job_id, video_no=1)
    with pytest.raises(ValidationError) as kind:
        cinema.client.midjourney.upscale(job_id=clip.job_id, image_no=0, type=0)
    with pytest.raises(ValidationError) as clash:
        cinema.client.midjourney.video_diffusion(prompt="waves --loop --end https://example.com/a.png")

    assert "1" in number.value.message
    assert "a video" in kind.value.message
    assert "--end" in clash.value.message
