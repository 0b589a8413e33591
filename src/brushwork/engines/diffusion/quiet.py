"""What diffusers and transformers say while they load, kept out of our log. Warnings that concern a picture stay."""

import logging
import os

BARS = "HF_HUB_DISABLE_PROGRESS_BARS"
"""Both libraries ask for it when they are imported."""
SPEAKER = "transformers.utils.import_utils"
TORCHVISION = "requires torchvision (not installed)"
"""Pictures are prepared without it, so its absence changes nothing."""


def hush() -> None:
    """Has to be called before they are imported, and imports neither."""
    os.environ.setdefault(BARS, "1")
    speaker = logging.getLogger(SPEAKER)
    speaker.removeFilter(is_news)
    speaker.addFilter(is_news)


def is_news(record: logging.LogRecord) -> bool:
    return TORCHVISION not in record.getMessage()
