"""Another image server as an engine: one request per picture, so that each has its own seed.

What becomes of a row there cannot be seen: there is no progress, and cancelling closes the connection, whether or not
the other side notices. How a row is said in OpenAI's words is asking.py's, HTTP is client.py's.
"""

import asyncio
import contextlib
import time
from collections.abc import Mapping, Sequence

from brushwork.engines.base import Ask, Capability, Cost, Op, Row, RowCancelled, RowResult, Sink, Source, always_wanted
from brushwork.engines.diffusion.options import RemoteOptions
from brushwork.engines.diffusion.planning.tools import BuiltIn
from brushwork.engines.remote.asking import ALWAYS_MET, EDITED, MAX_SIDE, ROLES, Asked, asked, told
from brushwork.engines.remote.client import Client
from brushwork.engines.remote.pictures import covering, picture_of, put_back
from brushwork.engines.remote.servers import SERVERS, UNKNOWN, Server
from brushwork.errors import BrushworkError, Unavailable

CONNECTIONS = 4
"""Pictures that are asked for at the same time."""
WATCH_SECONDS = 0.2
"""How often a waiting row is asked whether anybody still wants it."""
WARM_SECONDS = 20.0
USUAL_SECONDS = 10.0
"""Of a picture, before the first has come."""
BYTES_PER_PIXEL = 32
HERE = frozenset({Op.UPSCALE, Op.ENHANCE})
"""Done here, by the super-resolution that ships with Brushwork: the API has no word for it."""
LARGEST = 4096
"""Side of an enlarged picture."""
SHAPE_OFF = 1.05
"""Ratio of shapes from which a picture was not drawn in the shape that was asked for."""


class RemoteEngine:
    """Draws on a server that somebody else, or another machine, runs."""

    name = "remote"

    def __init__(self, options: RemoteOptions) -> None:
        if not options.url:
            raise Unavailable("The address of the image server is not configured.")
        self.options = options
        self.server = Server(options.fields) if options.fields else UNKNOWN
        self.model = options.model
        self.owner = ""
        self.is_known = False
        self.seconds = USUAL_SECONDS

    def capabilities(self) -> Mapping[str, tuple[Capability, ...]]:
        ops = [Op.TEXT_TO_IMAGE, *sorted(HERE), *(sorted(EDITED) if self.options.edits else ())]
        return {self.model or self.name: tuple(self.capability(op) for op in ops)}

    def capability(self, op: Op) -> Capability:
        if op in HERE:
            return Capability(op=op, max_side=LARGEST, passes=1, batch_max=CONNECTIONS, step_cancel=False)
        params = {"no", *ALWAYS_MET}
        if "seed" in self.server.fields:
            params.add("seed")
        if "num_inference_steps" in self.server.fields and self.options.steps:
            params |= {"quality", "draft"}
        if op is Op.TEXT_TO_IMAGE and self.options.edits:
            params |= {name for name, _ in ROLES.values()}
        return Capability(
            op=op,
            max_side=MAX_SIDE,
            passes=1,
            params=frozenset(params),
            negative="native" if "negative_prompt" in self.server.fields else "emulated",
            batch_max=CONNECTIONS,
            step_cancel=False,
        )

    def cost(self, row: Row) -> Cost:
        return Cost(seconds=self.seconds, bytes=row.width * row.height * BYTES_PER_PIXEL, passes=1)

    def batch_key(self, row: Row) -> str | None:
        return f"remote {row.op.value}"  # rows share nothing but the time of waiting

    def warm(self) -> None:
        """Learn who is there. A server that does not answer yet is no reason not to start."""
        with contextlib.suppress(BrushworkError):
            asyncio.run(self.only_learn())

    def run(self, rows: Sequence[Row], sink: Sink) -> list[RowResult]:
        """Ask for all rows, a few at a time."""
        sink.stage("drawing")
        return asyncio.run(self.draw_all(rows, sink))

    def describe(self, source: Source, *, ask: Ask = always_wanted) -> Sequence[str]:  # noqa: ARG002  # it is quick
        """By the networks that ship with Brushwork: the API of pictures has no words for it."""
        from brushwork.engines.tools.describe import describe  # brings networks along, which drawing does not need

        return describe(source.image, facts=source.recipe)

    def word_weights(self, words: Sequence[str]) -> Sequence[float]:
        """As the embedded painter reads them: the other server's text encoder cannot be asked."""
        from brushwork.engines.diorama.words.weigh import weigh

        return weigh(words)

    # ── inside the event loop ──

    def client(self, timeout: float) -> Client:
        return Client(self.options.url, key=self.options.key, timeout=timeout, connections=CONNECTIONS)

    async def only_learn(self) -> None:
        client = self.client(WARM_SECONDS)
        try:
            await self.learn(client)
        finally:
            await client.close()

    async def learn(self, client: Client) -> None:
        """Which server it is, and which model it draws with when none was configured."""
        if self.is_known:
            return
        models = await client.models()
        ours = next((model for model in models if model.get("id") == self.options.model), models[0] if models else {})
        self.owner = str(ours.get("owned_by", ""))
        self.model = self.options.model or str(ours.get("id", ""))
        known = SERVERS.get(self.owner, UNKNOWN)
        self.server = Server(self.options.fields or known.fields, known.sizes, known.asks_format)
        self.is_known = True

    async def draw_all(self, rows: Sequence[Row], sink: Sink) -> list[RowResult]:
        client = self.client(self.options.timeout)
        with contextlib.suppress(BrushworkError):  # not every server lists its models
            await self.learn(client)
        turns, one = asyncio.Semaphore(CONNECTIONS), asyncio.Semaphore(1)
        waiting = {
            asyncio.create_task(self.enlarge(row, one, sink) if row.op in HERE else self.draw(row, client, turns)): row
            for row in rows
        }
        try:
            return await watched(waiting, sink)
        finally:
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
            await client.close()

    async def enlarge(self, row: Row, one: asyncio.Semaphore, sink: Sink) -> RowResult:
        async with one:
            return await asyncio.to_thread(enlarged, row, lambda: sink.step(row, 0, 1))

    async def draw(self, row: Row, client: Client, turns: asyncio.Semaphore) -> RowResult:
        request = await asyncio.to_thread(asked, row, model=self.model, server=self.server, options=self.options)
        async with turns:
            begun = time.monotonic()
            data = await client.picture(request)
            self.seconds += (time.monotonic() - begun - self.seconds) / 4
        return await asyncio.to_thread(self.result, row, request, data)

    def result(self, row: Row, request: Asked, data: bytes) -> RowResult:
        image = picture_of(data)
        degraded = list(request.degraded)
        if is_off(image.width / image.height, row.width / row.height) or image.width < row.width / 2:
            degraded.append(f"size:{image.width}x{image.height}")
        finished = covering(image, row.width, row.height)
        return RowResult(
            row.index,
            put_back(row, finished) if row.op is Op.INPAINT and row.mask is not None else finished,
            applied=request.applied,
            degraded=tuple(degraded),
            recipe={
                "engine": self.name,
                "server": self.owner,
                "path": request.path,
                "request": told(request.fields),
                "drawn": [image.width, image.height],
            },
        )


async def watched(waiting: Mapping["asyncio.Task[RowResult]", Row], sink: Sink) -> list[RowResult]:
    """The results in the order they come; rows that nobody wants any more are hung up on and left out."""
    results: list[RowResult] = []
    left = set(waiting)
    while left:
        done, left = await asyncio.wait(left, timeout=WATCH_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            if task.cancelled() or isinstance(task.exception(), RowCancelled):
                continue
            result = task.result()
            if is_wanted(waiting[task], sink, 1):
                results.append(result)
        for task in left:
            if not is_wanted(waiting[task], sink, 0):
                task.cancel()
    return results


def enlarged(row: Row, ask: Ask) -> RowResult:
    """The source at the row's size, without invented detail, which is said when some was asked for."""
    assert row.source is not None  # there is no enlarging without a picture
    image = BuiltIn(ask).enlarge(row.source.image.convert("RGB"), row.width, row.height)
    is_less = row.op is Op.ENHANCE or row.strength > 0
    recipe = {"engine": RemoteEngine.name, "tool": "super_resolution"}
    return RowResult(row.index, image, degraded=("no_refine",) if is_less else (), recipe=recipe)


def is_wanted(row: Row, sink: Sink, done: int) -> bool:
    try:
        sink.step(row, done, 1)
    except RowCancelled:
        return False
    return True


def is_off(one: float, other: float) -> bool:
    return max(one / other, other / one) > SHAPE_OFF
