"""Clips as files: what goes in comes out, whole or in parts, and what a player reads of it."""

from fractions import Fraction
from io import BytesIO
from pathlib import Path

import av
import numpy as np
import pytest

from brushwork.engines.base import Frame
from brushwork.engines.tools.video import Film, Reel, join, spliced

WIDTH, HEIGHT = 96, 64


def frame(number: int) -> Frame:
    """A bright bar that moves to the right before a soft background."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    picture = np.stack([x + 60, y + 90, (x + y) // 2 + 50], axis=-1)
    left = number % (WIDTH - 8)
    picture[:, left : left + 8] = (240, 220, 200)
    return picture.astype(np.uint8)


def filmed(path: Path, numbers: range, *, width: int = WIDTH) -> Reel:
    with Film(path, width=width, height=HEIGHT, fps=24) as film:
        for number in numbers:
            film.write(frame(number)[:, :width])
    return Reel(path)


def error(one: Frame, other: Frame) -> float:
    return float(np.abs(one.astype(int) - other).mean())


def test_a_clip_is_what_every_player_takes(tmp_path: Path) -> None:
    filmed(tmp_path / "a.mp4", range(60))

    data = (tmp_path / "a.mp4").read_bytes()
    with av.open(BytesIO(data)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert (stream.width, stream.height, stream.average_rate, stream.frames) == (WIDTH, HEIGHT, Fraction(24), 60)
        assert stream.duration is not None
        assert stream.time_base is not None
        assert stream.duration * stream.time_base == 2.5
        assert len(container.streams) == 1
        assert "comment" not in container.metadata
    assert data.find(b"moov") < data.find(b"mdat")


def test_the_frames_come_out_as_they_went_in_and_in_order(tmp_path: Path) -> None:
    reel = filmed(tmp_path / "a.mp4", range(110))

    assert (reel.count, reel.fps, reel.width, reel.height) == (110, 24, WIDTH, HEIGHT)
    assert max(error(one, frame(number)) for number, one in enumerate(reel.frames())) < 3
    assert [error(one, frame(50 + n)) < 3 for n, one in enumerate(reel.frames(50, 53))] == [True] * 3
    assert error(np.asarray(reel.frame(109)), frame(109)) < 3
    assert list(reel.frames(110)) == []


def test_the_same_frames_give_the_same_bytes(tmp_path: Path) -> None:
    filmed(tmp_path / "a.mp4", range(30))
    filmed(tmp_path / "b.mp4", range(30))

    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()


def test_a_clip_can_be_read_from_memory(tmp_path: Path) -> None:
    filmed(tmp_path / "a.mp4", range(12))

    reel = Reel(BytesIO((tmp_path / "a.mp4").read_bytes()))

    assert reel.count == len(list(reel.frames())) == 12


def test_two_clips_become_one_and_the_first_keeps_its_bytes(tmp_path: Path) -> None:
    first = filmed(tmp_path / "a.mp4", range(60))
    key = first.last_key()
    second = filmed(tmp_path / "b.mp4", range(key, 90))

    spliced(first, key, second, tmp_path / "c.mp4")

    whole = Reel(tmp_path / "c.mp4")
    assert key == 48
    assert whole.count == 90
    frames = list(whole.frames())
    assert len(frames) == 90
    assert all((one == other).all() for one, other in zip(frames, first.frames(0, key), strict=False))
    assert max(error(one, frame(number)) for number, one in enumerate(frames)) < 3


def test_clips_of_another_make_are_joined_all_the_same(tmp_path: Path) -> None:
    first = filmed(tmp_path / "a.mp4", range(30))
    with av.open(str(tmp_path / "b.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=24, options={"profile": "baseline", "crf": "12"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for number in range(30, 40):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame(number), format="rgb24")))
        container.mux(stream.encode())

    with pytest.raises(ValueError, match="different ways"):
        spliced(first, 30, Reel(tmp_path / "b.mp4"), tmp_path / "c.mp4")
    join(first, 30, Reel(tmp_path / "b.mp4"), tmp_path / "c.mp4")

    assert Reel(tmp_path / "c.mp4").count == 40


def test_a_frame_of_another_size_is_refused(tmp_path: Path) -> None:
    with Film(tmp_path / "a.mp4", width=WIDTH, height=HEIGHT, fps=24) as film:
        film.write(frame(0))
        with pytest.raises(ValueError, match="a film of 96 by 64"):
            film.write(frame(1)[:, 1:])
