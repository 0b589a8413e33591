"""Tasks that go on from a picture of an earlier job, and the prompt they inherit with it.

What the source was asked for holds for what comes after it, unless the follow-up says otherwise: the version, the lane,
stylize and its like stay, and with a `remixPrompt` they stay where that is silent. What belongs to the source alone
does not: its seed, its shape, and the pictures it was made like, which can be seen in it by now.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar, Self

from PIL import Image
from pydantic import PrivateAttr

from brushwork.engines.base import Source
from brushwork.errors import FollowUpRefused, PromptGrammarError, PromptValueError
from brushwork.prompts.canonical import canonical
from brushwork.prompts.checks import cost
from brushwork.prompts.prompt import Prompt
from brushwork.prompts.versions import VERSIONS
from brushwork.tasks.base import Kind
from brushwork.tasks.fields import LARGEST_SIDE, ImageNo, JobId
from brushwork.tasks.prompted import NOTHING_SAID, Prompted, read
from brushwork.tasks.sources import FromJob, Given, Parent, Wanted

OF_THE_SOURCE = frozenset({"ar", "seed", "iw", "sref", "sw", "sv", "cref", "cw", "oref", "ow"})
"""Parameters that are not inherited."""

LANES = frozenset({"fast", "turbo"})
"""Who chooses one does not want the other's."""

NOT_FROM_OMNI = frozenset({"inpaint", "outpaint", "pan"})
"""What cannot follow a picture made with `--oref`."""


class FollowUp(Prompted):
    """Base of the tasks that take one picture of a job."""

    takes: ClassVar[frozenset[Kind]] = frozenset({"grid", "image"})
    drops: ClassVar[frozenset[str]] = frozenset({"draft", "tile"})
    """Parameters of the source that this cannot have: what has been worked on is a draft no more."""

    job_id: JobId
    image_no: ImageNo

    _prompt: Prompt | None = PrivateAttr(default=None)
    """Settled: the words to draw from, and all that is inherited."""

    @property
    def prompt(self) -> Prompt:
        return self._prompt or super().prompt

    def works_on(self) -> Sequence[Wanted]:
        return (FromJob(self.job_id, self.image_no),)

    @classmethod
    def refusal(cls, parent: Parent) -> str | None:
        prompt = prompt_of(parent)
        if cls.name in VERSIONS[prompt.version].lacks:
            return f"Pictures of version {prompt.version} have no {cls.name}."
        if cls.name in NOT_FROM_OMNI and "oref" in prompt.params:
            return f"Pictures made with --oref have no {cls.name}; use edit, with a prompt that is without --oref."
        return None

    def settled(self, given: Sequence[Given]) -> Self:
        copy = self.model_copy()
        source = prompt_of(given[0].parent)
        copy._prompt = merged(self.words, source, self.drops) if self.words else inherited(source, self.drops)
        return copy

    def shown_prompt(self, given: Sequence[Given]) -> str:
        if self.words:
            return canonical(self.settled(given).prompt)
        return shown_without(given[0].parent, self.drops)


def shown_without(parent: Parent | None, dropped: frozenset[str]) -> str:
    """What the pictures of a job still show when it has been worked on, as a prompt."""
    source = prompt_of(parent)
    return "" if source == NOTHING_SAID else canonical(without(source, dropped))


def prompt_of(parent: Parent | None) -> Prompt:
    """What the pictures of a job show."""
    if parent is None or not parent.prompt:
        return NOTHING_SAID
    try:
        return read(parent.prompt)
    except (PromptGrammarError, PromptValueError):  # written when other rules held
        return NOTHING_SAID


def without(prompt: Prompt, dropped: frozenset[str]) -> Prompt:
    """A prompt without these parameters, at the price that remains."""
    params = {name: value for name, value in prompt.params.items() if name not in dropped}
    return replace(prompt, params=params, cost_multiplier=cost(params, VERSIONS[prompt.version]), warnings=())


def inherited(source: Prompt, dropped: frozenset[str]) -> Prompt:
    """The prompt of a follow-up that has no words of its own."""
    return without(replace(source, image_urls=()), OF_THE_SOURCE | dropped)


def merged(words: str, source: Prompt, dropped: frozenset[str]) -> Prompt:
    """A new prompt that has the source's parameters where it is silent itself.

    Of two equal flags the first counts, so the source's are written behind the client's. Where they cannot stand
    together, as with another version, the new prompt holds alone.
    """
    own = read(words)
    if LANES & own.params.keys():
        dropped |= LANES
    rest = canonical(replace(inherited(source, dropped), text="", segments=()))
    try:
        both = read(f"{words} {rest}")
    except (PromptGrammarError, PromptValueError):
        return own
    if both.text != own.text:  # a lone quote that the source's flags would close
        return own
    return replace(both, warnings=own.warnings)


def shape_of(given: Given) -> tuple[int, int]:
    return given.width, given.height


def drawn_size(shape: tuple[int, int]) -> tuple[int, int]:
    """The size of new pictures of this shape: the source's own, unless that is more than can be drawn."""
    scale = min(1.0, LARGEST_SIDE / max(shape))
    return max(1, round(shape[0] * scale)), max(1, round(shape[1] * scale))


def flat(source: Source, size: tuple[int, int]) -> Source:
    """The picture at this size, what is transparent made white."""
    image = source.image
    if image.mode != "RGB":
        picture = image.convert("RGBA")
        ground = Image.new("RGBA", picture.size, "white")
        image = Image.alpha_composite(ground, picture).convert("RGB")
    if image.size != size:
        image = image.resize(size, Image.Resampling.LANCZOS)
    return Source(image, source.recipe)


def refuse_large(size: tuple[int, int], *, most: int = LARGEST_SIDE) -> None:
    """Refuse a result that no engine could be asked for."""
    if problem := too_large(size, most=most):
        raise FollowUpRefused(problem, width=size[0], height=size[1])


def too_large(size: tuple[int, int], *, most: int = LARGEST_SIDE) -> str | None:
    if max(size) <= most:
        return None
    return f"The result would have {size[0]} by {size[1]} pixels; at most {most} a side are possible."
