"""The events that can be told, and the channel that wakes whoever sends them."""

from collections.abc import Mapping
from typing import Literal, get_args

EventName = Literal["job.completed", "job.failed", "job.processing", "balance.low", "test"]

MEANINGS: Mapping[EventName, str] = {
    "job.completed": "A job made what was asked.",
    "job.failed": "A job failed, was cancelled or came too late; nothing was charged.",
    "job.processing": "A worker began to draw a job.",
    "balance.low": "The account has fewer points available than its alert threshold.",
    "test": "Somebody asked for a test.",
}
CHOICES: tuple[EventName, ...] = tuple(name for name in get_args(EventName) if name != "test")
"""What an endpoint can ask for. It gets its tests whatever it asks for."""
USUAL: tuple[EventName, ...] = ("job.completed", "job.failed", "balance.low")

ENDS: Mapping[str, EventName] = {"done": "job.completed", "failed": "job.failed", "cancelled": "job.failed"}
"""The final status of a job → its event."""

WEBHOOKS_CHANNEL = "brushwork_webhooks"
"""There is something to send now."""
