"""`brushwork models`: what can draw here."""

from typing import Any

import typer

from brushwork.app import engine_options
from brushwork.cli.output import AsJson, print_json, print_table
from brushwork.engines.registry import ENGINES, entry
from brushwork.errors import Unavailable
from brushwork.settings import Settings

models = typer.Typer(help="Engines and models.", no_args_is_help=True)


@models.callback()
def group() -> None:
    """Engines and models."""


@models.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the engines, and which one is in use."""
    rows = engine_rows(Settings())
    if as_json:
        print_json(rows)
    else:
        named = [{"name": row.pop("name"), "in use": "yes" if row.pop("in_use") else "", **row} for row in rows]
        print_table(named, empty="There are no engines.")


def engine_rows(settings: Settings) -> list[dict[str, Any]]:
    options = engine_options(settings)
    try:
        chosen = entry(settings.engine, options).name
    except Unavailable:
        chosen = ""
    return [
        {
            "name": engine.name,
            "in_use": engine.name == chosen,
            "state": engine.problem(options) or "ready",
            "licence": engine.licence,
            "summary": engine.summary,
        }
        for engine in ENGINES
    ]
