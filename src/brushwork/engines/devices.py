"""Which devices this machine can draw on, without loading torch: the API process asks too."""

import platform
import re
from pathlib import Path

GPU = re.compile(r"nvidia(\d+)$")


def devices(folder: Path = Path("/dev")) -> tuple[str, ...]:
    """Every GPU of this machine, as torch names them; none where there is only a CPU."""
    found = sorted(int(match[1]) for match in map(GPU.match, names_in(folder)) if match)
    if found:
        return tuple(f"cuda:{place}" for place in range(len(found)))
    if (folder / "kfd").exists():  # AMD; torch calls it cuda too
        cards = [name for name in names_in(folder / "dri") if name.startswith("renderD")]
        return tuple(f"cuda:{place}" for place in range(len(cards)))
    if platform.system() == "Darwin" and platform.machine() == "arm64":
        return ("mps",)
    return ()


def names_in(folder: Path) -> list[str]:
    try:
        return [path.name for path in folder.iterdir()]
    except OSError:
        return []
