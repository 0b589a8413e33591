"""The trained networks as functions on arrays: captions to states, latents to the way out of noise, and to pixels.

A folder holds them, as `make train-flow` writes it: text.onnx, denoiser.onnx, decoder.onnx, codec.npz and model.json,
which says what they are. ONNX Runtime is imported with the first model, never with this module. Knows no rows.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from brushwork.engines.flow.shapes import PATCH, places
from brushwork.engines.flow.words import ids_of
from brushwork.errors import Unavailable

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

Floats = np.ndarray[tuple[int, ...], np.dtype[np.float32]]
NETWORKS = ("text", "denoiser", "decoder")
FORMAT = 1
PACKAGED = Path(__file__).parent / "models"
"""Where networks lie when they ship with Brushwork."""


@dataclass(frozen=True)
class Facts:
    """What model.json says."""

    side: int
    """Of a square picture's latents."""
    channels: int
    steps: int
    """From pure noise, at normal quality."""
    guidance: float
    """How much stronger than by itself the network follows a caption, at normal `--stylize`."""
    draft: float
    """Noise level from which a draft of the embedded painter is taken over; 0: no draft."""
    words: frozenset[str]
    """Those it has learned from."""
    sha256: str
    """Of the denoiser."""


@dataclass(frozen=True)
class Caption:
    """(N, T, D) states of N captions, and (N, T) which of them are there."""

    words: Floats
    there: Floats


def missing(folder: Path) -> str | None:
    """Why there is no model in this folder, or None."""
    files = ("model.json", "codec.npz", *(f"{name}.onnx" for name in NETWORKS))
    absent = [name for name in files if not (folder / name).is_file()]
    return f"{folder} has no {', '.join(absent)}" if absent else None


def facts_of(folder: Path) -> Facts:
    said: dict[str, Any] = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    if said.get("format") != FORMAT:
        raise Unavailable(f"The model in {folder} has format {said.get('format')!r}; this version reads {FORMAT}.")
    return Facts(
        side=said["side"],
        channels=said["channels"],
        steps=said["steps"],
        guidance=said["guidance"],
        draft=said["draft"],
        words=frozenset(said["words"]),
        sha256=said["files"]["denoiser"]["sha256"],
    )


class FlowModel:
    """One folder of networks, loaded."""

    def __init__(self, folder: Path, *, threads: int) -> None:
        if problem := missing(folder):
            raise Unavailable(f"The learned painter has no weights: {problem}.")
        self.facts = facts_of(folder)
        self.text, self.denoiser, self.decoder = (session(folder / f"{name}.onnx", threads) for name in NETWORKS)
        with np.load(folder / "codec.npz") as codec:
            self.mean, self.basis, self.scale = (codec[name] for name in ("mean", "basis", "scale"))

    def read(self, texts: Sequence[str]) -> Caption:
        words, there = self.text.run(None, {"ids": np.stack([ids_of(text) for text in texts])})
        return Caption(np.asarray(words, np.float32), np.asarray(there, np.float32))

    def way(self, latents: Floats, level: float, caption: Caption) -> Floats:
        """(C, H, W) at a noise level 0..1 → (N, C, H, W): which way the noise lies, as each of N captions has it."""
        count = len(caption.words)
        given = {
            "latents": np.repeat(latents[None], count, 0),
            "level": np.full(count, level, np.float32),
            "words": caption.words,
            "there": caption.there,
            "places": places(*latents.shape[1:]),
        }
        (way,) = self.denoiser.run(None, given)
        return np.asarray(way, np.float32)

    def encode(self, picture: Floats) -> Floats:
        """(H, W, 3) of 0..1, multiples of PATCH → (C, H / PATCH, W / PATCH)."""
        height, width = (length // PATCH for length in picture.shape[:2])
        blocks = picture.reshape(height, PATCH, width, PATCH, 3).transpose(0, 2, 4, 1, 3).reshape(height * width, -1)
        latents = ((blocks - self.mean) @ self.basis) / self.scale
        return np.ascontiguousarray(latents.T.reshape(-1, height, width), np.float32)

    def plain(self, latents: Floats) -> Floats:
        """(C, h, w) → (H, W, 3) by the linear way: quick, in visible blocks."""
        _, height, width = latents.shape
        blocks = (latents.reshape(len(latents), -1).T * self.scale) @ self.basis.T + self.mean
        blocks = blocks.reshape(height, width, 3, PATCH, PATCH).transpose(0, 3, 1, 4, 2)
        return np.asarray(blocks.reshape(height * PATCH, width * PATCH, 3), np.float32)

    def decode(self, latents: Floats) -> Floats:
        """(C, h, w) → (H, W, 3), as well as it can be done."""
        plain = np.ascontiguousarray(self.plain(latents).transpose(2, 0, 1)[None])
        (picture,) = self.decoder.run(None, {"latents": latents[None], "plain": plain})
        return np.asarray(picture[0].transpose(1, 2, 0), np.float32)


def session(path: Path, threads: int) -> "InferenceSession":
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # between steps, others need the cores
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
