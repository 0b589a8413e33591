"""Where a delivery may go, and that what the receiver does cannot hurt. The corpus is that of pictures' URLs."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from brushwork.errors import InvalidField
from brushwork.files.addresses import Allowed
from brushwork.jobs.webhooks.sending import SendRules, judge, post
from tests.files.network import Names, watched
from tests.files.test_ssrf import ALL, INSIDE
from tests.jobs.webhooks.receiver import LOOPBACK, Receiver, receiving

PUBLIC = Names({"example.com": [["127.0.0.1"]]})


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver


@pytest.mark.parametrize("http", [False, True])
@pytest.mark.parametrize("url", ALL)
async def test_a_callback_that_leads_inside_is_refused_and_never_posted_to(url: str, http: bool) -> None:
    rules = SendRules(resolve=PUBLIC, http=http)

    with watched() as connections:
        answer = await post(url, b"{}", {}, rules=rules, now=0)
    with pytest.raises(InvalidField) as refused:
        judge(url, field="callback", rules=rules)

    assert connections == []
    assert (answer.status, answer.is_taken) == (None, False)
    assert refused.value.status == 400
    assert answer.problem


@pytest.mark.parametrize("name", INSIDE)
async def test_a_name_that_leads_inside_is_not_posted_to(name: str) -> None:
    rules = SendRules(resolve=Names({f"{name}.test": [INSIDE[name]]}))

    with watched() as connections:
        answers = [await post(f"https://{host}.test/", b"{}", {}, rules=rules, now=0) for host in (name, "unknown")]

    assert connections == []
    assert answers[0].problem == answers[1].problem


async def test_a_name_that_changes_its_answer_is_asked_once_a_post(receiver: Receiver) -> None:
    names = Names({"rebinding.test": [["127.0.0.1"], ["10.0.0.1"]]})
    rules = SendRules(allowed=Allowed.parse(f"127.0.0.1:{receiver.port}"), resolve=names)

    with watched() as connections:
        first = await post(receiver.url(host="rebinding.test"), b"{}", {}, rules=rules, now=0)
        second = await post(receiver.url(host="rebinding.test"), b"{}", {}, rules=rules, now=0)

    assert (first.status, second.status) == (200, None)
    assert connections == [("127.0.0.1", receiver.port)]


def test_plain_http_is_for_hosts_that_the_operator_has_named() -> None:
    named = SendRules(allowed=Allowed.parse("hooks.internal,10.1.0.0/16"))

    for url in ("http://hooks.internal/", "http://10.1.2.3/", "https://example.com/"):
        judge(url, field="callback", rules=named)
    judge("http://example.com/", field="callback", rules=SendRules(http=True))
    with pytest.raises(InvalidField, match="must begin with https://"):
        judge("http://example.com/", field="callback", rules=SendRules())


async def test_plain_http_into_an_open_network_is_decided_by_the_address() -> None:
    rules = SendRules(allowed=Allowed.parse("10.1.0.0/16"), resolve=Names({"public.test": [["93.184.216.34"]]}))

    with watched() as connections:
        answer = await post("http://public.test/", b"{}", {}, rules=rules, now=0)

    assert connections == []
    assert answer.problem == "The URL must begin with https://."


async def silent(_: asyncio.StreamWriter) -> None:
    await asyncio.sleep(5)


async def endless(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"10000\r\n" + bytes(0x10000) + b"\r\n")
        await writer.drain()


async def dripping(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
    for _ in range(100):
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.05)


async def nonsense(writer: asyncio.StreamWriter) -> None:
    writer.write(b"SSH-2.0-OpenSSH_9.7\r\n")


async def nothing(writer: asyncio.StreamWriter) -> None:
    writer.close()


@pytest.mark.parametrize(
    ("behave", "status", "problem"),
    [
        (silent, None, "No answer within 0.5 seconds."),
        (nonsense, None, "Could not be sent: the server there does not answer as it should."),
        (nothing, None, "Could not be sent: the server there does not answer as it should."),
        (endless, 200, ""),
    ],
)
async def test_whatever_a_receiver_does_ends_soon(
    receiver: Receiver, behave: object, status: int | None, problem: str
) -> None:
    receiver.behave = behave  # type: ignore[assignment]  # one of the functions above
    began = time.monotonic()

    answer = await post(receiver.url(), b"{}", {}, rules=SendRules(allowed=LOOPBACK.allowed, seconds=0.5), now=0)

    assert (answer.status, answer.problem) == (status, problem)
    assert time.monotonic() - began < 3


async def test_a_slow_answer_is_a_yes_once_its_status_is_there(receiver: Receiver) -> None:
    receiver.behave = dripping

    answer = await post(receiver.url(), b"{}", {}, rules=LOOPBACK, now=0)

    assert answer.is_taken
    assert answer.seconds < 3


async def test_nobody_at_home_is_a_problem_without_an_address() -> None:
    async with receiving() as gone:
        url = gone.url()

    answer = await post(url, b"{}", {}, rules=LOOPBACK, now=0)

    assert answer.problem == "Could not be sent: the server there does not answer as it should."
