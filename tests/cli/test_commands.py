"""The command line: what a stranger types, what they read, and the exit code that programs see."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from PIL import Image

from brushwork import __version__
from brushwork.cli.imagine import BarSink, draw_until_interrupted, progress_bar
from brushwork.engines.noop import NoopEngine
from brushwork.tasks.diffusion import Diffusion
from tests.cli.conftest import Brushwork


def test_the_installed_command_starts() -> None:
    done = subprocess.run([sys.executable, "-m", "brushwork", "--version"], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == __version__


def test_help_names_every_command(brushwork: Brushwork) -> None:
    text = brushwork("--help").stdout

    for command in ("serve", "worker", "imagine", "accounts", "keys", "credits", "codes", "usage", "models", "doctor"):
        assert command in text


def test_creating_a_key_makes_the_account_and_shows_the_key_once(brushwork: Brushwork) -> None:
    made = brushwork.json("keys", "create", "--account", "studio", "--plan", "pro", "--credits", "500")
    listed = brushwork.json("keys", "list")

    assert isinstance(made, dict)
    assert made["key"].startswith("bw_")
    assert (made["account"], made["plan"], made["available"]) == ("studio", "pro", 500)
    assert made["key"] not in json.dumps(listed)


def test_a_second_key_of_an_account_leaves_its_plan_and_credits_alone(brushwork: Brushwork) -> None:
    brushwork("keys", "create", "--account", "studio", "--plan", "pro", "--credits", "500")

    made = brushwork.json("keys", "create", "--account", "studio", "--name", "laptop")

    assert isinstance(made, dict)
    assert (made["plan"], made["available"], made["name"]) == ("pro", 500, "laptop")


def test_credits_are_added(brushwork: Brushwork) -> None:
    brushwork("keys", "create", "--account", "studio")

    added = brushwork.json("credits", "add", "80", "--account", "studio", "--days", "30")

    assert added == {"account": "studio", "added": 80, "available": 80, "balance": 80}


def test_a_key_is_revoked(brushwork: Brushwork) -> None:
    made = brushwork.json("keys", "create", "--account", "studio")
    assert isinstance(made, dict)

    brushwork("keys", "revoke", str(made["id"]))

    listed = brushwork.json("keys", "list", "--account", "studio")
    assert isinstance(listed, list)
    assert listed[0]["revoked_at"].endswith("Z")
    assert listed[0]["last_used_at"] is None


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["keys", "create", "--plan", "gold"], 2, "gold"),
        (["keys", "revoke", "77"], 1, "no key 77"),
        (["keys", "create", "--account", ""], 2, "not be empty"),
        (["keys", "create", "--account", "a" * 101], 2, "100 characters"),
        (["keys", "create", "--name", "\x1b[31m"], 2, "printable"),
        (["keys", "create", "--credits", "99999999999999999999"], 2, "credits"),
        (["credits", "add", "99999999999999999999"], 2, "amount"),
        (["credits", "add", "80", "--account", "nobody"], 1, "nobody"),
        (["credits", "add", "0"], 2, "amount"),
        (["credits", "add", "5", "--kind", "gold"], 2, "gold"),
        (["imagine", "a cat --foo 3"], 1, "--foo"),
        (["imagine", ""], 1, "prompt"),
        (["imagine", "a cat", "--server", "http://127.0.0.1:9", "--key", "bw_x"], 1, "127.0.0.1:9"),
        (["imagine", "a cat", "--server", "http://127.0.0.1:9"], 1, "--key"),
        (["paint"], 2, "paint"),
    ],
)
def test_a_mistake_is_named_and_changes_the_exit_code(
    brushwork: Brushwork, arguments: list[str], code: int, words: str
) -> None:
    assert words in brushwork(*arguments, code=code).stderr


@pytest.mark.parametrize(
    ("setting", "value", "code", "words"),
    [
        ("BRUSHWORK_WORKERS", "many", 2, "BRUSHWORK_WORKERS"),
        ("BRUSHWORK_ENGINE", "magic", 2, "BRUSHWORK_ENGINE"),
        ("BRUSHWORK_DATABASE_URL", "mysql://localhost/x", 1, "mysql"),
        ("BRUSHWORK_DATABASE_URL", "postgresql://127.0.0.1:9/none", 1, "database"),
        ("BRUSHWORK_STORE_URL", "ftp://x", 1, "ftp"),
        ("BRUSHWORK_PRODUCTION", "true", 1, "noop"),
    ],
)
def test_a_wrong_setting_is_named(brushwork: Brushwork, setting: str, value: str, code: int, words: str) -> None:
    assert words in brushwork("serve", "--port", "0", code=code, **{setting: value}).stderr


def test_a_taken_port_is_said_so(brushwork: Brushwork) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        assert "--port" in brushwork("serve", "--port", str(port), code=1).stderr


def test_imagine_draws_four_pictures_and_a_grid(brushwork: Brushwork) -> None:
    printed = brushwork("imagine", "a red fox --seed 7", "-o", "out").stdout.split()

    assert [Path(name).name for name in printed] == [f"a-red-fox-7-{name}.png" for name in ("grid", "0", "1", "2", "3")]
    with Image.open(brushwork.folder / printed[0]) as picture:
        assert picture.size == (16, 16)


def test_imagine_as_json_tells_the_seed_and_what_was_not_done(brushwork: Brushwork) -> None:
    drawn = brushwork.json("imagine", "a red fox")

    assert isinstance(drawn, dict)
    assert len(drawn["files"]) == 5
    assert drawn["seed"].isdigit()
    assert drawn["degraded"] == ["engine:noop"]


def test_imagine_says_how_it_read_what_it_repaired(brushwork: Brushwork) -> None:
    said = brushwork("imagine", "a red fox \u2014ar 3:2", "-o", "out").stderr

    assert "Note: A typographic dash was read as two hyphens: --ar." in said


def test_an_interrupt_ends_the_drawing_with_its_next_step() -> None:
    task = Diffusion(text="a wide forest")
    began = time.monotonic()
    threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()

    with progress_bar() as progress, pytest.raises(KeyboardInterrupt):
        draw_until_interrupted(task, NoopEngine(seconds=30), 7, BarSink(progress, 4))

    assert time.monotonic() - began < 15
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_the_database_is_upgraded_twice_without_harm(brushwork: Brushwork) -> None:
    assert brushwork.json("database", "upgrade") == brushwork.json("database", "upgrade")


def test_doctor_finds_a_fresh_machine_in_order(brushwork: Brushwork) -> None:
    findings = brushwork.json("doctor")

    assert isinstance(findings, list)
    assert {finding["what"] for finding in findings} >= {"versions", "data folder", "database", "store", "engine"}
    assert "wrong" not in {finding["state"] for finding in findings}


def test_doctor_ends_with_one_when_something_is_wrong(brushwork: Brushwork) -> None:
    said = brushwork("doctor", "--json", code=1, BRUSHWORK_DATABASE_URL="postgresql://127.0.0.1:9/none").stdout

    states = {finding["what"]: finding["state"] for finding in json.loads(said)}
    assert states["database"] == "wrong"
    assert states["data folder"] == "ok"


def test_doctor_tells_who_reads_the_metrics_and_where_traces_go(brushwork: Brushwork) -> None:
    """Without a word that was meant for nobody else."""
    url = "http://user:hidden@collector.example:4318"
    wide = {"BRUSHWORK_HOST": "0.0.0.0"}
    said = {
        "alone": brushwork("doctor", "--json").stdout,
        "open": brushwork("doctor", "--json", code=0, **wide).stdout,
        "guarded": brushwork(
            "doctor", "--json", code=0, **wide, BRUSHWORK_METRICS_KEY="token", BRUSHWORK_OTEL_URL=url
        ).stdout,
    }
    found = {name: {one["what"]: one for one in json.loads(text)} for name, text in said.items()}

    assert [found[name]["metrics"]["state"] for name in said] == ["ok", "note", "ok"]
    assert "BRUSHWORK_METRICS_KEY" in found["open"]["metrics"]["found"]
    assert [found[name]["traces"]["found"] for name in said] == ["none are made"] * 2 + ["to collector.example:4318"]
    assert "hidden" not in said["guarded"]


def test_doctor_notices_a_setting_that_is_spelled_wrong(brushwork: Brushwork) -> None:
    (brushwork.folder / ".env").write_text("BRUSHWORK_LINK_HUORS=2\nBRUSHWORK_API_KEY=bw_x\n")

    said = brushwork("doctor", BRUSHWORK_WORKRES="3").stdout

    assert "BRUSHWORK_WORKRES (did you mean BRUSHWORK_WORKERS?)" in said
    assert "BRUSHWORK_LINK_HUORS (did you mean BRUSHWORK_LINK_HOURS?)" in said
    assert "BRUSHWORK_API_KEY" not in said
