"""What `brushwork models` shows: engines and models as rows, for tables and for programs."""

from collections.abc import Iterator, Mapping
from typing import Any

from brushwork.app import engine_options
from brushwork.engines.catalog.installed import installed
from brushwork.engines.catalog.model import VERSIONS, Model
from brushwork.engines.catalog.reading import read_catalog
from brushwork.engines.diffusion.options import DiffusionOptions
from brushwork.engines.registry import ENGINES, entry
from brushwork.errors import Unavailable
from brushwork.settings import Settings


def engine_rows(settings: Settings) -> list[dict[str, Any]]:
    options = engine_options(settings)
    try:
        chosen = entry(settings.engine, options).name
    except Unavailable:
        chosen = ""
    return [
        {
            "name": engine.name,
            "in_use": engine.name == chosen,
            "state": engine.problem(options) or "ready",
            "licence": engine.licence,
            "summary": engine.summary,
        }
        for engine in ENGINES
    ]


def model_rows(options: DiffusionOptions) -> list[dict[str, Any]]:
    rows = []
    for model in read_catalog(options.catalogs).values():
        found = installed(model, options.models_dir, options.accepted)
        rows.append(
            {
                "name": model.name,
                "kind": model.kind,
                "state": found.state,
                "problem": found.problem,
                "outdated": found.outdated,
                "versions": suited(model),
                "download_gb": 0.0 if model.checkpoint.folder else model.download_gb,
                "vram_gb": model.vram_gb,
                "licence": model.licence.name,
                "permissive": model.licence.permissive,
                "summary": model.summary,
            }
        )
    return rows


def suited(model: Model) -> list[str]:
    """The versions of the API that the model is the usual one for."""
    return [version for version in VERSIONS if version in model.profiles and not model.profiles[version].fallback]


def in_words(row: Mapping[str, Any]) -> dict[str, str]:
    state = {"ready": "ready", "licence": "licence not accepted", "damaged": "damaged", "missing": "–"}[row["state"]]
    return {
        "model": row["name"],
        "state": "ready, outdated" if row["outdated"] and row["state"] == "ready" else state,
        "draws": ", ".join(row["versions"]) or row["kind"],
        "download": size(row["download_gb"]),
        "memory": size(row["vram_gb"]),
        "licence": row["licence"] + ("" if row["permissive"] else " (conditions)"),
    }


def size(gb: float) -> str:
    if not gb:
        return "–"
    return f"{gb:g} GB" if gb >= 1 else f"{gb * 1000:.0f} MB"


def model_facts(model: Model, options: DiffusionOptions) -> dict[str, Any]:
    found = installed(model, options.models_dir, options.accepted)
    return {
        "name": model.name,
        "title": model.title,
        "summary": model.summary,
        "state": found.state,
        "problem": found.problem,
        "licence": model.licence.name,
        "licence_url": model.licence.url,
        "permissive": model.licence.permissive,
        "accepted": found.record.accepted if found.record else "",
        "repository": model.checkpoint.repository,
        "revision": "" if model.checkpoint.folder else model.checkpoint.revision,
        "folder": str(found.folder or model.checkpoint.folder),
        "commit": found.record.commit if found.record else "",
        "digest": found.record.digest if found.record else "",
        "kind": model.kind,
        "family": model.family,
        "side": model.side,
        "download_gb": 0.0 if model.checkpoint.folder else model.download_gb,
        "vram_gb": model.vram_gb,
        "ops": sorted(model.ops),
        "params": sorted(model.params),
        "edits_with": model.edits_with,
        "adapters": [
            {
                "name": adapter.name,
                "kind": adapter.kind,
                "state": installed(adapter, options.models_dir, options.accepted).state,
                "repository": adapter.checkpoint.repository or adapter.checkpoint.folder,
                "licence": adapter.licence.name,
            }
            for adapter in model.adapters.values()
        ],
        "profiles": [
            {
                "version": version,
                "steps": profile.steps,
                "guidance": profile.guidance,
                "fallback": profile.fallback,
                "suffix": profile.suffix,
                "negative": profile.negative,
            }
            for version, profile in model.profiles.items()
        ],
    }


def advice(pulled: list[Model], options: DiffusionOptions) -> Iterator[str]:
    """What is worth doing next."""
    catalog = read_catalog(options.catalogs)
    for name in sorted({model.edits_with for model in pulled} - {"", *(model.name for model in pulled)}):
        if installed(catalog[name], options.models_dir).state == "missing":
            yield f"References, blends and retexture are drawn by {name}: `brushwork models pull {name}`."
    yield "`brushwork doctor` says which versions are drawn by what."
