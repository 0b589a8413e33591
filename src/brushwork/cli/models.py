"""`brushwork models`: what can draw here."""

from typing import Any

import typer

from brushwork.cli.output import AsJson, print_json, print_table
from brushwork.engines.catalog import ENGINES, entry
from brushwork.errors import Unavailable
from brushwork.settings import Settings

models = typer.Typer(help="Engines and models.", no_args_is_help=True)


@models.callback()
def group() -> None:
    """Engines and models."""


@models.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the engines, and which one is in use."""
    rows = engine_rows(Settings().engine)
    if as_json:
        print_json(rows)
    else:
        named = [{"name": row.pop("name"), "in use": "yes" if row.pop("in_use") else "", **row} for row in rows]
        print_table(named, empty="There are no engines.")


def engine_rows(wanted: str) -> list[dict[str, Any]]:
    try:
        chosen = entry(wanted).name
    except Unavailable:
        chosen = ""
    return [
        {
            "name": engine.name,
            "in_use": engine.name == chosen,
            "state": engine.problem() or "ready",
            "licence": engine.licence,
            "summary": engine.summary,
        }
        for engine in ENGINES
    ]
