"""Webhooks on the command line of an operator."""

from typing import Any

import pytest

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
