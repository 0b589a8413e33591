"""Repeated blocks are compiled in the background, while pictures are drawn without; then calls go over to them.

A block is compiled for kinds of calls, not for sizes: torch makes one kernel for a batch of one and one for larger
ones. What was compiled is kept on disk, so that the next start is quick.
"""

import os
import threading
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import structlog
import torch
import torch._dynamo
from torch import Tensor

log = structlog.get_logger(__name__)

Kind = tuple[Any, ...]
Backend = str | Callable[..., Any]
"""What torch compiles with."""
CACHE_FOLDER = ".compiled"
MOST_KINDS = 8
"""Of calls, for which one class of blocks is compiled."""
TRIES = 3
RECOMPILES = 64
"""After so many of one function torch gives up. Models of one class share the function: its own 8 are soon reached."""
UNCOMPILED = (torch._dynamo.exc.TorchDynamoException, torch._dynamo.exc.FailOnRecompileLimitHit)
"""What calling a compiled function raises when it cannot be compiled for that call, or once more."""


class Warming:
    """Compiles calls one after the other, in a thread of its own."""

    def __init__(self) -> None:
        self.queue: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self.thread: threading.Thread | None = None
        self.lock = threading.Lock()

    def add(self, work: Callable[[], None]) -> None:
        with self.lock:
            self.queue.put(work)
            if self.thread is None:
                self.thread = threading.Thread(target=self.run, name="compile", daemon=True)
                self.thread.start()

    def run(self) -> None:
        while True:
            self.queue.get()()


WARMING = Warming()


class Blocks:
    """The blocks of one class in one module: one compiled function, given to all of them when it is ready."""

    def __init__(self, name: str, backend: Backend) -> None:
        self.name = name
        self.backend = backend
        self.states: dict[Kind, str] = {}
        """Kind of a call → "compiling", "ready" or "failed"."""
        self.failures: dict[Kind, int] = {}

    def install(self, block: Any) -> None:
        eager = block.forward
        quick = torch.compile(eager, fullgraph=True, dynamic=True, backend=self.backend)

        def forward(*args: Any, **kwargs: Any) -> Any:
            kind = kind_of(args, kwargs)
            state = self.states.get(kind)
            if state == "ready":
                try:
                    return quick(*each_tensor(dense, args), **each_tensor(dense, kwargs))
                except UNCOMPILED as error:  # not what it was compiled for after all
                    self.fail(kind, error)
            if state is None and len(self.states) < MOST_KINDS:
                self.states[kind] = "compiling"
                self.begin(quick, kind, args, kwargs)
            return eager(*args, **kwargs)

        block.forward = forward

    def fail(self, kind: Kind, error: Exception) -> None:
        """Calls of this kind go on without. Weights that were moved away meanwhile are no reason not to try again."""
        self.failures[kind] = self.failures.get(kind, 0) + 1
        if isinstance(error, UNCOMPILED) or self.failures[kind] >= TRIES:
            self.states[kind] = "failed"
        else:
            del self.states[kind]
        log.warning("compile_failed", block=self.name, reason=str(error).strip().splitlines()[:1])

    def begin(self, quick: Callable[..., Any], kind: Kind, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Compile for calls like this one, with copies: the caller may write into its own."""
        copied = each_tensor(copy_of, args), each_tensor(copy_of, kwargs)
        # What is compiled is only found again by calls in the same mode.
        inference, gradients = torch.is_inference_mode_enabled(), torch.is_grad_enabled()

        def work() -> None:
            try:
                with (
                    torch.inference_mode(inference),
                    torch.set_grad_enabled(gradients),
                    torch._dynamo.config.patch(recompile_limit=RECOMPILES),  # holds in this thread only
                ):
                    quick(*copied[0], **copied[1])
            except Exception as error:  # a compiler can fail in many ways; the block goes on without it
                self.fail(kind, error)
            else:
                self.states[kind] = "ready"
                log.info("compiled", block=self.name)

        WARMING.add(work)


def compile_when_warm(module: Any, *, folder: Path, backend: Backend = "inductor") -> list[Blocks]:
    """Compile the module's repeated blocks in the background; until then, and for other calls, they run as they are."""
    os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(folder.resolve() / CACHE_FOLDER))
    kinds = {name: Blocks(name, backend) for name in getattr(module, "_repeated_blocks", None) or ()}
    for part in module.modules():
        if type(part).__name__ in kinds:
            kinds[type(part).__name__].install(part)
    return list(kinds.values())


def kind_of(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Kind:
    """Calls of one kind share a compiled function: torch keeps sizes of 0 and 1 apart from all larger ones."""
    return (*map(one_kind, args), *((name, one_kind(value)) for name, value in sorted(kwargs.items())))


def one_kind(value: Any) -> Any:
    if isinstance(value, Tensor):
        return (value.dtype, value.device, tuple(min(side, 2) for side in value.shape))
    if isinstance(value, (tuple, list)):
        return tuple(one_kind(item) for item in value)
    if isinstance(value, dict):
        return tuple((name, one_kind(item)) for name, item in sorted(value.items()))
    return value if isinstance(value, (bool, int, float, str, type(None))) else type(value)


def each_tensor(change: Callable[[Tensor], Tensor], value: Any) -> Any:
    """The same structure with all of its tensors changed."""
    if isinstance(value, Tensor):
        return change(value)
    if isinstance(value, (tuple, list)):
        return type(value)(each_tensor(change, item) for item in value)
    if isinstance(value, dict):
        return {name: each_tensor(change, item) for name, item in value.items()}
    return value


def copy_of(tensor: Tensor) -> Tensor:
    return dense(tensor.detach().clone(memory_format=torch.contiguous_format))


def dense(tensor: Tensor) -> Tensor:
    """Without gaps between its rows: torch compiles anew for each way that a tensor lies in memory."""
    strides, step = [], 1
    for side in reversed(tensor.shape):
        strides.append(step)
        step *= side
    # A batch of one that was cut out of something longer counts as contiguous, and still has strides of its own.
    return tensor.contiguous().as_strided(tensor.shape, tuple(reversed(strides)))
