"""The characters of a prompt: what is refused, dropped or made plain before anything is read.

Knows nothing of flags. White space of any kind becomes one space, so the later chapters only know the space.
"""

import re

from brushwork.prompts.findings import Findings, bad_value

LONGEST = 8192
"""Characters (code points), as they were sent."""

WHITE = "\\t-\\r\\x20\\x85\\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"

CONTROL = re.compile("[\\x00-\\x08\\x0e-\\x1f\\x7f-\\x84\\x86-\\x9f\ud800-\udfff]")
"""Control characters that are not white space, and halves of surrogate pairs, which no file or database takes."""

INVISIBLE = re.compile("[\ufeff\u200b\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]+")
"""Byte order mark, zero-width space, bidi marks. Not the joiners: emoji and Persian need them."""

WHITE_RUN = re.compile(f"[{WHITE}]{{2,}}|[\\t-\\r\\x85\\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]")
CURLY = re.compile("[\u201c-\u201f]")


def plain(text: str, findings: Findings) -> str:
    """The text with single spaces, straight double quotes and nothing invisible; raises where it cannot be."""
    if len(text) > LONGEST:
        raise bad_value("prompt_too_long", f"The prompt has {len(text)} characters; at most {LONGEST} are possible.")
    control = CONTROL.search(text)
    if control:
        raise bad_value(
            "control_character",
            f"Character {control.start() + 1} of the prompt is the control character U+{ord(control[0]):04X}; "
            "only visible characters and white space are possible.",
        )
    visible = INVISIBLE.sub("", text)
    if len(visible) < len(text):
        findings.warn("invisible_removed", "Invisible characters were removed from the prompt.")
    text = CURLY.sub('"', WHITE_RUN.sub(" ", visible)).strip(" ")
    if not text:
        raise bad_value("empty_prompt", "The prompt is empty; say what should be drawn.")
    return text
