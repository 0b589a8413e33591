"""A small network that ships with Brushwork: what it is, and how it is run.

ONNX Runtime is imported with the first run, never with this module: the API process lists networks and runs none.
Knows nothing of pictures.
"""

import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

MODELS = Path(__file__).parent / "models"
MOST_THREADS = 8
"""More threads than this wait for each other on networks so small."""
Floats = np.ndarray[tuple[int, ...], np.dtype[np.float32]]


@dataclass(frozen=True)
class Network:
    """One file of weights, as operators see it."""

    name: str
    file: str
    purpose: str
    licence: str
    origin: str
    parameters: int
    sha256: str
    bits: int = 32
    """Of each number in the file."""

    @property
    def path(self) -> Path:
        return MODELS / self.file


def run(network: Network, batch: Floats, *, threads: int | None = None) -> Floats:
    """(B, C, H, W) in, (B, C, H, W) out. The same input gives the same output on every run of a machine."""
    (result,) = session(network, threads or default_threads()).run(None, {"input": batch})
    return np.asarray(result, np.float32)


def default_threads() -> int:
    return max(1, min(MOST_THREADS, os.cpu_count() or 1))


@lru_cache(maxsize=16)
def session(network: Network, threads: int) -> "InferenceSession":
    """Loaded once for each number of threads; a session may be run from many threads."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.enable_mem_pattern = False  # it would keep memory for each shape of a tile
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # between tiles, others need the cores
    return onnxruntime.InferenceSession(network.path, options, providers=["CPUExecutionProvider"])
