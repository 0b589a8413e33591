"""What is measured: W1 one picture, W2 a grid, W3 a mixed queue, W4 switching models, W5 pictures back to back with
their files, W6 decoding 2048 px, W7 how soon a cancelled picture is gone.

Arms take turns inside one process, so that whatever else the machine does hits all of them.
"""

import io
import math
import random
import statistics
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL.Image import Image

from brushwork.engines.base import NullSink, Row, RowCancelled
from brushwork.engines.diffusion.families.base import Family
from brushwork.engines.diffusion.options import DiffusionOptions
from brushwork.engines.diffusion.parts import load_part
from brushwork.engines.diffusion.places import Place
from brushwork.engines.diffusion.residency import Residency
from support.gpu_arms import Arm, Asked, LoopArm, Stopped, pipe_of
from support.gpu_models import Made, family

PROMPT = "a lighthouse on a cliff above a stormy sea, evening light, oil painting"
OTHERS = ("a red fox in the snow", "a market in the rain", "an astronaut on mars", "a bowl of lemons")


@dataclass
class Figures:
    """What one workload says of one arm."""

    unit: str
    values: list[float] = field(default_factory=list)
    note: str = ""
    more_is_better: bool = False

    @property
    def median(self) -> float:
        return statistics.median(self.values) if self.values else math.nan

    @property
    def spread(self) -> float:
        """Between the quartiles."""
        if len(self.values) < 4:
            return 0.0
        quartiles = statistics.quantiles(self.values, n=4)
        return quartiles[2] - quartiles[0]


Results = dict[str, Figures]
"""Arm → figures."""


def seconds(device: torch.device, act: Callable[[], Any]) -> float:
    """Of the wall clock, until the device has nothing left to do."""
    if device.type != "cuda":
        began = time.perf_counter()
        act()
        return time.perf_counter() - began
    start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    torch.cuda.synchronize(device)
    start.record()
    act()
    end.record()
    torch.cuda.synchronize(device)
    return float(start.elapsed_time(end)) / 1000


def interleaved(arms: Sequence[Arm], made: Made, asked: Sequence[Asked], repeats: int) -> Results:
    results = {arm.name: Figures("s") for arm in arms}
    for turn in range(repeats):
        for arm in arms if turn % 2 else reversed(arms):
            results[arm.name].values.append(seconds(made.device, partial(arm.draw, asked)))
    return results


def one_picture(arms: Sequence[Arm], made: Made, repeats: int) -> Results:
    """W1."""
    return interleaved(arms, made, [Asked(1, PROMPT, made.shape.steps)], repeats)


def grid(arms: Sequence[Arm], made: Made, repeats: int) -> Results:
    """W2."""
    return interleaved(arms, made, [Asked(seed, PROMPT, made.shape.steps) for seed in range(4)], repeats)


# ── W3 ──


@dataclass(frozen=True)
class Arrival:
    """One request of the queue."""

    at: float
    asked: Asked
    is_cancelled: bool


def trace(made: Made, *, count: int, gap: float) -> list[Arrival]:
    """The same mixed queue for all arms: a few steps, the usual ones, many; one in twenty is cancelled half-way."""
    dice = random.Random(7)
    at, usual = 0.0, made.shape.steps
    arrivals = []
    for number in range(count):
        steps = dice.choice((max(2, usual // 2), usual, usual, round(1.5 * usual)))
        arrivals.append(Arrival(at, Asked(number, dice.choice(OTHERS), steps), dice.random() < 0.05))
        at += dice.expovariate(1 / gap)
    return arrivals


def queue(arms: Sequence[Arm], arrivals: Sequence[Arrival]) -> tuple[Results, Results]:
    """W3: (pictures a second, seconds from arrival to picture). Pipelines take one request after the other."""
    rates, waits = {}, {}
    for arm in arms:
        began = time.perf_counter()
        latencies: list[float] = []

        def serve(one: Arrival, arm: Arm = arm, began: float = began, latencies: list[float] = latencies) -> None:
            time.sleep(max(0.0, began + one.at - time.perf_counter()))
            try:
                drawn = arm.draw([one.asked], sink=Half(one.asked.steps) if one.is_cancelled else None)
            except RowCancelled:
                return
            if drawn:
                latencies.append(time.perf_counter() - began - one.at)

        with ThreadPoolExecutor(len(arrivals) if isinstance(arm, LoopArm) else 1) as pool:
            list(pool.map(serve, arrivals))
        took = time.perf_counter() - began
        tail = f"p95 {np.percentile(latencies, 95):.2f}"
        rates[arm.name] = Figures("pictures/s", [len(latencies) / took], more_is_better=True)
        waits[arm.name] = Figures("s", latencies, note=tail)
    return rates, waits


class Half(NullSink):
    """Nobody wants the picture any more once half of it is done."""

    def __init__(self, steps: int) -> None:
        self.steps = steps
        self.seen = 0

    def step(self, row: Row, done: int, total: int) -> None:  # noqa: ARG002
        self.seen += 1
        if self.seen > self.steps // 2:
            raise RowCancelled


# ── W4 ──


def switching(models: Sequence[Made], folder: Path, repeats: int) -> Results:
    """W4: seconds until another model's denoiser and decoder are on the device, one model fitting at a time."""
    device, dtype = models[0].device, models[0].dtype
    for made in models:
        pipe_of(made, made.denoiser, made.decoder).save_pretrained(folder / made.name)
    names = {made.name: (made.kind.denoiser_name, "vae") for made in models}
    largest = max(made.parameters for made in models)
    place = Place("device", device, int(largest * 1.3) * torch.empty((), dtype=dtype).element_size())
    host = Place("host", torch.device("cpu"), 2**40)
    residency = Residency(DiffusionOptions(device=str(device), precision=name_of(dtype)), device=place, host=host)
    parts = {made.name: residency.parts(made.model, folder / made.name) for made in models}
    results = {"A": Figures("s", note="from disk"), "C": Figures("s", note="from host")}

    def read(name: str) -> None:
        for part in names[name]:
            load_part(folder / name, part, dtype=dtype).to(device)

    def bring(name: str) -> None:
        for part in names[name]:
            with parts[name].use(part):
                pass

    for made in models:  # into the host's memory, and the files into the system's
        bring(made.name)
    for _ in range(repeats):
        for made in models:
            results["A"].values.append(seconds(device, partial(read, made.name)))
            results["C"].values.append(seconds(device, partial(bring, made.name)))
    return results


def name_of(dtype: torch.dtype) -> Any:
    return str(dtype).removeprefix("torch.")


# ── W5 ──


def back_to_back(arms: Sequence[Arm], made: Made, *, count: int, repeats: int) -> Results:
    """W5: pictures a second, each asked for alone and written as PNG. Our callers write while the loop steps others."""

    def written(arm: Arm, seed: int) -> int:
        file = io.BytesIO()
        arm.draw([Asked(seed, PROMPT, made.shape.steps)])[0].save(file, "PNG")
        return file.tell()

    results = {arm.name: Figures("pictures/s", more_is_better=True) for arm in arms}
    for _ in range(repeats):
        for arm in arms:
            with ThreadPoolExecutor(2 if isinstance(arm, LoopArm) else 1) as pool:
                began = time.perf_counter()
                list(pool.map(partial(written, arm), range(count)))
                results[arm.name].values.append(count / (time.perf_counter() - began))
    return results


# ── W6 ──


def large_decode(made: Made, *, side: int = 2048) -> Results:
    """W6: bytes at the peak while one picture of 2048 px is decoded, in GB above the weights. Only told by CUDA."""
    if made.device.type != "cuda":
        return {}
    ours: Family = family(made, made.denoiser, made.decoder)
    latents = torch.randn(ours.latent_shape(side, side), device=made.device)
    raw = torch.randn(1, made.decoder.config.latent_channels, side // 8, side // 8, device=made.device)

    def whole() -> None:
        made.decoder.disable_tiling()
        made.decoder.decode(raw.to(made.dtype))

    results = {}
    with torch.inference_mode():
        for name, act in (("A", whole), ("C", lambda: ours.decode([latents]))):
            torch.cuda.empty_cache()
            before = torch.cuda.memory_allocated(made.device)
            torch.cuda.reset_peak_memory_stats(made.device)
            act()
            peak = torch.cuda.max_memory_allocated(made.device) - before
            results[name] = Figures("GB", [peak / 1e9])
    return results


# ── W7 ──


class Unwanted(NullSink):
    """Tells when the second step is done, and from `cancel` on wants nothing any more."""

    def __init__(self) -> None:
        self.is_under_way = threading.Event()
        self.cancelled = False
        self.seen = 0

    def step(self, row: Row, done: int, total: int) -> None:  # noqa: ARG002
        self.seen += 1
        if self.seen >= 2:
            self.is_under_way.set()
        if self.cancelled:
            raise RowCancelled


def cancelling(arms: Sequence[Arm], repeats: int) -> Results:
    """W7: seconds from the wish to the moment the arm is free again, of a picture of many steps."""
    results = {arm.name: Figures("s") for arm in arms}
    for _ in range(repeats):
        for arm in arms:
            sink = Unwanted()

            def draw(arm: Arm = arm, sink: Unwanted = sink) -> None:
                try:
                    arm.draw([Asked(1, PROMPT, 40)], sink=sink)
                except (RowCancelled, Stopped):
                    return

            thread = threading.Thread(target=draw)
            thread.start()
            sink.is_under_way.wait(600)
            began = time.perf_counter()
            sink.cancelled = True
            thread.join()
            results[arm.name].values.append(time.perf_counter() - began)
    return results


# ── gates ──


def distance(one: Image, other: Image) -> tuple[int, float]:
    """(largest difference of a pixel, signal to noise in dB)."""
    first, second = (np.asarray(image, dtype=np.int32) for image in (one, other))
    square = float(((first - second) ** 2).mean())
    return int(np.abs(first - second).max()), math.inf if square == 0 else 10 * math.log10(255**2 / square)


def gates(arms: Sequence[Arm], made: Made) -> list[str]:
    """Whether all arms draw the same picture, and a batch what its rows draw alone."""
    asked = [Asked(seed, PROMPT, made.shape.steps) for seed in range(4)]
    solo = {arm.name: arm.draw(asked[:1])[0] for arm in arms}
    lines = []
    for arm in arms:
        contrast = float(np.asarray(solo[arm.name]).std())
        if not contrast > 1:
            raise ArithmeticError(f"{made.name}: {arm.name} draws a blank picture; its figures would mean nothing.")
        if arm.name != "A" and "A" in solo:
            most, ratio = distance(solo["A"], solo[arm.name])
            lines.append(f"{made.name}: {arm.name} and A differ by {most} of 255 at most, {ratio:.0f} dB")
        if isinstance(arm, LoopArm):
            most, _ = distance(solo[arm.name], arm.draw(asked)[0])
            lines.append(f"{made.name}: a row of a batch of four in {arm.name} differs from itself alone by {most}")
    return lines
