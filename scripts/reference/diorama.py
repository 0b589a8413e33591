"""reference/diorama.md, from the painter's own dictionary."""

from collections import defaultdict
from collections.abc import Mapping

from brushwork.engines.diorama.params import HONOURED
from brushwork.engines.diorama.words.lexicon import KINDS, concepts, phrases
from brushwork.prompts.parameters import PARAMETERS
from reference.markdown import anchor, code, page, table

GROUPS: Mapping[str, tuple[str, str]] = {
    "place": ("Places", "Where the picture is. Without one, the subject chooses."),
    "time": ("Times of day", "They set the sun, the sky and the colour of the light."),
    "weather": ("Weather", "Drawn into the sky, the air and the ground."),
    "season": ("Seasons", "They colour leaves and ground."),
    "style": ("Styles", "How the finished scene is painted."),
    "palette": ("Moods", "They tint the whole picture."),
    "colour": ("Colours", "Before a subject they colour it."),
    "count": ("Counts", "How many of a subject there are."),
    "size": ("Sizes", "How large a subject is, as a factor."),
    "position": ("Positions", "Where in the picture a subject goes."),
    "relation": ("Relations", "Where one subject is, seen from another."),
    "camera": ("Camera", "How near it is and where it stands."),
    "element": ("Parts of the land", "Things a place brings; ask for more of them, or forbid them with `--no`."),
    "pose": ("Poses", "What subjects do."),
    "quality": ("Words that need nothing", "Praise and wishes that are understood and change nothing."),
    "nearest": ("Nearly understood", "Drawn as the nearest thing it knows, and reported in `degraded`."),
    "stop": ("Small words", "Understood, and without a picture of their own."),
}
"""Group of the dictionary → (heading, sentence); a group without one stops the generator."""

SHOWN = 60
"""Phrases of one meaning that are listed; the rest is counted."""


def diorama_page() -> str:
    meanings = meanings_by_group()
    contents = [f"- [{GROUPS[group][0]}](#{anchor(GROUPS[group][0])}): {len(meanings[group])}" for group in meanings]
    return page(
        "What Diorama understands",
        INTRODUCTION,
        "\n".join(
            [
                "- [Parameters it follows](#parameters-it-follows)",
                f"- [Subjects](#subjects): {len(concepts())}",
                *contents,
            ]
        ),
        followed(),
        subjects(),
        *(section(group, meanings[group]) for group in meanings),
    )


def meanings_by_group() -> Mapping[str, Mapping[str, list[str]]]:
    """Group → value → phrases, without subjects, in the order of `GROUPS`."""
    found: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for phrase, meanings in phrases().items():
        for meaning in meanings:
            if meaning.group != "subject" and not meaning.plural:
                found[meaning.group][meaning.value].append(phrase)
    unknown = found.keys() - GROUPS.keys()
    if unknown:
        raise KeyError(f"scripts/reference/diorama.py has no heading for {sorted(unknown)}")
    return {group: found[group] for group in GROUPS if group in found}


def followed() -> str:
    rows = [
        (code(f"--{name}"), HONOURED[name], PARAMETERS[name].description) for name in PARAMETERS if name in HONOURED
    ]
    return f"## Parameters it follows\n\n{FOLLOWED}\n\n{table(('parameter', 'how', 'meaning'), rows)}"


def section(group: str, meanings: Mapping[str, list[str]]) -> str:
    heading, sentence = GROUPS[group]
    rows = [(value.replace("_", " "), listed(said)) for value, said in meanings.items()]
    if len(rows) == 1 or group == "relation":  # the names of relations are seen from the other end
        return f"## {heading}\n\n{sentence}\n\n{listed([word for said in meanings.values() for word in said])}"
    return f"## {heading}\n\n{sentence}\n\n{table(('meaning', 'words'), rows)}"


def subjects() -> str:
    parts = [f"## Subjects\n\n{SUBJECTS}"]
    for kind in KINDS:
        rows = [(concept.name, listed(list(concept.words))) for concept in concepts().values() if concept.kind == kind]
        if rows:
            parts.append(f"### {kind.capitalize()}\n\n{table(('subject', 'also'), rows)}")
    return "\n\n".join(parts)


def listed(words: list[str]) -> str:
    rest = len(words) - SHOWN
    return ", ".join(words[:SHOWN]) + (f" and {rest} more" if rest > 0 else "")


INTRODUCTION = """
The dictionary of the embedded painter, whole. Longer phrases win over shorter ones; most plurals and compounds are
understood besides. A word that is not here is reported as `word:…` in `detail.degraded` of the job. What kind of
painter this is: [Diorama](../concepts/diorama.md).
"""

FOLLOWED = """
`native`: the painter has it. `emulated`: it does something that comes near. Any other parameter that steers a picture
is reported as `parameter:…` in `detail.degraded`.
""".strip()

SUBJECTS = """
Each can have a colour, a count, a size and a position: `two small red boats on the left`.
""".strip()
