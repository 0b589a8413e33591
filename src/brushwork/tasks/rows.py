"""From a prompt to rows: what all tasks that draw from words have in common. Knows no job and no body."""

from collections.abc import Sequence
from typing import Any

from brushwork.engines.base import Reference, Row
from brushwork.prompts.prompt import Prompt
from brushwork.tasks.references import without_references

PICTURES = 4

NOT_FOR_THE_ENGINE = frozenset({"ar", "seed", "fast", "turbo"})
"""Parameters that are settled before: by the size, by the row's seed, by the queue."""


def rows_of(
    prompt: Prompt,
    *,
    seed: int,
    size: tuple[int, int],
    count: int = PICTURES,
    references: Sequence[Reference] = (),
    **what: Any,
) -> list[Row]:
    """The rows of one job, fully resolved. `what` are the other fields of a row: op, source, mask, strength …"""
    params = without_references(prompt)
    return [
        Row(
            index=index,
            seed=seed,
            text=prompt.text,
            width=size[0],
            height=size[1],
            segments=tuple((segment.text, segment.weight) for segment in prompt.segments),
            negative=prompt.no,
            model=prompt.version,
            params={name: value for name, value in params.items() if name not in NOT_FOR_THE_ENGINE},
            references=tuple(references),
            **what,
        )
        for index in range(count)
    ]
