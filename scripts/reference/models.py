"""reference/models.md, from the catalog that ships."""

from brushwork.engines.catalog.model import VERSIONS, Adapter, Checkpoint, Licence, Model
from brushwork.engines.catalog.reading import read_catalog
from brushwork.engines.diffusion.video.facts import FILM_FAMILIES
from reference.markdown import anchor, code, page, table


def models_page() -> str:
    catalog = read_catalog()
    drawing = [model for model in catalog.values() if model.kind == "image"]
    films = [model for model in catalog.values() if model.kind == "video"]
    tools = [model for model in catalog.values() if model.kind == "tool"]
    return page(
        "Models",
        INTRODUCTION,
        overview(drawing),
        "## Clips\n\nWhat each does with a request: [Video models](../concepts/video-models.md).\n\n"
        + films_table(films),
        "## Tools\n\nThey work beside the models, whichever are chosen.\n\n" + tools_table(tools),
        "## Adapters\n\nThey are pulled with their models.\n\n" + adapters_table(drawing),
        *(section(model) for model in drawing),
    )


def overview(models: list[Model]) -> str:
    rows = [
        (
            f"[{code(model.name)}](#{anchor(model.name)})",
            ", ".join(suited(model)) or "edits and references",
            f"{model.download_gb:g} GB",
            f"{model.vram_gb:g} GB",
            licence(model.licence),
        )
        for model in models
    ]
    return table(("model", "the usual one for", "download", "GPU memory", "licence"), rows)


def films_table(films: list[Model]) -> str:
    rows = [
        (
            code(film.name),
            f"{film.title}. {film.summary}",
            source(film.checkpoint),
            f"{facts.most} at {facts.fps} a second",
            f"{film.max_side} pixels",
            f"{film.download_gb:g} GB",
            f"{film.vram_gb:g} GB",
            licence(film.licence),
        )
        for film in films
        for facts in [FILM_FAMILIES[film.family]]
    ]
    return table(
        ("model", "what it does", "files", "frames", "longest side", "download", "GPU memory", "licence"), rows
    )


def tools_table(tools: list[Model]) -> str:
    rows = [
        (
            code(tool.name),
            f"{tool.title}. {tool.summary}",
            source(tool.checkpoint),
            f"{tool.download_gb * 1000:.0f} MB",
            licence(tool.licence),
        )
        for tool in tools
    ]
    return table(("tool", "what it does", "files", "download", "licence"), rows)


def adapters_table(models: list[Model]) -> str:
    known: dict[str, Adapter] = {name: each for model in models for name, each in model.adapters.items()}
    rows = [
        (
            code(name),
            adapter.kind.replace("_", " "),
            source(adapter.checkpoint),
            ", ".join(model.name for model in models if name in model.adapters),
            licence(adapter.licence),
        )
        for name, adapter in known.items()
    ]
    return table(("adapter", "kind", "files", "of", "licence"), rows)


def section(model: Model) -> str:
    facts = [
        ("files", source(model.checkpoint)),
        ("licence", licence(model.licence)),
        ("steps", f"{model.steps.usual:g}, from {model.steps.least:g} to {model.steps.most:g}"),
        ("guidance", "none: it is distilled" if model.distilled else f"{model.guidance.usual:g}"),
        ("`--no`", {"native": "native", "emulated": "emulated", "none": "no"}[model.negative]),
        ("pictures it looks at", str(model.references or "none of its own")),
        ("usual square", f"{model.side} pixels, up to {model.max_side}"),
        ("operations", ", ".join(code(op) for op in sorted(model.ops))),
        ("parameters", ", ".join(code(f"--{name}") for name in sorted(model.params))),
        ("adapters", ", ".join(map(code, model.adapters)) or "none"),
        ("what it cannot is drawn by", code(model.edits_with) if model.edits_with else "nothing else"),
    ]
    parts = [f"## {model.name}", f"{model.title}. {model.summary}", table(("", ""), facts)]
    if model.profiles:
        parts.append(profiles_table(model))
    return "\n\n".join(parts)


def profiles_table(model: Model) -> str:
    rows = [
        (
            version,
            str(profile.steps),
            str(profile.draft_steps or max(1, profile.steps // 2)) if version == "7" else "",
            f"{profile.guidance:g}",
            profile.suffix,
            "for want of a better one" if profile.fallback else "yes",
        )
        for version in VERSIONS
        if (profile := model.profiles.get(version))
    ]
    return table(("version", "steps", "of a draft", "guidance", "words added", "draws it"), rows)


def suited(model: Model) -> list[str]:
    return [version for version in VERSIONS if version in model.profiles and not model.profiles[version].fallback]


def licence(of: Licence) -> str:
    return f"[{of.name}]({of.url})" + ("" if of.permissive else ", has to be accepted")


def source(checkpoint: Checkpoint) -> str:
    at = f" at {code(checkpoint.revision[:12])}" if checkpoint.revision != "main" else ""
    return f"[{checkpoint.repository}](https://huggingface.co/{checkpoint.repository}){at}"


INTRODUCTION = """
The catalog that ships, for the engine `diffusers`. Sizes are estimates: of memory, weights in bfloat16 with text
encoders and room for a grid of four; of downloads, with adapters. Where no commit is named, the newest is taken, and
its hash is recorded. How to choose, get and add models: [Models](../guides/models.md).
"""
