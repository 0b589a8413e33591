"""Paint, encode and keep: features of pictures with their labels, in files that training reads again and again.

python -m training.tags.collect --seed 1 --minutes 30 --out features/train1
"""

import argparse
import random
import time
from pathlib import Path

import cv2
import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray

from brushwork.engines.diorama.words.lexicon import concepts
from training.tags.encoder import Graph, encoder
from training.tags.pictures import Box, Labelled, closer, numbers, of_photographs, of_world, pictures, whole

INPUT = 288
"""Pixels of a side of what the encoder sees."""
CHANNELS = 112 + 320
CELLS = INPUT // 32
LABELS = ("picture", "zoomed", "concept", "second", "place", "time", "weather", "style", "count", "gaze", "left", "top",
          "right", "bottom", "foreign")  # fmt: skip
"""Columns of the labels; -1 where a thing does not apply. Boxes in thousandths."""
CHUNK = 256


class Encoder:
    """The trunk, on one thread."""

    def __init__(self) -> None:
        graph = Graph([], [])
        encoder(graph)
        model = graph.model({"middle": ["b", 112, "h", "w"], "deep": ["b", 320, "hh", "ww"], "kinds": ["b", 1000]})
        onnx.checker.check_model(model)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )

    def features(self, images: NDArray[np.uint8]) -> NDArray[np.float16]:
        """(B, H, W, 3) to (B, 432, H / 32, W / 32): what is halfway, averaged, beside what is deep."""
        batch = ((images.astype(np.float32) - 127) / 128).transpose(0, 3, 1, 2)
        middle, deep = self.session.run(["middle", "deep"], {"input": np.ascontiguousarray(batch)})
        b, c, h, w = middle.shape
        halved = middle.reshape(b, c, h // 2, 2, w // 2, 2).mean(axis=(3, 5))
        return np.concatenate([halved, deep], axis=1).astype(np.float16)


def labels(picture: Labelled, number: int, box: Box, *, zoomed: bool) -> list[int]:
    classes, scene = numbers(), picture.scene
    others = [classes["concept"][name] for name in picture.shown if name != picture.hero]
    first = [classes["concept"][""]] if picture.empty else [classes["concept"][picture.hero]] if picture.hero else []
    hero, second = [*first, *([] if zoomed else others), -1, -1][:2]
    facts = [-1] * 5
    if scene and not zoomed:
        facts = [classes[head][getattr(scene, head)] for head in ("place", "time", "weather", "style")]
        facts.append(-1 if picture.count is None else min(picture.count, 4))
    return [
        number,
        int(zoomed),
        hero,
        second,
        *facts,
        int(bool(picture.hero)),
        *(round(edge * 1000) for edge in box),
        int(not scene),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--most", type=int, default=10**9, help="pictures, at most")
    parser.add_argument("--shards", type=Path, help="encode what training.world kept here, instead of painting")
    parser.add_argument("--photos", type=Path, help="encode photographs of this folder; fetched if missing")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    arguments.out.mkdir(parents=True, exist_ok=True)
    rng, network, ends = random.Random(arguments.seed), Encoder(), time.monotonic() + 60 * arguments.minutes
    source = pictures(arguments.seed, list(concepts()))
    if arguments.shards or arguments.photos:
        source = of_world(arguments.shards) if arguments.shards else of_photographs(rng, arguments.photos)
    framed: list[tuple[NDArray[np.uint8], list[int]]] = []
    for number, picture in enumerate(source):
        for frame, zoomed in ((whole, False), (closer, True))[: 2 if picture.hero else 1]:
            image, box = frame(rng, picture, INPUT)
            framed.append((image, labels(picture, number, box, zoomed=zoomed)))
        done = time.monotonic() > ends or number + 1 >= arguments.most
        if len(framed) >= CHUNK or done:
            keep(arguments.out, network, framed)
            print(f"{number + 1} pictures", flush=True)
            framed = []
        if done:
            break
    if framed:
        keep(arguments.out, network, framed)


def keep(folder: Path, network: Encoder, framed: list[tuple[NDArray[np.uint8], list[int]]]) -> None:
    """One more pair of files. The labels come last: who sees them can read the features."""
    images, rows = zip(*framed, strict=True)
    features = [network.features(np.stack(images[at : at + 16])) for at in range(0, len(images), 16)]
    name = f"{len(list(folder.glob('*.labels.npy'))):04d}"
    np.save(folder / f"{name}.features.npy", np.concatenate(features))
    np.save(folder / f"{name}.labels.npy", np.array(rows, np.int32))


if __name__ == "__main__":
    main()
