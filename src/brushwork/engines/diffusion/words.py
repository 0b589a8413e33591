"""How much each word of a prompt matters to a model: how far the text embedding turns when the word is left out.

Knows neither torch nor a model: it is given the embeddings. Without a model, the embedded painter's reading counts.
"""

from collections.abc import Callable, Sequence

import numpy as np

from brushwork.engines.diorama.words.weigh import punctuation, weigh

Vector = np.ndarray[tuple[int, ...], np.dtype[np.float64]]
Embed = Callable[[Sequence[str]], Sequence[Vector]]
"""Texts → one vector each."""
MOST = 96
"""Texts that are embedded at most, besides the whole one: words of a longer prompt are left out in groups."""
BATCH = 16
"""Texts that are embedded together."""
NOTHING = 1e-9
"""Turns that are no more than rounding."""


def word_weights(words: Sequence[str], embed: Embed | None) -> list[float]:
    """0-1 for each word, as it was written, with its punctuation. The weightiest has 1, unless none matters."""
    known = weigh(words)
    if embed is None or len(words) < 2:
        return known
    groups = grouped(len(words))
    texts = [" ".join(words), *(left_out(words, first, last) for first, last in groups)]
    vectors = [vector for start in range(0, len(texts), BATCH) for vector in embed(texts[start : start + BATCH])]
    turns = [turn(vectors[0], vector) for vector in vectors[1:]]
    if not all(np.isfinite(turns)) or max(turns) <= NOTHING:
        return known
    weights = [0.0] * len(words)
    for (first, last), weight in zip(groups, turns, strict=True):
        most = max(known[first:last])
        for at in range(first, last):  # inside a group, the words share it as the painter reads them
            weights[at] = weight * (known[at] / most if most and last - first > 1 else 1.0)
    most = max(weights)
    return [round(weight / most, 4) for weight in weights]


def grouped(count: int) -> list[tuple[int, int]]:
    """(first, one past the last) of the words that are left out together: each alone, while there are not too many."""
    groups = min(count, MOST)
    return [(count * number // groups, count * (number + 1) // groups) for number in range(groups)]


def left_out(words: Sequence[str], first: int, last: int) -> str:
    """The text without some words; the punctuation of the last one stays, or clauses would run together."""
    before = " ".join(words[:first])
    return " ".join(part for part in (before + punctuation(words[last - 1]), *words[last:]) if part)


def turn(one: Vector, other: Vector) -> float:
    """1 - cosine, 0 to 2."""
    lengths = float(np.linalg.norm(one) * np.linalg.norm(other))
    return max(0.0, 1 - float(one @ other) / lengths) if lengths else float("nan")
