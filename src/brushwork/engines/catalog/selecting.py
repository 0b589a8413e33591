"""Which files of a repository are taken, and under which names they are kept.

Weights in safetensors, and the JSON and text that describe them; ONNX where an entry names it. Never a file that
Python would unpickle or run, whatever an entry asks for.
"""

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from brushwork.engines.catalog.hub import RemoteFile
from brushwork.engines.catalog.model import Adapter, Checkpoint, Model
from brushwork.errors import Unavailable

USUAL = (".safetensors", ".json", ".txt", ".model", ".jinja")
NAMED = (*USUAL, ".onnx", ".onnx_data")
"""What may be taken when an entry includes it."""
LICENCES = ("LICENSE", "LICENCE", "NOTICE")
WEIGHTS = (".safetensors", ".onnx")


def select(holding: Model | Adapter, files: Sequence[RemoteFile]) -> Mapping[str, RemoteFile]:
    """Name on this machine → file. Raises Unavailable when something that is needed is not there."""
    checkpoint = holding.checkpoint
    taken: dict[str, RemoteFile] = {}
    marked: set[str] = set()
    for file in files:
        if is_wanted(file.path, checkpoint):
            name = plain(file.path, checkpoint.variant)
            if name not in taken or (name != file.path and name not in marked):
                taken[name] = file
            if name != file.path:
                marked.add(name)
    check(holding, taken)
    return taken


def is_wanted(path: str, checkpoint: Checkpoint) -> bool:
    name = PurePosixPath(path).name
    is_licence = name.upper().startswith(LICENCES)
    if path.startswith("."):
        return False
    if not checkpoint.include:
        return is_licence or PurePosixPath(path).suffix in USUAL
    is_data = is_licence or PurePosixPath(path).suffix in NAMED
    return is_data and any(fnmatchcase(path, pattern) for pattern in checkpoint.include)


def plain(path: str, variant: str) -> str:
    """The path without the name of the variant: `unet/model.fp16.safetensors` is `unet/model.safetensors`."""
    place = PurePosixPath(path)
    for mark in (f".{variant}", f"_{variant}") if variant else ():
        if place.stem.endswith(mark):
            return str(place.with_name(place.stem.removesuffix(mark) + place.suffix))
        if f"{mark}-0" in place.name or f"{mark}.json" in place.name.replace(".index", ""):
            raise Unavailable(f"{path}: a variant in several parts cannot be taken; take the weights without it.")
    return path


def check(holding: Model | Adapter, taken: Mapping[str, RemoteFile]) -> None:
    repository = holding.checkpoint.repository
    sources = {file.path for file in taken.values()}
    wanted = [pattern for pattern in holding.checkpoint.include if not any(sign in pattern for sign in "*?[")]
    if absent := [path for path in wanted if path not in sources]:
        raise Unavailable(f"{repository} has no {absent[0]}, which {holding.name} needs.")
    if not any(name.endswith(WEIGHTS) for name in taken):
        raise Unavailable(f"{repository} has no weights in safetensors, and other kinds are not taken.")
    if isinstance(holding, Model) and holding.kind != "tool" and "model_index.json" not in taken:
        raise Unavailable(f"{repository} has no model_index.json: it is not in the layout of diffusers.")
    if isinstance(holding, Adapter) and holding.file and holding.file not in taken:
        raise Unavailable(f"{repository} has no {holding.file}, which {holding.name} needs.")
