"""LoRAs by name and weight: in force for one batch, and out of the way before the next one.

Works for every network that diffusers can add one to, whatever the family. Knows no rows and no loop.
"""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from diffusers import loaders
from diffusers.utils.peft_utils import delete_adapter_layers, set_weights_and_activate_adapters
from peft.tuners.tuners_utils import BaseTunerLayer

from brushwork.engines.catalog.model import Model
from brushwork.engines.diffusion.parts import Parts
from brushwork.errors import Unavailable

READERS = {
    "sd": "StableDiffusionLoraLoaderMixin",
    "sdxl": "StableDiffusionXLLoraLoaderMixin",
    "zimage": "ZImageLoraLoaderMixin",
    "flux2": "Flux2LoraLoaderMixin",
    "qwen": "QwenImageLoraLoaderMixin",
}
"""Family → the class of `diffusers.loaders` that knows how its LoRAs are written, by whichever trainer."""
COMPONENTS = {"unet", "transformer", "text_encoder", "text_encoder_2"}
"""For which a LoRA may have weights."""
KEPT = 4
"""LoRAs that stay loaded in a network, asleep, so that two kinds of jobs may take turns."""

Weighted = Sequence[tuple[str, float]]
"""LoRAs with their weights, by their names in the catalog."""


class Loras:
    """The LoRAs of one model."""

    def __init__(self, parts: Parts, model: Model) -> None:
        self.parts = parts
        self.model = model
        self.silent: set[tuple[str, str]] = set()
        """LoRAs, by hash, and components for which they have no weights."""

    @contextmanager
    def active(self, wanted: Weighted, *, among: Sequence[str]) -> Iterator[None]:
        """Those LoRAs and no others act in the components `among` the model's, for as long as the context lasts.

        A LoRA acts where it has weights. Outside of a context the networks draw as if there were no LoRAs, bit for bit.
        """
        with ExitStack() as stack:
            for component in among if wanted else ():
                if self.parts.has(component):
                    network = stack.enter_context(self.parts.use(component))
                    stack.callback(rest, network)
                    self.act(network, component, wanted)
            yield

    def act(self, network: Any, component: str, wanted: Weighted) -> None:
        # By what is in the file, not by its name: models share text encoders, and a file may be replaced.
        named = {hash_of(self.file_of(name)): (name, weight) for name, weight in wanted}
        for key, (name, _) in named.items():
            if key not in getattr(network, "peft_config", {}) and (key, component) not in self.silent:
                with torch.inference_mode(mode=False):
                    self.load(name, key, network, component)
        loaded = getattr(network, "peft_config", {})
        found = {key: weight for key, (_, weight) in named.items() if key in loaded}
        if found:
            set_weights_and_activate_adapters(network, list(found), list(found.values()))
            for layer in tuner_layers(network):
                layer.enable_adapters(True)
        asleep = [key for key in loaded if key not in found]
        for key in asleep[: max(0, len(loaded) - KEPT)]:
            delete_adapter_layers(network, key)
            loaded.pop(key, None)

    def load(self, name: str, key: str, network: Any, component: str) -> None:
        """Add a LoRA to a network under that key, if it has weights for it."""
        path = self.file_of(name)
        reader = getattr(loaders.lora_pipeline, READERS[self.model.family])
        named = {"unet_config": network.config} if component == "unet" else {}
        read = reader.lora_state_dict(
            str(path.parent),
            weight_name=path.name,
            use_safetensors=True,
            local_files_only=True,
            return_lora_metadata=True,
            **named,
        )
        # Trainers of UNets write down how strong each layer is meant to be; those of transformers do not.
        weights, strengths, about = read if len(read) == 3 else (read[0], None, read[1])
        meant = {path.split(".")[0] for path in weights}
        if not meant & COMPONENTS:
            raise Unavailable(f"The LoRA {name!r} has no weights for a model of the family {self.model.family!r}.")
        if component not in meant:
            self.silent.add((key, component))
            return
        known = {"network_alphas": strengths, "adapter_name": key, "metadata": about}
        if component.startswith("text_encoder"):
            reader.load_lora_into_text_encoder(weights, text_encoder=network, prefix=component, **known)
        else:
            network.load_lora_adapter(weights, prefix=component, **known)

    def file_of(self, name: str) -> Path:
        """Raises Unavailable when the model has no such LoRA on this machine."""
        adapter = self.model.adapters.get(name)
        if adapter is None or adapter.kind != "lora":
            raise Unavailable(f"The model {self.model.name!r} has no LoRA {name!r}.")
        path = Path(adapter.checkpoint.folder) / adapter.file
        if path.suffix != ".safetensors":
            raise Unavailable(f"The LoRA {name!r} is not a file of safetensors.")
        if not adapter.checkpoint.folder or not path.is_file():
            raise Unavailable(f"The LoRA {name!r} is not installed.")
        return path

    def hashes(self, wanted: Weighted) -> dict[str, str]:
        """SHA-256 of each one's file, for the recipe."""
        return {name: hash_of(self.file_of(name)) for name, _ in wanted}


def rest(network: Any) -> None:
    """All LoRAs of the network sleep."""
    for layer in tuner_layers(network):
        layer.enable_adapters(False)


def tuner_layers(network: Any) -> list[BaseTunerLayer]:
    return [layer for layer in network.modules() if isinstance(layer, BaseTunerLayer)]


def hash_of(path: Path) -> str:
    stat = path.stat()
    return hash_of_version(path, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=64)
def hash_of_version(path: Path, _changed: int, _size: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
