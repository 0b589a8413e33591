"""reference/versions.md, from the rows in `prompts/versions.py`."""

from brushwork.prompts.parameters import PARAMETERS
from brushwork.prompts.versions import DEFAULT_VERSION, VERSIONS, PriceFactor, Version
from reference.markdown import anchor, code, fence, page, table


def versions_page() -> str:
    columns = ("version", "written", "plan", "`--quality`", "`--sv`", "multiplies the price")
    rows = [
        (
            f"[{row.name}](#{anchor(row.name)})",
            code(row.flag) if row.flag else "by the endpoint",
            row.plan,
            listed(row.qualities),
            listed(row.style_versions),
            ", ".join(factor(item) for item in row.price_factors) or "nothing",
        )
        for row in VERSIONS.values()
    ]
    return page("Versions", INTRODUCTION, table(columns, rows), *(section(row) for row in VERSIONS.values()))


def section(row: Version) -> str:
    facts = []
    if row.always_hd:
        facts.append("Pictures always have twice the side.")
    if row.no_effect:
        facts.append(f"Accepted without effect, with a warning: {flags(row.no_effect)}.")
    if row.lacks:
        facts.append(f"Pictures of it cannot be followed up by {', '.join(sorted(row.lacks))}.")
    absent = {name for name, parameter in PARAMETERS.items() if row.name not in parameter.versions}
    facts.append(f"Unknown to it: {flags(absent)}." if absent else "It knows every parameter.")
    parts = [f"## {row.name}", row.description, " ".join(facts)]
    if row.flag:
        parts.append(fence(f"A lighthouse at dawn {row.flag}", "prompt"))
    return "\n\n".join(parts)


def factor(item: PriceFactor) -> str:
    value = "" if item.value is None else f" {item.value:g}"
    return f"{code(f'--{item.param}{value}')} ×{item.factor:g}"


def listed(values: tuple[float, ...]) -> str:
    return ", ".join(f"{value:g}" for value in values) or "–"


def flags(names: frozenset[str] | set[str]) -> str:
    return ", ".join(code(f"--{name}") for name in PARAMETERS if name in names)


INTRODUCTION = f"""
A version says which parameters and values a prompt may have, what they cost, and which plan an account needs. Without
`--v` or `--niji` it is {DEFAULT_VERSION}. The engine decides how a version looks: Diorama, the embedded painter, draws
them all with one hand, and only `--niji` changes its style.
"""
