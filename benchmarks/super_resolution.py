"""Is the super-resolution network better than Lanczos, and what does it cost? `python benchmarks/super_resolution.py`.

Large pictures are made small by three filters, or made small and kept as a JPEG, and enlarged again by both. Prints
PSNR of luma (Y of BT.601) and of RGB, and SSIM of luma, means over pictures that the network was not trained on: the
painter's, of prompts of the contact sheet, and the photographs of `--photos FOLDER`. Then the seconds and the peak
memory of enlarging 1024 x 1024, in a process of their own. Our bounds: better everywhere, x2 in 6 s, 700 MB.
"""

import argparse
import io
import multiprocessing
import resource
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from PIL import Image
from PIL.Image import Resampling
from rich.console import Console
from rich.table import Table

from brushwork.engines.base import NullSink, Row
from brushwork.engines.diorama.engine import DioramaEngine
from brushwork.engines.tools.super_resolution import upscale

PROMPTS = Path(__file__).parent.parent / "scripts/prompts_40.txt"
Floats = np.ndarray[tuple[int, ...], np.dtype[np.float64]]
Scores = tuple[float, float, float]
"""PSNR of luma, PSNR of RGB, SSIM of luma."""
LUMA = np.array([65.481, 128.553, 24.966]) / 255
SECONDS_BOUND, MEGABYTES_BOUND = 6.0, 700


def shrunk_by(resampling: Resampling) -> Callable[[Image.Image, int], Image.Image]:
    return lambda image, factor: image.resize((image.width // factor, image.height // factor), resampling)


def shrunk_to_jpeg(image: Image.Image, factor: int) -> Image.Image:
    file = io.BytesIO()
    shrunk_by(Resampling.BICUBIC)(image, factor).save(file, "JPEG", quality=88)
    return Image.open(file).convert("RGB")


SHRINK: Mapping[str, Callable[[Image.Image, int], Image.Image]] = {
    "bicubic": shrunk_by(Resampling.BICUBIC),
    "lanczos": shrunk_by(Resampling.LANCZOS),
    "box": shrunk_by(Resampling.BOX),
    "JPEG 88": shrunk_to_jpeg,
}


def painter_pictures(count: int, size: int) -> list[Image.Image]:
    lines = [line for line in PROMPTS.read_text().splitlines() if line and not line.startswith("#")]
    rows = [Row(0, 5 + number, prompt, size, size, model="7") for number, prompt in enumerate(lines[:count])]
    return [result.image for result in DioramaEngine().run(rows, NullSink())]


def photographs(folder: Path) -> list[Image.Image]:
    return [Image.open(path).convert("RGB") for path in sorted(folder.iterdir()) if path.suffix in (".png", ".jpg")]


def cropped(image: Image.Image, factor: int) -> Image.Image:
    return image.crop((0, 0, image.width // factor * factor, image.height // factor * factor))


def scores(image: Image.Image, original: Image.Image, *, border: int) -> Scores:
    """Without the border, as is usual."""
    given, wanted = (np.asarray(each, np.float64)[border:-border, border:-border] for each in (image, original))
    return psnr(given @ LUMA, wanted @ LUMA), psnr(given, wanted), ssim(given @ LUMA, wanted @ LUMA)


def psnr(given: Floats, wanted: Floats) -> float:
    return float(10 * np.log10(255**2 / np.mean((given - wanted) ** 2)))


def ssim(given: Floats, wanted: Floats) -> float:
    """Structural similarity with the usual Gaussian window of 11 pixels."""

    def mean(values: Floats) -> Floats:
        return np.asarray(cv2.GaussianBlur(values, (11, 11), 1.5)[5:-5, 5:-5], np.float64)

    a, b = mean(given), mean(wanted)
    spread_a, spread_b = mean(given**2) - a**2, mean(wanted**2) - b**2
    common = mean(given * wanted) - a * b
    small, smaller = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    light = (2 * a * b + small) / (a**2 + b**2 + small)
    structure = (2 * common + smaller) / (spread_a + spread_b + smaller)
    return float((light * structure).mean())


def compared(pictures: list[Image.Image], shrink: str, factor: Literal[2, 4]) -> tuple[Scores, Scores, int]:
    """Means of Lanczos, means of the network, and how often the network's luma is nearer."""
    lanczos, network = [], []
    for picture in pictures:
        original = cropped(picture, factor)
        small = SHRINK[shrink](original, factor)
        lanczos.append(scores(small.resize(original.size, Resampling.LANCZOS), original, border=factor))
        network.append(scores(upscale(small, factor=factor), original, border=factor))
    wins = sum(ours[0] > theirs[0] for ours, theirs in zip(network, lanczos, strict=True))
    return mean_of(lanczos), mean_of(network), wins


def mean_of(values: list[Scores]) -> Scores:
    luma, colours, similarity = np.mean(values, axis=0)
    return float(luma), float(colours), float(similarity)


def cost(factor: Literal[2, 4], threads: int) -> tuple[float, float, float]:
    """Fastest seconds of three runs, seconds of all cores in it, and megabytes of a process that does nothing else."""
    image = Image.effect_noise((1024, 1024), 40).convert("RGB")
    runs = []
    for _ in range(3):
        began, used = time.perf_counter(), time.process_time()
        upscale(image, factor=factor, threads=threads)
        runs.append((time.perf_counter() - began, time.process_time() - used))
    return *min(runs), peak_megabytes()


def peak_megabytes() -> float:
    """Of this process. Where Linux tells it, without what its parent had used before."""
    status = Path("/proc/self/status")
    if status.exists():
        (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, help="a folder of .png and .jpg photographs; none without it")
    parser.add_argument("--pictures", type=int, default=8, help="how many of the painter")
    parser.add_argument("--size", type=int, default=768, help="of the painter's pictures")
    parser.add_argument("--threads", type=int, default=2, help="of the measured runs")
    arguments = parser.parse_args()
    console = Console(width=120)
    factors: tuple[Literal[2, 4], ...] = (2, 4)
    kinds = {"painter": painter_pictures(arguments.pictures, arguments.size)}
    if arguments.photos:
        kinds["photos"] = photographs(arguments.photos)
    table = Table("", "made small by", "PSNR Y", "PSNR RGB", "SSIM", "nearer", title="Lanczos → network")
    for factor in factors:
        for kind, pictures in kinds.items():
            for shrink in SHRINK:
                before, after, wins = compared(pictures, shrink, factor)
                pairs = zip(before, after, (2, 2, 4), strict=True)
                cells = [f"{a:.{places}f} → {b:.{places}f}" for a, b, places in pairs]
                table.add_row(f"x{factor} {kind}", shrink, *cells, f"{wins} of {len(pictures)}")
    console.print(table)
    for factor in factors:
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            seconds, used, megabytes = pool.apply(cost, (factor, arguments.threads))
        console.print(
            f"x{factor} of 1024 x 1024, {arguments.threads} threads: {seconds:.2f} s, {used:.2f} s of all cores, "
            f"peak {megabytes:.0f} MB (bounds of x2: {SECONDS_BOUND} s, {MEGABYTES_BOUND} MB)"
        )


if __name__ == "__main__":
    main()
