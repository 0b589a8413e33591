"""A quote as a client sees it."""

from typing import Any, Literal

from pydantic import Field

from brushwork.api.views import View
from brushwork.jobs.quote import Quote
from brushwork.tasks.base import Task


class Eta(View):
    """Seconds until the job should have ended."""

    p50: float = Field(description="As likely sooner as later")
    p90: float = Field(description="Not later in nine cases of ten")


class QuoteView(View):
    """What a request would cost and when it would be done. Nothing was stored, fetched or charged."""

    dry_run: Literal[True]
    task_type: str
    input: dict[str, Any] = Field(description="The request, as it was understood")
    prompt: dict[str, Any] | None = Field(
        description="canonical, version, text, segments, params …, with what is inherited; null without words"
    )
    price: int = Field(description="What would be held, and charged when the job completes")
    usage_type: Literal["point", "credit"]
    available: int = Field(description="What the account could spend, before this job")
    queue_position: int = Field(description="Jobs that would start before it; 1000 stands for that many or more")
    is_held: bool = Field(description="Whether it would wait until another job of the account has ended")
    eta: Eta | None = Field(description="Null when too few such jobs were timed, or no worker is there")
    warnings: list[dict[str, Any]] = Field(description="What would be repaired, snapped or ignored")
    degraded: list[str] | None = Field(
        description="What the workers that are here would not honour, as far as they say; null when none has said"
    )
    unchecked: list[str] = Field(description="What only the request itself can find out")

    @classmethod
    def of(cls, quote: Quote, task: type[Task]) -> "QuoteView":
        fields = task.model_fields
        return cls(
            dry_run=True,
            task_type=quote.task.replace("-", "_"),
            input={fields[name].alias or name: value for name, value in quote.input.items() if value is not None},
            prompt=None if quote.prompt is None else dict(quote.prompt),
            price=quote.price,
            usage_type="credit" if quote.usage_type == "credit" else "point",
            available=quote.available,
            queue_position=quote.queue_position,
            is_held=quote.is_held,
            eta=None if quote.eta is None else Eta(p50=quote.eta.p50, p90=quote.eta.p90),
            warnings=[dict(warning) for warning in quote.warnings],
            degraded=None if quote.degraded is None else list(quote.degraded),
            unchecked=list(quote.unchecked),
        )
