"""Which files are taken: data, never code; one variant; everything that is needed."""

from dataclasses import replace

import pytest

from brushwork.engines.catalog.hub import RemoteFile
from brushwork.engines.catalog.model import Adapter, Checkpoint, Licence, Model
from brushwork.engines.catalog.selecting import select
from brushwork.errors import Unavailable

LARCH = Model("larch", "Larch", "image", "sdxl", Checkpoint("someone/larch"), Licence("MIT"))

DANGEROUS = (
    "unet/model.bin", "unet/model.pt", "unet/model.pth", "unet/model.ckpt", "pipeline.py", "unet/modeling.py",
    "weights.pkl", "weights.msgpack", "run.sh", "model.h5", "model.npz", "unet/openvino.xml", ".gitattributes",
)  # fmt: skip


def files(*paths: str) -> list[RemoteFile]:
    return [RemoteFile(path, 1) for path in ("model_index.json", "unet/model.safetensors", *paths)]


def names(*paths: str, **checkpoint: object) -> list[str]:
    changed = replace(LARCH, checkpoint=replace(LARCH.checkpoint, **checkpoint))  # type: ignore[arg-type]
    return sorted(select(changed, files(*paths)))


@pytest.mark.parametrize("path", DANGEROUS)
def test_code_and_pickles_are_never_taken(path: str) -> None:
    assert names(path) == ["model_index.json", "unet/model.safetensors"]
    assert names(path, include=("*",)) == ["model_index.json", "unet/model.safetensors"]


def test_what_describes_the_weights_comes_along() -> None:
    beside = ["LICENSE", "LICENSE.md", "tokenizer/merges.txt", "tokenizer/spiece.model", "tokenizer/vocab.json"]

    assert set(beside) < set(names(*beside))


def test_onnx_comes_only_where_it_is_named() -> None:
    assert "onnx/model.onnx" not in names("onnx/model.onnx")
    assert "onnx/model.onnx" in names("onnx/model.onnx", include=("onnx/*", "model_index.json", "unet/*"))


def test_a_variant_is_taken_instead_and_kept_without_its_name() -> None:
    changed = replace(LARCH, checkpoint=Checkpoint("someone/larch", variant="fp16"))

    taken = select(changed, files("unet/model.fp16.safetensors", "vae/model.safetensors"))

    assert taken["unet/model.safetensors"].path == "unet/model.fp16.safetensors"
    assert taken["vae/model.safetensors"].path == "vae/model.safetensors"
    reversed_ = select(changed, files("unet/model.fp16.safetensors")[::-1])
    assert reversed_["unet/model.safetensors"].path == "unet/model.fp16.safetensors"


def test_a_variant_can_be_marked_with_an_underscore() -> None:
    union = Adapter(
        "union", "controlnet", Checkpoint("someone/union", variant="promax"), Licence("MIT"), file="net.safetensors"
    )

    taken = select(union, files("config.json", "config_promax.json", "net.safetensors", "net_promax.safetensors"))

    assert taken["config.json"].path == "config_promax.json"
    assert taken["net.safetensors"].path == "net_promax.safetensors"


def test_a_variant_in_parts_is_refused() -> None:
    with pytest.raises(Unavailable, match="a variant in several parts"):
        names("unet/model.fp16-00001-of-00002.safetensors", variant="fp16")


@pytest.mark.parametrize(
    ("model", "there", "said"),
    [
        (LARCH, ["model_index.json", "unet/model.bin"], "no weights in safetensors"),
        (LARCH, ["unet/model.safetensors"], "no model_index.json"),
        (
            replace(LARCH, checkpoint=Checkpoint("someone/larch", include=("a.safetensors",))),
            ["model_index.json"],
            "no a.safetensors, which larch needs",
        ),
        (
            Adapter("ink", "lora", Checkpoint("someone/ink"), Licence("MIT"), file="ink.safetensors"),
            ["other.safetensors"],
            "no ink.safetensors, which ink needs",
        ),
    ],
)
def test_what_is_needed_and_absent_is_named(model: Model | Adapter, there: list[str], said: str) -> None:
    with pytest.raises(Unavailable, match=said):
        select(model, [RemoteFile(path, 1) for path in there])
