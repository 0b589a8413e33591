"""Every image operation of the API as an example that can be run: for the page of pictures and for the benchmark.

Runs the tasks themselves on the embedded painter, without a server: the pictures are those that the API would give.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image

from brushwork.engines.base import Engine, NullSink, Sink
from brushwork.tasks import TASKS
from brushwork.tasks.base import Outcome, Run
from brushwork.tasks.sources import Given, Parent, pictures_of

PHOTOS = Path(__file__).parent.parent / "tests/engines/tools/photos"
JOB = "5dd94ec3-7282-4f04-9445-59e850ef1822"
URL = "https://example.com/{}.png"

PROMPTS: Mapping[str, str] = {
    "fox": "a red fox in a snowy forest at golden hour --seed 11",
    "castle": "a castle on a hill at sunset --seed 5",
    "boat": "a sailboat on a calm sea at noon --seed 3",
    "draft": "a lighthouse on a cliff at dusk --draft --seed 8",
}
"""Sources that the painter draws; all others are photographs."""


@dataclass(frozen=True)
class Example:
    """One operation on some sources."""

    title: str
    task: str
    sources: tuple[str, ...]
    """Names in PROMPTS, or of a photograph."""
    body: Mapping[str, Any]
    shown: int = 2
    """How many of its pictures are worth looking at."""


def follow(title: str, task: str, source: str, *, shown: int = 2, **body: Any) -> Example:
    return Example(title, task, (source,), {"jobId": JOB, "imageNo": 0, **body}, shown)


def square(low: int, high: int) -> dict[str, Any]:
    return {"areas": [{"width": 1000, "height": 1000, "points": [low, low, high, low, high, high, low, high]}]}


SKY = {"areas": [{"width": 1000, "height": 1000, "points": [560, 60, 940, 60, 940, 380, 560, 380]}]}

EXAMPLES: Sequence[Example] = (
    follow("variation, subtle", "variation", "fox", type=0),
    follow("variation, strong", "variation", "fox", type=1),
    follow(
        "remix, subtle: “… at night in the rain”",
        "remix",
        "castle",
        mode=1,
        remixPrompt="a castle on a hill at night in the rain",
    ),
    follow(
        "remix, strong: “a windmill in a lavender field”",
        "remix",
        "castle",
        mode=0,
        remixPrompt="a windmill in a lavender field",
    ),
    Example("reroll", "reroll", ("fox",), {"jobId": JOB}),
    follow("pan right, 1.5", "pan", "boat", direction=1, scale=1.5, shown=1),
    follow("pan up, 1.5", "pan", "castle", direction=2, scale=1.5, shown=1),
    follow("outpaint, 1.5", "outpaint", "boat", scale=1.5, shown=1),
    follow("inpaint: “a hot air balloon”", "inpaint", "castle", mask=SKY, remixPrompt="a hot air balloon in the sky"),
    follow(
        "edit: moved on a wider canvas, “a rainbow over the sea”",
        "edit",
        "boat",
        shown=1,
        canvas={"width": 1536, "height": 1024},
        imgPos={"width": 768, "height": 768, "x": 384, "y": 200},
        remixPrompt="a sailboat on a calm sea at noon, a rainbow",
    ),
    Example(
        "upload-paint on a photograph: “flowers”",
        "upload-paint",
        ("coffee",),
        {
            "imgUrl": URL.format("coffee"),
            "canvas": {"width": 1024, "height": 1024},
            "imgPos": {"width": 768, "height": 768, "x": 128, "y": 128},
            "mask": square(20, 250),
            "remixPrompt": "flowers in a meadow",
        },
        1,
    ),
    Example(
        "retexture: “ice”",
        "retexture",
        ("castle",),
        {"imgUrl": URL.format("castle"), "remixPrompt": "carved from blue ice"},
    ),
    Example(
        "retexture of a photograph: “gold”",
        "retexture",
        ("chelsea",),
        {"imgUrl": URL.format("chelsea"), "remixPrompt": "made of gold"},
        1,
    ),
    Example(
        "blend", "blend", ("fox", "boat"), {"imgUrls": [URL.format("fox"), URL.format("boat")], "aspect_ratio": "1:1"}
    ),
    Example("remove-background", "remove-background", ("fox",), {"imgUrl": URL.format("fox")}, 1),
    Example("remove-background, photograph", "remove-background", ("cat",), {"imgUrl": URL.format("cat")}, 1),
    follow("enhance a draft", "enhance", "draft", shown=1),
    follow("upscale, subtle", "upscale", "fox", type=0, shown=1),
    follow("upscale, creative", "upscale", "fox", type=1, shown=1),
    Example(
        "enhance-upscale, 4K",
        "enhance-upscale",
        ("chelsea",),
        {"image_url": URL.format("chelsea"), "target_resolution": "4K", "content_type": "photo"},
        1,
    ),
    Example("describe", "describe", ("castle",), {"imgUrl": URL.format("castle")}, 0),
    Example(
        "shorten",
        "shorten",
        (),
        {"prompt": "a very beautiful and truly amazing red fox in a snowy forest at golden hour --ar 3:2"},
        0,
    ),
)


@dataclass(frozen=True)
class Made:
    """A source: its picture, and how it came to be."""

    image: Image.Image
    recipe: Mapping[str, Any] | None
    prompt: str


def source(name: str, engine: Engine) -> Made:
    """The first picture of a prompt's grid, or a photograph."""
    if name not in PROMPTS:
        with Image.open(PHOTOS / f"{name}.webp") as photo:
            return Made(photo.convert("RGB"), None, "")
    outcome = run("diffusion", {"text": PROMPTS[name]}, (), engine)
    return Made(outcome.images[0], outcome.recipe["rows"][0], PROMPTS[name])


def perform(
    example: Example, sources: Sequence[Made], engine: Engine, *, sink: Sink | None = None, scratch: Path = Path()
) -> Outcome:
    """What the API would make of it."""
    return run(example.task, example.body, sources, engine, sink=sink, scratch=scratch)


def run(
    name: str,
    body: Mapping[str, Any],
    sources: Sequence[Made],
    engine: Engine,
    *,
    sink: Sink | None = None,
    scratch: Path = Path(),
) -> Outcome:
    task = TASKS[name].model_validate(body)
    given = [given_of(number, made, whole=name == "reroll") for number, made in enumerate(sources)]
    data = [png(made.image) for made in sources][: len(pictures_of(given))]
    task.check()
    task.check_given(given)
    seed = task.seed()
    return task.run(
        Run(engine, 7 if seed is None else seed, sink or NullSink(), given=given, data=data, scratch=scratch)
    )


def given_of(number: int, made: Made, *, whole: bool) -> Given:
    parent = Parent(JOB, None if whole else 0, "diffusion", {"text": made.prompt}, seed=1, prompt=made.prompt)
    if whole:
        return Given("", parent=parent)
    width, height = made.image.size
    return Given(f"{number}.png", width, height, recipe=made.recipe, parent=parent if made.prompt else None)


def png(image: Image.Image) -> bytes:
    file = BytesIO()
    image.save(file, "PNG", compress_level=1)
    return file.getvalue()
