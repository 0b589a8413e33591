"""How much memory a device has."""

from pathlib import Path

import pytest

from brushwork.engines.memory import amd, memory_of


def test_a_cpu_has_the_memory_of_the_machine() -> None:
    assert memory_of("cpu:0") > 0.5
    assert memory_of("mps") < memory_of("cpu")


def test_the_driver_is_asked_for_a_gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    driver = tmp_path / "nvidia-smi"
    driver.write_text('#!/bin/sh\ncase "$1" in --id=1) echo 81559;; *) exit 6;; esac\n')
    driver.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert memory_of("cuda:1") == 85.5
    assert memory_of("cuda:7") == 0


def test_without_a_driver_it_cannot_be_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    assert memory_of("cuda:63") == 0


def test_the_kernel_knows_the_cards_of_amd(tmp_path: Path) -> None:
    for card, size in (("card0", 16 * 10**9), ("card1", 24 * 10**9)):
        (tmp_path / card / "device").mkdir(parents=True)
        (tmp_path / card / "device" / "mem_info_vram_total").write_text(f"{size}\n")

    assert amd(1, tmp_path) == 24
    assert amd(2, tmp_path) == 0
