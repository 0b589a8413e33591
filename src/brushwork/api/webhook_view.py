"""Webhooks as a client sees them: endpoints, deliveries, attempts. A secret is only in the answer that makes it."""

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from brushwork.api.views import View, moment
from brushwork.jobs.webhooks.endpoints import Endpoint
from brushwork.jobs.webhooks.log import Attempt, DeliveryPage, LoggedDelivery


class EndpointView(View):
    """An address that is told of the account's events."""

    id: int
    url: str
    events: list[str]
    description: str
    enabled: bool
    disabled_because: str = Field(description="Empty while it is enabled")
    failing_since: str = Field(
        json_schema_extra={"format": "date-time"}, description="The zero time while it takes what it gets"
    )
    created_at: str = Field(json_schema_extra={"format": "date-time"})

    @classmethod
    def of(cls, endpoint: Endpoint) -> "EndpointView":
        return cls(
            id=endpoint.id,
            url=endpoint.url,
            events=endpoint.events.split(),
            description=endpoint.description,
            enabled=endpoint.disabled_at is None,
            disabled_because=endpoint.disabled_because,
            failing_since=moment(endpoint.failing_since),
            created_at=moment(endpoint.created_at),
        )


class EndpointsView(View):
    """All endpoints of an account, oldest first."""

    data: list[EndpointView]


class RemovedView(View):
    removed: bool


class AttemptView(View):
    """One try to deliver."""

    at: str = Field(json_schema_extra={"format": "date-time"})
    seconds: float = Field(description="How long it took")
    status: int = Field(description="HTTP status of the answer; 0 when there was none")
    problem: str = Field(description="Empty when it was taken")

    @classmethod
    def of(cls, attempt: Attempt) -> "AttemptView":
        return cls(
            at=moment(attempt.at),
            seconds=round(attempt.seconds, 3),
            status=attempt.status or 0,
            problem=attempt.problem,
        )


class DeliveryView(View):
    """One event for one receiver."""

    id: str = Field(description="The `webhook-id` of all its attempts")
    event: str
    url: str
    endpoint_id: int = Field(description="0 for the callback of a job")
    job_id: str = Field(description="Empty for events that are not about a job")
    status: Literal["pending", "delivered", "failed"]
    attempts: int = Field(description="Since it was last put in the line")
    next_attempt_at: str = Field(json_schema_extra={"format": "date-time"}, description="The zero time when it is over")
    created_at: str = Field(json_schema_extra={"format": "date-time"})
    ended_at: str = Field(json_schema_extra={"format": "date-time"}, description="The zero time until it is over")

    @classmethod
    def of(cls, delivery: LoggedDelivery) -> "DeliveryView":
        return cls(**shown(delivery))


class DeliveryWithAttempts(DeliveryView):
    """A delivery, with every try, oldest first."""

    log: list[AttemptView]

    @classmethod
    def with_log(cls, delivery: LoggedDelivery, attempts: Sequence[Attempt]) -> "DeliveryWithAttempts":
        return cls(**shown(delivery), log=[AttemptView.of(attempt) for attempt in attempts])


def shown(delivery: LoggedDelivery) -> dict[str, object]:
    return {
        "id": delivery.id,
        "event": delivery.event,
        "url": delivery.url,
        "endpoint_id": delivery.endpoint_id or 0,
        "job_id": delivery.job_id or "",
        "status": delivery.status,
        "attempts": delivery.attempts,
        "next_attempt_at": moment(delivery.next_at if delivery.status == "pending" else None),
        "created_at": moment(delivery.created_at),
        "ended_at": moment(delivery.ended_at),
    }


class DeliveriesView(View):
    """One page of an account's deliveries, newest first."""

    data: list[DeliveryView]
    next_cursor: str | None = Field(description="Give it as `cursor` to get the next page; null on the last one")
    has_more: bool

    @classmethod
    def of(cls, page: DeliveryPage) -> "DeliveriesView":
        data = [DeliveryView.of(delivery) for delivery in page.deliveries]
        return cls(data=data, next_cursor=page.next_cursor, has_more=page.next_cursor is not None)


class ReplayedView(View):
    replayed: int = Field(description="How many deliveries are sent again")


class NewSecretView(View):
    """The new secret, shown this once."""

    secret: str
    before_until: str = Field(
        json_schema_extra={"format": "date-time"},
        description="Until when the secret before it signs too; the zero time when it does not",
    )


class SecretView(View):
    """What signs deliveries, without the secret."""

    exists: bool
    before_until: str = Field(json_schema_extra={"format": "date-time"})
