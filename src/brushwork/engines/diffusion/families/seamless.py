"""`--tile` with convolutions: a picture that goes on at its opposite edges. Knows no model."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn


@contextmanager
def seamless(*networks: nn.Module, wanted: bool = True) -> Iterator[None]:
    """Every convolution that pads takes its padding from the opposite edge, for as long as the context lasts.

    The first network is not enough: a decoder that pads with zeros shows the seam again.
    """
    convolutions = [
        layer
        for network in (networks if wanted else ())
        for layer in network.modules()
        if isinstance(layer, nn.Conv2d) and any(layer._reversed_padding_repeated_twice)
    ]
    before = [layer.padding_mode for layer in convolutions]
    try:
        for layer in convolutions:
            layer.padding_mode = "circular"
        yield
    finally:
        for layer, mode in zip(convolutions, before, strict=True):
            layer.padding_mode = mode
