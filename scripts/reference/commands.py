"""reference/cli.md, from the Typer app."""

import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

import typer
from typer.models import ArgumentInfo, OptionInfo

from brushwork.cli.command import app
from reference.markdown import anchor, code, fence, page, table

EXAMPLES = {
    "brushwork serve": "brushwork serve --port 9000 --workers 2",
    "brushwork worker": "brushwork worker --device cpu:0",
    "brushwork sender": "brushwork sender",
    "brushwork listen": "brushwork listen --forward-to http://127.0.0.1:3000/hook --count 1",
    "brushwork webhooks list": "brushwork webhooks list --account studio",
    "brushwork webhooks add": "brushwork webhooks add https://example.com/hooks --events job.completed,job.failed",
    "brushwork webhooks test": "brushwork webhooks test 1 --account studio",
    "brushwork webhooks enable": "brushwork webhooks enable 1 --account studio",
    "brushwork webhooks disable": "brushwork webhooks disable 1 --account studio",
    "brushwork webhooks remove": "brushwork webhooks remove 1 --account studio",
    "brushwork webhooks secret": "brushwork webhooks secret --account studio --keep-hours 24",
    "brushwork webhooks deliveries": "brushwork webhooks deliveries --failed",
    "brushwork webhooks replay": "brushwork webhooks replay --hours 24",
    "brushwork webhooks backlog": "brushwork webhooks backlog",
    "brushwork imagine": "brushwork imagine 'a red fox in a snowy forest --ar 3:2 --seed 7' -o pictures",
    "brushwork accounts create": "brushwork accounts create studio --plan pro",
    "brushwork accounts list": "brushwork accounts list --json",
    "brushwork accounts show": "brushwork accounts show studio",
    "brushwork accounts packs": "brushwork accounts packs studio --json",
    "brushwork accounts jobs": "brushwork accounts jobs studio --page 2",
    "brushwork accounts plan": "brushwork accounts plan studio pro",
    "brushwork accounts limits": "brushwork accounts limits studio --jobs 12 --share 2 --alert 5000",
    "brushwork accounts disable": "brushwork accounts disable studio",
    "brushwork accounts enable": "brushwork accounts enable studio",
    "brushwork accounts erase": "brushwork accounts erase studio",
    "brushwork codes create": "brushwork codes create 1000 --uses 50 --pack-days 31",
    "brushwork codes list": "brushwork codes list",
    "brushwork codes withdraw": "brushwork codes withdraw autumn-2026",
    "brushwork usage": "brushwork usage --days 7 --by account,task --csv",
    "brushwork notifications": "brushwork notifications --account studio",
    "brushwork audits": "brushwork audits --kind operator",
    "brushwork keys create": "brushwork keys create --account studio --scope read --expires 31 --budget 5000",
    "brushwork keys list": "brushwork keys list --account studio",
    "brushwork keys revoke": "brushwork keys revoke 3",
    "brushwork credits add": "brushwork credits add 2000 --account studio --days 31",
    "brushwork credits statement": "brushwork credits statement --account studio --days 7",
    "brushwork credits check": "brushwork credits check",
    "brushwork models list": "brushwork models list",
    "brushwork models show": "brushwork models show sdxl",
    "brushwork models pull": "brushwork models pull z-image-turbo flux2-klein-4b",
    "brushwork models verify": "brushwork models verify",
    "brushwork models remove": "brushwork models remove z-image",
    "brushwork database upgrade": "brushwork database upgrade",
    "brushwork doctor": "brushwork doctor --json",
}
"""One line that works for each command; a command without one stops the generator."""

TYPES = {str: "text", int: "whole number", float: "number", Path: "path"}


class Parameter(NamedTuple):
    """An argument or option as the function of a command declares it."""

    spellings: tuple[str, ...]
    kind: Any
    info: ArgumentInfo | OptionInfo
    default: Any


def commands_page() -> str:
    found = list(commands(app, "brushwork"))
    rows = [(f"[{code(path)}](#{anchor(path)})", first_sentence(function)) for path, function in found]
    overview = table(("command", "what it does"), rows)
    return page("Command line", INTRODUCTION, overview, *(section(path, function) for path, function in found))


def commands(group: typer.Typer, path: str) -> Iterator[tuple[str, Callable[..., Any]]]:
    """(full name, function) of everything that can be run: commands first, then groups."""
    for command in group.registered_commands:
        if command.callback:
            yield f"{path} {command.name}", command.callback
    for inner in group.registered_groups:
        if inner.typer_instance:
            yield from commands(inner.typer_instance, f"{path} {inner.name}")


def parameters(function: Callable[..., Any]) -> Iterator[Parameter]:
    """What the command takes, without what is hidden."""
    hints = get_type_hints(function, include_extras=True)
    for name, declared in inspect.signature(function).parameters.items():
        annotated, info = get_args(hints[name])
        choices = get_args(annotated) if get_origin(annotated) in (Union, UnionType) else (annotated,)
        kind = next(choice for choice in choices if choice is not NoneType)
        # Beside an annotation, Typer keeps the first spelling where the default would be.
        spellings = [text for text in (info.default, *(info.param_decls or ())) if isinstance(text, str)]
        spellings = spellings or [name if isinstance(info, ArgumentInfo) else f"--{name.replace('_', '-')}"]
        if not info.hidden:
            yield Parameter(tuple(spellings), kind, info, declared.default)


def section(path: str, function: Callable[..., Any]) -> str:
    taken = list(parameters(function))
    parts = [f"## {path}", sentences(function)]
    for word, info in (("argument", ArgumentInfo), ("option", OptionInfo)):
        rows = [
            (", ".join(code(name) for name in parameter.spellings), kind_of(parameter), help_of(parameter))
            for parameter in taken
            if isinstance(parameter.info, info)
        ]
        if rows:
            parts.append(table((word, "value", "meaning"), rows))
    return "\n\n".join([*parts, fence(EXAMPLES[path], "sh")])


def kind_of(parameter: Parameter) -> str:
    if parameter.kind is bool:
        return "switch"
    if get_origin(parameter.kind) is Literal:
        return " or ".join(code(choice) for choice in get_args(parameter.kind))
    if get_origin(parameter.kind) is list:
        return "texts" if isinstance(parameter.info, ArgumentInfo) else "text, any number of times"
    low, high = parameter.info.min, parameter.info.max
    limits = f" {low:g} to {high:g}" if high is not None else (f" from {low:g}" if low is not None else "")
    return TYPES[parameter.kind] + limits


def help_of(parameter: Parameter) -> str:
    text = [(parameter.info.help or "").strip()]
    if parameter.default not in (None, False, [], inspect.Parameter.empty):
        text.append(f"Default: {code(parameter.default)}.")
    if parameter.info.envvar:
        text.append(f"Or the variable {code(parameter.info.envvar)}.")
    return " ".join(text)


def sentences(function: Callable[..., Any]) -> str:
    return " ".join((function.__doc__ or "").split())


def first_sentence(function: Callable[..., Any]) -> str:
    return sentences(function).partition(". ")[0].rstrip(".") + "."


INTRODUCTION = """
`brushwork` is the only command; `brushwork --help` and `--help` after any command below say the same as this page.
`brushwork --version` prints the version. Commands that list or create something take `--json`.

Exit codes: 0 done · 1 it did not work, and stderr says why · 2 the command line or a setting is wrong · 130
interrupted.
"""
