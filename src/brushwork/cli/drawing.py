"""Which version of the API is drawn by which model on this machine, what is missing, and the command that helps."""

from collections.abc import Iterator
from typing import Literal

from brushwork.app import engine_options
from brushwork.engines.catalog.installed import installed, usable_films, usable_models
from brushwork.engines.catalog.model import VERSIONS, Model
from brushwork.engines.catalog.reading import read_catalog
from brushwork.engines.catalog.serving import missing_for, serving
from brushwork.engines.memory import memory_of
from brushwork.engines.registry import EngineOptions, entry
from brushwork.settings import Settings

Said = tuple[Literal["ok", "note"], str, str]
"""State, what it is about, and a sentence."""


def drawn_by(settings: Settings) -> Iterator[Said]:
    """One line a version where models draw, otherwise one for all."""
    options = engine_options(settings)
    engine = entry(settings.engine, options).name
    if engine == "diffusers":
        yield from by_models(options)
        return
    yield "ok", "draws", f"every version: the engine {engine}"
    if engine == "diorama":
        catalog, there = read_catalog(options.diffusion.catalogs), memory_of(options.diffusion.device)
        usual = missing_for("7", catalog, memory_gb=there)
        if usual and not usable_models(options.diffusion):
            with_gpu = f"needs a GPU with about {usual.vram_gb:g} GB" if usual.vram_gb else "needs a GPU"
            yield "note", "models", f"none is installed; {usual.title} {with_gpu}: `brushwork models pull {usual.name}`"


def by_models(options: EngineOptions) -> Iterator[Said]:
    catalog = read_catalog(options.diffusion.catalogs)
    there = options.diffusion.memory_gb or memory_of(options.diffusion.device)
    served = serving(usable_models(options.diffusion), memory_gb=there)
    for version in VERSIONS:
        what = f"draws {flag(version)}"
        better = missing_for(version, catalog, memory_gb=there)
        pull = f"; `brushwork models pull {better.name}` gets the one that suits it" if better else ""
        if version not in served:
            yield "note", what, f"no installed model{pull}"
            continue
        chosen = served[version]
        said = f"{chosen.model.name}, {need(chosen.model, there)}"
        if not chosen.fits:
            yield "note", what, f"{said}: its parts will take turns on the GPU, which is slow"
        elif chosen.model.profiles[version].fallback:
            yield "note", what, f"{said}{pull}"
        else:
            yield "ok", what, said
    yield by_film(options, there)


def by_film(options: EngineOptions, there: float) -> Said:
    """What makes clips."""
    films = list(usable_films(options.diffusion).values())
    if not films:
        return "note", "makes clips", "no installed model; `brushwork models list` has those of the kind video"
    said = "; ".join(f"{film.name}, {need(film, there)}" for film in films)
    if there and all(film.vram_gb > there for film in films):
        return "note", "makes clips", f"{said}: its parts will take turns on the GPU, which is slow"
    return "ok", "makes clips", said


def need(model: Model, there: float) -> str:
    needed = f"needs about {model.vram_gb:g} GB" if model.vram_gb else "needs an unknown amount of memory"
    return f"{needed} of {there:g} GB" if there else needed


def flag(version: str) -> str:
    """As a prompt asks for it."""
    return f"--{version}" if version.startswith("niji") else f"--v {version}"


def unwell(settings: Settings) -> Iterator[Said]:
    """Models that are here and cannot be used as they are."""
    options = engine_options(settings).diffusion
    for model in read_catalog(options.catalogs).values():
        found = installed(model, options.models_dir, options.accepted)
        about = f"model {model.name}"
        if found.state == "damaged":
            yield "note", about, f"{found.problem}; `brushwork models pull {model.name}` repairs it"
        elif found.state == "licence":
            yield "note", about, f"{found.problem}: BRUSHWORK_ACCEPT_LICENCES={model.licence.name}"
        elif found.outdated:
            yield "note", about, f"the catalog has another revision; `brushwork models pull {model.name}` fetches it"
