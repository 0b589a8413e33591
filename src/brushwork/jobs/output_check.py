"""The door behind the door: an operator's own function sees each finished picture before anything of it is stored.

It is named `module:function`, is called with the picture and the prompt, in the thread of the job, and returns None
or the category for which the picture is refused. When it fails, so does the job: nothing passes unseen.
"""

import importlib
import inspect
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

LEAVES = (Exception, SystemExit, KeyboardInterrupt)
"""What a check may leave by. `sys.exit()` in it ends the job, not the worker and every other job in it."""
FAILED = "The check of finished pictures failed; nothing was charged."
LONGEST_CATEGORY = 64
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
    except (Exception, SystemExit) as error:
        raise Unavailable(
            f"BRUSHWORK_OUTPUT_CHECK={name}: {type(error).__name__}: {error}. It has to be module:function."
        ) from None
    if not callable(found):
        raise Unavailable(f"BRUSHWORK_OUTPUT_CHECK={name}: this is no function.")
    if inspect.iscoroutinefunction(found):
        raise Unavailable(f"BRUSHWORK_OUTPUT_CHECK={name}: this is a coroutine; it has to be a plain function.")
    check: OutputCheck = found
    return check


def look_at(check: OutputCheck, outcome: Outcome, prompt: str, *, job_id: str = "") -> None:
    """Raise OutputRefused for the first picture that the check does not let pass, EngineFailed when it cannot say.

    The log tells of a check that failed what it raised and where: its message may hold the prompt.
    """
    for number, picture in enumerate(pictures(outcome)):
        try:
            category = check(picture, prompt)
        except LEAVES as error:
            frame = traceback.extract_tb(error.__traceback__)[-1]
            where = f"{frame.filename}:{frame.lineno}"
            log.error("output_check.failed", job_id=job_id, error=type(error).__name__, where=where)
            raise EngineFailed(FAILED) from None
        if category is None or category == "":
            continue
        named = category_of(category)
        if not named:
            returned = f"it returned {type(category).__name__}, not a category or None"
            log.error("output_check.failed", job_id=job_id, error=returned)
            raise EngineFailed(FAILED)
        raise OutputRefused(named, image_no=number)


def category_of(returned: object) -> str:
    """What was returned as words that can be stored and shown; "" when there are none."""
    if not isinstance(returned, str):
        return ""
    shown = "".join(character if character.isprintable() else " " for character in returned[:LONGEST_CATEGORY])
    return " ".join(shown.split())


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
