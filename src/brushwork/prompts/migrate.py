"""A prompt for another version: what that version lacks becomes what comes nearest, and each change has its reason.

The result parses on that version. Knows prices only as multipliers, and nothing of jobs.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from brushwork.errors import PromptGrammarError, PromptValueError
from brushwork.prompts.braces import escape
from brushwork.prompts.canonical import canonical, number_text
from brushwork.prompts.checks import CLASHES, Clash, cost
from brushwork.prompts.parameters import PARAMETERS
from brushwork.prompts.parser import parse_prompt
from brushwork.prompts.prompt import Prompt, Reference, Segment
from brushwork.prompts.versions import VERSIONS, Version

UNWANTED_WEIGHT = -0.5
"""What `--no` means, as the weight of a part."""
LEAST_SUM = 0.1
"""Weights must add up to more than nothing."""


@dataclass(frozen=True)
class Change:
    """One difference between the prompt as it was and as it is."""

    param: str
    before: str
    after: str
    """"" when it was removed."""
    reason: str


@dataclass(frozen=True)
class Migration:
    """A prompt for another version."""

    prompt: Prompt
    text: str
    """It, written in one canonical way."""
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class Draft:
    """A prompt on its way: what has been changed so far."""

    prompt: Prompt
    changes: tuple[Change, ...] = ()

    def without(self, name: str, reason: str, *, instead: str = "", **fields: Any) -> "Draft":
        """The same without that parameter, and with `fields` of the prompt replaced."""
        params = {key: value for key, value in self.prompt.params.items() if key != name}
        changed = replace(self.prompt, **{"params": params, **fields})
        return Draft(changed, (*self.changes, Change(f"--{name}", written(self.prompt, name), instead, reason)))


def migrate(prompt: Prompt, to: str) -> Migration:
    """The prompt on version `to`, a key of VERSIONS that draws pictures. Raises KeyError for others."""
    version = VERSIONS[to]
    if not version.flag:
        raise KeyError(to)
    draft = Draft(replace(prompt, version=to, warnings=()))
    if prompt.version != to:
        before, after = VERSIONS[prompt.version].flag, version.flag
        draft = replace(draft, changes=(Change("--version", before, after, version.description),))
    for name in [*prompt.params, *(("no",) if prompt.no else ())]:
        draft = fitted(draft, name, version)
    for clash in CLASHES:
        draft = settled(draft, clash)
    params = draft.prompt.params
    moved = replace(draft.prompt, cost_multiplier=cost(params, version))
    written_anew = parse_prompt(canonical(moved))
    return Migration(written_anew, canonical(written_anew), draft.changes)


def fitted(draft: Draft, name: str, version: Version) -> Draft:
    """The prompt with that parameter as the version has it."""
    if name in draft.prompt.params and name in version.no_effect:
        return draft.without(name, f"{version.flag} does it always.")
    if version.name not in PARAMETERS[name].versions:
        return REPLACE.get(name, removed)(draft, name, version)
    allowed = VALUES.get(name)
    return allowed(draft, name, version) if allowed else draft


def removed(draft: Draft, name: str, version: Version) -> Draft:
    if name not in draft.prompt.params:
        return draft
    return draft.without(name, WITHOUT.get(name, f"{version.flag} has no --{name}."))


WITHOUT: Mapping[str, str] = {
    "draft": "There are no drafts on this version; the full price is paid.",
    "turbo": "There is no turbo lane on this version; the price is no longer doubled.",
    "stop": "This version always finishes its pictures.",
    "hd": "This version has no HD; upscale the picture you like instead.",
    "p": "This version has no personalisation.",
    "exp": "This version has no experimental aesthetic.",
    "quality": "This version has one quality.",
    "cw": "It weighed a character reference, which this version has not.",
    "ow": "It weighed an omni reference, which this version has not.",
}


def unwanted(draft: Draft, name: str, version: Version) -> Draft:
    """`--no` as parts with a negative weight, as far as the sum allows."""
    words = draft.prompt.no
    total = sum(segment.weight for segment in draft.prompt.segments)
    weight = round(max(UNWANTED_WEIGHT, (LEAST_SUM - total) / len(words)), 3)
    segments = (*draft.prompt.segments, *(Segment(word, weight) for word in words))
    text = " ".join(f"{segment.text}::{number_text(segment.weight)}" for segment in segments)
    if weight >= 0 or not is_read_as(text, segments):
        return draft.without(name, f"{version.flag} has no --no, and it cannot be said as parts.", no=())
    reason = f"{version.flag} has no --no; parts with a negative weight say the same."
    return draft.without(name, reason, instead=f"::{weight:g}", no=(), segments=segments, text=text)


def is_read_as(text: str, segments: tuple[Segment, ...]) -> bool:
    """Whether these words are those parts, and nothing in them is a flag, a URL or a weight of its own."""
    try:
        found = parse_prompt(escape(text))
    except (PromptGrammarError, PromptValueError):
        return False
    return found.segments == segments and found.text == text and not (found.params or found.image_urls or found.no)


def character(draft: Draft, name: str, version: Version) -> Draft:
    """A character reference as an omni reference, or as an image in front."""
    references: tuple[Reference, ...] = draft.prompt.params.get(name, ())
    if not references or references[0].url is None:
        return removed(draft, name, version)
    url = references[0].url
    more = " Only the first of several is kept." if len(references) > 1 else ""
    if name == "cref" and version.name in PARAMETERS["oref"].versions and "oref" not in draft.prompt.params:
        changed = draft.without(name, f"An omni reference does this on {version.flag}.{more}", instead=f"--oref {url}")
        params = {**changed.prompt.params, "oref": (Reference(url=url),)}
        return replace(changed, prompt=replace(changed.prompt, params=params))
    if name == "oref" and version.name in PARAMETERS["cref"].versions and "cref" not in draft.prompt.params:
        changed = draft.without(name, f"A character reference does this on {version.flag}.", instead=f"--cref {url}")
        params = {**changed.prompt.params, "cref": (Reference(url=url),)}
        return replace(changed, prompt=replace(changed.prompt, params=params))
    reason = f"{version.flag} has no --{name}; as an image in front, the picture still counts.{more}"
    return draft.without(name, reason, instead=url, image_urls=(*draft.prompt.image_urls, url))


def nearest_quality(draft: Draft, name: str, version: Version) -> Draft:
    """The nearest quality that the version has."""
    given = draft.prompt.params[name]
    nearest = min(version.qualities, key=lambda quality: abs(quality - given))
    if nearest == given:
        return draft
    changed = draft.without(name, f"{version.flag} has no quality {given:g}.", instead=f"--quality {nearest:g}")
    return replace(changed, prompt=replace(changed.prompt, params={**changed.prompt.params, name: nearest}))


def style_version(draft: Draft, name: str, version: Version) -> Draft:
    given = draft.prompt.params[name]
    if given in version.style_versions:
        return draft
    return draft.without(name, f"{version.flag} has no style version {given}; its own is used.")


REPLACE: Mapping[str, Callable[[Draft, str, Version], Draft]] = {
    "no": unwanted,
    "cref": character,
    "oref": character,
}
"""What is done about a parameter that the version does not know, beyond removing it."""

VALUES: Mapping[str, Callable[[Draft, str, Version], Draft]] = {"quality": nearest_quality, "sv": style_version}
"""What is done about values that the version does not have."""


def settled(draft: Draft, clash: Clash) -> Draft:
    """The prompt without a clash that a change has brought about."""
    params = draft.prompt.params
    first, second = params.get(clash.name), params.get(clash.other)
    is_clash = (
        first is not None
        and second is not None
        and clash.value in (None, first)
        and clash.other_value in (None, second)
    )
    return draft.without(clash.other, f"It cannot be together with --{clash.name}: {clash.why}.") if is_clash else draft


def written(prompt: Prompt, name: str) -> str:
    """The parameter as the prompt had it."""
    only = {name: prompt.params[name]} if name in prompt.params else {}
    text = canonical(replace(prompt, text="", segments=(), image_urls=(), params=only, no=prompt.no * (name == "no")))
    return text.replace(VERSIONS[prompt.version].flag, "", 1).strip()
