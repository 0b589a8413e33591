"""The most memory that this process has had, for tests that start one to measure it."""

import re
import resource
import sys
from pathlib import Path


def peak_bytes() -> int:
    """Peak of resident memory.

    On Linux what getrusage says begins with the peak of whoever started the process: with that of all earlier tests.
    """
    if sys.platform == "linux":
        found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
        if found:
            return int(found[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
