"""How far a running job is: engine threads report steps and previews here, the worker takes what is worth telling.

Progress is real: passes done and files stored, out of all there will be. It never falls, not even when a job is begun
again after its worker died. Knows no database.
"""

import base64
import io
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PIL.Image import Image

from brushwork.engines.base import Row, RowCancelled
from brushwork.jobs.job import Stage

REPORT_SECONDS = 1.0
"""Progress is told at most this often."""
PREVIEWS = 3
"""Previews of one row at most, at least `REPORT_SECONDS` apart: of a grid, each picture shows early."""
PREVIEW_SIDE = 192
"""Pixels of a preview's longer side."""


@dataclass(frozen=True)
class Preview:
    """An early look at one row."""

    index: int
    image: str
    """A data: URL."""


@dataclass(frozen=True)
class Report:
    """What has changed since the last report."""

    stage: Stage
    is_new_stage: bool
    progress: int
    is_new_progress: bool
    previews: tuple[Preview, ...]


OnStep = Callable[[str, float], None]
"""Told (model, seconds since the step before) of each step of a picture but its first."""


def unheard(_model: str, _seconds: float) -> None:
    """Nobody counts."""


class JobSink:
    """The sink of one running job. All methods may be called from any thread."""

    def __init__(
        self, *, progress: int = 0, deadline_at: float = float("inf"), shows: bool = True, on_step: OnStep = unheard
    ) -> None:
        self.lock = threading.Lock()
        self.deadline_at = deadline_at
        self.on_step = on_step
        self.model = ""
        """The version that was asked for, once it is known."""
        self.stepped: dict[int, tuple[int, float]] = {}
        """Row → its last step, and when it was told."""
        self.shows = shows
        self.is_stopped = False
        self.is_overdue = False
        self.stage_name: Stage = "staged"
        self.rows = 1
        self.is_counted = False
        """Whether `rows` is known yet."""
        self.passes = 1
        self.shares: dict[int, float] = {}
        self.stored = 0
        self.files = 2
        self.progress = progress
        self.previews: list[Preview] = []
        self.previewed: dict[int, list[float]] = {}
        self.told_stage: Stage = "staged"
        self.told_progress = progress
        self.told_at = 0.0

    # ── from the engine ──

    def step(self, row: Row, done: int, total: int) -> None:
        """A pass of a row is done. Raises RowCancelled when the job is not wanted any more."""
        self.raise_if_unwanted()
        self.time_step(row.index, done, time.monotonic())
        with self.lock:
            self.stage_name = "processing"
            self.passes = max(self.passes, total)
            self.shares[row.index] = done / max(total, 1)
            self.update()

    def time_step(self, index: int, done: int, now: float) -> None:
        """Whoever only asks whether the row is still wanted tells the same step again."""
        last, moment = self.stepped.get(index, (-1, 0.0))
        if done > last:
            self.stepped[index] = done, now
        if done > last > 0:
            self.on_step(self.model, now - moment)

    def preview(self, row: Row, image: Image) -> None:
        if not self.shows:
            return
        now = time.monotonic()
        with self.lock:
            earlier = self.previewed.setdefault(row.index, [])
            if len(earlier) >= PREVIEWS or (earlier and now - earlier[-1] < REPORT_SECONDS):
                return
            earlier.append(now)
        small = Preview(row.index, data_url(image))
        with self.lock:
            self.previews.append(small)

    def stage(self, name: str) -> None:
        """Engines name their stages freely; clients see only that work goes on, with the first step."""

    # ── from the worker ──

    def expect(self, rows: Sequence[Row]) -> None:
        """These rows will be drawn, and then stored: each a file, and a grid when there are several."""
        with self.lock:
            self.rows, self.is_counted = max(1, len(rows)), True
            self.model = rows[0].model if rows else ""
            self.files = self.rows + (1 if self.rows > 1 else 0)

    def expect_files(self, count: int) -> None:
        """Now it is known how many files there are."""
        with self.lock:
            self.files = count

    def file_stored(self) -> None:
        with self.lock:
            self.stored += 1
            self.update()

    def update(self) -> None:
        done = sum(self.shares.values()) * self.passes + self.stored
        everything = self.rows * self.passes + self.files
        # 100 is said by the completion alone.
        self.progress = max(self.progress, min(99, int(100 * done / everything)))

    def stop(self) -> None:
        """The job is not ours any more: the next step ends it."""
        self.is_stopped = True

    def raise_if_unwanted(self) -> None:
        if time.time() > self.deadline_at:
            self.is_overdue = True
        if self.is_stopped or self.is_overdue:
            raise RowCancelled

    def take_report(self, now: float) -> Report | None:
        """What should be told now, once; None when there is nothing new or it was told a moment ago."""
        with self.lock:
            is_new_stage = self.stage_name != self.told_stage
            is_new_progress = self.progress > self.told_progress and now - self.told_at >= REPORT_SECONDS
            if not (is_new_stage or is_new_progress or self.previews):
                return None
            report = Report(self.stage_name, is_new_stage, self.progress, is_new_progress, tuple(self.previews))
            self.previews.clear()
            self.told_stage, self.told_progress = self.stage_name, self.progress
            self.told_at = now
            return report

    def tell_again(self, report: Report) -> None:
        """The report did not get through."""
        with self.lock:
            if report.is_new_stage:
                self.told_stage = "staged"
            self.told_progress = -1
            self.previews[:0] = report.previews


def data_url(image: Image) -> str:
    """A small WebP of the image, as a URL that needs no server."""
    small = image.convert("RGB")
    small.thumbnail((PREVIEW_SIDE, PREVIEW_SIDE))
    buffer = io.BytesIO()
    small.save(buffer, format="WEBP", quality=60, method=0)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode()
