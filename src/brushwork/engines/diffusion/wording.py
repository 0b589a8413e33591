"""What a language model says of a picture, made into a prompt: one line, no markup, no parameters, not too long.

Knows no model.
"""

import re
from collections.abc import Iterable

MOST_WORDS = 70
LEAST_WORDS = 3
LEAST_LETTERS = 0.6
"""Share of letters and spaces of what can be a sentence."""
THOUGHTS = re.compile(r"<think>.*?(?:</think>|\Z)", re.DOTALL)
MARKS = (
    (re.compile(r"<[^<>\n]{0,40}>"), " "),  # special tokens, places, HTML
    (re.compile(r"```[a-z]*|[*_`#>|~^\\]+"), ""),
    (re.compile(r"!?\[([^\]]*)\]\([^)]*\)"), r"\1"),  # links
    (re.compile(r"https?://\S+"), " "),
    (re.compile(r"(?m)^\s*(?:[-•]|\d+[.)])\s+"), ""),  # lists
    (re.compile(r"::\s*-?\d*\.?\d*"), ""),  # weights
    (re.compile(r"(?:--|—|–)\s*(?:ar|aspect|v|version|s|stylize|style|q|quality|c|chaos|w|weird|no|seed|niji|iw|sref|sw"
                r"|cref|cw|oref|ow|stop|tile|raw|draft|hd|exp|p|profile|r|repeat)\b[^,.;\n]*"), ""),
    (re.compile(r"\s*--+\s*"), ", "),
    (re.compile(r"[{}\[\]]"), ""),  # permutations
)  # fmt: skip
OPENINGS = re.compile(
    r"^(?:sure|certainly|okay|of course)[^:.!\n]*[:.!]\s*"
    r"|^(?:(?:the|a|an)\s+)?(?:image\s+)?(?:prompt|description|caption)\s*(?:\d+\s*)?:\s*"
    r"|^(?:the|this)\s+(?:image|picture|photo|photograph|scene)\s+(?:shows|depicts|features|is of|captures)\s+",
    re.IGNORECASE,
)


def prompt_of(text: str) -> str:
    """The prompt in what was said; empty when there is none."""
    text = THOUGHTS.sub(" ", text)
    for pattern, instead in MARKS:
        text = pattern.sub(instead, text)
    text = " ".join("".join(character if character.isprintable() else " " for character in text).split())
    text = OPENINGS.sub("", OPENINGS.sub("", text)).strip(" \"'“”‘’,;:-")
    text = re.sub(r"\s+([,.;:!?])", r"\1", re.sub(r"([,;])(?:\s*[,;])+", r"\1", text))
    return shortened(text) if is_said(text) else ""


def is_said(text: str) -> bool:
    """Whether it can be a prompt at all: some words, mostly of letters."""
    letters = sum(character.isalpha() or character.isspace() for character in text)
    return len(text.split()) >= LEAST_WORDS and letters >= LEAST_LETTERS * len(text)


def shortened(text: str) -> str:
    """As many whole sentences as are not too long; else as many words, up to the last comma if there is one."""
    words = text.split()
    if len(words) <= MOST_WORDS:
        return text.rstrip(". ")
    kept = " ".join(words[:MOST_WORDS]) + " "
    ends = (max(kept.rfind(mark) for mark in marks) for marks in ((". ", "! ", "? "), (", ", "; ")))
    end = next((end for end in ends if end > len(kept) // 2), len(kept))
    return kept[:end].rstrip(",;:. ")


def different(prompts: Iterable[str]) -> list[str]:
    """Without those that only repeat an earlier one."""
    seen: dict[str, str] = {}
    for prompt in prompts:
        seen.setdefault(" ".join(re.findall(r"\w+", prompt.lower())), prompt)
    return [prompt for key, prompt in seen.items() if key]
