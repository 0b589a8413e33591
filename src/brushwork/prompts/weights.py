"""Multi-prompts: `tulips:: red::-0.5` into weighted segments.

Works on the words of a prompt alone, without its image URLs and flags. Text in double quotes is never looked into.
"""

import re
from collections.abc import Sequence
from decimal import Decimal
from math import fsum

from brushwork.prompts.findings import SHOWN, Findings, bad_value, shown
from brushwork.prompts.prompt import Segment
from brushwork.prompts.references import HEAVIEST, WEIGHT, number_of

SEPARATOR = re.compile(
    rf"""
    "[^"]*"
    | (::)
      (?: ({WEIGHT}) (?: (?=$|\ |::|["()]) | [,.;!?]+(?=\ |$) )
        | ([+\-\u2212]?\.?[0-9]) )?
    """,
    re.VERBOSE,
)
"""`::` and its weight, which must end where a word ends; `glued` is the number of `::2ship`, which stays text."""

ROUNDING = 1e-6
"""Below this a binary sum says nothing about a decimal one: .1 + .2 - .3 is 0."""

FOREIGN_WEIGHT = re.compile(r'"[^"]*"|(?P<foreign>\([^():"]*:[0-9]*\.?[0-9]+\))')


def split(text: str, findings: Findings) -> tuple[Segment, ...]:
    """The weighted parts of a text without the empty ones. Refuses weights that are too large or add up to nothing."""
    foreign = next((match["foreign"] for match in FOREIGN_WEIGHT.finditer(text) if match["foreign"]), None)
    if foreign:
        findings.warn(
            "foreign_weight", f"{shown(foreign)} is read as plain text; to weigh a part of the prompt write part::1.3."
        )
    if "::" not in text:
        return (Segment(text),) if text else ()
    parts, weights, start = [], [], 0
    for match in SEPARATOR.finditer(text):
        colons, written, glued = match.groups()
        if colons is None:
            continue
        colon, end = match.span()
        part = text[start:colon].strip(" ")
        start = end
        if glued:
            start = colon + len(colons)
            findings.warn(
                "weight_not_at_boundary",
                f"The number after :: in {shown(text[colon : colon + SHOWN])} runs into a word, so it is read as text.",
            )
        if part:
            parts.append(part)
            weights.append(number_of(written) if written else 1.0)
            if written and abs(weights[-1]) > HEAVIEST:
                findings.refuse(
                    bad_value("out_of_range", f"The weight {shown(written)} is beyond {HEAVIEST:.0f} in size.")
                )
    last = text[start:].strip(" ")
    if last:
        parts.append(last)
        weights.append(1.0)
    if weights and not adds_up(weights):
        findings.refuse(
            bad_value(
                "weight_sum_not_positive", "The weights of the prompt add up to 0 or less; the sum must be above 0."
            )
        )
    return tuple(map(Segment, parts, weights))


def adds_up(weights: Sequence[float]) -> bool:
    """Whether the sum of the weights is above 0, as it was written in decimals."""
    total = fsum(weights)
    if abs(total) > ROUNDING:
        return total > 0
    return sum(Decimal(repr(weight)) for weight in weights) > 0
