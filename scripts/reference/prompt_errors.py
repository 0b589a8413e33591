"""The codes of the prompt language, for reference/errors.md and prompt-parameters.md, each shown by a real prompt."""

from collections.abc import Mapping

from brushwork.errors import PromptGrammarError, PromptValueError
from brushwork.prompts.parser import parse_prompt
from reference.markdown import code, fence

PROBLEMS: Mapping[str, tuple[str, str]] = {
    "unknown_parameter": ("A parameter that nobody knows.", "a cat --foo 3"),
    "unsupported_parameter": ("A parameter of other services that is always refused.", "a cat --relax"),
    "unsupported_for_version": ("The version does not have this parameter.", "a garden --v 8.1 --no weeds"),
    "conflicting_parameters": ("Two parameters that exclude each other.", "a cat --niji 6 --v 7"),
    "permutations_not_supported": ("Braces with choices in them; escape them to mean braces.", "a {red, blue} bird"),
    "url_not_first": ("An image URL after the first words.", "a castle https://example.com/a.png"),
    "text_after_parameters": ("Words after the parameters.", "a cat --ar 1:1 on a sofa"),
    "image_url_weight": ("A weight on an image URL; `--iw` is for that.", "https://example.com/a.png::2 a cat"),
    "control_character": ("A control character.", "a cat\x07"),
    "empty_prompt": ("Nothing to draw.", "--ar 16:9"),
    "invalid_url": ("A URL that cannot be one.", "https://user@example.com/a.png a cat"),
    "invalid_value": ("A value that is not of the right kind.", "a photo --ar 8.5:11"),
    "missing_text": ("One image URL without words.", "https://example.com/a.png --ar 1:1"),
    "missing_value": ("A parameter without its value.", "a cat --ar"),
    "out_of_range": ("A value outside what is possible.", "a cat --chaos 101"),
    "prompt_too_long": ("More than 8192 characters.", "cat " * 2049),
    "too_many_references": (
        "More references than the parameter takes.",
        "a duck --oref https://example.com/a.png https://example.com/b.png",
    ),
    "unsupported_version": ("A version that is not served.", "a cat --v 5.2"),
    "weight_sum_not_positive": ("Weights that add up to zero or less.", "tulips:: red::-1"),
}
"""Code → what it means, and a prompt that has this problem first."""

WARNINGS: Mapping[str, str] = {
    "dash_normalized": "a cat —ar 16:9",
    "duplicate_parameter": "a cat --ar 16:9 --ar 1:1",
    "equals_sign": "a cat --ar=16:9",
    "extreme_aspect": "a cat --ar 10:1",
    "foreign_weight": "a (cat:1.3)",
    "ignored_parameter": "a cat --v 8.1 --hd",
    "invisible_removed": "a\u200bcat",
    "lone_brace": "a { cat",
    "missing_reference": "a cat --iw 2",
    "missing_space": "a cat--ar 16:9",
    "possible_flag": "a cat -- ar 16:9",
    "trailing_punctuation": "a cat --ar 16:9.",
    "value_snapped": "a cat --q 0.25",
    "weight_not_at_boundary": "space::2ships",
    "wrapper_removed": "/imagine prompt: a cat",
}
"""Code → a prompt that is repaired with this warning."""

LONGEST_SHOWN = 80


def prompt_codes() -> list[tuple[str, int, str]]:
    """(code, status, meaning) of every problem a prompt can have."""
    return [(name, raised(name).status, meaning) for name, (meaning, _) in PROBLEMS.items()]


def prompt_section() -> str:
    """One heading for each problem, with the prompt and what the server says to it."""
    sections = []
    for name, (meaning, prompt) in PROBLEMS.items():
        error = raised(name)
        shown = prompt if len(prompt) <= LONGEST_SHOWN else prompt[:20] + "…"
        facts = f"Status {error.status}, `{type(error).__name__}`. {meaning}"
        is_whole = printable(shown) == prompt
        example = fence(printable(shown), "prompt wrong" if is_whole else "text")
        sections.append(f"## {name}\n\n{facts}\n\n{example}\n\n> {error.message}")
    return "\n\n".join(sections)


def raised(name: str) -> PromptGrammarError | PromptValueError:
    """The error that the example of this code really raises."""
    try:
        parse_prompt(PROBLEMS[name][1])
    except (PromptGrammarError, PromptValueError) as error:
        if error.code == name:
            return error
        raise ValueError(f"the example for {name} is refused with {error.code}") from error
    raise ValueError(f"the example for {name} is accepted")


def warning_rows() -> list[tuple[str, str, str]]:
    """(code, prompt, message) of every warning."""
    rows = []
    for name, prompt in WARNINGS.items():
        messages = [warning.message for warning in parse_prompt(prompt).warnings if warning.code == name]
        if not messages:
            raise ValueError(f"the example for the warning {name} is not warned of")
        rows.append((code(name), code(printable(prompt)), messages[0]))
    return rows


def printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else f"\\u{ord(letter):04x}" for letter in text)
