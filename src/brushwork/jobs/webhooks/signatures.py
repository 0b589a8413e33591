"""The headers that prove where a delivery comes from, in two customs: Standard Webhooks, and that of the API's clients.

A secret is `whsec_` and base64. Standard Webhooks signs with the bytes inside; the clients' custom takes the whole text
as the key. Both sign exactly the bytes that are sent.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from standardwebhooks import Webhook

SECRET_BYTES = 32


@dataclass(frozen=True)
class Secrets:
    """What an account signs with now: nothing, one secret, or two while a new one takes over."""

    current: str | None = None
    before: str | None = None

    @property
    def active(self) -> tuple[str, ...]:
        return tuple(secret for secret in (self.current, self.before) if secret)


def new_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def headers_for(body: bytes, *, delivery_id: str, event: str, signed_by: Secrets, now: float) -> Mapping[str, str]:
    """Everything a receiver needs to tell a delivery from a forgery, and from one it has had before."""
    stamp = int(now)
    headers = {
        "Content-Type": "application/json",
        "webhook-id": delivery_id,
        "webhook-timestamp": str(stamp),
        "X-Brushwork-Event": event,
    }
    if not signed_by.active:
        return headers
    moment, text = datetime.fromtimestamp(stamp, UTC), body.decode()
    signatures = [Webhook(secret).sign(delivery_id, moment, text) for secret in signed_by.active]
    legnext = [legnext_signature(secret, stamp, body) for secret in signed_by.active]
    headers |= {
        "webhook-signature": " ".join(signatures),
        "X-Legnext-Timestamp": str(stamp),
        # Its clients compare the whole header with one signature, so that the second one needs a header of its own.
        "X-Legnext-Signature": legnext[0],
    }
    if len(legnext) > 1:
        headers["X-Legnext-Signature-Before"] = legnext[1]
    return headers


def legnext_signature(secret: str, stamp: int, body: bytes) -> str:
    return hmac.new(secret.encode(), b"%d." % stamp + body, hashlib.sha256).hexdigest()
