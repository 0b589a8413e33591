"""Write encoder and trained heads as one ONNX file, and compare what it computes with the original.

python -m training.tags.export tags.pt tags.onnx
"""

import argparse
import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch

from training.tags.encoder import Graph, encoder
from training.tags.network import Tagger, as_nodes, heads
from training.tags.pictures import numbers

CLOSE = 0.05
"""Of a logit; the file keeps weights as 16-bit floats."""


def export(network: Tagger, path: Path) -> None:
    graph = Graph([], [])
    encoder(graph)
    as_nodes(graph, network.eval())
    scenery = sum(heads().values())
    model = graph.model({
        "concept": ["batch", network.concept.out_features],
        "scenery": ["batch", scenery],
        "looks": ["batch", "cells"],
        "kinds": ["batch", 1000],
    })  # fmt: skip
    onnx.helper.set_model_props(model, {"classes": json.dumps(classes())})
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString(deterministic=True))
    difference = compare(network, model)
    if difference > CLOSE:
        raise SystemExit(f"{path} differs from the trained network by {difference:.2g}")
    count = sum(int(np.prod(each.dims)) for each in model.graph.initializer)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    print(f"{path}  {count} parameters  difference {difference:.1g}  {path.stat().st_size} bytes  sha256 {digest}")


def classes() -> dict[str, list[str]]:
    """Head → names in their order, which the file carries, so that the painter may learn new things without it."""
    named = {head: list(names) for head, names in numbers().items()}
    return {
        head: named.get(head, [str(number) for number in range(size)])
        for head, size in {"concept": len(named["concept"]), **heads()}.items()
    }


def compare(network: Tagger, model: onnx.ModelProto) -> float:
    """The largest difference of a logit, from the same features on."""
    extended = onnx.ModelProto()
    extended.CopyFrom(model)
    extended.graph.output.append(onnx.helper.make_tensor_value_info("features", onnx.TensorProto.FLOAT, None))
    session = onnxruntime.InferenceSession(extended.SerializeToString(), providers=["CPUExecutionProvider"])
    picture = torch.rand(2, 3, 288, 224, generator=torch.Generator().manual_seed(0)).numpy() * 2 - 1
    features, concept, scenery = session.run(["features", "concept", "scenery"], {"input": picture})
    with torch.no_grad():
        expected = network(torch.from_numpy(features))
    wanted = torch.cat([expected[name] for name in heads()], dim=1).numpy()
    return float(max(np.abs(concept - expected["concept"].numpy()).max(), np.abs(scenery - wanted).max()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", type=Path)
    parser.add_argument("onnx", type=Path)
    arguments = parser.parse_args()
    network = Tagger()
    network.load_state_dict(torch.load(arguments.weights, weights_only=True))
    export(network, arguments.onnx)


if __name__ == "__main__":
    main()
