"""Clips as files: frames go in one by one and come out one by one, so that a clip never is in memory as a whole.

H.264 in yuv420p, an MP4 that can be played before all of it is there, and nothing in it that tells of its maker's
machine. The same frames give the same bytes. Knows no task and no engine.
"""

import contextlib
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import av
import numpy as np
from PIL import Image

from brushwork.engines.base import Frame

CONTENT_TYPE = "video/mp4"
OPTIONS = {
    "crf": "17", "preset": "veryfast",
    # One slice after the other: the bytes do not depend on how many cores a machine has.
    "threads": "1",
    "x264-params": "stitchable=1:keyint=48:colorprim=bt709:transfer=bt709:colormatrix=bt709",
}  # fmt: skip
CONTAINER = {"movflags": "+faststart", "fflags": "+bitexact"}
BT709 = 1
"""In the tables of ISO/IEC 23001-8."""
LIMITED_RANGE = 1


class Film:
    """A clip that is being written. Only what was closed without an error is a whole file."""

    def __init__(self, path: Path, *, width: int, height: int, fps: int) -> None:
        self.path = path
        self.width, self.height, self.fps = width, height, fps
        self.count = 0
        self.container: Any = None
        self.stream: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with contextlib.suppress(av.FFmpegError) if error else contextlib.nullcontext():
            self.close()

    def write(self, frame: Frame) -> None:
        """Encode the next frame."""
        if self.container is None:  # not before: encoders of clips that have to wait would take memory
            self.open()
        if frame.shape != (self.height, self.width, 3):
            raise ValueError(f"a frame of {frame.shape} in a film of {self.width} by {self.height}")
        picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")
        picture = picture.reformat(format="yuv420p", dst_colorspace=BT709, interpolation="BICUBIC")
        picture.pts, picture.time_base = self.count, self.stream.codec_context.time_base
        picture.pict_type = 0  # the encoder's choice
        self.count += 1
        self.container.mux(self.stream.encode(picture))

    def open(self) -> None:
        self.container = av.open(str(self.path), "w", format="mp4", options=CONTAINER)
        self.stream = self.container.add_stream("libx264", rate=self.fps, options=OPTIONS)
        context = self.stream.codec_context
        context.width, context.height, context.pix_fmt = self.width, self.height, "yuv420p"
        context.time_base = Fraction(1, self.fps)
        context.color_primaries = context.color_trc = context.colorspace = BT709
        context.color_range = LIMITED_RANGE

    def close(self) -> None:
        """Write what is left. Safe to call twice."""
        container, self.container = self.container, None
        if container is not None:
            try:
                container.mux(self.stream.encode())
            finally:
                container.close()


class Reel:
    """A finished clip of ours that can be looked into: `Footage`."""

    def __init__(self, source: "Path | IO[bytes]") -> None:
        self.source = source
        with self.opened() as (_, stream):
            self.width, self.height = int(stream.codec_context.width), int(stream.codec_context.height)
            self.fps = round(float(stream.average_rate))
            self.count = int(stream.frames)

    @contextlib.contextmanager
    def opened(self) -> Iterator[tuple[Any, Any]]:
        if not isinstance(self.source, Path):
            self.source.seek(0)
        with av.open(
            str(self.source) if isinstance(self.source, Path) else self.source, "r", format="mp4"
        ) as container:
            stream = container.streams.video[0]
            stream.codec_context.thread_count = 1
            yield container, stream

    def frames(self, start: int = 0, stop: int | None = None) -> Iterator[Frame]:
        """Those from `start` up to but not including `stop`, decoded one after the other."""
        stop = self.count if stop is None else min(stop, self.count)
        if start >= stop:
            return
        with self.opened() as (container, stream):
            moment = round(start / self.fps / stream.time_base)
            container.seek(moment, stream=stream)  # to the key frame before
            for picture in container.decode(stream):
                number = round(picture.pts * stream.time_base * self.fps)
                if number >= stop:
                    return
                if number >= start:
                    yield picture.to_ndarray(format="rgb24", src_colorspace=BT709)

    def last_key(self) -> int:
        """The last frame that needs no other one to be decoded."""
        with self.opened() as (container, stream):
            keys = [packet.pts for packet in container.demux(stream) if packet.is_keyframe and packet.pts is not None]
            return int(max(keys) * stream.time_base * self.fps)

    def frame(self, number: int) -> Image.Image:
        """One frame as a picture."""
        return Image.fromarray(next(self.frames(number, number + 1)))


def spliced(before: Reel, cut: int, after: Reel, path: Path) -> None:
    """The frames of `before` up to but not including `cut`, a key frame, then all of `after`, as one file.

    Nothing is encoded anew, so nothing gets worse. Raises ValueError when the two were encoded in different ways.
    """
    with (
        before.opened() as (early, source),
        after.opened() as (late, other),
        av.open(str(path), "w", format="mp4", options=CONTAINER) as target,
    ):
        if source.codec_context.extradata != other.codec_context.extradata:
            raise ValueError("the parts were encoded in different ways")
        stream = target.add_stream_from_template(source)
        stream.time_base = tick = Fraction(1, before.fps)
        for container, inner, shift, stop in ((early, source, 0, cut), (late, other, cut, after.count)):
            for packet in container.demux(inner):
                if packet.dts is None or packet.pts * inner.time_base >= stop * tick:
                    continue
                packet.pts, packet.dts = (
                    round(moment * inner.time_base / tick) + shift for moment in (packet.pts, packet.dts)
                )
                packet.time_base, packet.stream, packet.duration = tick, stream, 1
                target.mux(packet)


def join(before: Reel, cut: int, after: Reel, path: Path) -> None:
    """The same; what cannot be copied is encoded anew."""
    try:
        spliced(before, cut, after, path)
    except ValueError:
        with Film(path, width=before.width, height=before.height, fps=before.fps) as film:
            for frame in before.frames(0, cut):
                film.write(frame)
            for frame in after.frames():
                film.write(frame)
