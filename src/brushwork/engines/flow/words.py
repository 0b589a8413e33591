"""A caption as numbers: each word is itself and its parts, hashed, so that no vocabulary is needed.

A word the network never saw shares parts with those it did ("lavenders", "sunsets"). Training and drawing use the
same numbers: whatever changes here makes trained weights useless.
"""

import re
import unicodedata
import zlib

import numpy as np

WORDS = 24
"""Of a caption, at most; what comes after is not read."""
PARTS = 12
"""Numbers of one word: the whole of it, then its parts of three and four letters."""
BUCKETS = 4096
"""Numbers there are. 0 stands for nothing."""
Ids = np.ndarray[tuple[int, ...], np.dtype[np.int64]]


def words_of(text: str) -> list[str]:
    """The words of a text, small and without accents."""
    plain = unicodedata.normalize("NFKD", text.lower()).encode("ascii", "ignore").decode()
    return re.findall(r"[a-z0-9]+", plain)


def ids_of(text: str) -> Ids:
    """(WORDS, PARTS)."""
    ids = np.zeros((WORDS, PARTS), np.int64)
    for row, word in zip(ids, words_of(text), strict=False):
        numbers = parts_of(word)
        row[: len(numbers)] = numbers
    return ids


def parts_of(word: str) -> list[int]:
    marked = f"<{word}>"
    parts = [marked[start : start + length] for length in (3, 4) for start in range(len(marked) - length + 1)]
    return [1 + zlib.crc32(part.encode()) % (BUCKETS - 1) for part in (f"={word}", *parts)][:PARTS]
