"""What an operator may say about the diffusers engine. Values only, no torch."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

CachePolicy = Literal["none", "taylorseer", "magcache"]
Precision = Literal["auto", "bfloat16", "float16", "float32"]


@dataclass(frozen=True)
class DiffusionOptions:
    """How this machine draws with open checkpoints."""

    models_dir: Path = Path("models")
    """Where downloaded models are."""
    catalogs: tuple[Path, ...] = ()
    """The operator's own TOML files; a later one replaces entries of the same name."""
    accepted: frozenset[str] = frozenset()
    """Names of licences that are not permissive and that the operator has accepted."""
    only: tuple[str, ...] = ()
    """Models to use, by name, best first; empty: all that are installed."""
    device: str = "cpu"
    """"cpu", "cuda:0", "mps"."""
    precision: Precision = "auto"
    memory_gb: float = 0.0
    """Of the device, for weights and activations; 0: what it has."""
    batch: int = 8
    """Rows that are stepped together at most."""
    compile: bool = False
    attention: str = "auto"
    fp8: bool = False
    cache: CachePolicy = "none"
    deterministic: bool = False
    """Batches are padded to fixed sizes, and no policy that changes pixels is used."""
    offline: bool = False


@dataclass(frozen=True)
class RemoteOptions:
    """Another server that speaks the OpenAI image API."""

    url: str = ""
    key: str = ""
    model: str = ""
    timeout: float = 600.0
    """Seconds that one picture may take, waiting for its turn there included."""
    edits: bool = False
    """Whether it has /v1/images/edits, and a model that can."""
    fields: frozenset[str] = frozenset()
    """Fields beyond OpenAI's own that it honours; empty: those of the server that it says it is."""
    steps: int = 0
    """Denoising steps at normal quality; 0 leaves them to the server."""
    guidance: float = 0.0
    """0 leaves it to the server."""
