"""Looking after accounts on the command line."""

from typing import Any

import pytest

from tests.cli.conftest import Brushwork


@pytest.fixture
def studio(brushwork: Brushwork) -> Any:
    """A new account with the first pack of its plan."""
    return brushwork.json("accounts", "create", "studio")


def test_an_account_is_opened_with_a_key_and_a_pack(brushwork: Brushwork, studio: Any) -> None:
    bare = brushwork.json("accounts", "create", "bare", "--plan", "pro", "--no-welcome")
    listed = brushwork.json("accounts", "list")

    assert isinstance(bare, dict)
    assert isinstance(listed, list)
    assert studio["key"].startswith("bw_")
    assert (studio["available"], bare["available"], bare["plan"]) == (200, 0, "pro")
    assert [account["name"] for account in listed] == ["studio", "bare"]
    assert "already" in brushwork("accounts", "create", "studio", code=1).stderr


def test_an_account_is_changed_and_every_change_is_written_down(brushwork: Brushwork, studio: Any) -> None:
    brushwork("accounts", "plan", "studio", "pro")
    brushwork("accounts", "limits", "studio", "--jobs", "12", "--share", "2", "--alert", "500")
    brushwork("accounts", "disable", "studio")
    enabled = brushwork.json("accounts", "enable", "studio")
    record = brushwork.json("audits", "--account", "studio")

    assert isinstance(enabled, dict)
    limits = [enabled[name] for name in ("plan", "max_inflight", "share", "alert_threshold", "is_enabled")]
    assert limits == ["pro", 12, 2.0, 500, True]
    assert isinstance(record, list)
    assert len(record) == 5
    assert studio["key"] not in str(record)


def test_the_record_is_searched_and_paged(brushwork: Brushwork, studio: Any) -> None:
    changes = brushwork.json("audits", "--kind", "operator", "--days", "1")

    assert isinstance(changes, list)
    assert [change["data"]["action"] for change in changes] == ["account.open"]
    assert brushwork.json("audits", "--kind", "appeal") == brushwork.json("audits", "--page", "2") == []
    assert "appeal" in brushwork("audits", "--kind", "nonsense", code=2).stderr


def test_a_key_has_the_limits_it_was_made_with(brushwork: Brushwork, studio: Any) -> None:
    options = ["--scope", "read", "--scope", "generate,admin", "--expires", "3", "--budget", "500", "--per-minute", "2"]
    made = brushwork.json("keys", "create", "--account", "studio", *options)
    shown = brushwork.json("accounts", "show", "studio")

    assert isinstance(made, dict)
    assert isinstance(shown, dict)
    assert (made["scopes"], made["budget"], made["per_minute"]) == (["read", "generate", "admin"], 500, 2)
    assert made["expires_at"].endswith("Z")
    assert [key["scopes"] for key in shown["keys"]] == ["read generate", "read generate admin"]
    assert studio["key"] not in str(shown)


def test_the_statement_and_the_check_agree(brushwork: Brushwork, studio: Any) -> None:
    brushwork("credits", "add", "80", "--account", "studio", "--expires", "30")
    found = brushwork.json("credits", "statement", "--account", "studio")

    assert isinstance(found, dict)
    assert [line["amount"] for line in found["lines"]] == [200, 80]
    assert found["closing"]["available"] == studio["available"] + 80
    assert brushwork.json("credits", "check") == {"agree": True, "problems": []}
    assert brushwork("usage", "--csv").stdout == ""
    assert brushwork.json("notifications", "--account", "studio") == []


def test_codes_are_made_and_listed(brushwork: Brushwork) -> None:
    made = brushwork.json("codes", "create", "1000", "--uses", "3", "--pack-days", "31", "--days", "7")
    listed = brushwork.json("codes", "list")

    assert isinstance(made, dict)
    assert (made["amount"], made["max_uses"], made["kind"], listed) == (1000, 3, "credit", [made])


def test_a_code_is_withdrawn(brushwork: Brushwork) -> None:
    brushwork("codes", "create", "1000", "--code", "autumn-2026", "--uses", "3")

    said = brushwork("codes", "withdraw", " Autumn-2026").stdout
    ended = brushwork.json("codes", "withdraw", "autumn-2026")
    record = brushwork.json("audits", "--kind", "operator")

    assert said.strip() == "autumn-2026 is withdrawn; 0 of 3 had redeemed it."
    assert isinstance(ended, dict)
    assert ended["withdrawn_at"].endswith("Z")
    assert "withdrawn 20" in brushwork("codes", "list").stdout
    assert isinstance(record, list)
    assert [one["data"]["action"] for one in record] == ["code.withdraw", "code.create"]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["accounts", "show", "nobody"], 1, "nobody"),
        (["accounts", "limits", "nobody"], 2, "--share"),
        (["accounts", "plan", "nobody", "gold"], 2, "gold"),
        (["keys", "create", "--scope", "root"], 2, "root"),
        (["codes", "create", "5", "--code", "abc"], 1, "guesses"),
        (["codes", "withdraw", "summer-2026"], 1, "no such code"),
        (["usage", "--by", "colour"], 2, "colour"),
        (["accounts", "create", "stu\u202edio"], 2, "U+202E"),
        (["credits", "add", "5", "--description", "5\x1b[2J"], 2, "U+001B"),
        (["codes", "create", "5", "--description", "x" * 201], 2, "200"),
        (["notifications", "--account", "nobody"], 1, "nobody"),
    ],
)
def test_a_mistake_is_named(brushwork: Brushwork, arguments: list[str], code: int, words: str) -> None:
    assert words in brushwork(*arguments, code=code).stderr


def test_an_account_is_erased_and_its_receipt_can_be_asked_for_again(brushwork: Brushwork, studio: Any) -> None:
    assert "There is no account" in brushwork("accounts", "erase", "studios", "--yes", code=1).stderr
    receipt = brushwork.json("accounts", "erase", "studio", "--yes")
    again = brushwork.json("accounts", "erase", f"erased-{studio['id']}", "--yes")
    listed = brushwork.json("accounts", "list")

    assert isinstance(receipt, dict)
    assert isinstance(listed, list)
    assert (receipt["state"], receipt["keys"], receipt["points_expired"]) == ("erased", 1, 200)
    assert again == receipt
    assert [account["name"] for account in listed] == [f"erased-{studio['id']}"]
    assert "erased" in brushwork("keys", "create", "--account", f"erased-{studio['id']}", code=1).stderr
    assert "Backups" in brushwork("accounts", "erase", f"erased-{studio['id']}", "--yes").stdout
