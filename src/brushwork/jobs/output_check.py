"""The door behind the door: an operator's own function sees each finished picture before anything of it is stored.

It is named `module:function`, is called with the picture and the prompt, in the thread of the job, and returns None
or the category for which the picture is refused. When it fails, so does the job: nothing passes unseen.
"""

import importlib
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import structlog
from PIL import Image

from brushwork.errors import EngineFailed, OutputRefused, Unavailable
from brushwork.tasks.base import Outcome

log = structlog.get_logger(__name__)

OutputCheck = Callable[[Image.Image, str], str | None]

LOOKED_AT = 2048
"""Pixels of the longer side at which pictures are shown that are too large for memory."""


def load_check(name: str) -> OutputCheck:
    """The function that `module:function` names. Raises Unavailable: a check that is not there checks nothing."""
    module, _, function = name.partition(":")
    here = str(Path.cwd())
    if here not in sys.path:  # as `python -m` has it: a file beside the settings is found
        sys.path.append(here)
    try:
        found = getattr(importlib.import_module(module), function)
    except Exception as error:
        raise Unavailable(
            f"BRUSHWORK_OUTPUT_CHECK={name}: {type(error).__name__}: {error}. It has to be module:function."
        ) from None
    if not callable(found):
        raise Unavailable(f"BRUSHWORK_OUTPUT_CHECK={name}: this is no function.")
    check: OutputCheck = found
    return check


def look_at(check: OutputCheck, outcome: Outcome, prompt: str, *, job_id: str = "") -> None:
    """Raise OutputRefused for the first picture that the check does not let pass, EngineFailed when it cannot say.

    The log tells of a check that failed what it raised and where: its message may hold the prompt.
    """
    for number, picture in enumerate(pictures(outcome)):
        try:
            category = check(picture, prompt)
        except Exception as error:
            frame = traceback.extract_tb(error.__traceback__)[-1]
            where = f"{frame.filename}:{frame.lineno}"
            log.error("output_check.failed", job_id=job_id, error=type(error).__name__, where=where)
            raise EngineFailed("The check of finished pictures failed; nothing was charged.") from None
        if category is not None and not isinstance(category, str):
            returned = f"it returned {type(category).__name__}, not a text or None"
            log.error("output_check.failed", job_id=job_id, error=returned)
            raise EngineFailed("The check of finished pictures failed; nothing was charged.")
        if category:
            raise OutputRefused(category, image_no=number)


def pictures(outcome: Outcome) -> Iterator[Image.Image]:
    """What is to be seen: copies, so that nobody can paint over the result."""
    for image in outcome.images:
        yield image.copy()
    for file in outcome.files:
        if file.role == "video":
            yield from one_a_second(file.path)
        elif file.role == "image":  # a poster is one of its clip's frames
            yield reduced(file.path)


def one_a_second(path: Path) -> Iterator[Image.Image]:
    """Frames of a clip."""
    from brushwork.engines.tools.video import Reel

    reel = Reel(path)
    for number in range(0, reel.count, reel.fps):
        yield reel.frame(number)


def reduced(path: Path) -> Image.Image:
    import pyvips  # only for what was made with it

    small = pyvips.Image.thumbnail(str(path), LOOKED_AT, height=LOOKED_AT, size="down")
    return Image.fromarray(np.asarray(small.numpy()))
