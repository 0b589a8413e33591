"""The programs in `examples/` do what they say, against a real server."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from brushwork.prompts.moderation import read_policy
from tests.journeys.server import Server, serving

pytestmark = pytest.mark.slow

EXAMPLES = Path(__file__).parents[2] / "examples"
SHELLS = ["curl.sh"] if shutil.which("curl") else []  # not every machine has curl


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("examples")) as running:
        yield running


def run(server: Server, *command: str, folder: Path) -> str:
    environment = os.environ | {
        "BRUSHWORK_SERVER": server.url,
        "BRUSHWORK_API_KEY": server.key,
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
    }
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("name", SHELLS)
def test_shell_examples_download_a_picture(name: str, server: Server, tmp_path: Path) -> None:
    printed = run(server, "bash", str(EXAMPLES / name), "a red fox", folder=tmp_path)

    assert printed.endswith("grid.png\n")
    assert (tmp_path / "grid.png").read_bytes().startswith(b"\x89PNG")


def test_the_legnext_client_prints_five_links(server: Server, tmp_path: Path) -> None:
    printed = run(server, sys.executable, str(EXAMPLES / "legnext_client.py"), "a red fox", folder=tmp_path)

    points, *links = printed.splitlines()
    assert points.endswith(" points")
    assert len(links) == 5
    assert all(link.startswith(f"{server.url}/files/") for link in links)


def test_watching_prints_every_status_and_then_the_link(server: Server, tmp_path: Path) -> None:
    printed = run(server, sys.executable, str(EXAMPLES / "watch.py"), "a red fox", folder=tmp_path)

    lines = printed.splitlines()
    assert "pending" in lines[0]
    assert "completed" in lines[-2]
    assert lines[-1].startswith(f"{server.url}/files/")


def test_every_example_is_run_or_explained() -> None:
    listed = (EXAMPLES / "README.md").read_text(encoding="utf-8")

    run = {"curl.sh", "legnext_client.py", "watch.py"}
    assert {path.name for path in EXAMPLES.iterdir()} == {"README.md", "policy.toml", *run}
    assert read_policy(EXAMPLES / "policy.toml").match("a knight, beheaded") is not None
    assert all(f"({path.name})" in listed for path in EXAMPLES.iterdir() if path.name != "README.md")
