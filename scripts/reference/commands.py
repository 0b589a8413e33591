"""reference/cli.md, from the Typer app."""

from collections.abc import Iterator
from typing import Any

import typer

from brushwork.cli.main import app
from reference.markdown import anchor, code, fence, page, table

EXAMPLES = {
    "brushwork serve": "brushwork serve --port 9000 --workers 2",
    "brushwork worker": "brushwork worker --device cpu:0",
    "brushwork imagine": "brushwork imagine 'a red fox in a snowy forest --ar 3:2 --seed 7' -o pictures",
    "brushwork keys create": "brushwork keys create --account studio --plan pro --credits 5000 --json",
    "brushwork keys list": "brushwork keys list --account studio",
    "brushwork keys revoke": "brushwork keys revoke 3",
    "brushwork credits add": "brushwork credits add 2000 --account studio --days 31",
    "brushwork models list": "brushwork models list",
    "brushwork database upgrade": "brushwork database upgrade",
    "brushwork doctor": "brushwork doctor --json",
}
"""One line that works for each command; a command without one stops the generator."""

TYPES = {"text": "text", "integer": "whole number", "integer range": "whole number", "float": "number"}
TYPES |= {"float range": "number", "path": "path", "directory": "path", "filename": "path", "boolean": ""}


def commands_page() -> str:
    found = list(commands(typer.main.get_command(app), "brushwork"))
    overview = table(
        ("command", "what it does"), [(f"[{code(path)}](#{anchor(path)})", sentence(command)) for path, command in found]
    )
    return page("Command line", INTRODUCTION, overview, *(section(path, command) for path, command in found))


def commands(command: Any, path: str) -> Iterator[tuple[str, Any]]:
    """(full name, command) of everything that can be run, in the order of --help."""
    for name, inner in getattr(command, "commands", {}).items():
        full = f"{path} {name}"
        if hasattr(inner, "commands"):
            yield from commands(inner, full)
        else:
            yield full, inner


def section(path: str, command: Any) -> str:
    shown = [parameter for parameter in command.params if not getattr(parameter, "hidden", False)]
    arguments = [parameter for parameter in shown if parameter.param_type_name == "argument"]
    options = [parameter for parameter in shown if parameter.param_type_name == "option"]
    parts = [f"## {path}", " ".join((command.help or "").split())]
    if arguments:
        rows = [(code(argument.name), kind_of(argument), help_of(argument)) for argument in arguments]
        parts.append(table(("argument", "value", "meaning"), rows))
    if options:
        rows = [(", ".join(code(name) for name in option.opts), kind_of(option), help_of(option)) for option in options]
        parts.append(table(("option", "value", "meaning"), rows))
    return "\n\n".join([*parts, fence(EXAMPLES[path], "sh")])


def kind_of(parameter: Any) -> str:
    kind = TYPES[parameter.type.name]
    if not kind:
        return "switch"
    low, high = getattr(parameter.type, "min", None), getattr(parameter.type, "max", None)
    limits = f" {low} to {high}" if high is not None else (f" from {low}" if low is not None else "")
    return kind + limits


def help_of(parameter: Any) -> str:
    text = [" ".join((getattr(parameter, "help", "") or "").split())]
    if parameter.param_type_name == "argument":
        return text[0]
    if parameter.default not in (None, False) and not callable(parameter.default):
        text.append(f"Default: {code(parameter.default)}.")
    if parameter.envvar:
        text.append(f"Or the variable {code(parameter.envvar)}.")
    return " ".join(text)


def sentence(command: Any) -> str:
    return " ".join((command.help or "").split()).partition(". ")[0].rstrip(".") + "."


INTRODUCTION = """
`brushwork` is the only command; `brushwork --help` and `--help` after any command below say the same as this page.
`brushwork --version` prints the version. Commands that list or create something take `--json`.

Exit codes: 0 done · 1 it did not work, and stderr says why · 2 the command line or a setting is wrong · 130 interrupted.
"""
