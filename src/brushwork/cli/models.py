"""`brushwork models`: what can draw here, and getting, checking and removing models."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Annotated

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn
from rich.text import Text

from brushwork.app import engine_options
from brushwork.cli.model_rows import advice, engine_rows, in_words, model_facts, model_rows
from brushwork.cli.output import AsJson, console, errors, fail, print_json, print_table
from brushwork.engines.catalog.fields import hint
from brushwork.engines.catalog.installed import Holding, installed, record_path
from brushwork.engines.catalog.model import Model
from brushwork.engines.catalog.pulling import Outcome, pull, remove, verify
from brushwork.engines.catalog.reading import read_catalog
from brushwork.engines.diffusion.options import DiffusionOptions
from brushwork.errors import Unavailable
from brushwork.settings import Settings

models = typer.Typer(help="Engines and models.", no_args_is_help=True)

Names = Annotated[list[str], typer.Argument(help="Models, as `brushwork models list` names them.")]
Accepted = Annotated[
    list[str],
    typer.Option("--accept-licence", help="A licence with conditions that you have read and accept, by name."),
]


@models.callback()
def group() -> None:
    """Engines and models."""


@models.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the engines and which one is in use, and the models and which are installed."""
    settings = Settings()
    engines, known = engine_rows(settings), model_rows(options_of(settings))
    if as_json:
        print_json({"engines": engines, "models": known})
        return
    named = [{"engine": row.pop("name"), "in use": "yes" if row.pop("in_use") else "", **row} for row in engines]
    print_table(named, empty="There are no engines.")
    console.print()
    print_table([in_words(row) for row in known], empty="There are no models.")


@models.command("show")
def show(name: Annotated[str, typer.Argument(help="A model.")], as_json: AsJson = False) -> None:
    """Show all that is known of a model: files, licence, what it draws and how."""
    options = options_of(Settings())
    facts = model_facts(find(name, options), options)
    if as_json:
        print_json(facts)
        return
    for field, value in facts.items():
        name_ = field.replace("_", " ")
        if isinstance(value, list) and value and isinstance(value[0], dict):
            console.print(f"\n{name_}", style="bold")
            print_table(value, empty="")
        elif value not in ("", [], 0):
            words = ", ".join(value) if isinstance(value, list) else str(value)
            # Addresses, paths and hashes are copied: they stay in one piece.
            console.print(Text.assemble((name_, "bold"), f"  {words}"), soft_wrap=" " not in words)


@models.command("pull")
def pull_(
    names: Names,
    accept_licence: Accepted = [],  # noqa: B006  # typer copies it
    again: Annotated[bool, typer.Option("--again", help="Check every byte, and fetch what is not right.")] = False,
    as_json: AsJson = False,
) -> None:
    """Download models with their adapters. What was interrupted goes on where it ended."""
    options = options_of(Settings())
    options = replace(options, accepted=options.accepted | set(accept_licence))
    wanted = [find(name, options) for name in names]
    outcomes: dict[str, Outcome] = {}
    with bars() as watch:
        for model in wanted:
            outcomes |= pull(model, options, watch=watch, again=again)
    rows = [{"name": name, "outcome": outcome} for name, outcome in outcomes.items()]
    if as_json:
        print_json(rows)
        return
    print_table(rows, empty="")
    for line in advice(wanted, options):
        console.print(line)


@models.command("verify")
def verify_(
    names: Annotated[list[str], typer.Argument(help="Models; without any, all that are installed.")] = [],  # noqa: B006
    as_json: AsJson = False,
) -> None:
    """Read every byte of models and compare it with what was pulled. Ends with 1 when something differs."""
    options = options_of(Settings())
    catalog = read_catalog(options.catalogs)
    chosen = [find(name, options) for name in names] or [
        model for model in catalog.values() if installed(model, options.models_dir).state != "missing"
    ]
    found: dict[str, list[str]] = {}
    with bars() as watch:
        for model in chosen:
            for holding in held(model, options):
                if holding.name not in found:
                    found[holding.name] = verify(holding, options.models_dir, watch=watch)
    if as_json:
        print_json([{"name": name, "problems": problems} for name, problems in found.items()])
    else:
        rows = [{"name": name, "found": "; ".join(problems) or "as it was pulled"} for name, problems in found.items()]
        print_table(rows, empty="No model is installed.")
    if any(found.values()):
        if not as_json:
            fail("`brushwork models pull NAME --again` fetches what is not right.")
        raise typer.Exit(1)


@models.command("remove")
def remove_(names: Names, as_json: AsJson = False) -> None:
    """Delete models, and those of their adapters that no other installed model uses. Folders of your own stay."""
    options = options_of(Settings())
    gone: list[str] = []
    for model in [find(name, options) for name in names]:
        gone += remove(model, options.models_dir, others=list(read_catalog(options.catalogs).values()))
    if as_json:
        print_json(gone)
    else:
        console.print(f"Removed: {', '.join(gone)}." if gone else "Nothing of it was installed.")


# ---------------------------------------------------------------- which models are meant


def options_of(settings: Settings) -> DiffusionOptions:
    return engine_options(settings).diffusion


def find(name: str, options: DiffusionOptions) -> Model:
    catalog = read_catalog(options.catalogs)
    if name not in catalog:
        raise Unavailable(f"There is no model {name!r}{hint(name, catalog)}. `brushwork models list` shows them.")
    return catalog[name]


def held(model: Model, options: DiffusionOptions) -> list[Holding]:
    """The model, and its adapters as far as they are here."""
    adapters = model.adapters.values()
    return [model, *(each for each in adapters if record_path(each, options.models_dir).is_file())]


# ---------------------------------------------------------------- how far it is


class Bars:
    """A bar for each model, on stderr."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress

    def begin(self, what: str, total: int) -> None:
        self.task = self.progress.add_task(what, total=total)

    def advance(self, bytes_: int) -> None:
        self.progress.advance(self.task, bytes_)

    def say(self, line: str) -> None:
        self.progress.console.print(line)


@contextmanager
def bars() -> Iterator[Bars]:
    columns = (
        TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=errors) as progress:
        yield Bars(progress)
