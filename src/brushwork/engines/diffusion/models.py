"""The installed models of this machine, each of them loaded when it is first asked for."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import torch

from brushwork.engines.catalog.installed import digest_of, folder_of, usable_films, usable_models
from brushwork.engines.catalog.model import Model
from brushwork.engines.catalog.reading import read_catalog
from brushwork.engines.diffusion.facts import FAMILIES, Facts
from brushwork.engines.diffusion.families.base import Family
from brushwork.engines.diffusion.families.table import family_of
from brushwork.engines.diffusion.figures import ResidencyStats
from brushwork.engines.diffusion.options import CachePolicy, DiffusionOptions
from brushwork.engines.diffusion.peaks import Peaks, kind_of
from brushwork.engines.diffusion.pipe import PipeRunner
from brushwork.engines.diffusion.plan import Plan
from brushwork.engines.diffusion.policies.policy import Policy
from brushwork.engines.diffusion.residency import ManagedParts, Residency
from brushwork.errors import Unavailable


class InstalledModels:
    """A shelf for the loop. Loading happens in its thread; the rest may be asked for from any."""

    def __init__(self, options: DiffusionOptions) -> None:
        self.options = options
        self.families: dict[str, Family] = {}
        self.pipes: dict[str, PipeRunner] = {}
        self.policies: dict[str, Policy] = {}
        self.digests: dict[str, str] = {}
        self.hashing = threading.Lock()

    @cached_property
    def models(self) -> Mapping[str, Model]:
        """Best first."""
        return usable_models(self.options)

    @cached_property
    def films(self) -> Mapping[str, Model]:
        """Those that make clips, best first."""
        return usable_films(self.options)

    def entry(self, model: str) -> Model:
        """Of a model that draws, or of one that makes clips."""
        return self.models[model] if model in self.models else self.films[model]

    @cached_property
    def known(self) -> Mapping[str, Model]:
        """The whole catalog."""
        return read_catalog(self.options.catalogs)

    @cached_property
    def residency(self) -> Residency:
        return Residency(self.options)

    @cached_property
    def peaks(self) -> Peaks:
        return Peaks(self.residency.device.reserve)

    @cached_property
    def device(self) -> torch.device:
        return torch.device(self.options.device)

    # ── what the loop asks for ──

    def facts(self, model: str) -> Facts:
        return FAMILIES[self.models[model].family]

    def cache(self, model: str) -> CachePolicy:
        policy = self.policies.get(model)
        return policy.cache if policy is not None else "none"

    def family(self, model: str) -> Family:
        if model not in self.families:
            entry = self.models[model]
            parts = self.residency.parts(entry, self.folder(model))
            self.families[model] = family_of(parts, entry)
            self.policies[model] = parts.policy
        return self.families[model]

    def pipe(self, model: str) -> PipeRunner:
        """A model that nobody steps, around its own pipeline."""
        if model not in self.pipes:
            entry = self.models[model]
            parts = self.residency.parts(entry, self.folder(model))
            self.pipes[model] = PipeRunner(parts, entry, self.options)
            self.policies[model] = parts.policy
        return self.pipes[model]

    def film_parts(self, model: str) -> ManagedParts:
        """The components of a model that makes clips."""
        parts = self.residency.parts(self.films[model], self.folder(model))
        self.policies[model] = parts.policy
        return parts

    def warm(self, model: str) -> None:
        """Bring all of the model's components to the device, as far as there is room."""
        parts = self.residency.parts(self.models[model], self.folder(model))
        for name in parts.index:
            if isinstance(parts.index[name], list) and parts.has(name):
                with parts.use(name):
                    pass

    @contextmanager
    def drawing(self, model: str, pixels: int) -> Iterator[None]:
        kind, residency = kind_of(model, pixels), self.residency
        residency.reserve_for(self.peaks.wanted(kind))
        if self.device.type != "cuda":
            yield
            return
        before = residency.changes
        torch.cuda.reset_peak_memory_stats(self.device)
        yield
        if residency.changes == before:  # else it is not known how many of the bytes were weights
            self.peaks.saw(kind, torch.cuda.max_memory_allocated(self.device) - residency.filled(on_device=True))

    def stats(self) -> ResidencyStats | None:
        """None before anything was asked for: only the loop's thread wakes a device."""
        residency = self.__dict__.get("residency")
        return residency.stats() if residency else None

    def relieve(self) -> None:
        self.residency.free_idle()

    # ── for recipes ──

    def folder(self, model: str) -> Path:
        folder = folder_of(self.entry(model), self.options.models_dir)
        if folder is None:
            raise Unavailable(f"The files of the model {model!r} are no longer all there.")
        return folder

    def digest(self, model: str) -> str:
        """SHA-256 over all files of the model. The first time, a folder of the operator's is read as a whole."""
        with self.hashing:
            if model not in self.digests:
                self.digests[model] = digest_of(self.entry(model), self.options.models_dir)
            return self.digests[model]

    def added(self, plan: Plan) -> dict[str, str]:
        """SHA-256 of each LoRA, ControlNet and IP-Adapter that the plan is drawn with, by name."""
        known = self.models[plan.model].adapters
        names = [name for name, _ in plan.adapters]
        if plan.control is not None:
            names.append(plan.control.adapter)
        if any(seen.how == "image_prompt" for seen in plan.seen):
            names += [name for name, adapter in known.items() if adapter.kind == "ip_adapter"][:1]
        for name in names:
            if name not in known:
                raise Unavailable(f"The model {plan.model!r} has no {name!r} here.")
            with self.hashing:
                if (key := f"{plan.model}/{name}") not in self.digests:
                    self.digests[key] = digest_of(known[name], self.options.models_dir)
        return {name: self.digests[f"{plan.model}/{name}"] for name in names}

    def policy(self, model: str) -> Mapping[str, Any]:
        """How its pixels are computed here, as plain JSON."""
        policy = self.policies.get(model)
        return policy.as_recipe() if policy is not None else {}
