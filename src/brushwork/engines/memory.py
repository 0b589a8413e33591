"""How much memory a device has, without loading torch. An estimate for `doctor`; the engine itself asks the driver."""

import os
import subprocess
from pathlib import Path

SHARED = 0.75
"""Of the memory of an Apple chip: what its GPU may take."""


def memory_of(device: str) -> float:
    """In GB; 0 when it cannot be told."""
    kind, _, number = device.partition(":")
    place = int(number) if number.isdigit() else 0
    if kind == "cuda":
        return nvidia(place) or amd(place)
    return round(physical() * (SHARED if kind == "mps" else 1), 1)


def nvidia(place: int) -> float:
    command = ["nvidia-smi", f"--id={place}", "--query-gpu=memory.total", "--format=csv,noheader,nounits"]
    try:
        said = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True).stdout
        return round(float(said.split()[0]) * 2**20 / 1e9, 1)
    except (OSError, ValueError, IndexError, subprocess.SubprocessError):
        return 0.0


def amd(place: int, folder: Path = Path("/sys/class/drm")) -> float:
    cards = sorted(folder.glob("card*/device/mem_info_vram_total"))
    try:
        return round(int(cards[place].read_text()) / 1e9, 1)
    except (OSError, ValueError, IndexError):
        return 0.0


def physical() -> float:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    except (OSError, ValueError):
        return 0.0
