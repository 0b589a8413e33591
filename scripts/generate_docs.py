"""Write `docs/reference/` from the code, or with --check say which pages are out of date.

Run it from the root of the repository, as `make docs` and `make lint` do.
"""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from reference.commands import commands_page
from reference.database import database_page
from reference.diorama import diorama_page
from reference.endpoints import endpoints_page
from reference.errors import errors_page
from reference.metrics import metrics_page
from reference.models import models_page
from reference.parameters import parameters_page
from reference.settings import settings_page
from reference.tasks import tasks_page
from reference.versions import versions_page

FOLDER = Path(__file__).parent.parent / "docs" / "reference"

PAGES: Mapping[str, Callable[[], str]] = {
    "settings.md": settings_page,
    "cli.md": commands_page,
    "http.md": endpoints_page,
    "tasks.md": tasks_page,
    "prompt-parameters.md": parameters_page,
    "versions.md": versions_page,
    "diorama.md": diorama_page,
    "models.md": models_page,
    "errors.md": errors_page,
    "metrics.md": metrics_page,
    "database.md": database_page,
}


def stale(folder: Path = FOLDER) -> list[str]:
    """The pages that are missing, differ from the code, or are described by no code."""
    wrong = [name for name, build in PAGES.items() if not is_written(folder / name, build())]
    return wrong + sorted(path.name for path in folder.glob("*.md") if path.name not in PAGES)


def is_written(path: Path, text: str) -> bool:
    return path.exists() and path.read_text(encoding="utf-8") == text


def main() -> int:
    if "--check" in sys.argv[1:]:
        wrong = stale()
        for name in wrong:
            print(f"docs/reference/{name} is out of date; run `make docs`", file=sys.stderr)
        return 1 if wrong else 0
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, build in PAGES.items():
        (FOLDER / name).write_text(build(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
