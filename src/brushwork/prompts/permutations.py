"""One prompt for many: `{red, blue} fox` as two prompts. Only for batches, where a cap on their cost comes with it.

Groups may hold groups; `\\{`, `\\}` and, inside a group, `\\,` stand for themselves. The count is known before a single
prompt is written out, so that a short text cannot fill the memory.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from brushwork.errors import PromptGrammarError

MAX_DEPTH = 8
MAX_LENGTH = 32_768
"""Characters of a text with braces; each prompt that comes of it has its own, lower limit."""
COUNTED = 1_000_000
"""Beyond that nobody needs the exact number, which can have thousands of digits."""


@dataclass(frozen=True)
class Group:
    """Alternatives; each is a sequence of plain text and groups."""

    options: tuple[tuple["str | Group", ...], ...]


Parts = Sequence["str | Group"]


def permutations(text: str, *, most: int) -> list[str]:
    """All prompts that the text stands for, in reading order; itself when it holds no group.

    Raises PromptGrammarError for a brace without its partner, and when there are more than `most`.
    """
    if len(text) > MAX_LENGTH:
        raise PromptGrammarError(
            "permutations_not_supported", f"A text with braces has at most {MAX_LENGTH} characters, not {len(text)}."
        )
    parts, at = read(text, 0, depth=0)
    if at < len(text):
        raise unbalanced()
    count = number_of(parts)
    if count > most:
        raise PromptGrammarError(
            "permutations_not_supported",
            f"The braces stand for {count}{' prompts or more' if count == COUNTED else ' prompts'}; "
            f"at most {most} are possible.",
            count=count,
        )
    return written(parts)


def read(text: str, at: int, *, depth: int) -> tuple[tuple["str | Group", ...], int]:
    """The parts from `at` on, up to what ends them: the end of the text or, inside a group, a comma or a brace."""
    parts: list[str | Group] = []
    start, in_quotes = at, False
    while at < len(text):
        character = text[at]
        if character == "\\" and at + 1 < len(text):
            if depth and text[at + 1] == ",":
                parts += [text[start:at], ","]
                start = at + 2
            at += 2
            continue
        if character == '"':
            in_quotes = not in_quotes and text.find('"', at + 1) >= 0
        elif in_quotes:
            pass
        elif character == "{":
            parts.append(text[start:at])
            group, at = read_group(text, at + 1, depth=depth + 1)
            parts.append(group)
            start = at
            continue
        elif character == "}" or (character == "," and depth):
            break
        at += 1
    return (*parts, text[start:at]), at


def read_group(text: str, at: int, *, depth: int) -> tuple[Group, int]:
    if depth > MAX_DEPTH:
        raise PromptGrammarError("permutations_not_supported", f"Braces may stand in braces up to {MAX_DEPTH} deep.")
    options = []
    while True:
        option, at = read(text, at, depth=depth)
        if at >= len(text):
            raise unbalanced()
        options.append(trimmed(option))
        at += 1
        if text[at - 1] == "}":
            return Group(tuple(options)), at


def trimmed(option: Parts) -> tuple["str | Group", ...]:
    """Without the spaces beside commas and braces."""
    parts = list(option)
    if isinstance(parts[0], str):
        parts[0] = parts[0].lstrip()
    if isinstance(parts[-1], str):
        parts[-1] = parts[-1].rstrip()
    return tuple(parts)


def unbalanced() -> PromptGrammarError:
    return PromptGrammarError(
        "permutations_not_supported", "A { or } is without its partner; write \\{ or \\} for a plain brace.", param="{}"
    )


def number_of(parts: Parts) -> int:
    count = 1
    for part in parts:
        if isinstance(part, Group):
            count = min(COUNTED, count * sum(number_of(option) for option in part.options))
    return count


def written(parts: Parts) -> list[str]:
    texts = [""]
    for part in parts:
        endings = [part] if isinstance(part, str) else [one for option in part.options for one in written(option)]
        texts = [text + ending for text in texts for ending in endings]
    return texts
