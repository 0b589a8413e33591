"""Checks across flags, once each has been read: clashes, what the version knows, what has no effect, and the price.

Knows the written parameters as `Written` values; nothing of characters or positions.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from brushwork.prompts.findings import Findings, Problem, bad_value, grammar
from brushwork.prompts.parameter import Parameter
from brushwork.prompts.parameters import PARAMETERS
from brushwork.prompts.prompt import Task
from brushwork.prompts.versions import VERSIONS, Version


@dataclass(frozen=True)
class Written:
    """A parameter as the prompt has it."""

    parameter: Parameter
    flag: str
    """As it was spelled, with dashes."""
    value: Any


@dataclass(frozen=True)
class Clash:
    """Two parameters that cannot be in one prompt. The first is blamed."""

    name: str
    other: str
    why: str
    value: Any = None
    """Only when the first has this value; None means any."""
    other_value: Any = None

    def holds(self, written: Mapping[str, Written]) -> bool:
        return (
            self.name in written
            and self.other in written
            and self.value in (None, written[self.name].value)
            and self.other_value in (None, written[self.other].value)
        )


CLASHES = (
    Clash("niji", "version", "both choose the model"),
    Clash("turbo", "fast", "both choose the lane of the queue"),
    Clash("oref", "turbo", "an omni reference cannot be drawn in turbo mode"),
    Clash("oref", "draft", "an omni reference cannot be drawn as a draft"),
    Clash("oref", "quality", "an omni reference cannot have quality 4", other_value=4.0),
    Clash("sv", "hd", "the old style references cannot be drawn in HD", value=6),
    Clash("sv", "quality", "the old style references cannot have quality 4", value=6, other_value=4.0),
    Clash("end", "loop", "a loop ends on its first frame"),
)


SETTLED_ELSEWHERE = frozenset({"version", "niji", "no"})
"""They have fields of their own in a `Prompt`."""

STEEP = 4
"""Beyond this aspect ratio, to 1, results are experimental."""


def check_clashes(written: Mapping[str, Written], findings: Findings) -> None:
    for clash in CLASHES:
        if clash.holds(written):
            first, second = written[clash.name], written[clash.other]
            findings.refuse(
                grammar(
                    "conflicting_parameters",
                    f"{first.flag} and {second.flag} cannot be together: {clash.why}. Remove one of them.",
                    first.flag,
                )
            )


def check_version(written: Mapping[str, Written], version: Version, task: Task, findings: Findings) -> None:
    """Refuse, in the order of writing, what the version does not know and values it does not have."""
    for one in written.values():
        if task in one.parameter.ignored_on:
            continue
        if version.name not in one.parameter.versions:
            findings.refuse(not_on(version, one.flag, one.parameter.versions))
        elif one.parameter.name == "sv" and one.value not in version.style_versions:
            possible = ", ".join(map(str, version.style_versions))
            findings.refuse(
                bad_value(
                    "out_of_range",
                    f"{one.flag}: {one.value} is not possible on {spoken(version)}; possible is {possible}.",
                    one.flag,
                )
            )


def not_on(version: Version, flag: str, versions: frozenset[str]) -> Problem:
    known = ", ".join(name for name in VERSIONS if name in versions)
    where = f"it is known on {known}" if known else "no version knows it any more"
    return grammar("unsupported_for_version", f"{flag} is not available on {spoken(version)}; {where}.", flag)


def spoken(version: Version) -> str:
    return f"version {version.name}" if version.name[0].isdigit() else f"the {version.name} model"


def settle(written: Mapping[str, Written], version: Version, task: Task, findings: Findings) -> dict[str, Any]:
    """The parameters that take effect: quality snapped to the version, what does nothing left out with a warning."""
    params = {}
    for name, one in written.items():
        if name in SETTLED_ELSEWHERE:
            continue
        ignored = one.parameter.ignored_on.get(task)
        if ignored:
            findings.warn("ignored_parameter", f"{one.flag} is ignored: {ignored}.", one.flag)
        elif name in version.no_effect:
            findings.warn("ignored_parameter", f"{one.flag} has no effect on {spoken(version)}.", one.flag)
        elif name == "quality":
            params[name] = nearest_quality(one, version, findings)
        else:
            params[name] = one.value
    if "ar" in params:
        warn_of_extremes(written["ar"], findings)
    return params


def warn_of_extremes(aspect: Written, findings: Findings) -> None:
    across, down = map(int, aspect.value.split(":"))
    if max(across, down) > STEEP * min(across, down):
        findings.warn(
            "extreme_aspect", f"{aspect.flag} {aspect.value} is beyond {STEEP}:1, which is experimental.", aspect.flag
        )


def nearest_quality(one: Written, version: Version, findings: Findings) -> float:
    nearest = min(version.qualities, key=lambda quality: abs(quality - one.value))
    if nearest != one.value:
        findings.warn(
            "value_snapped",
            f"{one.flag}: {one.value:g} is not possible on {spoken(version)}; {nearest:g} is used.",
            one.flag,
        )
    return float(nearest)


def check_weighed(written: Mapping[str, Written], image_urls: tuple[str, ...], findings: Findings) -> None:
    """Warn of a weight whose reference is not in the prompt."""
    present = {*written, "image_urls"} if image_urls else set(written)
    for one in written.values():
        needed = one.parameter.weighs
        if needed and not present.intersection(needed):
            what = " or ".join(
                PARAMETERS[name].spellings[0] if name in PARAMETERS else "an image URL" for name in needed
            )
            findings.warn("missing_reference", f"{one.flag} has no effect without {what}.", one.flag)


def cost(params: Mapping[str, Any], version: Version) -> float:
    """What the parameters multiply the price by on this version."""
    total = 1.0
    for factor in version.price_factors:
        if factor.param in params and factor.value in (None, params[factor.param]):
            total *= factor.factor
    return total
