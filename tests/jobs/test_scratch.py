"""Room on the disk for what is too large for memory, and what a killed worker leaves of it."""

from pathlib import Path

from brushwork.jobs.scratch import Scratch, is_removed_at_once


def test_a_worker_takes_its_folder_with_it(tmp_path: Path) -> None:
    with Scratch(tmp_path / "scratch") as scratch:
        first, second = scratch.folder(), scratch.folder()
        (second / "large").write_bytes(b"data")

        assert first != second
        assert is_removed_at_once(first)
        assert not is_removed_at_once(second)

    assert [path.name for path in (tmp_path / "scratch").iterdir()] == ["lock"]


def test_only_what_nobody_holds_any_more_is_swept(tmp_path: Path) -> None:
    for name in ("worker-killed", "worker-killed-at-once"):
        (tmp_path / name / "job-1").mkdir(parents=True)
    (tmp_path / "worker-killed" / "lock").touch()
    (tmp_path / "worker-killed" / "job-1" / "large").write_bytes(b"data")

    with Scratch(tmp_path) as alive:
        kept = alive.folder()
        with Scratch(tmp_path) as other:
            assert kept.exists()
            assert {path.name for path in tmp_path.glob("worker-*")} == {alive.own.name, other.own.name}


def test_without_a_place_of_its_own_it_is_a_temporary_one() -> None:
    with Scratch() as scratch:
        folder = scratch.folder()
        assert folder.is_dir()

    assert not folder.exists()
