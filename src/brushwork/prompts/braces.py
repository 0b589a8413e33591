"""Braces: `{red, blue}` is refused, `\\{` and `\\}` stand for plain ones. Never looks into text in double quotes."""

import re

from brushwork.prompts.findings import Findings, grammar

ESCAPED = re.compile(r'("[^"]*")|\\([{}])')
PLAIN = re.compile(r'("[^"]*")|([{}])')


def check_braces(braces: str, findings: Findings) -> None:
    """Refuse a balanced pair among the unescaped braces of a prompt; one without its partner is a plain character."""
    opening = braces.find("{")
    if opening >= 0 and "}" in braces[opening:]:
        raise grammar(
            "permutations_not_supported",
            "Permutations in { } are not supported; submit one prompt for each, or write \\{ and \\} for plain braces.",
        )
    if braces:
        findings.warn("lone_brace", "A { or } without its partner is read as plain text.")


def unescape(text: str) -> str:
    """`\\{` and `\\}` as the braces they stand for."""
    if "\\{" not in text and "\\}" not in text:
        return text
    return ESCAPED.sub(lambda match: match[1] or match[2], text)


def escape(text: str) -> str:
    """The reverse of `unescape`."""
    if "{" not in text and "}" not in text:
        return text
    return PLAIN.sub(lambda match: match[1] or "\\" + match[2], text)
