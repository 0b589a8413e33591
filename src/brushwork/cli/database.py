"""`brushwork database`: its schema."""

import asyncio

import typer

from brushwork.app import open_database
from brushwork.cli.output import AsJson, console, print_json
from brushwork.database.upgrade import upgrade
from brushwork.settings import Settings

database = typer.Typer(help="The database's schema.", no_args_is_help=True)


@database.callback()
def group() -> None:
    """The database's schema."""


@database.command("upgrade")
def upgrade_command(as_json: AsJson = False) -> None:
    """Bring the tables up to date. `serve` does it too; safe to run twice, and beside a running server."""
    settings = Settings()

    async def run() -> str:
        opened = open_database(settings)
        try:
            return await upgrade(opened)
        finally:
            await opened.close()

    revision = asyncio.run(run())
    if as_json:
        print_json({"revision": revision})
    else:
        console.print(f"The database is at revision {revision}.")
