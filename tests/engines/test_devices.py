"""Which devices are found, from what the system shows of them."""

from pathlib import Path

import pytest

from brushwork.engines.devices import devices


def test_every_nvidia_gpu_is_found_and_nothing_else(tmp_path: Path) -> None:
    for name in ("nvidia0", "nvidia3", "nvidiactl", "nvidia-uvm", "null"):
        (tmp_path / name).touch()

    assert devices(tmp_path) == ("cuda:0", "cuda:1")


def test_amd_gpus_have_the_same_names(tmp_path: Path) -> None:
    (tmp_path / "dri").mkdir()
    for name in ("kfd", "dri/card0", "dri/renderD128"):
        (tmp_path / name).touch()

    assert devices(tmp_path) == ("cuda:0",)


@pytest.mark.parametrize("system", [("Linux", "x86_64"), ("Darwin", "x86_64")])
def test_a_machine_without_gpus_has_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, system: tuple[str, str]
) -> None:
    monkeypatch.setattr("platform.system", lambda: system[0])
    monkeypatch.setattr("platform.machine", lambda: system[1])

    assert devices(tmp_path) == ()
    assert devices(tmp_path / "missing") == ()
