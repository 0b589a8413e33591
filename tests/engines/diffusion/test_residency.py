"""Components come when they are used, make way for each other, and are shared between models."""

import json
import shutil
import threading
from pathlib import Path

import pytest
import torch
from PIL import Image

from brushwork.engines.catalog.model import Adapter, Model
from brushwork.engines.diffusion.families.table import family_of
from brushwork.engines.diffusion.options import DiffusionOptions
from brushwork.engines.diffusion.parts import ResidentParts
from brushwork.engines.diffusion.pinned import laid_out
from brushwork.engines.diffusion.places import Place, device_place, host_place
from brushwork.engines.diffusion.plan import Control
from brushwork.engines.diffusion.residency import Residency
from brushwork.errors import Unavailable
from tests.engines.diffusion.stepping import Asked, drawn, model_of
from tests.engines.diffusion.tiny_adapters import save_ip_adapter, save_union
from tests.engines.diffusion.tiny_sdxl import save_sdxl
from tests.engines.diffusion.tiny_zimage import save_control, save_zimage

CPU = torch.device("cpu")
PLENTY = 2**32
RED = Image.new("RGB", (64, 64), "red")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_sdxl(tmp_path_factory.mktemp("residency") / "sdxl")


@pytest.fixture
def other(folder: Path, tmp_path: Path) -> Path:
    """The same checkpoint in another place, with another denoiser."""
    copy = Path(shutil.copytree(folder, tmp_path / "other"))
    weights = copy / "unet" / "diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-4] + b"\x00\x00\x80\x3f")
    return copy


def model_named(name: str) -> Model:
    return Model(**{**vars(model_of("sdxl")), "name": name})


def residency_of(device: int = PLENTY, host: int = PLENTY, **how: object) -> Residency:
    """A device with a host beside it; both are this machine's memory, each with a budget of its own."""
    return Residency(
        DiffusionOptions(),
        device=Place("device", CPU, device, strict=bool(how.pop("strict", False))),
        host=Place("host", CPU, host),
        **how,  # type: ignore[arg-type]
    )


def size_of(folder: Path, name: str) -> int:
    residency = residency_of()
    with residency.parts(model_of("sdxl"), folder).use(name):
        return residency.stats().device_bytes


def test_a_component_is_loaded_once_and_then_at_hand(folder: Path) -> None:
    residency = residency_of()
    parts = residency.parts(model_of("sdxl"), folder)

    for _ in range(3):
        with parts.use("unet") as unet:
            assert not unet.training

    stats = residency.stats()
    assert (stats.loads, stats.moves, stats.components) == (1, 1, 1)
    assert stats.device_bytes == stats.host_bytes == sum(p.nelement() * 4 for p in unet.parameters())


def test_tokenizers_and_schedulers_are_kept_beside(folder: Path) -> None:
    residency = residency_of()
    parts = residency.parts(model_of("sdxl"), folder)

    with parts.use("tokenizer") as first, parts.use("tokenizer") as again:
        assert first is again
    assert parts.has("scheduler")
    assert not parts.has("transformer")
    assert residency.stats().components == 0


def test_models_share_what_is_the_same_and_keep_their_own_denoiser(folder: Path, other: Path) -> None:
    residency = residency_of()
    one, two = residency.parts(model_named("one"), folder), residency.parts(model_named("two"), other)

    for name in ("text_encoder", "vae", "unet"):
        with one.use(name) as first, two.use(name) as second:
            assert (first is second) == (name != "unet")

    stats = residency.stats()
    assert (stats.loads, stats.shared) == (4, 2)


def test_components_with_other_weights_or_settings_are_not_shared(folder: Path, other: Path) -> None:
    weights = other / "vae" / "diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-4] + b"\x00\x00\x80\x3f")
    config = other / "text_encoder" / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"layer_norm_eps": 1e-4}))
    residency = residency_of()
    one, two = residency.parts(model_named("one"), folder), residency.parts(model_named("two"), other)

    for name in ("text_encoder", "vae"):
        with one.use(name) as first, two.use(name) as second:
            assert first is not second


def test_what_is_idle_makes_way_and_comes_back_from_the_host_the_same(folder: Path) -> None:
    unet, vae = size_of(folder, "unet"), size_of(folder, "vae")
    residency = residency_of(device=max(unet, vae))
    parts = residency.parts(model_of("sdxl"), folder)
    with parts.use("unet") as part:
        before = {name: value.clone() for name, value in part.state_dict().items()}
    with parts.use("vae"):
        assert residency.stats().device_bytes == vae

    with parts.use("unet") as part:
        assert all(torch.equal(value, before[name]) for name, value in part.state_dict().items())

    stats = residency.stats()
    assert (stats.loads, stats.moves, stats.evictions) == (2, 3, 2)
    assert stats.device_bytes == unet
    assert stats.host_bytes == unet + vae


def test_nothing_in_use_is_moved(folder: Path) -> None:
    residency = residency_of(device=1)
    parts = residency.parts(model_of("sdxl"), folder)

    with parts.use("unet") as unet, parts.use("vae"):
        assert residency.stats().evictions == 0
        residency.free_idle()
        assert residency.stats().evictions == 0
        assert unet.conv_in.weight.shape[0] == 16
    residency.free_idle()

    assert residency.stats().device_bytes == 0


def test_a_full_host_forgets_what_is_least_worth_its_bytes(folder: Path) -> None:
    now = [0.0]
    sizes = {name: size_of(folder, name) for name in ("unet", "vae", "text_encoder")}
    residency = residency_of(device=1, host=sum(sizes.values()) - 1, clock=lambda: now[0])
    parts = residency.parts(model_of("sdxl"), folder)
    for name in ("unet", "vae"):
        with parts.use(name):
            pass
    now[0] = 36_000.0  # ten hours later only the decoder is still in use
    for _ in range(5):
        with parts.use("vae"):
            pass

    with parts.use("text_encoder"):
        pass
    with parts.use("vae"):
        pass

    loads = residency.stats().loads
    assert loads == 3
    with parts.use("unet"):
        assert residency.stats().loads == loads + 1


def test_pinned_models_stay(folder: Path, other: Path) -> None:
    residency = residency_of(device=size_of(folder, "unet"), pinned={"one"})
    one, two = residency.parts(model_named("one"), folder), residency.parts(model_named("two"), other)
    with one.use("unet"):
        pass

    with two.use("unet"):
        pass
    with one.use("unet"):
        pass

    assert residency.stats().moves == 2


def test_room_for_activations_is_left(folder: Path) -> None:
    unet, vae = size_of(folder, "unet"), size_of(folder, "vae")
    residency = residency_of(device=unet + vae)
    parts = residency.parts(model_of("sdxl"), folder)
    residency.reserve_for(2)

    with parts.use("unet"):
        pass
    with parts.use("vae"):
        pass

    assert residency.stats().device_bytes == vae


def test_more_room_for_activations_is_made_at_once_and_refuses_nobody(folder: Path) -> None:
    unet, vae = size_of(folder, "unet"), size_of(folder, "vae")
    residency = residency_of(device=unet + vae, strict=True)
    parts = residency.parts(model_of("sdxl"), folder)
    with parts.use("vae"):
        pass

    with parts.use("unet"):
        residency.reserve_for(1)
        assert residency.stats().device_bytes == unet
        residency.reserve_for(unet + vae)
    with parts.use("vae") as part:
        assert part.dtype == torch.float32

    residency.reserve_for(0)
    assert residency.stats().reserve == 0


def test_what_comes_beside_a_checkpoint_counts_makes_way_and_comes_back(folder: Path) -> None:
    unet = size_of(folder, "unet")
    residency = residency_of(device=unet)
    parts = residency.parts(model_of("sdxl"), folder)
    reads: list[int] = []

    def read() -> torch.nn.Linear:
        reads.append(1)
        return torch.nn.Linear(4, 4, bias=False)

    with parts.added("control", read) as first:
        before = first.weight.clone()
        assert residency.stats().device_bytes == 64
    with parts.use("unet"):
        assert residency.stats().device_bytes == unet
    with parts.added("control", read) as again:
        assert torch.equal(again.weight, before)

    assert len(reads) == 1
    assert residency.stats().models == 1


def test_weights_that_were_added_to_a_network_count_when_room_is_made(folder: Path) -> None:
    unet, vae = size_of(folder, "unet"), size_of(folder, "vae")
    residency = residency_of(device=unet + vae)
    parts = residency.parts(model_of("sdxl"), folder)
    with parts.use("unet") as network:
        network.register_parameter("later", torch.nn.Parameter(torch.ones(1)))

    with parts.use("vae"):
        assert residency.stats().device_bytes == vae


def test_figures_are_told_while_somebody_loads() -> None:
    residency = residency_of()
    told: list[int] = []
    with residency.lock:
        thread = threading.Thread(target=lambda: told.append(residency.stats().components))
        thread.start()
        thread.join(10)

        assert told == [0]


def test_more_than_the_operator_allows_is_refused(folder: Path) -> None:
    residency = residency_of(device=1000, strict=True)

    with (
        pytest.raises(Unavailable, match="BRUSHWORK_MEMORY_GB"),
        residency.parts(model_of("sdxl"), folder).use("unet"),
    ):
        pass


class Tight(Residency):
    """A device that is full on the first tries."""

    failures = 1

    def move(self, component: object) -> None:
        if self.failures:
            self.failures -= 1
            raise torch.OutOfMemoryError("CUDA out of memory")
        super().move(component)  # type: ignore[arg-type]


def test_a_device_that_is_fuller_than_thought_is_emptied_and_tried_once_more(folder: Path) -> None:
    residency = Tight(DiffusionOptions(), device=Place("device", CPU, PLENTY), host=Place("host", CPU, PLENTY))
    parts = residency.parts(model_of("sdxl"), folder)
    residency.failures = 0
    with parts.use("vae"):
        pass

    residency.failures = 1
    with parts.use("unet"):
        assert residency.stats().evictions == 1
    residency.failures = 2
    with pytest.raises(Unavailable, match="no room"), parts.use("vae"):
        pass
    with parts.use("vae") as vae:
        assert vae.dtype == torch.float32


def test_whoever_else_is_on_a_full_device_is_asked_to_let_go(folder: Path) -> None:
    residency = Tight(DiffusionOptions(), device=Place("device", CPU, PLENTY), host=Place("host", CPU, PLENTY))
    asked: list[str] = []
    residency.neighbours.append(lambda: asked.append("describer"))

    with residency.parts(model_of("sdxl"), folder).use("unet") as unet:
        assert asked == ["describer"]
        assert unet.dtype == torch.float32


def test_adapters_that_came_later_survive_a_move(folder: Path) -> None:
    residency = residency_of()
    parts = residency.parts(model_of("sdxl"), folder)
    with parts.use("unet") as unet:
        unet.register_parameter("later", torch.nn.Parameter(torch.ones(3)))

    residency.free_idle()

    with parts.use("unet") as unet:
        assert torch.equal(unet.later, torch.ones(3))


def test_a_removed_model_is_forgotten(folder: Path, other: Path) -> None:
    residency = residency_of()
    one, two = residency.parts(model_named("one"), folder), residency.parts(model_named("two"), other)
    with one.use("vae"), two.use("vae"), two.use("unet"):
        pass

    residency.forget("two")

    assert residency.stats().components == 1


def test_two_threads_get_the_same_component(folder: Path) -> None:
    residency = residency_of()
    parts = residency.parts(model_of("sdxl"), folder)
    seen: list[object] = []

    def look() -> None:
        with parts.use("vae") as vae:
            seen.append(vae)

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(seen) == 4
    assert len(set(map(id, seen))) == 1
    assert residency.stats().loads == 1


def test_one_memory_is_one_place() -> None:
    device = device_place(DiffusionOptions(device="cpu"))

    assert host_place(device) is None
    assert 0 < device.budget < 2**50
    assert not device.strict
    assert device_place(DiffusionOptions(memory_gb=3)).budget == 3 * 2**30


def test_without_a_host_beside_it_what_is_evicted_is_read_again(folder: Path) -> None:
    residency = Residency(DiffusionOptions(), device=Place("cpu", CPU, size_of(folder, "unet")))
    parts = residency.parts(model_of("sdxl"), folder)
    for name in ("unet", "vae", "unet"):
        with parts.use(name) as part:
            assert part.dtype == torch.float32

    stats = residency.stats()
    assert (stats.loads, stats.evictions, stats.host_bytes) == (3, 2, 0)


def test_weights_lie_side_by_side_and_as_they_lay() -> None:
    tensors = [
        torch.randn(5),
        torch.randn(3, 8, 2, 2).to(memory_format=torch.channels_last),
        torch.randn(4, 6).t(),
        torch.randn(10, 10)[::2],  # has gaps
        torch.randn(300),  # larger than a piece
        torch.tensor(1.5),
    ]
    before = [(tensor.clone(), tensor.stride()) for tensor in tensors]

    copies = laid_out(tensors, pinned=True, piece=512)

    for tensor, (value, stride) in zip(tensors, before, strict=True):
        assert torch.equal(tensor, value)
        assert tensor.stride() == stride
        assert copies[id(tensor)].data_ptr() == tensor.data_ptr()
        assert tensor.data_ptr() % 4 == 0
    storages = {tensor.untyped_storage().data_ptr() for tensor in tensors}
    assert len(storages) == 4  # two pieces, a large one, and the one with gaps


def save_eyes_and_control(root: Path, unet: Path) -> tuple[Adapter, ...]:
    return save_union(root / "union"), save_ip_adapter(root / "eyes", unet, plus=True)


@pytest.mark.parametrize("controlled", [False, True])
def test_a_family_draws_the_same_when_its_parts_take_turns(tmp_path: Path, controlled: bool) -> None:
    folder = save_zimage(tmp_path / "zimage")
    control = Control(RED, "canny", "union") if controlled else None
    model = model_of("zimage", save_control(tmp_path / "control"))

    draws_the_same(folder, model, Asked("the cat", guidance=3.0, steps=3, control=control))


def test_a_family_with_eyes_and_a_control_draws_the_same_when_its_parts_take_turns(
    folder: Path, tmp_path: Path
) -> None:
    model = model_of("sdxl", *save_eyes_and_control(tmp_path, folder / "unet"))

    draws_the_same(
        folder, model, Asked("the cat", guidance=3.0, steps=3, seen=(RED,), control=Control(RED, "tile", "union"))
    )


def draws_the_same(folder: Path, model: Model, asked: Asked) -> None:
    expected = drawn(family_of(ResidentParts(folder), model), asked)
    residency = residency_of(device=1)

    with torch.inference_mode():  # as in the loop's thread
        family = family_of(residency.parts(model, folder), model)
        first = drawn(family, asked)
        residency.free_idle()
        again = drawn(family, asked)

    assert float((first - expected).abs().max()) < 1e-5  # weights may lie in another order here
    assert torch.equal(again, first)
    assert residency.stats().evictions >= 2
