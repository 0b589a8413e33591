"""Train the super-resolution networks and write their ONNX files: `make train-super-resolution`.

python -m training.super_resolution.train --factor 2 --minutes 16 --out x2.pt --onnx x2.onnx
python -m training.super_resolution.train --factor 4 --minutes 8 --from x2.pt --out x4.pt --onnx x4.onnx

L1 loss, Adam, a learning rate that falls to zero when the time is over, averaged weights. One thread is enough.
"""

import argparse
import random
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from training.super_resolution.export import export
from training.super_resolution.network import SuperResolution
from training.super_resolution.pictures import Sources, fetch_photos, paint, painted, photos, sample

HERE = Path(__file__).parent
BATCH = 16
SIDE = 40
"""Of a small patch, pixels."""
RATE = 1.5e-3
WARM_UP = 100
"""Steps until the learning rate is reached."""
FALL = 0.6
"""The last share of the time, in which the learning rate falls to zero."""
AVERAGE = 0.998
"""How much of the averaged weights stays after each step."""
CLIP = 0.5


def batches(sources: Sources, factor: int) -> Iterator[tuple[Tensor, Tensor]]:
    """(small, large), each (B, 3, H, W) in 0..1, for ever."""
    rng = random.Random(0)
    while True:
        pairs = [sample(rng, sources, side=SIDE, factor=factor) for _ in range(BATCH)]
        small, large = (torch.from_numpy(np.stack(each)).permute(0, 3, 1, 2) for each in zip(*pairs, strict=True))
        yield (small / 255).contiguous(memory_format=torch.channels_last), large / 255


def train(network: SuperResolution, sources: Sources, *, factor: int, seconds: float) -> None:
    optimizer = torch.optim.Adam(network.parameters(), RATE, betas=(0.9, 0.99))
    network.to(memory_format=torch.channels_last)
    average = [weight.detach().clone() for weight in network.parameters()]
    began, losses = time.monotonic(), []
    for step, (small, large) in enumerate(batches(sources, factor), 1):
        spent = (time.monotonic() - began) / seconds
        if spent >= 1:
            break
        optimizer.param_groups[0]["lr"] = RATE * min(1, step / WARM_UP) * min(1, (1 - spent) / FALL)
        loss = (network(small) - large).abs().mean()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), CLIP)
        optimizer.step()
        follow(average, network, min(AVERAGE, step / (step + 10)))
        losses.append(loss.item())
        if step % 100 == 0:
            print(f"step {step}  loss {np.mean(losses[-100:]):.5f}  {spent:.0%}", flush=True)
    for weight, mean in zip(network.parameters(), average, strict=True):
        weight.data.copy_(mean)


@torch.no_grad()
def follow(average: list[Tensor], network: nn.Module, keep: float) -> None:
    for mean, weight in zip(average, network.parameters(), strict=True):
        mean.lerp_(weight, 1 - keep)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--factor", type=int, choices=(2, 4), default=2)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--from", dest="origin", type=Path, help="begin with the features of these weights")
    parser.add_argument("--pictures", type=Path, default=HERE / "pictures", help="where they are kept; made if missing")
    parser.add_argument("--painted", type=int, default=90, help="pictures of the painter")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--onnx", type=Path, required=True)
    arguments = parser.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(arguments.threads)
    if not (arguments.pictures / "photos").exists():
        fetch_photos(arguments.pictures / "photos")
    paint(arguments.pictures / "painted", arguments.painted)
    sources = photos(arguments.pictures / "photos"), painted(arguments.pictures / "painted")
    network = SuperResolution(arguments.factor)
    if arguments.origin:
        features = torch.load(arguments.origin, weights_only=True)
        kept = {name: value for name, value in features.items() if name.startswith(("head", "body", "act"))}
        network.load_state_dict(kept, strict=False)
    train(network, sources, factor=arguments.factor, seconds=60 * arguments.minutes)
    torch.save(network.state_dict(), arguments.out)
    export(network, arguments.onnx)


if __name__ == "__main__":
    main()
