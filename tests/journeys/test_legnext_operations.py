"""Every image method of the Python client from the package index, unchanged, on the embedded painter, in pixels."""

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO

import httpx
import numpy as np
import pytest
from legnext import Client
from legnext.types.canvas import Canvas, CanvasImg, Mask, Polygon
from legnext.types.enums import JobStatus
from legnext.types.errors import LegnextAPIError, NotFoundError, ValidationError
from legnext.types.responses import TaskResponse
from PIL import Image

from tests.journeys.server import Server, serving

PROMPT = "a red fox in a snowy forest --draft --seed 42"
SIDE = 512
"""Of a draft."""
SECONDS = 180


@dataclass(frozen=True)
class Session:
    """A client, and a finished grid that everything else follows."""

    client: Client
    grid: TaskResponse

    @property
    def url(self) -> str:
        return link(self.grid, 0)

    def finish(self, submitted: TaskResponse) -> TaskResponse:
        return self.client.tasks.wait_for_completion(submitted.job_id, timeout=SECONDS, poll_interval=0.2)

    def pictures(self, submitted: TaskResponse) -> list[Image.Image]:
        """The pictures of a job, once it is done."""
        finished = self.finish(submitted)
        assert finished.status is JobStatus.COMPLETED
        assert finished.output is not None
        assert finished.output.image_urls is not None
        return [picture_at(str(url)) for url in finished.output.image_urls]


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    folder = tmp_path_factory.mktemp("operations")
    with serving(folder, engine="diorama") as server, client_of(server) as client:
        submitted = client.midjourney.diffusion(text=PROMPT)
        yield Session(client, client.tasks.wait_for_completion(submitted.job_id, timeout=SECONDS, poll_interval=0.2))


def client_of(server: Server) -> Client:
    return Client(api_key=server.key, base_url=f"{server.url}/api")


def link(job: TaskResponse, number: int) -> str:
    assert job.output is not None
    assert job.output.image_urls is not None
    return str(job.output.image_urls[number])


def picture_at(url: str) -> Image.Image:
    answer = httpx.get(url, trust_env=False, timeout=30)
    assert answer.status_code == 200
    picture = Image.open(BytesIO(answer.content))
    picture.load()
    return picture


def pixels(image: Image.Image) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.asarray(image.convert("RGB"), np.float32)


def distance(one: Image.Image, other: Image.Image) -> float:
    """Mean difference of what two pictures look like from afar, 0-255."""
    small = [pixels(image.convert("RGB").resize((64, 64), Image.Resampling.BOX)) for image in (one, other)]
    return float(np.abs(small[0] - small[1]).mean())


def source(session: Session) -> Image.Image:
    return picture_at(session.url)


def square(low: int, high: int) -> Polygon:
    return Polygon(width=SIDE, height=SIDE, points=[low, low, high, low, high, high, low, high])


def test_a_subtle_variation_is_nearer_to_its_source_than_a_strong_one(session: Session) -> None:
    jobs = [session.client.midjourney.variation(job_id=session.grid.job_id, image_no=0, type=kind) for kind in (0, 1)]
    subtle, strong = (session.pictures(job) for job in jobs)

    original = source(session)
    assert len(subtle) == len(strong) == 4
    assert len({picture.tobytes() for picture in [original, *subtle, *strong]}) == 9
    means = [float(np.mean([distance(original, picture) for picture in made])) for made in (subtle, strong)]
    assert means[0] < means[1]


def test_a_reroll_draws_four_other_pictures_of_the_same_size(session: Session) -> None:
    again = session.pictures(session.client.midjourney.reroll(job_id=session.grid.job_id))

    assert [picture.size for picture in again] == [(SIDE, SIDE)] * 4
    assert source(session).tobytes() not in {picture.tobytes() for picture in again}


def test_a_remix_follows_the_new_prompt(session: Session) -> None:
    submitted = session.client.midjourney.remix(
        job_id=session.grid.job_id, image_no=0, remix_prompt="a sailboat on the sea at night --seed 3", mode=0
    )

    night = session.pictures(submitted)[0]

    assert pixels(night).mean() < 0.7 * pixels(source(session)).mean()


@pytest.mark.parametrize(
    ("direction", "size", "at"), [(0, (512, 768), (0, 0)), (1, (768, 512), (0, 0)), (2, (512, 768), (0, 256))]
)
def test_a_pan_goes_on_beyond_one_side_and_keeps_every_pixel(
    session: Session, direction: int, size: tuple[int, int], at: tuple[int, int]
) -> None:
    submitted = session.client.midjourney.pan(job_id=session.grid.job_id, image_no=0, direction=direction, scale=1.5)

    wide = session.pictures(submitted)[0]

    assert wide.size == size
    assert wide.crop((*at, at[0] + SIDE, at[1] + SIDE)).tobytes() == source(session).tobytes()


def test_an_outpaint_goes_on_beyond_every_side(session: Session) -> None:
    submitted = session.client.midjourney.outpaint(job_id=session.grid.job_id, image_no=0, scale=1.5)

    wide = session.pictures(submitted)[0]

    assert wide.size == (768, 768)
    assert wide.crop((128, 128, 640, 640)).tobytes() == source(session).tobytes()


def test_an_inpaint_changes_what_the_mask_file_shows_white_and_nothing_else(session: Session) -> None:
    mask = Image.new("L", (SIDE, SIDE), 0)
    mask.paste(255, (300, 20, 500, 220))
    file = BytesIO()
    mask.save(file, "PNG")

    painted = session.pictures(
        session.client.midjourney.inpaint(
            job_id=session.grid.job_id, image_no=0, mask=file.getvalue(), remix_prompt="a hot air balloon"
        )
    )[0]

    changed = np.abs(pixels(painted) - pixels(source(session))).max(axis=2)
    assert painted.size == (SIDE, SIDE)
    assert changed[np.asarray(mask) == 0].max() == 0
    assert changed[20:220, 300:500].mean() > 5


def test_an_edit_lays_the_picture_on_a_canvas(session: Session) -> None:
    submitted = session.client.midjourney.edit(
        job_id=session.grid.job_id,
        image_no=0,
        canvas=Canvas(width=768, height=512),
        img_pos=CanvasImg(width=512, height=512, x=128, y=0),
        remix_prompt="a red fox in a snowy forest",
    )

    canvas = session.pictures(submitted)[0]

    assert canvas.size == (768, 512)
    assert canvas.crop((128, 0, 640, 512)).tobytes() == source(session).tobytes()


def test_upload_paint_works_on_any_picture(session: Session) -> None:
    submitted = session.client.midjourney.upload_paint(
        img_url=session.url,
        canvas=Canvas(width=640, height=512),
        img_pos=CanvasImg(width=512, height=512, x=0, y=0),
        remix_prompt="snowy pines",
        mask=Mask(areas=[square(10, 120)]),
    )

    canvas = session.pictures(submitted)[0]

    assert canvas.size == (640, 512)
    assert canvas.crop((130, 130, 512, 512)).tobytes() == source(session).crop((130, 130, 512, 512)).tobytes()


def test_a_retexture_keeps_the_shapes_and_changes_the_colours(session: Session) -> None:
    made = session.pictures(session.client.midjourney.retexture(img_url=session.url, remix_prompt="made of gold"))[0]

    original = source(session)
    assert made.size == (1024, 1024)  # of a square: a draft is no measure for what comes from outside
    assert np.corrcoef(edges(made), edges(original))[0, 1] > 0.3
    assert distance(made, original) > 8


def edges(image: Image.Image) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    grey = np.asarray(image.convert("L").resize((128, 128), Image.Resampling.BOX), np.float32)
    down, across = np.gradient(grey)
    return np.asarray(np.hypot(down, across).ravel(), np.float32)


@pytest.mark.parametrize(("ratio", "across", "down"), [("2:3", 2, 3), ("1:1", 1, 1), ("3:2", 3, 2)])
def test_a_blend_has_the_ratio_that_was_asked(session: Session, ratio: str, across: int, down: int) -> None:
    submitted = session.client.midjourney.blend(img_urls=[session.url, link(session.grid, 1)], aspect_ratio=ratio)

    blended = session.pictures(submitted)[0]

    assert blended.width / blended.height == pytest.approx(across / down, rel=0.01)


def test_a_background_is_removed_softly(session: Session) -> None:
    cut = session.pictures(session.client.midjourney.remove_background(img_url=session.url))

    (picture,) = cut
    alpha = np.asarray(picture)[..., 3]
    assert picture.mode == "RGBA"
    assert picture.size == (SIDE, SIDE)
    assert alpha[:20, :20].max() < 40
    assert alpha.max() > 230
    assert ((alpha > 20) & (alpha < 235)).any()


def test_an_enhanced_draft_is_the_same_picture_at_full_size(session: Session) -> None:
    full = session.pictures(session.client.midjourney.enhance(job_id=session.grid.job_id, image_no=0))[0]

    assert full.size == (1024, 1024)
    assert distance(full, source(session)) < 12


def test_an_upscale_is_twice_as_large_and_subtle_is_not_creative(session: Session) -> None:
    jobs = [session.client.midjourney.upscale(job_id=session.grid.job_id, image_no=0, type=kind) for kind in (0, 1)]
    (subtle,), (creative,) = (session.pictures(job) for job in jobs)

    assert subtle.size == creative.size == (2 * SIDE, 2 * SIDE)
    assert subtle.tobytes() != creative.tobytes()
    for large in (subtle, creative):
        assert distance(large, source(session)) < 12


def test_describe_gives_four_prompts_with_the_ratio(session: Session) -> None:
    finished = session.finish(session.client.midjourney.describe(img_url=session.url))

    assert finished.output is not None
    prompts = finished.output.prompts
    assert prompts is not None
    assert len(set(prompts)) == 4
    assert all(prompt.endswith("--ar 1:1") for prompt in prompts)
    assert any("fox" in prompt for prompt in prompts)


def test_shorten_gives_shorter_and_shorter_prompts_and_keeps_the_flags(session: Session) -> None:
    text = "a very beautiful and truly amazing red fox in a snowy forest at golden hour --ar 3:2"

    finished = session.finish(session.client.midjourney.shorten(prompt=text))

    assert finished.output is not None
    prompts = finished.output.prompts
    assert prompts
    assert [len(prompt) for prompt in prompts] == sorted((len(prompt) for prompt in prompts), reverse=True)
    assert all("fox" in prompt and prompt.endswith("--ar 3:2") for prompt in prompts)


def test_what_cannot_be_done_is_refused_with_the_clients_own_errors(session: Session) -> None:
    unknown = "00000000-0000-4000-8000-000000000000"
    with pytest.raises(NotFoundError):
        session.client.midjourney.reroll(job_id=unknown)
    with pytest.raises(ValidationError) as wrong_ratio:
        session.client.midjourney.blend(img_urls=[session.url, session.url], aspect_ratio="16:9")
    with pytest.raises(LegnextAPIError) as inside:
        session.client.midjourney.describe(img_url="http://127.0.0.1:1/x.png")

    assert "aspect_ratio" in wrong_ratio.value.message
    assert inside.value.status_code == 400
