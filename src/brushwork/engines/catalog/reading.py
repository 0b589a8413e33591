"""The catalog, from TOML: what ships with Brushwork, and what an operator adds.

An operator's entry replaces the shipped one of the same name; with `extends` it starts as a copy of another entry.
Knows nothing of what is installed.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from brushwork.engines.base import Op
from brushwork.engines.catalog.fields import (
    Place,
    Reader,
    a_table,
    bounds,
    fields,
    flag,
    hint,
    need,
    number,
    one_of,
    some_of,
    text,
    texts,
    whole,
)
from brushwork.engines.catalog.model import FILM, PARAMS, VERSIONS, Adapter, Checkpoint, Licence, Model, Profile
from brushwork.engines.diffusion.facts import FAMILIES
from brushwork.engines.diffusion.video.facts import FILM_FAMILIES
from brushwork.errors import Unavailable

SHIPPED = Path(__file__).with_name("models.toml")

TOOLS = ("matting", "enlarger", "faces", "describer")
"""Families of tools."""
NAME = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?")
"""Of a model or an adapter: it becomes the name of a folder."""
REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
REVISION = re.compile(r"[A-Za-z0-9][\w./-]*")


def read_catalog(files: Iterable[Path] = ()) -> Mapping[str, Model]:
    """All models by name: those of the files, then the shipped ones. Raises Unavailable and names the wrong field."""
    shelf = Shelf()
    shelf.add(SHIPPED)
    shipped = dict(shelf.models)
    own: list[str] = []
    for file in files:
        own += [name for name in shelf.add(file) if name not in own]
    names = [*own, *(name for name in shipped if name not in own)]
    for name in names:
        check_links(shelf.places[name], shelf.models[name], shelf.models)
    return {name: shelf.models[name] for name in names}


class Shelf:
    """What has been read so far: a later file may use, extend and replace what stands in an earlier one."""

    def __init__(self) -> None:
        self.licences: dict[str, Licence] = {}
        self.adapters: dict[str, Adapter] = {}
        self.models: dict[str, Model] = {}
        self.places: dict[str, Place] = {}

    def add(self, file: Path) -> list[str]:
        """Read a file; the names of its models, in its order."""
        place = Place(file if file != SHIPPED else Path(file.name))
        content = parse(file)
        for name in content.keys() - {"licences", "adapters", "models"}:
            place.refuse(f"there is no table {name!r}; there are: licences, adapters, models")
        for name, value in entries(place, content, "licences"):
            given = fields(place / "licences" / name, value, {"url": text, "permissive": flag})
            self.licences[name] = Licence(name, **given)
        for name, value in entries(place, content, "adapters"):
            self.adapters[name] = self.adapter(named(place / "adapters" / name, name), name, value)
        for name, value in entries(place, content, "models"):
            self.models[name] = self.model(named(place / "models" / name, name), name, value)
            self.places[name] = place / "models" / name
        return list(content.get("models", {}))

    def adapter(self, place: Place, name: str, value: Any) -> Adapter:
        given = fields(
            place,
            value,
            {
                "kind": one_of(("lora", "controlnet", "ip_adapter", "tiny_vae")),
                "checkpoint": checkpoint,
                "licence": self.licence,
                "file": relative,
                "weight": weight,
                "controls": texts,
            },
        )
        need(place, given, "kind", "checkpoint", "licence")
        return Adapter(name, **given)

    def model(self, place: Place, name: str, value: Any) -> Model:
        readers: Mapping[str, Reader] = {**MODEL, "licence": self.licence, "adapters": self.adapters_of}
        given = fields(place, value, {"extends": text, **readers})
        if base := given.pop("extends", ""):
            if base not in self.models:
                place.refuse(f"it extends {base!r}, which no entry above is called{hint(base, self.models)}")
            copied = self.models[base]
            profiles = {**copied.profiles, **given.pop("profiles", {})}
            return checked(place, replace(copied, name=name, profiles=profiles, **given))
        need(place, given, "title", "kind", "family", "checkpoint", "licence")
        return checked(place, Model(name, **given))

    def licence(self, place: Place, value: Any) -> Licence:
        """The name of a licence that stands above, or a table with its name, url and `permissive`."""
        if isinstance(value, dict):
            given = fields(place, value, {"name": text, "url": text, "permissive": flag})
            need(place, given, "name")
            return Licence(**given)
        if value not in self.licences:
            place.refuse(f"there is no licence {value!r}{hint(str(value), self.licences)}")
        return self.licences[value]

    def adapters_of(self, place: Place, value: Any) -> Mapping[str, Adapter]:
        names = texts(place, value)
        for name in names:
            if name not in self.adapters:
                place.refuse(f"there is no adapter {name!r}{hint(name, self.adapters)}")
        return {name: self.adapters[name] for name in names}


def parse(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise Unavailable(f"{file}: it cannot be read ({error.strerror or error}).") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Unavailable(f"{file}: it is not TOML ({error}).") from None


def entries(place: Place, content: Mapping[str, Any], table: str) -> Iterable[tuple[str, Any]]:
    return a_table(place / table, content.get(table, {})).items()


def named(place: Place, name: str) -> Place:
    if not NAME.fullmatch(name):
        place.refuse("a name is made of a-z, 0-9, dots, dashes and underscores, and has 64 characters at most")
    return place


# ---------------------------------------------------------------- fields with an inner form


def checkpoint(place: Place, value: Any) -> Checkpoint:
    given = fields(
        place,
        value,
        {"repository": repository, "revision": revision, "folder": folder, "include": patterns, "variant": variant},
    )
    if bool(given.get("repository")) == bool(given.get("folder")):
        place.refuse("either 'repository' or 'folder' is wanted")
    return Checkpoint(**given)


def repository(place: Place, value: Any) -> str:
    if not REPOSITORY.fullmatch(text(place, value)):
        place.refuse(f"a repository is written owner/name, not {value!r}")
    return text(place, value)


def revision(place: Place, value: Any) -> str:
    if not REVISION.fullmatch(text(place, value)) or ".." in value:
        place.refuse(f"a commit, a tag or a branch is wanted, not {value!r}")
    return text(place, value)


def folder(place: Place, value: Any) -> str:
    """As seen from the TOML file, so that both can be moved together."""
    path = Path(text(place, value)).expanduser()
    return str(path if path.is_absolute() else place.file.absolute().parent / path)


def variant(place: Place, value: Any) -> str:
    if not re.fullmatch(r"[a-z0-9_]*", text(place, value)):
        place.refuse(f"a word such as fp16 is wanted, not {value!r}")
    return text(place, value)


def relative(place: Place, value: Any) -> str:
    path = Path(text(place, value))
    if path.is_absolute() or ".." in path.parts:
        place.refuse(f"a path inside the checkpoint is wanted, not {value!r}")
    return path.as_posix()


def patterns(place: Place, value: Any) -> tuple[str, ...]:
    return tuple(relative(place, item) for item in texts(place, value))


def weight(place: Place, value: Any) -> float:
    """Of a LoRA; a negative one takes away what it teaches."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not -4 <= value <= 4:
        place.refuse(f"a number from -4 to 4 is wanted, not {value!r}")
    return float(value)


def profiles(place: Place, value: Any) -> Mapping[str, Profile]:
    read: dict[str, Profile] = {}
    for version, table in a_table(place, value).items():
        if version not in (*VERSIONS, FILM):
            place.refuse(f"there is no version {version!r}; there are: {', '.join((*VERSIONS, FILM))}")
        given = fields(place / version, table, PROFILE)
        need(place / version, given, "steps", "guidance")
        read[version] = Profile(version, **given)
    return read


STEPS = whole(1, 1000)

PROFILE: Mapping[str, Reader] = {
    "steps": STEPS,
    "guidance": number,
    "draft_steps": whole(0, 1000),
    "negative": text,
    "suffix": text,
    "adapters": texts,
    "fallback": flag,
}


def ops(place: Place, value: Any) -> frozenset[Op]:
    return frozenset(Op(name) for name in some_of(Op)(place, value))


MODEL: Mapping[str, Reader] = {
    "title": text,
    "summary": text,
    "kind": one_of(("image", "video", "tool")),
    "family": text,
    "checkpoint": checkpoint,
    "side": whole(64, 8192),
    "max_side": whole(64, 16384),
    "steps": bounds,
    "guidance": bounds,
    "negative": one_of(("native", "emulated", "none")),
    "distilled": flag,
    "vram_gb": number,
    "download_gb": number,
    "references": whole(0, 16),
    "ops": ops,
    "params": some_of(sorted(PARAMS)),
    "profiles": profiles,
    "edits_with": text,
}
"""The fields of a model that need nothing else; `licence` and `adapters` are names of what stands above."""


# ---------------------------------------------------------------- what must fit together


def checked(place: Place, model: Model) -> Model:
    """The model, when its fields agree with each other."""
    known = {"image": tuple(FAMILIES), "video": tuple(FILM_FAMILIES), "tool": TOOLS}.get(model.kind)
    if known and model.family not in known:
        (place / "family").refuse(f"{model.family!r} is none of {', '.join(known)}")
    if model.kind == "video" and model.adapters:
        (place / "adapters").refuse("nothing is added to models of clips")
    if model.max_side < model.side:
        (place / "max_side").refuse(f"{model.max_side} is less than 'side', which is {model.side}")
    if "no" in model.params and model.negative == "none":
        (place / "params").refuse("'no' needs a 'negative' that is not \"none\"")
    for version, profile in model.profiles.items():
        check_profile(place / "profiles" / version, model, profile)
    return model


def check_profile(place: Place, model: Model, profile: Profile) -> None:
    if not model.steps.least <= profile.steps <= model.steps.most:
        (place / "steps").refuse(
            f"{profile.steps} is outside of 'steps' of the model, {model.steps.least:g} to {model.steps.most:g}"
        )
    if not model.guidance.least <= profile.guidance <= model.guidance.most:
        bounds_text = f"{model.guidance.least:g} to {model.guidance.most:g}"
        (place / "guidance").refuse(f"{profile.guidance:g} is outside of 'guidance' of the model, {bounds_text}")
    for name in profile.adapters:
        adapter = model.adapters.get(name)
        if adapter is None or adapter.kind != "lora":
            (place / "adapters").refuse(f"{name!r} is not a LoRA among 'adapters' of the model")


def check_links(place: Place, model: Model, models: Mapping[str, Model]) -> None:
    if model.edits_with and model.edits_with not in models:
        (place / "edits_with").refuse(f"there is no model {model.edits_with!r}{hint(model.edits_with, models)}")
    if model.edits_with == model.name:
        (place / "edits_with").refuse("a model cannot name itself")
