"""Memory that painting used and does not need any more."""

import ctypes
import sys


def give_back_memory() -> None:
    """Hand what the C library keeps of freed pictures back to the system, where it can (glibc)."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim:
        trim(0)
