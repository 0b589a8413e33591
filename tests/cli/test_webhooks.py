"""Webhooks on the command line of an operator."""

import http.server
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from brushwork.cli import webhooks
from tests.cli.conftest import Brushwork


@pytest.fixture
def studio(brushwork: Brushwork) -> Brushwork:
    """A command line whose database has an account `studio`."""
    brushwork("keys", "create", "--account", "studio")
    return brushwork


def test_an_endpoint_is_added_and_listed(studio: Brushwork) -> None:
    made: Any = studio.json("webhooks", "add", "https://example.com/", "-a", "studio", "--events", "job.failed")

    listed: Any = studio.json("webhooks", "list", "-a", "studio")

    assert (made["url"], made["events"]) == ("https://example.com/", "job.failed")
    assert listed == [made]
    assert "https://example.com/" in studio("webhooks", "list", "-a", "studio").stdout


def test_what_cannot_be_told_or_reached_is_refused(studio: Brushwork) -> None:
    assert "job.done" in studio("webhooks", "add", "https://e.com/", "--events", "job.done", code=2).stderr
    assert "https://" in studio("webhooks", "add", "http://example.com/", "-a", "studio", code=1).stderr
    assert "public" in studio("webhooks", "add", "https://10.0.0.1/", "-a", "studio", code=1).stderr
    assert "There is no account" in studio("webhooks", "list", "-a", "nobody", code=1).stderr


def test_a_secret_is_shown_when_it_is_made(studio: Brushwork) -> None:
    first: Any = studio.json("webhooks", "secret", "-a", "studio")
    second = studio("webhooks", "secret", "-a", "studio", "--keep-hours", "0").stdout.strip()

    assert first["secret"].startswith("whsec_")
    assert second.startswith("whsec_")
    assert second != first["secret"]


def test_an_empty_log_says_so(studio: Brushwork) -> None:
    assert studio("webhooks", "deliveries", "-a", "studio").stdout.strip() == "Nothing was told to anybody."
    assert studio.json("webhooks", "deliveries", "-a", "studio", "--failed") == []
    assert studio.json("webhooks", "replay", "-a", "studio", "--hours", "48") == {"replayed": 0}
    assert studio.json("webhooks", "backlog") == {"pending": 0, "due": 0, "oldest_seconds": 0.0}
    assert "0 deliveries wait" in studio("webhooks", "backlog").stdout


def test_an_endpoint_is_tested_switched_off_and_on_and_removed(studio: Brushwork) -> None:
    made: Any = studio.json("webhooks", "add", "https://example.com/", "-a", "studio")
    number = str(made["id"])

    sent: Any = studio.json("webhooks", "test", number, "-a", "studio")
    off: Any = studio.json("webhooks", "disable", number, "-a", "studio")
    logged: Any = studio.json("webhooks", "deliveries", "-a", "studio")

    assert (sent["event"], sent["url"], sent["status"]) == ("test", "https://example.com/", "pending")
    assert off["disabled_because"] == "Switched off by its owner."
    assert [(one["id"], one["status"]) for one in logged] == [(sent["id"], "failed")]
    assert "switched off" in studio("webhooks", "test", number, "-a", "studio", code=1).stderr
    assert studio("webhooks", "enable", number, "-a", "studio").stdout.strip() == (
        f"Endpoint {number} (https://example.com/) is on."
    )
    assert studio("webhooks", "test", number, "-a", "studio").stdout.startswith("msg_")
    assert studio.json("webhooks", "remove", number, "-a", "studio") == {"id": made["id"], "removed": True}
    assert studio.json("webhooks", "list", "-a", "studio") == []


@pytest.mark.parametrize("command", ["test", "enable", "disable", "remove"])
def test_nobody_elses_endpoint_is_touched(studio: Brushwork, command: str) -> None:
    made: Any = studio.json("webhooks", "add", "https://example.com/", "-a", "studio")
    studio("keys", "create", "--account", "other")

    assert "no webhook endpoint" in studio("webhooks", command, str(made["id"]), "-a", "other", code=1).stderr
    assert studio.json("webhooks", "list", "-a", "studio") == [made]


class Receiver(http.server.BaseHTTPRequestHandler):
    """Answers with the statuses it was given, one after another, then with 200."""

    statuses: list[int]
    heard: list[tuple[str, bytes]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.heard.append((self.headers["webhook-id"], body))
        self.send_response(self.statuses.pop(0) if self.statuses else 200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its name
        pass


@pytest.fixture
def receiver() -> Iterator[http.server.HTTPServer]:
    Receiver.statuses, Receiver.heard = [], []
    with http.server.HTTPServer(("127.0.0.1", 0), Receiver) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("refused", "posts"), [([], 1), ([500, 404], 3), ([500, 500, 500, 500, 500], 4)], ids=["taken", "later", "never"]
)
def test_listen_posts_what_was_refused_a_few_times_more(
    receiver: http.server.HTTPServer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    refused: list[int],
    posts: int,
) -> None:
    monkeypatch.setattr(webhooks, "AGAIN_SECONDS", (0.0, 0.01, 0.02))
    Receiver.statuses = list(refused)
    told = {"event": "job.failed", "id": "msg_1", "headers": {"webhook-id": "msg_1"}, "body": '{"job_id": "j"}'}

    with httpx.Client(trust_env=False) as local:
        webhooks.forward(local, f"http://127.0.0.1:{receiver.server_port}/", told)

    assert Receiver.heard == [("msg_1", b'{"job_id": "j"}')] * posts
    said = capsys.readouterr().out
    assert said.count("msg_1") == posts
    assert ("200 OK" in said) == (len(refused) < 4)


def test_listen_lets_go_of_what_nobody_takes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(webhooks, "AGAIN_SECONDS", (0.0,))

    with httpx.Client(trust_env=False) as local:
        told = {"event": "test", "id": "msg_1", "headers": {}, "body": "{}"}
        webhooks.forward(local, "http://127.0.0.1:1/", told)

    assert capsys.readouterr().out.count("not taken") == 2
