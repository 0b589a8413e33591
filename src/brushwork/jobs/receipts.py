"""Receipts: what was erased and what was not, sealed with a hash, so that a copy can be held against the record."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Literal


@dataclass(frozen=True)
class Receipt:
    """Of jobs or an upload. It is kept, and holds no prompt and no picture."""

    id: str
    jobs: tuple[str, ...]
    uploads: tuple[str, ...]
    files: int
    bytes: int
    events: int
    deliveries: int
    kept: tuple[str, ...]
    """Jobs of the account that came of what was erased, and stay."""
    kept_elsewhere: int
    """How many jobs of other accounts took a picture of it, by a link that they were given; they stay too."""
    erased_at: float


@dataclass(frozen=True)
class Removed:
    """What an account had, as far as it has been removed."""

    jobs: int = 0
    cancelled: int = 0
    """Of the jobs: they had not ended, and nothing was charged for them."""
    uploads: int = 0
    files: int = 0
    """Of jobs and uploads together."""
    bytes: int = 0
    events: int = 0
    deliveries: int = 0
    endpoints: int = 0
    keys: int = 0
    batches: int = 0
    notifications: int = 0
    answers: int = 0
    audits: int = 0
    """Refusals and what was said against them, and entries of the record that have lost their details."""
    points_expired: int = 0
    kept_elsewhere: int = 0
    """Jobs of other accounts that took a picture by a link that they were given; they stay."""


@dataclass(frozen=True)
class AccountReceipt:
    """Of an account and all that it had. Names nothing of it but its number."""

    id: str
    account_id: int
    state: Literal["erasing", "erased"]
    """The counts grow until it is erased."""
    counts: Removed
    began_at: float
    erased_at: float | None


def shown(receipt: Receipt | AccountReceipt) -> dict[str, Any]:
    """As it is answered, with its seal."""
    facts = asdict(receipt)
    facts |= facts.pop("counts", {})
    facts = {name: plain(name, value) for name, value in facts.items()}
    return facts | {"sha256": seal(facts)}


def plain(name: str, value: Any) -> Any:
    if isinstance(value, float) and name.endswith("_at"):
        return datetime.fromtimestamp(int(value), UTC).isoformat().replace("+00:00", "Z")
    return list(value) if isinstance(value, tuple) else value


def seal(facts: Mapping[str, Any]) -> str:
    """SHA-256 of all fields but `sha256`, as JSON with sorted names and no spaces."""
    rest = {name: value for name, value in facts.items() if name != "sha256"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
