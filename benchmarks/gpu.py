"""Our denoising loop beside the pipelines of diffusers, with random weights: `python benchmarks/gpu.py --size full`.

Needs `brushwork[diffusers]`, no checkpoint and no network. On a GPU take `--size full`; `reduced` and `tiny` are for
CPUs and for trying it out: their figures say something about overheads, and nothing about a GPU.
"""

import argparse
import importlib.util
import json
import os
import platform
import tempfile
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from support.gpu_workloads import Results

WORKLOADS = {
    "W1": "one picture",
    "W2": "a grid of four",
    "W3": "mixed queue, pictures a second",
    "W3w": "mixed queue, from arrival to picture",
    "W4": "switch models",
    "W5": "back to back, with PNG",
    "W6": "peak of decoding 2048 px",
    "W7": "cancel",
}


def measure(arguments: argparse.Namespace, console: Console) -> dict[str, Any]:
    """Everything that was asked for, as plain JSON."""
    import diffusers
    import structlog
    import torch

    from support.gpu_arms import Asked, arm, warmed
    from support.gpu_models import KINDS, made
    from support.gpu_workloads import (
        PROMPT,
        back_to_back,
        cancelling,
        gates,
        grid,
        large_decode,
        one_picture,
        queue,
        switching,
        trace,
    )

    diffusers.logging.set_verbosity_error()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(30))  # warnings and worse
    device = torch.device(arguments.device or ("cuda:0" if torch.cuda.is_available() else "cpu"))
    dtype = torch.bfloat16 if device.type == "cuda" else torch.float32
    found: dict[str, Any] = {"setting": setting(device), "size": arguments.size, "rows": [], "gates": [], "compile": {}}

    def tell(model: str, workload: str, results: "Results") -> None:
        for name, figures in results.items():
            row = asdict(figures) | {"median": figures.median, "spread": figures.spread}
            found["rows"].append({"model": model, "workload": workload, "arm": name, **row})
        if results:
            console.print(f"[dim]{model} {workload} done[/dim]")

    wanted = set(arguments.workloads.split(","))
    with tempfile.TemporaryDirectory() as folder, torch.inference_mode(mode=False):
        names = arguments.models.split(",") if arguments.models else list(KINDS)
        for name in names:
            model = made(name, arguments.size, device, dtype)
            found.setdefault("parameters", {})[name] = model.parameters
            arms = [arm(letter, model, Path(folder)) for letter in arguments.arms]
            for one in arms:
                warmed(one, [[Asked(seed, PROMPT, model.shape.steps) for seed in range(n)] for n in (1, 4, 2)])
                found["compile"][f"{name} {one.name}"] = round(one.compile_seconds, 1)
            found["gates"] += gates(arms, model)
            if "W1" in wanted:
                tell(name, "W1", one_picture(arms, model, arguments.repeats))
            if "W2" in wanted:
                tell(name, "W2", grid(arms, model, arguments.repeats))
            if "W3" in wanted:
                gap = one_picture(arms[:1], model, 1)[arms[0].name].median * 0.8
                rates, waits = queue(arms, trace(model, count=arguments.requests, gap=gap))
                tell(name, "W3", rates)
                tell(name, "W3w", waits)
            if "W5" in wanted:
                tell(name, "W5", back_to_back(arms, model, count=6, repeats=max(1, arguments.repeats // 3)))
            if "W6" in wanted:
                tell(name, "W6", large_decode(model))
            if "W7" in wanted:
                tell(name, "W7", cancelling(arms, arguments.repeats))
            for one in arms:
                one.close()
            del arms, model
            if device.type == "cuda":
                torch.cuda.empty_cache()
        if "W4" in wanted:
            models = [made(name, arguments.size, torch.device("cpu"), dtype) for name in names]
            on_device = [type(one)(**{**vars(one), "device": device}) for one in models]
            tell("all", "W4", switching(on_device, Path(folder), max(1, arguments.repeats // 3)))
    return found


def setting(device: Any) -> dict[str, str]:
    import diffusers
    import torch
    import transformers

    is_cuda = device.type == "cuda"
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "chip": torch.cuda.get_device_name(device) if is_cuda else cpu_name(),
        "torch": torch.__version__,
        "diffusers": diffusers.__version__,
        "transformers": transformers.__version__,
        "python": platform.python_version(),
        "threads": str(torch.get_num_threads()),
        "load": f"{os.getloadavg()[0]:.1f} on {os.cpu_count()} cores",
    }


def cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def table_of(found: dict[str, Any]) -> Table:
    """Medians with the span of the middle half, and how many times better than A."""
    arms = sorted({row["arm"] for row in found["rows"]})
    chip, size = found["setting"]["chip"], found["size"]
    table = Table("model", "workload", *arms, *(f"{arm}/A" for arm in arms[1:]), title=f"{chip}, {size} size")
    cells: dict[tuple[str, str], dict[str, Any]] = {}
    for row in found["rows"]:
        cells.setdefault((row["model"], row["workload"]), {})[row["arm"]] = row
    for (model, workload), by_arm in cells.items():
        shown = [cell(by_arm.get(arm)) for arm in arms]
        ratios = [ratio(by_arm.get("A"), by_arm.get(arm)) for arm in arms[1:]]
        table.add_row(model, f"{workload} {WORKLOADS[workload]}", *shown, *ratios)
    return table


def cell(row: dict[str, Any] | None) -> str:
    if row is None:
        return "–"
    note = f" ({row['note']})" if row["note"] else ""
    spread = f" ±{row['spread'] / 2:.2g}" if row["spread"] else ""
    return f"{row['median']:.3g}{spread} {row['unit']}{note}"


def ratio(first: dict[str, Any] | None, other: dict[str, Any] | None) -> str:
    """Above 1: better than A."""
    if first is None or other is None or not first["median"] or not other["median"]:
        return "–"
    times = other["median"] / first["median"]
    return f"{times if first['more_is_better'] else 1 / times:.2f}×"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=("tiny", "reduced", "full"), default="tiny")
    parser.add_argument("--models", default="", help="sdxl,z-image,klein-4b; all of them by default")
    parser.add_argument("--arms", default="ABCD", help="which ways to draw")
    parser.add_argument("--workloads", default="W1,W2,W3,W4,W5,W6,W7")
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("--requests", type=int, default=24, help="of the mixed queue")
    parser.add_argument("--device", default="", help="cuda:0 where there is one, else cpu")
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    arguments = parser.parse_args()
    console = Console(width=180)
    if any(importlib.util.find_spec(package) is None for package in ("torch", "diffusers")):
        console.print("Not measured: this Python has no torch and diffusers (pip install 'brushwork[diffusers]').")
        return
    found = measure(arguments, console)
    console.print(table_of(found))
    for line in found["gates"]:
        console.print(line)
    console.print(" · ".join(f"{name} {value}" for name, value in found["setting"].items()))
    console.print("seconds until compiled: " + ", ".join(f"{name} {value}" for name, value in found["compile"].items()))
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
