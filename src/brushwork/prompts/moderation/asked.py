"""Which parts of a prompt ask for nothing: URLs, the names of parameters, and what stands behind `--no`.

They are found by the reader of the prompt language itself, so that nothing is left out here that is drawn there.
"""

import re
from collections.abc import Sequence

from brushwork.errors import PromptGrammarError, PromptValueError
from brushwork.prompts.findings import Findings
from brushwork.prompts.normalise import INVISIBLE, WHITE, plain
from brushwork.prompts.parameters import SPELLINGS
from brushwork.prompts.parser import unwrap
from brushwork.prompts.tokens import DASH, Marks

WORTH_A_LOOK = re.compile(rf"[{DASH}]no(?![^\W\d_])|https?:", re.IGNORECASE)
BEFORE_A_FLAG = re.compile(rf"\s(?=(?:[{DASH}]{{2}}|(?!-)[{DASH}])[^\W\d_])")
WHITE_SPACE = re.compile(f"[{WHITE}]")
AS_READ = {chr(code): " " for code in range(0x3001) if WHITE_SPACE.match(chr(code))} | dict.fromkeys(
    "\u201c\u201d\u201e\u201f", '"'
)
"""What is read for white space and curly quotes. What nobody sees is left out: `INVISIBLE`."""

Places = list[tuple[int, int]]
"""First character and one past the last, in order."""


def not_asked(text: str, *, unwanted: bool = False) -> Places:
    """The parts of a text that are not drawn, in its own characters. `unwanted`: what is behind `--no` counts as asked.

    Of other flags it is the place before them, which ends a word and a sentence.
    """
    ends = [found.span() for found in BEFORE_A_FLAG.finditer(text)]
    if not WORTH_A_LOOK.search(text):
        return ends
    try:
        read, origins = as_read(text)
    except (PromptGrammarError, PromptValueError):  # it is refused anyhow, and nothing of it is drawn
        return ends
    inner, marks = unwrap(read, Findings())
    shift = len(read) - len(inner) if read.endswith(inner) else read.rindex(inner)  # it lost quotes round everything
    found = [*marks.urls, *flags_not_asked(marks, unwanted=unwanted)]
    return [*ends, *((origins[start + shift], origins[end + shift - 1] + 1) for start, end in found if end > start)]


def flags_not_asked(marks: Marks, *, unwanted: bool) -> Places:
    """The names of flags, with what is behind them where that is a list of unwanted things."""
    found = []
    for number, flag in enumerate(marks.flags()):
        start, _, end, following = marks.dashes[3 * number : 3 * number + 4]
        if flag.name in SPELLINGS:
            is_list = SPELLINGS[flag.name].kind == "list"
            found.append((start, following if is_list and not unwanted else end))
    return found


def as_read(text: str) -> tuple[str, Sequence[int]]:
    """The text as the prompt language reads it, and where each character came from."""
    read = plain(text, Findings())
    if read == text:
        return text, range(len(text))
    origins: list[int] = []
    before = " "
    gone = {place for found in INVISIBLE.finditer(text) for place in range(*found.span())}
    for place, character in enumerate(text):
        if place in gone:
            continue
        after = AS_READ.get(character, character)
        if after != " " or before != " ":
            origins.append(place)
        before = after
    return read, origins
