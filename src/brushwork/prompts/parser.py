"""Text → Prompt. The story of one parse, in the order the checks run; each step is a chapter of its own.

    characters and length   normalise.py
    what is where           tokens.py      quoted text, URLs, braces, flags
    braces                  braces.py
    URLs                    here           references.py says what a URL is
    flags in reading order  here           values.py reads each value
    clashes, version table  checks.py
    weights                 weights.py

Lenient by default: what can be repaired is, with a warning. `strict` makes the first warning an error. The first
problem decides the answer; the others are in its detail.
"""

import re
from collections.abc import Sequence

from brushwork.prompts import checks, weights
from brushwork.prompts.braces import check_braces, unescape
from brushwork.prompts.canonical import canonical
from brushwork.prompts.findings import Findings, bad_value, grammar, shown
from brushwork.prompts.flags import FlagReader
from brushwork.prompts.normalise import plain
from brushwork.prompts.parameters import SPELLINGS
from brushwork.prompts.prompt import Prompt, Segment, Task
from brushwork.prompts.references import WEIGHT_TAIL, url_problem
from brushwork.prompts.refused import REFUSED
from brushwork.prompts.tokens import DASH, STRAY, Marks, mark
from brushwork.prompts.versions import VERSIONS

__all__ = ["canonical", "parse_prompt"]

IMAGINE = re.compile(rf"(?:/imagine(?: |$|(?=[{DASH}]{{2}}))(?:prompt ?:)? ?)+", re.IGNORECASE)


def parse_prompt(text: str, *, task: Task = "image", strict: bool = False) -> Prompt:
    """Read a prompt, or raise PromptGrammarError (400) or PromptValueError (422) with a code and the flag to blame."""
    findings = Findings()
    text, marks = unwrap(plain(text, findings), findings)
    check_braces(marks.braces, findings)
    image_urls, words = take_image_urls(text[: marks.end_of_words], marks.urls, task, findings)
    flags = FlagReader(task, findings)
    flags.read(marks)
    checks.check_clashes(flags.written, findings)
    version = VERSIONS[flags.version]
    checks.check_version(flags.written, version, task, findings)
    words = unescape(words)
    segments = weights.split(words, findings)
    check_something_is_asked(segments, image_urls, marks, task, findings)
    params = {} if findings.problems else checks.settle(flags.written, version, task, findings)
    checks.check_weighed(flags.written, image_urls, findings)
    return Prompt(
        version=version.name,
        text=words,
        segments=segments,
        image_urls=image_urls,
        params=params,
        no=tuple(flags.no),
        cost_multiplier=checks.cost(params, version),
        warnings=findings.settle(strict=strict),
        task=task,
    )


def unwrap(text: str, findings: Findings) -> tuple[str, Marks]:
    """The prompt without `/imagine prompt:` in front and without quotes round all of it and its flags."""
    text = without_imagine(text, findings)
    marks = mark(text)
    if marks.quotes[:1] == [(0, len(text))]:
        inner = without_imagine(text[1:-1].strip(" "), findings)
        inner_marks = mark(inner)
        if any(flag.name in SPELLINGS or flag.name in REFUSED for flag in inner_marks.flags()):
            findings.warn("wrapper_removed", "The quotes round the whole prompt were removed.")
            return inner, inner_marks
    return text, marks


def without_imagine(text: str, findings: Findings) -> str:
    imagine = IMAGINE.match(text)
    if not imagine:
        return text
    findings.warn("wrapper_removed", "The command /imagine was removed from the prompt.")
    return text[imagine.end() :]


def take_image_urls(
    text: str, urls: Sequence[tuple[int, int]], task: Task, findings: Findings
) -> tuple[tuple[str, ...], str]:
    """The image URLs in front, and the words after them, where no URL may follow."""
    taken: list[str] = []
    cursor = 0
    for start, end in urls:
        if start >= len(text) or findings.is_full:
            break
        if start > cursor:
            findings.refuse(
                grammar(
                    "url_not_first", f"Image URLs come first in a prompt; {shown(text[start:end])} comes after text."
                )
            )
            break
        taken.append(checked_image_url(text[start:end], findings))
        cursor = end + 1
    if task == "video" and len(taken) > 1:
        findings.refuse(
            bad_value("too_many_references", f"{len(taken)} image URLs are given; a video starts from at most one.")
        )
    return tuple(taken), text[cursor:].strip(" ")


def checked_image_url(word: str, findings: Findings) -> str:
    url = word.rstrip(STRAY)
    if url != word:
        findings.warn("trailing_punctuation", f"The punctuation at the end of {shown(word)} was removed.")
    position = url.rfind("::")
    if position > 0 and WEIGHT_TAIL.fullmatch(url, position):
        findings.refuse(
            grammar(
                "image_url_weight",
                f"The image URL {shown(url)} ends with a ::weight; remove it, and weigh all image URLs with --iw.",
            )
        )
    else:
        problem = url_problem(url)
        if problem:
            findings.refuse(bad_value("invalid_url", f"The URL {shown(url)} {problem}."))
    return url


def check_something_is_asked(
    segments: Sequence[Segment], image_urls: Sequence[str], marks: Marks, task: Task, findings: Findings
) -> None:
    """Refuse a prompt without words, unless it blends images or tells a video how to move."""
    if segments or len(image_urls) > 1 or (task == "video" and (image_urls or len(marks.dashes) > 1)):
        return
    if image_urls:
        findings.refuse(
            bad_value("missing_text", "One image URL alone is not a prompt; add words, or a second image URL to blend.")
        )
    else:
        findings.refuse(bad_value("empty_prompt", "The prompt has no words; say what should be drawn."))
