"""An endless source of painter pictures with exact truth, for everything that is trained here."""

from training.world.samples import Sample, sample
from training.world.stream import HELD_OUT, dataset, shards, stream

__all__ = ["HELD_OUT", "Sample", "dataset", "sample", "shards", "stream"]
