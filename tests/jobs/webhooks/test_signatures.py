"""The two customs of signing, checked by those who made them and by hand."""

import base64
import hashlib
import hmac
import time

import pytest
from legnext.webhook import WebhookVerifier
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from brushwork.jobs.webhooks.signatures import Secrets, headers_for, new_secret

BODY = '{"job_id": "7", "text": "ein Füchslein 🦊"}'.encode()
SECRET, OLD = new_secret(), new_secret()


def headers(signed_by: Secrets, now: float | None = None) -> dict[str, str]:
    now = time.time() if now is None else now
    return dict(headers_for(BODY, delivery_id="msg_1", event="job.completed", signed_by=signed_by, now=now))


def independently_signed(secret: str, given: dict[str, str]) -> str:
    """The specification of Standard Webhooks, written down once more, without its library."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    text = f"{given['webhook-id']}.{given['webhook-timestamp']}.".encode() + BODY
    return "v1," + base64.b64encode(hmac.digest(key, text, "sha256")).decode()


def test_the_library_and_an_independent_check_take_the_signature() -> None:
    made = headers(Secrets(SECRET))

    assert Webhook(SECRET).verify(BODY, made)["job_id"] == "7"
    assert made["webhook-signature"] == independently_signed(SECRET, made)


def test_legnext_takes_the_signature() -> None:
    made = headers(Secrets(SECRET))

    verifier = WebhookVerifier(SECRET)
    assert verifier.verify(BODY, made["X-Legnext-Signature"], made["X-Legnext-Timestamp"])
    assert not verifier.verify(BODY + b" ", made["X-Legnext-Signature"], made["X-Legnext-Timestamp"])
    assert not verifier.verify(BODY, made["X-Legnext-Signature"], "1")
    signed = f"{made['X-Legnext-Timestamp']}.".encode() + BODY
    assert made["X-Legnext-Signature"] == hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()


def test_while_two_secrets_are_active_each_of_them_is_enough() -> None:
    made = headers(Secrets(SECRET, OLD))

    for secret in (SECRET, OLD):
        Webhook(secret).verify(BODY, made)
        assert independently_signed(secret, made) in made["webhook-signature"].split(" ")
    stamp = made["X-Legnext-Timestamp"]
    assert WebhookVerifier(SECRET).verify(BODY, made["X-Legnext-Signature"], stamp)
    assert WebhookVerifier(OLD).verify(BODY, made["X-Legnext-Signature-Before"], stamp)


def test_another_secret_an_altered_body_and_an_old_message_are_refused() -> None:
    for secret, body, now in [(OLD, BODY, None), (SECRET, BODY + b" ", None), (SECRET, BODY, time.time() - 400)]:
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(body, headers(Secrets(SECRET), now))


def test_without_a_secret_nothing_is_signed() -> None:
    made = headers(Secrets())

    assert made.keys() == {"Content-Type", "webhook-id", "webhook-timestamp", "X-Brushwork-Event"}


def test_secrets_are_long_and_never_the_same() -> None:
    made = {new_secret() for _ in range(100)}

    assert len(made) == 100
    assert {len(base64.b64decode(secret.removeprefix("whsec_"))) for secret in made} == {32}
