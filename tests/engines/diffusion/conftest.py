"""The engine on tiny pipelines with random weights. Collected only where torch is: `make test-diffusers`."""

from pathlib import Path

import pytest

FOREIGN_WARNINGS = (
    # diffusers turns a tensor into an array in the way of NumPy 1
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning",
    # more than one LoRA is what we want
    "ignore:Already found a `peft_config` attribute in the model:UserWarning",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Warnings of the libraries alone, and only in this folder."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            for warning in FOREIGN_WARNINGS:
                item.add_marker(pytest.mark.filterwarnings(warning))
