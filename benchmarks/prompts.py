"""How long reading a prompt takes, for ordinary and for hostile texts: `python benchmarks/prompts.py`.

Prints p50, p95 and p99 in milliseconds at four lengths, and what doubling the longest length costs, from the fastest of
each, because other work on the machine only ever adds time. Our bounds: p99 at 8192 characters <= 5 ms, ratio <= 2.5.
"""

import argparse
import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from statistics import quantiles

from rich.console import Console
from rich.table import Table

from brushwork.errors import PromptGrammarError, PromptValueError
from brushwork.prompts.parser import parse_prompt

LENGTHS = (1024, 2048, 4096, 8192)
WIDTH = 120
P99_BOUND, RATIO_BOUND = 5.0, 2.5

Pieces = Callable[[], Iterator[str]]


def repeated(piece: str) -> Pieces:
    return lambda: itertools.repeat(piece)


def counted(pattern: str) -> Pieces:
    """Pieces that all differ, so that nothing can be remembered."""
    return lambda: (pattern.format(number) for number in itertools.count())


FAMILIES: dict[str, Pieces] = {
    "words": repeated("a lighthouse on a cliff at dawn, "),
    "hyphenated words": repeated("a well-known sun-lit half-timbered house "),
    "one long word": repeated("a"),
    "accented words": repeated("été à la plage, "),
    "dashes": repeated("-"),
    "dashes and spaces": repeated("- "),
    "dashes in pairs": repeated("-- "),
    "hyphen flags": repeated("-s "),
    "near flags": repeated("x--s "),
    "glued near flags": repeated("--s:"),
    "typographic near flags": repeated("—s "),
    "typographic lists": repeated("x——no "),
    "unknown flags": repeated("--a "),
    "different unknown flags": counted("--a{} "),
    "the same flag": repeated("--s 1 "),
    "different seeds": counted("--seed {} "),
    "different lists": counted("--no a{} "),
    "typographic flags": counted("—s {} "),
    "glued flags": counted("--seed {}"),
    "quotes": repeated('"'),
    "quoted letters": repeated('"a" '),
    "odd quotes and URLs": repeated('" http://a"b '),
    "colons": repeated(":"),
    "weights": repeated("a::2 "),
    "segments": repeated("a::"),
    "glued weights": repeated("a::2b "),
    "quotes and colons": repeated('"a"::'),
    "braces": repeated("{"),
    "escaped braces": repeated("\\{ "),
    "parentheses": repeated("(a:1"),
    "image URLs": repeated("http://a "),
    "different image URLs": counted("http://a.b/{} "),
    "IPv6 URLs": counted("http://[::{}]/ "),
    "broken URLs": repeated("http://@ "),
    "invisible": repeated("\u200ba"),
    "wide spaces": repeated("a\u2003\u2003"),
    "imagine": repeated("/imagine "),
}

TAILS: dict[str, tuple[str, Pieces]] = {
    "references": ("x --sref ", counted("{}::2 ")),
    "reference URLs": ("x --sref ", counted("http://a.b/{} ")),
    "a long list": ("x --no ", repeated("a, ")),
    "a long wide list": ("x --no ", repeated("ａ，")),
    "profile codes": ("x --p ", counted("a{} ")),
    "a long number": ("x --seed ", repeated("9")),
    "a long weight": ("x::", repeated("9")),
}


def texts(length: int) -> Iterator[tuple[str, str]]:
    for name, (head, pieces) in itertools.chain(
        ((name, ("", pieces)) for name, pieces in FAMILIES.items()), TAILS.items()
    ):
        yield name, built(head, pieces, length)


def built(head: str, pieces: Pieces, length: int) -> str:
    text, size = [head], len(head)
    for piece in pieces():
        text.append(piece)
        size += len(piece)
        if size >= length:
            break
    return "".join(text)[:length]


def seconds(text: str) -> float:
    """Of this thread's own time: on a shared machine the wall clock measures the neighbours."""
    start = time.thread_time()
    with suppress(PromptGrammarError, PromptValueError):
        parse_prompt(text)
    return time.thread_time() - start


def measured(prompts: list[str], runs: int) -> list[list[float]]:
    """Sorted milliseconds of each prompt. They take turns, so that a slow moment meets all of them."""
    times: list[list[float]] = [[] for _ in prompts]
    for _ in range(runs):
        for sample, prompt in zip(times, prompts, strict=True):
            sample.append(seconds(prompt) * 1000)
    return [sorted(sample) for sample in times]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--runs", type=int, default=200, help="parses of each text")
    runs = arguments.parse_args().runs
    table = Table(title=f"Reading a prompt: p50 / p95 / p99 in ms, {runs} runs")
    table.add_column("text")
    for length in LENGTHS:
        table.add_column(str(length), justify="right")
    table.add_column("8192 : 4096", justify="right")
    rows: dict[str, list[list[float]]] = {}
    for name, text in texts(LENGTHS[-1]):
        rows[name] = measured([text[:length] for length in LENGTHS], runs)
    worst_p99 = worst_ratio = 0.0
    for name, times in rows.items():
        cells = []
        for sample in times:
            cuts = quantiles(sample, n=100)
            cells.append(f"{cuts[49]:.1f} / {cuts[94]:.1f} / {cuts[98]:.1f}")
        ratio = times[-1][0] / times[-2][0]
        worst_p99, worst_ratio = max(worst_p99, quantiles(times[-1], n=100)[98]), max(worst_ratio, ratio)
        table.add_row(name, *cells, f"{ratio:.2f}")
    console = Console(width=WIDTH)
    console.print(table)
    console.print(f"worst p99 at 8192: {worst_p99:.2f} ms (bound {P99_BOUND})")
    console.print(f"worst ratio: {worst_ratio:.2f} (bound {RATIO_BOUND})")


if __name__ == "__main__":
    main()
