"""Progress is counted, never guessed; each picture of a grid shows early, and none too often."""

from PIL import Image

from brushwork.engines.base import Row
from brushwork.jobs.progress import PREVIEWS, JobSink


def row(index: int) -> Row:
    return Row(index=index, seed=1, text="x", width=8, height=8)


def test_every_row_of_a_grid_gets_its_preview_and_none_gets_many() -> None:
    sink = JobSink()

    for _ in range(3):
        for index in range(4):
            sink.preview(row(index), Image.new("RGB", (640, 320)))
    report = sink.take_report(now=100.0)

    assert report is not None
    assert [preview.index for preview in report.previews] == [0, 1, 2, 3]
    assert PREVIEWS > 1


def test_progress_counts_passes_of_all_rows_and_stored_files() -> None:
    sink = JobSink()
    sink.expect([row(0), row(1)])

    seen = []
    for done in (1, 2):
        for index in (0, 1):
            sink.step(row(index), done, 2)
            seen.append(sink.progress)
    for _ in range(3):
        sink.file_stored()
        seen.append(sink.progress)

    # two rows of two passes, two pictures and a grid: seven parts; only the completion says 100
    assert seen == [14, 28, 42, 57, 71, 85, 99]


def test_a_step_that_is_told_again_is_timed_once() -> None:
    timed: list[float] = []
    sink = JobSink(on_step=lambda _model, seconds: timed.append(seconds))

    for done in (0, 0, 1, 1, 1, 2, 3, 3):
        sink.step(row(0), done, 3)

    assert len(timed) == 2  # from the first to the second, and from that to the third
