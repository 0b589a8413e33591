"""How good are matting and depth on what was never trained on?

python -m training.matting_depth.measure --data FOLDER

Composites of held-out concepts over held-out landscapes and photographs, painter pictures of held-out concepts, and,
with `--cutouts FOLDER`, photographs of things cut out by hand (PNG with alpha) over the same backgrounds. Beside the
network stands GrabCut, started with a frame. Needs no PyTorch.
"""

import argparse
from collections.abc import Callable, Iterable
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from brushwork.engines.tools.depth import nearness
from brushwork.engines.tools.matting import matte
from training.matting_depth.composites import background, camera, composite, lay
from training.matting_depth.cutouts import Painted, Picture, Sources
from training.matting_depth.pictures import held_out

SIDE = 384
Case = tuple[Picture, np.ndarray]
"""A picture and its true alpha, 0..1."""
NEAR_ENOUGH = 80.0
"""Metres: beyond, a painter's distances are scenery."""


def painted_cases(known: Sources) -> list[Case]:
    """Only where the subject is not too small to be the picture's."""
    cases = [(one.image, np.asarray(one.alpha, np.float32) / 255) for one in known.painted]
    return [case for case in cases if case[1].mean() > 0.05]


def photo_cases(folder: Path, known: Sources, count: int) -> list[Case]:
    """Cut-outs as they are, over unblurred and blurred backgrounds, through the same camera."""
    cases = []
    paths = sorted(folder.rglob("*.png"))
    for number, path in enumerate(paths[:: max(1, len(paths) // count)][:count]):
        rng = np.random.default_rng([number, 77])
        thing = np.asarray(Image.open(path).convert("RGBA"), np.float32) / 255
        scale = SIDE * rng.uniform(0.55, 0.85) / max(thing.shape[:2])
        fits = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        thing = np.asarray(cv2.resize(thing, None, fx=scale, fy=scale, interpolation=fits)).clip(0, 1)
        picture, alpha = background(rng, known, SIDE), np.zeros((SIDE, SIDE), np.float32)
        lay(picture, alpha, thing, *((SIDE - length) // 2 for length in (thing.shape[1], thing.shape[0])))
        cases.append((camera(rng, picture), alpha))
    return cases


def by_network(picture: Picture) -> np.ndarray:
    return matte(Image.fromarray(picture), threads=1)


def by_grabcut(picture: Picture) -> np.ndarray:
    mask, inset = np.zeros(picture.shape[:2], np.uint8), round(0.06 * picture.shape[0])
    frame = (inset, inset, picture.shape[1] - 2 * inset, picture.shape[0] - 2 * inset)
    cv2.grabCut(picture, mask, frame, np.zeros((1, 65)), np.zeros((1, 65)), 4, cv2.GC_INIT_WITH_RECT)
    return ((mask == cv2.GC_FGD) | (mask == cv2.GC_PR_FGD)).astype(np.float32)


def alpha_scores(cases: Iterable[Case], tool: Callable[[Picture], np.ndarray]) -> np.ndarray:
    """Means of: IoU at one half, share of pictures with an IoU from 0.8 on, error, error at edges, error of slopes."""
    rows = []
    for picture, truth in cases:
        given = tool(picture)
        a, b = given > 0.5, truth > 0.5
        iou = (a & b).sum() / max(1, (a | b).sum())
        soft = ((truth > 0.02) & (truth < 0.98)).astype(np.uint8)
        edge = cv2.dilate(
            soft | cv2.morphologyEx(b.astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((3, 3))), np.ones((5, 5))
        )
        wrong = np.abs(given - truth)
        slopes = [np.hypot(cv2.Sobel(x, cv2.CV_32F, 1, 0), cv2.Sobel(x, cv2.CV_32F, 0, 1)) / 8 for x in (given, truth)]
        rows.append(
            (iou, iou >= 0.8, wrong.mean(), wrong[edge > 0].mean(), np.abs(slopes[0] - slopes[1])[edge > 0].mean())
        )
    return np.mean(rows, 0)


def near_scores(known: Iterable[Painted]) -> np.ndarray:
    """Means of: Spearman, pairs in the right order, and of what is nearer than NEAR_ENOUGH after the best scale and
    shift: relative error of depth, share within a factor of 1.25.
    """
    rng, rows = np.random.default_rng(0), []
    for one in known:
        given = nearness(Image.fromarray(one.image), threads=1).ravel()
        truth = np.asarray(one.near, np.float64).ravel()
        if np.quantile(truth, 0.99) - np.quantile(truth, 0.01) < 0.01:
            continue  # nothing but sky
        some = rng.integers(truth.size, size=6000)
        x, y = given[some], truth[some]
        left, right = rng.integers(truth.size, size=(2, 20000))
        ratio = (truth[left] + 2e-3) / (truth[right] + 2e-3)
        apart = np.abs(np.log(ratio)) > 0.2
        order = ((given[left] > given[right]) == (ratio > 1))[apart].mean()
        slope, shift = np.polyfit(given, truth, 1)
        close = truth > 1 / NEAR_ENOUGH
        depth, real = 1 / np.maximum(given[close] * slope + shift, 1 / NEAR_ENOUGH), 1 / truth[close]
        relation = np.maximum(depth / real, real / depth)
        rows.append(
            (
                np.corrcoef(ranks(x), ranks(y))[0, 1],
                order,
                (np.abs(depth - real) / real).mean(),
                (relation < 1.25).mean(),
            )
        )
    return np.mean(rows, 0)


def ranks(values: np.ndarray) -> np.ndarray:
    """Equal values share a rank."""
    _, place, count = np.unique(np.round(values, 5), return_inverse=True, return_counts=True)
    return (np.cumsum(count) - count / 2)[place]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder of the training")
    parser.add_argument("--cutouts", type=Path, help="a folder of PNG photographs with alpha; none without it")
    parser.add_argument("--count", type=int, default=64, help="pictures of each kind")
    arguments = parser.parse_args()
    known = held_out(arguments.data, arguments.count, side=SIDE)
    drawn = [composite(np.random.default_rng([number, 99]), known, SIDE) for number in range(arguments.count)]
    kinds = {"composites": drawn, "painter": painted_cases(known)}
    if arguments.cutouts:
        kinds["photographed cut-outs"] = photo_cases(arguments.cutouts, known, arguments.count)
    print("| alpha of | by | pictures | IoU | IoU ≥ 0.8 | error | error at edges | slopes at edges |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for kind, cases in kinds.items():
        for name, tool in (("GrabCut", by_grabcut), ("network", by_network)):
            iou, good, wrong, edge, slopes = alpha_scores(cases, tool)
            print(
                f"| {kind} | {name} | {len(cases)} | {iou:.3f} | {good:.0%} | {wrong:.3f} | {edge:.3f} | {slopes:.4f} |"
            )
    spearman, order, relative, within = near_scores(known.painted)
    print(
        f"\nnearness: Spearman {spearman:.3f}, pairs in order {order:.1%}, AbsRel {relative:.3f}, δ < 1.25 {within:.1%}"
    )


if __name__ == "__main__":
    main()
