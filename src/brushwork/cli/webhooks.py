"""`brushwork listen` for developers, `brushwork webhooks` for operators: who is told of what, and what arrived."""

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Annotated, Any

import httpx
import typer
from sqlalchemy.ext.asyncio import AsyncConnection

from brushwork.app import FIRST_ACCOUNT, send_rules
from brushwork.cli.accounts import AccountName, existing_account, in_transaction
from brushwork.cli.imagine import first_key
from brushwork.cli.output import AsJson, console, day, errors, print_json, print_table
from brushwork.errors import ServerError
from brushwork.jobs.webhooks import endpoints, line, log
from brushwork.jobs.webhooks.event import CHOICES, USUAL
from brushwork.settings import Settings

webhooks = typer.Typer(help="Webhooks: endpoints, secrets, deliveries, sending again.", no_args_is_help=True)

RECONNECT_SECONDS = (1.0, 2.0, 5.0, 10.0)
SILENCE_SECONDS = 60.0
"""The server says something at least every few seconds; a connection that is silent for so long is dead."""
POST_SECONDS = 15.0
AGAIN_SECONDS = (0.5, 1.0, 2.0)
"""When a receiver that did not take something is asked again: as long as it may need to start anew."""


# ── for developers ────────────────────────────────────────────────────────────────────────────────────────────────────


def listen(
    forward_to: Annotated[
        str, typer.Option("--forward-to", help="Your own receiver, e.g. http://127.0.0.1:3000/webhook.")
    ],
    server: Annotated[str, typer.Option(help="Address of the server.")] = "http://127.0.0.1:8080",
    key: Annotated[
        str | None, typer.Option(envvar="BRUSHWORK_API_KEY", help="API key; else the first key of this machine.")
    ] = None,
    events: Annotated[str, typer.Option(help="Names of events, separated by commas; else all.")] = "",
    count: Annotated[int, typer.Option(min=0, help="Stop after so many deliveries; 0 never stops.")] = 0,
) -> None:
    """Hear of an account's events and post them to a local address, signed as the server would; needs no address."""
    key = key or first_key(Settings())
    left = count or None
    console.print(f"Listening to {server}; posting to {forward_to}. Stop with Ctrl-C.", markup=False, soft_wrap=True)
    with httpx.Client(timeout=POST_SECONDS, trust_env=False) as local:
        for delivery in deliveries_from(server.rstrip("/"), key, events):
            forward(local, forward_to, delivery)
            left = None if left is None else left - 1
            if left == 0:
                return


def forward(local: httpx.Client, url: str, delivery: Mapping[str, Any]) -> None:
    """Post exactly the bytes that were signed until they are taken, a few times, and say what came of each."""
    for pause in (*AGAIN_SECONDS, None):
        if post(local, url, delivery) or pause is None:
            return
        time.sleep(pause)


def post(local: httpx.Client, url: str, delivery: Mapping[str, Any]) -> bool:
    """Post once; returns whether it was taken."""
    began, is_taken = time.monotonic(), False
    try:
        answer = local.post(url, content=delivery["body"].encode(), headers=delivery["headers"])
        result, is_taken = f"{answer.status_code} {answer.reason_phrase}", answer.is_success
    except httpx.HTTPError as error:
        result = f"not taken: {error}"
    body = json.loads(delivery["body"])
    about = body.get("job_id", "")
    unsigned = "" if "webhook-signature" in delivery["headers"] else "  (unsigned: the account has no secret)"
    seconds = time.monotonic() - began
    line_ = f"{delivery['event']:<15} {about}  {delivery['id']}  →  {result}  {seconds:.2f} s{unsigned}"
    console.print(line_, markup=False, soft_wrap=True)
    return is_taken


def deliveries_from(server: str, key: str, events: str) -> Iterator[Mapping[str, Any]]:
    """Deliveries as they happen, for ever; a connection that breaks is taken up again where it broke."""
    session, tries = "", 0
    while True:
        try:
            for name, data in events_from(server, key, {"events": events, "session": session}):
                tries = 0
                if name == "session":
                    session = data["session"]
                elif name == "delivery":
                    yield data
        except httpx.HTTPError as error:
            errors.print(f"The connection broke ({type(error).__name__}); trying again.", soft_wrap=True)
        time.sleep(RECONNECT_SECONDS[min(tries, len(RECONNECT_SECONDS) - 1)])
        tries += 1


def events_from(server: str, key: str, query: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
    """The server-sent events of one connection: (name, data)."""
    timeout = httpx.Timeout(POST_SECONDS, read=SILENCE_SECONDS)
    address = f"{server}/api/v1/webhooks/listen"
    with (
        httpx.Client(timeout=timeout, trust_env=False, headers={"x-api-key": key}) as client,
        client.stream("GET", address, params=query) as answer,
    ):
        if answer.status_code != 200:
            refuse(answer)
        name = ""
        for text in answer.iter_lines():
            field, _, value = text.partition(": ")
            if field == "event":
                name = value
            elif field == "data":
                yield name, json.loads(value)


def refuse(answer: httpx.Response) -> None:
    """A refusal ends the command; an outage is tried again."""
    answer.read()
    if answer.status_code >= 500 or answer.status_code == 429:
        answer.raise_for_status()
    try:
        message = str(answer.json()["message"])
    except (ValueError, KeyError, TypeError):
        message = answer.reason_phrase
    raise ServerError(f"The server refused ({answer.status_code}): {message}")


# ── for operators ─────────────────────────────────────────────────────────────────────────────────────────────────────


@webhooks.command("list")
def list_(account: AccountName = FIRST_ACCOUNT, as_json: AsJson = False) -> None:
    """List an account's endpoints."""

    async def work(tx: AsyncConnection, _: Settings) -> list[endpoints.Endpoint]:
        return await endpoints.list_endpoints(tx, await existing_account(tx, account))

    found = in_transaction(work)
    if as_json:
        print_json([asdict(endpoint) for endpoint in found])
        return
    rows = [
        {
            "id": endpoint.id,
            "url": endpoint.url,
            "events": endpoint.events,
            "failing since": day(endpoint.failing_since),
            "state": endpoint.disabled_because or "on",
        }
        for endpoint in found
    ]
    print_table(rows, empty="There are no webhook endpoints. Add one with: brushwork webhooks add URL")


@webhooks.command("add")
def add(
    url: Annotated[str, typer.Argument(help="Where to post to.")],
    account: AccountName = FIRST_ACCOUNT,
    events: Annotated[str, typer.Option(help="Names of events, separated by commas.")] = ",".join(USUAL),
    as_json: AsJson = False,
) -> None:
    """Add an endpoint that is told of all jobs of an account."""
    wanted = [name for name in CHOICES if name in events.split(",")]
    if unknown := set(events.split(",")) - set(wanted):
        raise typer.BadParameter(f"{', '.join(sorted(unknown))}: must be some of {', '.join(CHOICES)}")

    async def work(tx: AsyncConnection, settings: Settings) -> endpoints.Endpoint:
        from brushwork.jobs.webhooks.sending import judge

        judge(url, field="url", rules=send_rules(settings))
        owner = await existing_account(tx, account)
        return await endpoints.add_endpoint(
            tx, owner, url, events=wanted, description="Added by the operator", now=time.time()
        )

    made = in_transaction(work)
    if as_json:
        print_json(asdict(made))
    else:
        console.print(f"Endpoint {made.id} is told of {made.events.replace(' ', ', ')}.", markup=False)


Number = Annotated[int, typer.Argument(min=1, max=2**63 - 1, help="From `brushwork webhooks list`.")]


@webhooks.command("test")
def send_test(endpoint: Number, account: AccountName = FIRST_ACCOUNT, as_json: AsJson = False) -> None:
    """Send a test to an endpoint: a completed job that nobody asked for, signed like all else."""

    async def work(tx: AsyncConnection, _: Settings) -> log.LoggedDelivery:
        found = await endpoints.get_endpoint(tx, await existing_account(tx, account), endpoint)
        return await log.send_test(tx, found, now=time.time())

    sent = in_transaction(work)
    if as_json:
        print_json(asdict(sent))
    else:
        console.print(f"{sent.id} goes to {sent.url}. See: brushwork webhooks deliveries", markup=False, soft_wrap=True)


@webhooks.command("enable")
def enable(endpoint: Number, account: AccountName = FIRST_ACCOUNT, as_json: AsJson = False) -> None:
    """Switch an endpoint on again. What it missed is sent by `brushwork webhooks replay`."""
    switch(endpoint, account, enabled=True, as_json=as_json)


@webhooks.command("disable")
def disable(endpoint: Number, account: AccountName = FIRST_ACCOUNT, as_json: AsJson = False) -> None:
    """Switch an endpoint off. What waits for it is not sent any more."""
    switch(endpoint, account, enabled=False, as_json=as_json)


def switch(endpoint: int, account: str, *, enabled: bool, as_json: bool) -> None:
    async def work(tx: AsyncConnection, _: Settings) -> endpoints.Endpoint:
        owner = await existing_account(tx, account)
        return await endpoints.change_endpoint(tx, owner, endpoint, enabled=enabled, now=time.time())

    changed = in_transaction(work)
    if as_json:
        print_json(asdict(changed))
    else:
        state = "off" if changed.disabled_because else "on"
        console.print(f"Endpoint {changed.id} ({changed.url}) is {state}.", markup=False, soft_wrap=True)


@webhooks.command("remove")
def remove(endpoint: Number, account: AccountName = FIRST_ACCOUNT, as_json: AsJson = False) -> None:
    """Remove an endpoint. What it has not taken is not sent any more; the log stays."""

    async def work(tx: AsyncConnection, _: Settings) -> None:
        owner = await existing_account(tx, account)
        await endpoints.remove_endpoint(tx, owner, endpoint, now=time.time())

    in_transaction(work)
    if as_json:
        print_json({"id": endpoint, "removed": True})
    else:
        console.print(f"Endpoint {endpoint} is removed.")


@webhooks.command("secret")
def secret(
    account: AccountName = FIRST_ACCOUNT,
    keep_hours: Annotated[float, typer.Option(min=0, max=720, help="How long the one before it signs too.")] = 24.0,
    as_json: AsJson = False,
) -> None:
    """Make a new signing secret for an account, and show it this once."""

    async def work(tx: AsyncConnection, _: Settings) -> str:
        owner = await existing_account(tx, account)
        return await endpoints.rotate_secret(tx, owner, keep_seconds=keep_hours * 3600, now=time.time())

    made = in_transaction(work)
    if as_json:
        print_json({"secret": made})
    else:
        console.print(made, markup=False, soft_wrap=True)


@webhooks.command("deliveries")
def deliveries(
    account: AccountName = FIRST_ACCOUNT,
    failed: Annotated[bool, typer.Option("--failed", help="Only those that were given up.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=100, help="How many, newest first.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List what an account's receivers were told, newest first."""

    async def work(tx: AsyncConnection, _: Settings) -> tuple[log.LoggedDelivery, ...]:
        owner = await existing_account(tx, account)
        return (await log.page(tx, owner, status="failed" if failed else None, limit=limit)).deliveries

    found = in_transaction(work)
    if as_json:
        print_json([asdict(delivery) for delivery in found])
        return
    rows = [
        {
            "id": delivery.id,
            "event": delivery.event,
            "url": delivery.url,
            "status": delivery.status,
            "attempts": delivery.attempts,
            "created": day(delivery.created_at),
        }
        for delivery in found
    ]
    print_table(rows, empty="Nothing was told to anybody.")


@webhooks.command("replay")
def replay(
    hours: Annotated[float, typer.Option(min=0, help="Those that were made in the last so many hours.")] = 24.0,
    account: AccountName = FIRST_ACCOUNT,
    as_json: AsJson = False,
) -> None:
    """Send everything again that an account's receivers have not taken."""

    async def work(tx: AsyncConnection, _: Settings) -> int:
        now = time.time()
        return await log.replay_failed(tx, await existing_account(tx, account), since=now - hours * 3600, now=now)

    count = in_transaction(work)
    if as_json:
        print_json({"replayed": count})
    else:
        console.print(f"{count} deliveries are sent again.")


@webhooks.command("backlog")
def backlog(as_json: AsJson = False) -> None:
    """Show what waits to be sent, for all accounts."""
    found = in_transaction(lambda tx, _: line.backlog(tx, now=time.time()))
    if as_json:
        print_json(asdict(found))
    else:
        oldest = f"the oldest for {found.oldest_seconds:.0f} s" if found.due else "none of them late"
        console.print(f"{found.pending} deliveries wait, {found.due} of them could be sent now; {oldest}.")
