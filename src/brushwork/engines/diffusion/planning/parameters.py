"""One row a prompt parameter: what this engine does with it, and what it says of it.

The documentation has the same table, and a test compares the two. What only comes out with the numbers, as a `--stop`
that falls behind the last step, is found by `told.py`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from brushwork.engines.diffusion.planning.case import Case

How = Literal["native", "emulated"]


def always(how: How) -> Callable[[Case], How | None]:
    return lambda _: how


def never(_: Case) -> How | None:
    return None


def in_our_loop(how: How) -> Callable[[Case], How | None]:
    """What the generic pipeline has no way to do."""
    return lambda case: None if case.model.family == "pipe" else how


def stylized(case: Case) -> How | None:
    return "emulated" if case.is_guided or case.profile.suffix else None


def tiled(case: Case) -> How | None:
    ways: Mapping[str, How] = {"exact": "native", "approximate": "emulated"}
    return ways.get(case.facts.tile)


def large(case: Case) -> How | None:
    row, model = case.row, case.model
    return "native" if "hd" in model.params and max(row.width, row.height) <= model.max_side else "emulated"


def rawed(case: Case) -> How | None:
    return "native" if case.heeds("raw") else None


def drawn_by_anime(case: Case) -> How | None:
    """A model made for it, or one that is only told."""
    profile = case.model.profiles.get(case.row.model)
    return None if profile is None else "emulated" if profile.fallback else "native"


def styled(case: Case) -> How | None:
    """Codes; pictures are told of by `references.py`."""
    codes = [item for item in case.row.params.get("sref") or () if not item.url]
    return "emulated" if codes else None


@dataclass(frozen=True)
class Treatment:
    """What becomes of a parameter."""

    done: str
    """What is done, in the reader's words."""
    said: str
    """What the job's `applied` or `degraded` says of it."""
    how: Callable[[Case], How | None] = never
    settled: bool = False
    """It is not for the engine: the task, the queue or the version took care of it, and told of it."""
    granted: bool = False
    """Its effect does not depend on the model, so the catalog need not list it."""


REFERENCES = "`native` or `emulated` as in the table of references; else `parameter:{}`"
NEVER = "`parameter:{}`"
FILM = Treatment("Nothing: it is for videos.", NEVER, granted=True)

TREATMENTS: Mapping[str, Treatment] = {
    "ar": Treatment(
        "The model's usual number of pixels in the nearest of its sizes, cut to the exact shape. Longer than 2.5:1 it "
        "is drawn in overlapping panes.",
        "`native`, by the task",
        settled=True,
    ),
    "chaos": Treatment(
        "Noise on the text embedding in the early steps, of 1/100 of its own deviation for each point; each picture of "
        "a grid has its own.",
        "`emulated`",
        in_our_loop("emulated"),
    ),
    "weird": Treatment(
        "The text embedding is pushed away from the usual, at 3000 by 0.3 of its deviation.",
        "`emulated`",
        in_our_loop("emulated"),
    ),
    "stylize": Treatment(
        "Guidance × (1.25 - 0.5 s/1000) / 1.2, and below 50 without the profile's own words. There is no expander of "
        "prompts.",
        "`emulated`; `parameter:stylize` where the model has no guidance and the profile no words",
        stylized,
    ),
    "seed": Treatment(
        "Noise of each picture of a grid from the seed and its number, drawn on the CPU.",
        "`native`, by the task",
        settled=True,
    ),
    "stop": Treatment(
        "The last steps are left out, and the last one that is drawn goes straight to the clear picture.",
        "`native`; `parameter:stop` where so few steps are drawn that none can be left out",
        in_our_loop("native"),
    ),
    "quality": Treatment(
        "Times as many steps, within the bounds of the model; few-step models × 0.5, 0.75, 1, 1.5, 2.",
        "`native`; `parameter:quality` where the bounds leave the number as it is",
        always("native"),
    ),
    "version": Treatment(
        "The profile of that version: model, steps, guidance, LoRAs, words.",
        "nothing; `parameter:version` where the model that draws has no such profile",
        settled=True,
    ),
    "niji": Treatment(
        "The profile of `niji 6`.",
        "`native`, `emulated` by a model that has it only as a fallback; `parameter:niji` by one without it",
        drawn_by_anime,
        granted=True,
    ),
    "raw": Treatment("Without the profile's own words and negative prompt.", "`native`", always("native")),
    "style": Treatment("`--style raw` is `--raw`.", "as `--raw`", rawed, granted=True),
    "tile": Treatment(
        "Convolutional models are made periodic; transformers roll their latents at each step.",
        "`native` or `emulated`; `parameter:tile` with the generic pipeline",
        tiled,
    ),
    "fast": Treatment("Nothing: a lane of the queue.", "nothing", settled=True),
    "turbo": Treatment("Nothing: a lane of the queue.", "nothing", settled=True),
    "hd": Treatment(
        "Drawn at twice the side where the model was taught such sizes; else enlarged by super-resolution.",
        "`native` or `emulated`",
        large,
        granted=True,
    ),
    "draft": Treatment(
        "The profile's draft steps, else half of them, and 0.625 of the model's side, scaled to the draft's size.",
        "`native`",
        always("native"),
    ),
    "exp": Treatment(
        "Local contrast of the finished picture, at 100 by a third. An effect of our own.",
        "`emulated`",
        always("emulated"),
    ),
    "iw": Treatment(
        "Models that look at pictures read image prompts beside the text, the weight in words; IP-Adapter: scale 0.35 "
        "iw; else drawing begins with the first one, over which 1 - 0.25 iw of the steps are drawn.",
        REFERENCES.format("iw"),
    ),
    "sref": Treatment(
        "Pictures: looked at, as above, or the style layers of an IP-Adapter. Codes: a fixed mixture of words for "
        "medium, palette and light.",
        f"{REFERENCES.format('sref')}; codes `emulated`",
        styled,
        granted=True,
    ),
    "sw": Treatment(
        "The weight in words, or the scale 0.6 sw/100 of the IP-Adapter, 1.2 at most. Codes: 0 leaves out the words.",
        REFERENCES.format("sw"),
        styled,
        granted=True,
    ),
    "sv": Treatment("Nothing: there is one way to follow a style.", NEVER.format("sv")),
    "cref": Treatment("As `--sref`, said to be of a person.", REFERENCES.format("cref")),
    "cw": Treatment("The weight in words, or the scale of the IP-Adapter.", REFERENCES.format("cw")),
    "oref": Treatment("As `--sref`, said to be of the subject.", REFERENCES.format("oref")),
    "ow": Treatment(
        "The weight in words; from 400 the picture is shown twice where there is room. Or the scale of the IP-Adapter.",
        REFERENCES.format("ow"),
    ),
    "p": Treatment("Nothing: no taste is learned.", NEVER.format("p")),
    "no": Treatment(
        "Guided models: negative prompt. Few-step models whose entry says `emulated`: a negative prompt in two or "
        "three early steps, or said in words where the text encoder is a language model that cannot be guided.",
        "`native` or `emulated`; `negative:<text>` where the entry says `none`",
    ),
    "motion": FILM,
    "bs": FILM,
    "loop": FILM,
    "end": FILM,
    "video": FILM,
}
