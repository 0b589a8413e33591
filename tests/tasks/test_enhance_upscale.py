"""Enlarging to an exact size: fields, prices, and files that are what they say."""

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from brushwork.engines.base import NullSink, Row, RowCancelled
from brushwork.engines.noop import NoopEngine
from brushwork.errors import InvalidField
from brushwork.tasks.base import Outcome, Run
from brushwork.tasks.enhance_upscale import LONG_EDGE, EnhanceUpscale
from brushwork.tasks.sources import FromJob, FromUrl, Given

URL = "https://example.com/fox.png"


def png(size: tuple[int, int]) -> bytes:
    across, down = np.meshgrid(np.linspace(0, 255, size[0]), np.linspace(0, 255, size[1]))
    picture = np.stack([across, down, 255 - across], axis=-1).astype(np.uint8)
    file = BytesIO()
    Image.fromarray(picture).save(file, "PNG")
    return file.getvalue()


def run(folder: Path, size: tuple[int, int], sink: Any = None, **fields: Any) -> Outcome:
    task = EnhanceUpscale.model_validate({"image_url": URL, **fields})
    given = [Given("source.png", *size)]
    return task.run(Run(NoopEngine(), 1, sink or NullSink(), given=given, data=[png(size)], scratch=folder))


@pytest.mark.parametrize(
    ("resolution", "points"),
    [("HD", 120), ("FHD", 120), ("2K", 120), ("4K", 160), ("6K", 200), ("8K", 300), ("12K", 540)],
)
def test_the_price_is_that_of_the_resolution(resolution: str, points: int) -> None:
    assert EnhanceUpscale.model_validate({"image_url": URL, "target_resolution": resolution}).price() == points


def test_a_resolution_may_be_written_small() -> None:
    assert EnhanceUpscale.model_validate({"image_url": URL, "target_resolution": "4k"}).target_resolution == "4K"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "image_url"),
        ({"image_url": URL, "jobId": "x", "imageNo": 0}, "image_url"),
        ({"jobId": "x"}, "imageNo"),
    ],
)
def test_exactly_one_picture_must_be_named(body: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidField) as refused:
        EnhanceUpscale.model_validate(body).check()

    assert refused.value.detail["field"] == field


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("target_resolution", "16K"),
        ("content_type", "anime"),
        ("aspect_ratio", "2:1"),
        ("crop_mode", "keep"),
        ("output_format", "gif"),
        ("face_enhancement_level", "max"),
        ("imageNo", 4),
        ("image_url", "ftp://example.com/x.png"),
    ],
)
def test_a_wrong_value_is_refused(field: str, value: object) -> None:
    with pytest.raises(ValidationError) as refused:
        EnhanceUpscale.model_validate({"image_url": URL, field: value})

    assert refused.value.errors()[0]["loc"] == (field,)


def test_what_it_works_on_is_a_large_file_or_a_picture_of_a_job() -> None:
    from_url = EnhanceUpscale.model_validate({"image_url": URL}).wanted()
    from_job = EnhanceUpscale.model_validate({"jobId": "abc", "imageNo": 2}).wanted()

    assert from_url == (FromUrl(URL, "image_url", max_bytes=100_000_000, max_pixels=151_000_000, tiff=True),)
    assert from_job == (FromJob("abc", 2),)


@pytest.mark.parametrize(
    ("given", "form"), [("jpeg", "jpeg"), ("jpg", "jpeg"), ("png", "png"), ("tiff", "tiff"), ("tif", "tiff")]
)
def test_the_file_has_the_size_and_the_format_that_were_asked(tmp_path: Path, given: str, form: str) -> None:
    outcome = run(tmp_path, (96, 64), target_resolution="HD", output_format=given, aspect_ratio="1:1")

    (file,) = outcome.files
    picture = Image.open(file.path)
    assert (picture.format or "").lower() == form
    assert picture.size == (file.width, file.height) == (1920, 1920)
    assert file.content_type == f"image/{form}"
    assert file.path.parent == tmp_path


def test_every_resolution_has_its_longer_side() -> None:
    assert LONG_EDGE == {
        "HD": 1920, "FHD": 1920, "2K": 2560, "4K": 3840, "6K": 6144, "8K": 7680, "12K": 12288,
    }  # fmt: skip


def test_treating_faces_is_listed_as_missing_only_when_it_was_asked_for(tmp_path: Path) -> None:
    asked = run(tmp_path, (1920, 1080), target_resolution="HD", face_enhancement_level="strong")
    silent = run(tmp_path, (1920, 1080), target_resolution="HD")
    off = run(tmp_path, (1920, 1080), target_resolution="HD", face_enhancement_level="off")

    assert asked.degraded == ["parameter:face_enhancement_level"]
    assert (silent.degraded, off.degraded) == ([], [])


def test_a_task_means_the_same_when_it_is_read_from_the_database() -> None:
    task = EnhanceUpscale.model_validate({"image_url": URL, "output_format": "png"})

    assert EnhanceUpscale.model_validate(task.model_dump(mode="json")) == task


class Impatient(NullSink):
    """Cancels after some questions, and counts those that come after."""

    def __init__(self, patience: int) -> None:
        self.patience = patience

    def step(self, row: Row, done: int, total: int) -> None:
        self.patience -= 1
        if self.patience < 0:
            raise RowCancelled


@pytest.mark.parametrize(
    ("size", "resolution"), [((700, 700), "HD"), ((3200, 400), "12K"), ((12288, 600), "12K")], ids=str
)
def test_a_cancelled_job_is_asked_no_more_than_once(tmp_path: Path, size: tuple[int, int], resolution: str) -> None:
    sink = Impatient(2)

    with pytest.raises(RowCancelled):
        run(tmp_path, size, sink, target_resolution=resolution)

    assert sink.patience == -1
