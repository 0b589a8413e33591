"""What an account was given and what it asked for, on the command line."""

import asyncio

from tests.api.conftest import running, settings_for
from tests.cli.conftest import Brushwork


def test_packs_are_listed_with_what_became_of_them(brushwork: Brushwork) -> None:
    brushwork("accounts", "create", "studio")
    brushwork("credits", "add", "500", "--account", "studio", "--kind", "credit", "--description", "Top-up")

    listed = brushwork.json("accounts", "packs", "studio")
    table = brushwork("accounts", "packs", "studio").stdout

    assert isinstance(listed, list)
    assert [(pack["kind"], pack["amount"], pack["used"], pack["active"]) for pack in listed] == [
        ("point", 200, 0, True),
        ("credit", 500, 0, True),
    ]
    assert listed[0]["expires_at"].endswith("Z")
    assert listed[1]["expires_at"] is None
    assert "Top-up" in table
    assert "nobody" in brushwork("accounts", "packs", "nobody", code=1).stderr


def test_jobs_are_listed_newest_first_with_what_they_cost(brushwork: Brushwork) -> None:
    async def asked_for() -> list[str]:
        settings = settings_for(brushwork.folder / "data", f"sqlite:///{brushwork.folder / 'data' / 'brushwork.db'}")
        async with running(settings) as api:
            made = [await api.submit("a lighthouse"), await api.submit("a fox with [brackets]")]
            await api.client.post(f"/api/v1/job/{made[1]}/cancel")
            return made

    made = asyncio.run(asked_for())
    listed = brushwork.json("accounts", "jobs")
    table = brushwork("accounts", "jobs").stdout

    assert isinstance(listed, list)
    assert [entry["job_id"] for entry in listed] == made[::-1]
    assert [(entry["status"], entry["usage"]) for entry in listed] == [("failed", 0), ("processing", 80)]
    assert listed[1]["prompt"] == "a lighthouse"
    assert made[0] in table
    assert "a lighthouse" in table
    assert brushwork.json("accounts", "jobs", "--page", "2") == []
