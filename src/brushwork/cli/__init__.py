"""The `brushwork` command: every subcommand is a chapter of this package."""

import sys


def main() -> None:
    """Run the command line."""
    try:
        # Here, not above: whoever presses Ctrl-C while a second's worth of modules is read sees no traceback either.
        from brushwork.cli.command import main as run

        run()
    except KeyboardInterrupt:
        sys.exit(130)
