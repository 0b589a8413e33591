"""reference/prompt-parameters.md, from the rows in `prompts/parameters.py`."""

from collections.abc import Collection

from brushwork.prompts.parameter import Parameter
from brushwork.prompts.parameters import PARAMETERS
from brushwork.prompts.refused import REFUSED, REMOVED_IN
from brushwork.prompts.versions import VERSIONS, VIDEO
from reference.markdown import code, fence, page, table
from reference.prompt_errors import warning_rows

PICTURES = [name for name in VERSIONS if name != VIDEO]


def parameters_page() -> str:
    overview = table(
        ("parameter", "also", "values", "default"),
        [
            (f"[{code('--' + row.name)}](#--{row.name})", spelled(row.spellings[1:]), row.values, default_of(row))
            for row in PARAMETERS.values()
        ],
    )
    refused = table(
        ("parameter", "instead"),
        [(code(f"--{name}"), f"{why.reason}{removed(name)}") for name, why in REFUSED.items()],
    )
    warnings = table(("code", "prompt", "what is said"), warning_rows())
    return page(
        "Prompt parameters",
        INTRODUCTION,
        overview,
        *(section(row) for row in PARAMETERS.values()),
        f"## Always refused\n\n{refused}",
        f"## Warnings\n\n{WARNINGS}\n\n{warnings}",
    )


def section(row: Parameter) -> str:
    facts = [("values", row.values), ("default", default_of(row)), ("versions", versions_of(row.versions))]
    if len(row.spellings) > 1:
        facts.insert(0, ("also written", spelled(row.spellings[1:])))
    if row.weighs:
        facts.append(("needs", " or ".join(needed(name) for name in row.weighs)))
    facts += [(f"in {an(task)} prompt", f"ignored with a warning: {why}") for task, why in row.ignored_on.items()]
    lines = "\n".join(f"- {name}: {value}" for name, value in facts)
    language = "prompt video" if row.versions == {VIDEO} else "prompt"
    return f"## --{row.name}\n\n{row.description}\n\n{lines}\n\n{fence(row.example, language)}"


def default_of(row: Parameter) -> str:
    if row.default is None:
        return "–"
    return code(f"{row.default:g}" if isinstance(row.default, float) else row.default)


def versions_of(known: Collection[str]) -> str:
    pictures = [name for name in PICTURES if name in known]
    spoken = "all picture versions" if len(pictures) == len(PICTURES) else ", ".join(pictures)
    return " and ".join(filter(None, (spoken, "video" if VIDEO in known else "")))


def needed(name: str) -> str:
    return "image URLs at the front of the prompt" if name == "image_urls" else code(f"--{name}")


def spelled(spellings: Collection[str]) -> str:
    return ", ".join(code(spelling) for spelling in spellings)


def removed(name: str) -> str:
    versions = sorted(REMOVED_IN.get(name, ()))
    return f" (removed in {', '.join(versions)})" if versions else ""


def an(task: str) -> str:
    return f"an {task}" if task[0] in "aeiou" else f"a {task}"


INTRODUCTION = """
Everything that may follow the words of a prompt. Parameters come last, in any order; names ignore case; a typographic
dash is read as `--` where a known name follows. What a prompt is made of besides is told in
[prompts](../concepts/prompts.md); which version has what, in [versions](versions.md).

A version that lacks a parameter refuses it with 400, `unsupported_for_version`. A value that does not fit is 422.
Whether the engine can follow a parameter is another question: what it could not do is in `detail.degraded` of the job.
"""

WARNINGS = """
What was repaired, snapped or ignored is said in `detail.warnings` of the job, and the job goes on.
""".strip()
