"""From the seed of a grid to the noise of each of its pictures."""

from brushwork.engines.base import Row

MASK = 2**64 - 1
LARGEST = 2**63 - 1


def mix64(seed: int, index: int) -> int:
    """A seed of its own for each picture of a grid, 0 to 2**63 - 1. It never changes: recipes hold its results.

    The finishing rounds are those of SplitMix64, so that near seeds and indexes give far results.
    """
    value = (seed * 0x9E3779B97F4A7C15 + (index + 1) * 0xD1B54A32D192ED03) & MASK
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & MASK
    return (value ^ (value >> 31)) & LARGEST


def seed_of(row: Row) -> int:
    """Of this picture's noise."""
    return mix64(row.seed, row.index)
