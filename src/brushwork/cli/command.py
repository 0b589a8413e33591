"""The command line as a whole: which commands there are, and how an error reads.

Exit codes: 0 done · 1 it did not work · 2 the command line or a setting is wrong · 130 interrupted.
"""

import sys
from typing import Annotated

import typer
from pydantic import ValidationError
from sqlalchemy.exc import SQLAlchemyError

from brushwork import __version__
from brushwork.cli import accounts, database, doctor, erasing, holdings, imagine, models, operators, serve, webhooks
from brushwork.cli.output import fail
from brushwork.errors import BrushworkError

app = typer.Typer(
    name="brushwork",
    help="An open, self-hosted server for a Midjourney-style image API.\n\n"
    "Start with [bold]brushwork serve[/bold], or draw without a server: [bold]brushwork imagine 'a red fox'[/bold].",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command("serve")(serve.serve)
app.command("worker")(serve.worker)
app.command("sender")(serve.sender)
app.command("listen")(webhooks.listen)
app.command("imagine")(imagine.imagine)
operators.accounts.command("packs")(holdings.packs)
operators.accounts.command("jobs")(holdings.jobs)
operators.accounts.command("erase")(erasing.erase)
app.add_typer(operators.accounts, name="accounts")
app.add_typer(accounts.keys, name="keys")
app.add_typer(accounts.credits, name="credits")
app.add_typer(operators.codes, name="codes")
app.command("usage")(operators.usage)
app.command("notifications")(operators.notifications)
app.command("audits")(operators.audits)
app.add_typer(webhooks.webhooks, name="webhooks")
app.add_typer(models.models, name="models")
app.add_typer(database.database, name="database")
app.command("doctor")(doctor.doctor)


def show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=show_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """An open, self-hosted server for a Midjourney-style image API."""


def main() -> None:
    """Run the command line; an error becomes one or two readable lines and an exit code."""
    try:
        app()
    except ValidationError as error:
        for problem in error.errors():
            setting = "BRUSHWORK_" + "_".join(str(part) for part in problem["loc"]).upper()
            fail(f"{setting}: {problem['msg']} (given: {problem['input']!r})")
        sys.exit(2)
    except (BrushworkError, ValueError) as error:
        fail(str(error))
        sys.exit(1)
    except SQLAlchemyError as error:
        fail(f"The database did not answer as expected: {str(error).splitlines()[0]}")
        fail("`brushwork doctor` shows which database is used and what is wrong with it.")
        sys.exit(1)
    except OSError as error:
        fail(str(error))
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
