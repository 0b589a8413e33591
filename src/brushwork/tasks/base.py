"""③ What can be asked: the shape every task type has.

A task is its request body and four answers: is it acceptable (`check`), what it costs (`price`), which rows it needs
(`rows`) and what its result is (`run`). It is a value: the job row stores `model_dump()` and the worker revives it with
`TASKS[name].model_validate(...)`. Knows no HTTP, no database, no file.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from PIL.Image import Image
from PIL.Image import open as open_image
from pydantic import BaseModel, ConfigDict, Field, HttpUrl, TypeAdapter, ValidationError, field_validator
from pydantic.alias_generators import to_camel

from brushwork.engines.base import Ask, Engine, Op, Row, RowCancelled, RowResult, Sink, Source
from brushwork.errors import NotImplementedHere
from brushwork.tasks.sources import Given, Parent, Wanted, pictures_of

Kind = Literal["grid", "image", "video", "text"]
"""What a job makes, and what a follow-up takes. Never the name of a task."""

Speed = Literal["turbo", "fast", "draft"]
"""Lanes of the queue, quickest first."""


PROMPT_FIELDS = frozenset({"text", "prompt", "prompt_", "remix_prompt"})
"""Fields that hold words to be drawn, in whichever task."""

WEB_ADDRESS = TypeAdapter(HttpUrl)


class Read(BytesIO):
    """Bytes whose reader is asked whether it still wants them, piece by piece."""

    def __init__(self, data: bytes, ask: Ask) -> None:
        super().__init__(data)
        self.ask = ask

    def read(self, size: int | None = -1) -> bytes:
        self.ask()
        return super().read(size)


@dataclass(frozen=True)
class Run:
    """All that a running task may touch."""

    engine: Engine
    seed: int
    sink: Sink
    expect: Callable[[Sequence[Row]], None] = lambda rows: None  # noqa: ARG005
    """Told which rows are about to be drawn, so that progress is a share of all of them."""
    given: Sequence[Given] = ()
    """What became of `wanted()`, in its order."""
    data: Sequence[bytes] = ()
    """The encoded pictures of `pictures_of(given)`, cleaned: PNG."""
    scratch: Path = Path()
    """A folder for what is too large for memory; it is removed when the job has ended."""

    def picture(self, index: int = 0) -> Source:
        """A given picture, decoded. A large one takes seconds, during which it is asked whether it is still wanted."""
        given = pictures_of(self.given)[index]
        with open_image(Read(self.data[index], self.asking(given.width, given.height))) as picture:
            picture.load()
            return Source(picture, given.recipe)

    def asking(self, width: int, height: int) -> Ask:
        """Asks whether the job is still wanted, for work on a picture of this size that no engine draws."""
        row = Row(index=0, seed=self.seed, text="", width=width, height=height)
        return lambda: self.sink.step(row, 0, 1)


@dataclass(frozen=True)
class MadeFile:
    """A finished file on disk, for results that never were a picture in memory."""

    path: Path
    content_type: str
    width: int
    height: int
    role: Literal["image", "video", "poster"] = "image"


@dataclass(frozen=True)
class Outcome:
    """What a task made. `images` are in order; a grid of them is put together by whoever stores them."""

    images: Sequence[Image] = ()
    files: Sequence[MadeFile] = ()
    """Instead of `images`: files in the job's scratch folder."""
    applied: Mapping[str, str] = field(default_factory=dict)
    degraded: Sequence[str] = ()
    recipe: Mapping[str, Any] = field(default_factory=dict)
    output: Mapping[str, Any] = field(default_factory=dict)
    """Extra fields of the job's `output`, for text jobs."""


class Task(BaseModel):
    """Base of all task types. A subclass sets the class variables, declares its fields and answers four questions."""

    model_config = ConfigDict(
        frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True, str_strip_whitespace=False
    )

    name: ClassVar[str]
    """As in the URL, with hyphens: `remove-background`."""
    needs: ClassVar[Op | None]
    """What the engine must be able to do; None when none is asked to draw."""
    takes: ClassVar[frozenset[Kind]] = frozenset()
    """The kinds of job this can follow; empty when it follows none."""
    action: ClassVar[str | None] = None
    """Its key in a job's `available_actions`; None when it is not listed there."""
    video_action: ClassVar[str | None] = None
    """Likewise in the `video_actions` of a job that made clips."""
    makes: ClassVar[Kind]
    example: ClassVar[dict[str, Any]]
    """A body that works, for the docs, the OpenAPI file and the contract tests."""

    callback: Annotated[
        str | None, Field(max_length=2048, description="URL to POST the job to when it has ended: https")
    ] = None

    @field_validator("callback")
    @classmethod
    def is_web_address(cls, url: str | None) -> str | None:
        """The callback comes back in every answer, and clients refuse what is not an http(s) URL there."""
        if url is None:
            return None
        if not url.lower().startswith(("http://", "https://")):
            raise ValueError("must begin with http:// or https://")
        if any(character.isspace() or not character.isprintable() for character in url):
            raise ValueError("must not hold spaces or control characters")
        try:
            WEB_ADDRESS.validate_python(url)
        except ValidationError:
            raise ValueError("must be a URL with a host") from None
        return url

    def check(self) -> None:
        """Raise the error the client should read when this cannot be done. Called before anything is stored."""

    def wanted(self) -> Sequence[Wanted]:
        """The pictures this works on. They are there before the job is accepted."""
        return ()

    @classmethod
    def refusal(cls, parent: Parent) -> str | None:  # noqa: ARG003  # most follow whatever `takes` allows
        """Why this cannot follow that job although `takes` has its kind: a sentence, or None when it can."""
        return None

    @classmethod
    def refusal_of_size(cls, width: int, height: int) -> str | None:  # noqa: ARG003
        """Why a picture of this size cannot be taken whatever else is asked, or None when it can."""
        return None

    def check_given(self, given: Sequence[Given]) -> None:
        """Raise the error the client should read when this cannot be done with these pictures."""

    @property
    def is_shaped_by_picture(self) -> bool:
        """Whether the size of the result follows from that of a picture which comes by a URL."""
        return False

    def settled(self, given: Sequence[Given]) -> "Task":  # noqa: ARG002  # most inherit nothing
        """The task whose price, plan, lane and batch count, once its pictures are there: this one, or one that knows
        what it inherits from them. It is asked after `check_given`; what is stored, seeded and warned of is this one.
        """
        return self

    @property
    def prompt_text(self) -> str:
        """The prompt as the client wrote it, or "" for tasks without one."""
        return ""

    def texts(self) -> Mapping[str, str]:
        """What a person wrote to be drawn, by the field as the reference spells it: what a policy is held against."""
        return {
            field.alias or name: value
            for name, field in type(self).model_fields.items()
            if PROMPT_FIELDS & {name, field.alias} and (value := getattr(self, name))
        }

    def shown_prompt(self, given: Sequence[Given]) -> str:
        """What the result shows, as a prompt with parameters: the client's own, or the source's."""
        parent = given[0].parent if given else None
        return self.prompt_text or (parent.prompt if parent else "")

    def seed(self) -> int | None:
        """The seed the client fixed; None lets the server choose one, once, when the job is accepted."""
        return None

    def price(self) -> int:
        """In points, before anything is drawn."""
        raise NotImplementedError

    @property
    def speed(self) -> Speed:
        return "fast"

    @property
    def plan(self) -> Literal["free", "pro"]:
        """The least plan that includes this."""
        return "free"

    def batch_key(self) -> str:
        """Jobs with the same key may be claimed together."""
        return f"{self.name}"

    def warnings(self) -> list[Mapping[str, Any]]:
        """What was repaired or ignored in the request: code, message, param."""
        return []

    def run(self, job: Run) -> Outcome:
        """Do the work. Blocking, plain and sequential; runs in a thread of its own."""
        raise NotImplementedError


def draw(rows: Sequence[Row], job: Run) -> list[RowResult]:
    """Draw all rows of a job, or raise RowCancelled when the job was cancelled meanwhile."""
    refuse_unable(job.engine, rows)
    job.expect(rows)
    results = job.engine.run(rows, job.sink)
    if len(results) < len(rows):
        raise RowCancelled
    return sorted(results, key=lambda result: result.index)


def refuse_unable(engine: Engine, rows: Sequence[Row]) -> None:
    """Fail in a sentence, rather than somewhere inside an engine that never promised this."""
    models = engine.capabilities()
    for row in rows:
        able = models[row.model] if row.model in models else [can for model in models.values() for can in model]
        if all(can.op != row.op for can in able):
            raise NotImplementedHere(
                f"The engine {engine.name} of this server cannot do this ({row.op.replace('_', ' ')}).", op=row.op.value
            )


def outcome_of(
    results: Sequence[RowResult], *, applied: Mapping[str, str] | None = None, degraded: Sequence[str] = ()
) -> Outcome:
    """Put the rows of one job together: pictures in order, what was applied or degraded said once."""
    everything = dict(applied or {})
    for result in results:
        everything |= result.applied
    not_honoured = dict.fromkeys([*degraded, *(item for result in results for item in result.degraded)])
    recipe = {"rows": [dict(result.recipe) for result in results]}
    return Outcome(
        images=[result.image for result in results], applied=everything, degraded=list(not_honoured), recipe=recipe
    )
