"""Where weights are: on disk, in the memory of the host, on the device. Components come when they are used.

One component (a text encoder, a decoder, a denoiser) is the unit, not a pipeline: models whose files are the same share
it. What is evicted first is what is least worth its bytes: seldom used, quick to bring back, large. Nothing in use is
moved. Knows no rows and no steps.
"""

import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog
import torch

from brushwork.engines.catalog.model import Model
from brushwork.engines.diffusion.figures import ResidencyStats
from brushwork.engines.diffusion.likeness import Likeness, weight_bytes
from brushwork.engines.diffusion.options import DiffusionOptions
from brushwork.engines.diffusion.parts import load_part, read_index
from brushwork.engines.diffusion.pinned import laid_out
from brushwork.engines.diffusion.places import Place, device_place, host_place
from brushwork.engines.diffusion.policies.policy import Policy, policy_of, precision_of, prepare
from brushwork.errors import Unavailable

log = structlog.get_logger(__name__)

DENOISERS = ("transformer", "transformer_2", "unet")
"""Not shared between models: adapters are put into them."""
HALF_LIFE = 600.0
"""Seconds after which a use counts half."""


@dataclass(eq=False)
class Component:
    """A loaded module, and the copies of its weights."""

    module: Any
    bytes: int
    load_seconds: float
    """From disk to the host."""
    move_seconds: float = 0.0
    """From the host to the device."""
    on_device: bool = False
    masters: dict[int, torch.Tensor] | None = None
    """Weights on the host by id of the tensor that the module shows; None: there is no copy."""
    users: int = 0
    heat: float = 0.0
    used: float = 0.0
    models: set[str] = field(default_factory=set)

    def tensors(self) -> Iterator[torch.Tensor]:
        yield from self.module.parameters()
        yield from self.module.buffers()


@dataclass(frozen=True)
class Wanted:
    """A component, and how it comes."""

    key: tuple[Any, ...]
    """Equal for components that are shared."""
    folder: Path
    """Where its files are."""
    read: Callable[[], Any]
    """From disk to the host: a module, or something small."""
    size: Callable[[], int] = lambda: 0
    """Bytes that room is made for before it is read; 0: only before it goes to the device."""


class Residency:
    """All components of one device's models. Safe to use from several threads; loads and moves happen one at a time."""

    def __init__(
        self,
        options: DiffusionOptions,
        *,
        device: Place | None = None,
        host: Place | None = None,
        pinned: Collection[str] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`pinned`: names of models that are never evicted."""
        self.options = options
        self.device = device or device_place(options)
        self.host = host or host_place(self.device)
        self.dtype = precision_of(options)
        self.pinned = frozenset(pinned)
        self.clock = clock
        self.lock = threading.RLock()
        self.likeness = Likeness()
        self.components: dict[tuple[Any, ...], Component] = {}
        self.small: dict[Path, Any] = {}
        self.reserve = self.device.reserve
        self.neighbours: list[Callable[[], None]] = []
        """Others with weights on the device, asked to let go of what they do not use when it is full."""
        self.counts = {"loads": 0, "moves": 0, "evictions": 0}
        self.seconds = {"load": 0.0, "move": 0.0}

    def parts(self, model: Model, folder: Path) -> "ManagedParts":
        """The components of a model whose files are in `folder`."""
        return ManagedParts(self, model.name, folder, policy_of(self.options, model))

    def reserve_for(self, activations: int) -> None:
        """Keep so many bytes of the device free for activations from now on. What is idle makes way at once."""
        grown = activations > self.reserve
        self.reserve = max(self.device.reserve, activations)
        if grown:
            with self.lock:
                self.evict_for(0, on_device=True)

    @property
    def changes(self) -> int:
        """How often weights have come or gone so far."""
        return sum(self.counts.values())

    def stats(self) -> ResidencyStats:
        """Does not wait for the lock, which whoever loads holds for minutes."""
        parts = list(self.components.values())
        return ResidencyStats(
            device_bytes=filled(parts, on_device=True),
            host_bytes=filled(parts, on_device=False),
            reserve=self.reserve,
            models=len(set().union(*(part.models.copy() for part in parts))),
            components=len(parts),
            shared=sum(len(part.models) > 1 for part in parts),
            **self.counts,
            load_seconds=self.seconds["load"],
            move_seconds=self.seconds["move"],
        )

    def free_idle(self) -> None:
        """Take everything that is not in use off the device: after it ran out of memory."""
        with self.lock:
            for component in [part for part in self.components.values() if part.on_device and not part.users]:
                self.leave_device(component)
            for let_go in self.neighbours:
                let_go()
            if self.device.device.type == "cuda":
                torch.cuda.empty_cache()

    def forget(self, model: str) -> None:
        """Drop the components that only this model uses and that are idle: its files were removed."""
        with self.lock:
            for key, component in list(self.components.items()):
                if component.models == {model} and not component.users:
                    del self.components[key]

    @contextmanager
    def use(self, folder: Path, *, model: str, policy: Policy, dtype: torch.dtype) -> Iterator[Any]:
        """The component of that folder, on the device and kept there for as long as the context lasts."""
        if folder in self.small:
            yield self.small[folder]
            return

        def read() -> Any:
            module = load_part(folder.parent, folder.name, dtype=dtype)
            if isinstance(module, torch.nn.Module):
                prepare(module, folder.name, policy, device=self.device.device, folder=self.options.models_dir)
            return module

        with self.lock:
            owner = model if folder.name in DENOISERS else ""
            key = (folder if owner else self.likeness.first(folder), owner, policy.fp8, dtype)
        with self.held(Wanted(key, folder, read, lambda: weight_bytes(folder, dtype)), model=model) as module:
            yield module

    @contextmanager
    def held(self, wanted: Wanted, *, model: str) -> Iterator[Any]:
        """Any component, on the device and kept there for as long as the context lasts."""
        with self.lock:
            component = self.brought(wanted, model=model)
            if component is not None:
                component.users += 1
        if component is None:
            yield self.small[wanted.folder]
            return
        try:
            yield component.module
        finally:
            with self.lock:
                component.users -= 1

    def brought(self, wanted: Wanted, *, model: str) -> Component | None:
        """The component, on the device; None for a tokenizer or a scheduler, which is in `small` now."""
        component = self.components.get(wanted.key)
        if component is None:
            component = self.loaded(wanted)
            if component is None:
                return None
            self.components[wanted.key] = component
        component.models.add(model)
        now = self.clock()
        component.heat = component.heat * 0.5 ** ((now - component.used) / HALF_LIFE) + 1.0
        component.used = now
        if not component.on_device:
            self.to_device(component)
        return component

    def loaded(self, wanted: Wanted) -> Component | None:
        """Read from disk to the host's memory."""
        self.make_room(wanted.size(), on_device=self.host is None)
        began = time.perf_counter()
        with torch.inference_mode(mode=False):
            module = wanted.read()
            if not isinstance(module, torch.nn.Module):
                self.small[wanted.folder] = module
                return None
            component = Component(module, bytes_of(module), load_seconds=0.0)
            if self.host is not None:
                component.masters = laid_out(component.tensors(), pinned=self.device.device.type == "cuda")
        component.load_seconds = time.perf_counter() - began
        self.counts["loads"] += 1
        self.seconds["load"] += component.load_seconds
        log.info(
            "component_loaded", component=wanted.folder.name, bytes=component.bytes, seconds=component.load_seconds
        )
        return component

    def to_device(self, component: Component) -> None:
        """Raises Unavailable when it does not fit, even after everything idle has made way."""
        component.users += 1  # it is not evicted to make room for itself
        try:
            self.make_room(component.bytes, on_device=True)
            try:
                self.move(component)
            except RuntimeError as error:
                if not is_out_of_memory(error):
                    raise
                self.back_to_host(component)
                self.free_idle()
                self.move(component)
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            self.back_to_host(component)
            if component.masters is None:
                self.drop(component)
            raise Unavailable(
                f"The device {self.device.name} has no room for {component.bytes / 1e9:.1f} GB of weights."
            ) from None
        finally:
            component.users -= 1

    def move(self, component: Component) -> None:
        began = time.perf_counter()
        target = self.device.device
        with torch.inference_mode(mode=False):
            if component.masters is None:
                component.module.to(target)
            else:
                for tensor in component.tensors():
                    # A copy even from the CPU to the CPU, so that a host beside a device can be tried out anywhere.
                    tensor.data = tensor.data.to(target, non_blocking=True, copy=True)
        if target.type == "cuda":
            torch.cuda.synchronize(target)
        component.on_device = True
        component.move_seconds = time.perf_counter() - began
        self.counts["moves"] += 1
        self.seconds["move"] += component.move_seconds
        if self.host is not None:
            self.make_room(0, on_device=False)

    def back_to_host(self, component: Component) -> None:
        """Show the host's copy; what has none (an adapter that came later, or all of it) is copied back."""
        masters = component.masters or {}
        with torch.inference_mode(mode=False):
            for tensor in component.tensors():
                tensor.data = masters[id(tensor)] if id(tensor) in masters else tensor.data.to("cpu")
        component.on_device = False

    def leave_device(self, component: Component) -> None:
        self.counts["evictions"] += 1
        if self.host is None:
            self.drop(component)
            return
        copied = component.masters is None
        self.back_to_host(component)
        if copied:
            component.masters = laid_out(component.tensors(), pinned=False)
            self.make_room(0, on_device=False)

    def drop(self, component: Component) -> None:
        self.components = {key: part for key, part in self.components.items() if part is not component}
        component.on_device = False
        component.masters = None

    def filled(self, *, on_device: bool) -> int:
        return filled(self.components.values(), on_device=on_device)

    def make_room(self, wanted: int, *, on_device: bool) -> None:
        """Evict the least valuable until `wanted` bytes fit. Raises Unavailable where the operator set the limit."""
        self.evict_for(wanted, on_device=on_device)
        place = self.device if on_device else self.host
        if place is None:
            return
        # Not the measured reserve: what was drawn once is not refused later because it took more than was thought.
        limit = place.budget - (place.reserve if on_device else 0)
        if self.filled(on_device=on_device) + wanted > limit and place.strict:
            raise Unavailable(
                f"{wanted / 1e9:.1f} GB of weights do not fit into the memory that models may fill "
                f"({limit / 1e9:.1f} GB, BRUSHWORK_MEMORY_GB less room for activations)."
            )

    def evict_for(self, wanted: int, *, on_device: bool) -> None:
        """As far as something idle can make way."""
        place = self.device if on_device else self.host
        if place is None:
            return
        for part in self.components.values():
            part.bytes = bytes_of(part.module)  # a LoRA or an IP-Adapter may have been added since
        limit = place.budget - (self.reserve if on_device else 0)
        while self.filled(on_device=on_device) + wanted > limit:
            idle = [part for part in self.components.values() if self.is_movable(part, on_device=on_device)]
            if not idle:
                break
            victim = min(idle, key=lambda part: self.value(part, on_device=on_device))
            if on_device:
                self.leave_device(victim)
            elif victim.on_device:
                victim.masters = None
            else:
                self.drop(victim)

    def is_movable(self, component: Component, *, on_device: bool) -> bool:
        if component.models & self.pinned:
            return False
        if on_device:
            return component.on_device and not component.users
        return component.masters is not None and (component.on_device or not component.users)

    def value(self, component: Component, *, on_device: bool) -> float:
        """Seconds that a byte of it is expected to save: how often it is used, times what bringing it back costs."""
        heat = float(component.heat * 0.5 ** ((self.clock() - component.used) / HALF_LIFE))
        from_host = component.masters is not None if on_device else component.on_device
        seconds = component.move_seconds if from_host else component.load_seconds + component.move_seconds
        return heat * (seconds + 1e-6) / max(component.bytes, 1)


class ManagedParts:
    """One model's view of a residency."""

    def __init__(self, residency: Residency, model: str, folder: Path, policy: Policy) -> None:
        self.residency = residency
        self.model = model
        self.folder = folder
        self.policy = policy
        self.device = residency.device.device
        self.dtype = residency.dtype
        self.index: Mapping[str, Any] = read_index(folder)

    def has(self, name: str) -> bool:
        return bool((self.index.get(name) or [None])[0])

    @contextmanager
    def use(self, name: str) -> Iterator[Any]:
        with self.residency.use(self.folder / name, model=self.model, policy=self.policy, dtype=self.dtype) as part:
            yield part

    @contextmanager
    def added(self, name: str, read: Callable[[], Any]) -> Iterator[Any]:
        wanted = Wanted((self.folder, self.model, name, self.dtype), self.folder / name, read)
        with self.residency.held(wanted, model=self.model) as network:
            yield network


def filled(parts: Iterable[Component], *, on_device: bool) -> int:
    return sum(part.bytes for part in parts if (part.on_device if on_device else part.masters is not None))


def bytes_of(module: Any) -> int:
    tensors = {id(tensor): tensor for tensor in [*module.parameters(), *module.buffers()]}
    return sum(int(tensor.nelement() * tensor.element_size()) for tensor in tensors.values())


def is_out_of_memory(error: RuntimeError) -> bool:
    return isinstance(error, torch.OutOfMemoryError) or "out of memory" in str(error)
