"""Write the trained networks as the files that `BRUSHWORK_ENGINE=flow` reads, and compare them with the original.

text.onnx, denoiser.onnx and decoder.onnx with weights in half precision, codec.npz, and model.json, which says what
they are.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from brushwork.engines.flow.shapes import places
from brushwork.engines.flow.words import ids_of, words_of
from training.flow.codec import Codec
from training.flow.network import Decoder, Painter, Size

OPSET = 17
"""Old enough for every ONNX Runtime that Brushwork may meet."""
DRAFT = 0.35
"""Noise level from which the engine takes over drafts; above it, one that has seen little loses what they show."""
SMALL = 256
"""Constants with fewer numbers stay as they are."""
CLOSE = {"text": 0.03, "denoiser": 0.05, "decoder": 0.01}
"""How far half precision may lie from the original."""
OFTEN = 3
"""How often a caption must have a word for the network to know it."""


def export(
    painter: Painter,
    decoder: Decoder,
    codec: Codec,
    size: Size,
    folder: Path,
    *,
    captions: Sequence[str],
    facts: dict[str, Any],
) -> None:
    """All files of a model. Stops when one of them computes something else than what was trained."""
    folder.mkdir(parents=True, exist_ok=True)
    painter.eval(), decoder.eval()
    height, width = size.side, size.side - 2  # not square, so that mixed up sides are noticed
    ids = torch.from_numpy(np.stack([ids_of("a lake at dusk"), ids_of("")]))
    words, there = painter.text(ids)
    latents = torch.randn(2, size.latent, height, width, generator=torch.Generator().manual_seed(0))
    level = torch.tensor([0.3, 0.8])
    where = torch.from_numpy(places(height, width))
    free = {0: "batch", 2: "height", 3: "width"}
    written = {
        "text": write(
            painter.text,
            folder / "text.onnx",
            {"ids": (ids, {0: "batch"})},
            {"words": {0: "batch"}, "there": {0: "batch"}},
        ),
        "denoiser": write(
            painter.denoiser,
            folder / "denoiser.onnx",
            {
                "latents": (latents, free),
                "level": (level, {0: "batch"}),
                "words": (words, {0: "batch"}),
                "there": (there, {0: "batch"}),
                "places": (where, {0: "points"}),
            },
            {"way": free},
        ),
        "decoder": write(
            decoder,
            folder / "decoder.onnx",
            {"latents": (latents, free), "plain": (codec.decode(latents), free)},
            {"picture": free},
        ),
    }
    np.savez(folder / "codec.npz", **{name: value.numpy() for name, value in codec.state().items()})
    counted = Counter(word for caption in captions for word in set(words_of(caption)))
    described = {
        "format": 1,
        "side": size.side,
        "channels": size.latent,
        "draft": DRAFT,
        "steps": 20,
        "guidance": 3.0,
        "files": written,
        "facts": facts,
        "words": sorted(word for word, count in counted.items() if count >= OFTEN),
    }
    (folder / "model.json").write_text(json.dumps(described, indent=1) + "\n", encoding="utf-8")
    print(f"{folder}  {sum(path.stat().st_size for path in folder.iterdir()) / 1e6:.1f} MB", flush=True)


def write(
    network: nn.Module, path: Path, given: dict[str, tuple[Tensor, dict[int, str]]], made: dict[str, dict[int, str]]
) -> dict[str, Any]:
    """→ what model.json says of the file."""
    inputs = tuple(value for value, _ in given.values())
    torch.onnx.export(
        network,
        inputs,
        path,
        dynamo=False,
        opset_version=OPSET,
        input_names=list(given),
        output_names=list(made),
        dynamic_axes={name: axes for name, (_, axes) in given.items()} | made,
    )
    model = onnx.load(path)
    halve(model)
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString(deterministic=True))
    far = distance(network, path, {name: value for name, (value, _) in given.items()})
    if far > CLOSE[path.stem]:
        raise SystemExit(f"{path} differs from the trained network by {far:.2g}")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    parameters = sum(weight.numel() for weight in network.parameters())
    print(f"{path.name}  {parameters} parameters  difference {far:.1g}  sha256 {digest}", flush=True)
    return {"parameters": parameters, "difference": round(far, 5), "sha256": digest}


def halve(model: onnx.ModelProto) -> None:
    """Keep large constants in half precision; the runtime makes whole ones of them when it loads."""
    casts = []
    for constant in model.graph.initializer:
        if constant.data_type != TensorProto.FLOAT or np.prod(constant.dims) < SMALL:
            continue
        name, value = constant.name, numpy_helper.to_array(constant).astype(np.float16)
        constant.CopyFrom(numpy_helper.from_array(value, f"{name}.half"))
        casts.append(helper.make_node("Cast", [f"{name}.half"], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)


@torch.no_grad()
def distance(network: nn.Module, path: Path, given: dict[str, Tensor]) -> float:
    """The largest difference between what the file computes and the network, in parts of what is usual."""
    expected = network(*given.values())
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    results = session.run(None, {name: value.detach().numpy() for name, value in given.items()})
    pairs = zip(results, expected if isinstance(expected, tuple) else (expected,), strict=True)
    return max(float(np.abs(got - want.numpy()).max() / (want.numpy().std() + 1e-6)) for got, want in pairs)
