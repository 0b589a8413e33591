"""The `brushwork` command: every subcommand is a chapter of this package."""

from brushwork.cli.main import main

__all__ = ["main"]
