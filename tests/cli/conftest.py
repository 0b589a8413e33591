"""The command line as tests use it."""

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from brushwork.cli import main


@dataclass(frozen=True)
class Said:
    stdout: str
    stderr: str


@dataclass(frozen=True)
class Brushwork:
    """The command, with a data folder of its own; in this process, because starting one takes a second."""

    folder: Path
    patch: pytest.MonkeyPatch
    capture: pytest.CaptureFixture[str]

    def __call__(self, *arguments: str, code: int = 0, **settings: str) -> Said:
        with self.patch.context() as patch:
            for name, value in settings.items():
                patch.setenv(name, value)
            patch.setattr(sys, "argv", ["brushwork", *arguments])
            with pytest.raises(SystemExit) as ended:
                main()
        said = Said(*self.capture.readouterr())
        assert (ended.value.code or 0) == code, f"{arguments} ended with {ended.value.code}\n{said}"
        return said

    def json(self, *arguments: str) -> object:
        return json.loads(self(*arguments, "--json").stdout)


@pytest.fixture
def brushwork(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Brushwork:
    for name in [name for name in os.environ if name.startswith("BRUSHWORK_")]:
        monkeypatch.delenv(name)
    for name, value in {
        "BRUSHWORK_DATA_DIR": str(tmp_path / "data"),
        "BRUSHWORK_ENGINE": "noop",
        "COLUMNS": "200",
        "NO_COLOR": "1",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    return Brushwork(tmp_path, monkeypatch, capsys)
