"""Made-up tasks that work on pictures: of other jobs, of jobs as a whole, and from outside."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from PIL import Image

from brushwork.engines.base import Op, Row
from brushwork.errors import InvalidField
from brushwork.tasks.base import Kind, MadeFile, Outcome, Run, Task, draw, outcome_of
from brushwork.tasks.sources import FromJob, FromUrl, Given, Parent, Wanted


class Cheap(Task):
    needs: ClassVar[Op | None] = Op.TEXT_TO_IMAGE
    example: ClassVar[dict[str, Any]] = {}

    def price(self) -> int:
        return 10


class Sketch(Cheap):
    """Starts from nothing: pictures of four colours."""

    name: ClassVar[str] = "sketch"
    makes: ClassVar[Kind] = "grid"

    text: str = ""
    pictures: int = 4

    @property
    def prompt_text(self) -> str:
        return self.text

    def run(self, job: Run) -> Outcome:
        rows = [Row(index=index, seed=job.seed, text="", width=8, height=8) for index in range(self.pictures)]
        results = draw(rows, job)
        return outcome_of([replace(result, recipe={"index": result.index}) for result in results])


class Retouch(Cheap):
    """One picture of a job, and a veil over it when there is one."""

    name: ClassVar[str] = "retouch"
    takes: ClassVar[frozenset[Kind]] = frozenset({"grid", "image"})
    action: ClassVar[str | None] = "edit"
    makes: ClassVar[Kind] = "image"

    job_id: str
    image_no: int = 0
    veil: str | None = None
    picky: bool = False

    def wanted(self) -> Sequence[Wanted]:
        return [FromJob(self.job_id, self.image_no), *([FromUrl(self.veil, "veil")] if self.veil else [])]

    @classmethod
    def refusal(cls, parent: Parent) -> str | None:
        return "Secrets are not retouched." if "secret" in parent.prompt else None

    def check_given(self, given: Sequence[Given]) -> None:
        if self.picky:
            raise InvalidField("picky", "was given a picture that it does not like")

    def run(self, job: Run) -> Outcome:
        pictures = [job.picture(index).image for index in range(len(job.data))]
        return Outcome(images=[darker(pictures[0])], output={"sizes": [list(picture.size) for picture in pictures]})


def darker(picture: Image.Image) -> Image.Image:
    """The picture, plainly derived from its source."""
    return picture.point(lambda value: value // 2)


class Again(Cheap):
    """A job as a whole, once more."""

    name: ClassVar[str] = "again"
    takes: ClassVar[frozenset[Kind]] = frozenset({"grid", "image"})
    action: ClassVar[str | None] = "reroll"
    makes: ClassVar[Kind] = "image"

    job_id: str

    def wanted(self) -> Sequence[Wanted]:
        return [FromJob(self.job_id)]

    def run(self, job: Run) -> Outcome:
        parent = job.given[0].parent
        assert parent is not None
        task = TASKS[parent.task].model_validate(dict(parent.input))
        return task.run(replace(job, given=parent.given))


class Collage(Cheap):
    """Pictures from outside, side by side, as a file rather than a picture."""

    name: ClassVar[str] = "collage"
    makes: ClassVar[Kind] = "image"

    urls: tuple[str, ...]

    def wanted(self) -> Sequence[Wanted]:
        return [FromUrl(url, f"urls[{number}]") for number, url in enumerate(self.urls)]

    def run(self, job: Run) -> Outcome:
        parts = [job.picture(index).image.convert("RGB") for index in range(len(job.data))]
        whole = Image.new("RGB", (sum(part.width for part in parts), parts[0].height))
        for number, part in enumerate(parts):
            whole.paste(part, (sum(before.width for before in parts[:number]), 0))
        path = job.scratch / "collage.tif"
        whole.save(path, format="TIFF")
        return Outcome(files=[MadeFile(path, "image/tiff", *whole.size)])


class Verse(Sketch):
    name: ClassVar[str] = "verse"
    makes: ClassVar[Kind] = "text"


TASKS: Mapping[str, type[Task]] = {task.name: task for task in (Sketch, Retouch, Again, Collage, Verse)}
