"""A prompt as text again: one form for all spellings, which parses to an equal prompt.

The order is image URLs, words, parameters in the order of `parameters.py`; the version is always written.
"""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from brushwork.prompts.braces import escape
from brushwork.prompts.parameters import PARAMETERS
from brushwork.prompts.prompt import Prompt, Reference
from brushwork.prompts.references import WEIGHT_TAIL
from brushwork.prompts.tokens import DASH
from brushwork.prompts.versions import VERSIONS

STARTS_LIKE_A_SIGN = re.compile(f"[={DASH}]")


def canonical(prompt: Prompt) -> str:
    """The canonical text of a prompt."""
    parts = [*prompt.image_urls, escape(prompt.text)]
    for name in PARAMETERS:
        if name == "version":
            parts.append(VERSIONS[prompt.version].flag)
        elif name == "no" and prompt.no:
            parts.append(f"--no{list_text(prompt.no)}")
        elif name in prompt.params:
            parts.append(f"--{name} {value_text(prompt.params[name])}".rstrip(" "))
    return " ".join(part for part in parts if part)


def value_text(value: Any) -> str:
    for kind, write in WRITERS:
        if isinstance(value, kind):
            return write(value)
    return str(value)


def list_text(items: tuple[str, ...]) -> str:
    """The items of `--no`, with the sign before them, each so that it stays an item."""
    text = escape(", ".join(items))
    return f"={text}" if STARTS_LIKE_A_SIGN.match(text) else f" {text}"


def reference_text(reference: Reference) -> str:
    item = "random" if reference.random else reference.url or str(reference.code)
    position = item.rfind("::")
    looks_weighted = position > 0 and WEIGHT_TAIL.fullmatch(item, position)
    if reference.weight == 1 and not looks_weighted:
        return item
    return f"{item}::{number_text(reference.weight)}"


def number_text(number: float) -> str:
    """Without an exponent and without a needless `.0`."""
    text = format(Decimal(repr(number)), "f")
    return text.removesuffix(".0")


def tuple_text(items: tuple[Reference | str, ...]) -> str:
    return " ".join(item if isinstance(item, str) else reference_text(item) for item in items)


WRITERS: tuple[tuple[type, Callable[[Any], str]], ...] = (
    (bool, lambda _: ""),
    (float, number_text),
    (tuple, tuple_text),
)
