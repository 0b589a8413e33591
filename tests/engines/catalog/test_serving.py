"""Which model draws which version."""

from dataclasses import replace

from brushwork.engines.catalog.model import VERSIONS, Checkpoint, Licence, Model, Profile
from brushwork.engines.catalog.reading import read_catalog
from brushwork.engines.catalog.serving import missing_for, serving

CATALOG = read_catalog()
BASE = Model("base", "Base", "image", "sdxl", Checkpoint("a/b"), Licence("MIT"), vram_gb=10)


def model(name: str, vram_gb: float, **profiles: bool) -> Model:
    """With profiles v7=True for a fallback."""
    drawn = {version[1:]: Profile(version[1:], 9, 1, fallback=fallback) for version, fallback in profiles.items()}
    return replace(BASE, name=name, vram_gb=vram_gb, profiles=drawn)


def chosen(*models: Model, memory_gb: float = 0.0) -> str:
    return serving({each.name: each for each in models}, memory_gb=memory_gb)["7"].model.name


def test_the_model_that_suits_a_version_draws_it() -> None:
    assert chosen(model("first", 1, v7=True), model("suited", 1, v7=False)) == "suited"


def test_of_two_that_suit_equally_the_upper_one_draws() -> None:
    assert chosen(model("first", 1, v7=True), model("second", 1, v7=True)) == "first"


def test_a_model_that_fits_the_memory_goes_before_one_that_suits() -> None:
    large, small = model("large", 60, v7=False), model("small", 10, v7=True)

    assert chosen(large, small, memory_gb=24) == "small"
    assert chosen(large, small, memory_gb=80) == "large"
    assert chosen(large, small) == "large"


def test_a_model_that_does_not_fit_still_draws_when_it_is_alone() -> None:
    served = serving({"large": model("large", 60, v7=False)}, memory_gb=24)

    assert served["7"].model.name == "large"
    assert not served["7"].fits
    assert set(served) == {"7"}


def test_with_everything_installed_each_version_has_its_own_model() -> None:
    served = serving(CATALOG, memory_gb=80)

    assert {version: served[version].model.name for version in VERSIONS} == {
        "6": "sdxl",
        "6.1": "sdxl",
        "7": "z-image-turbo",
        "8": "z-image",
        "8.1": "qwen-image-2512",
        "niji 6": "animagine-xl-4",
    }


def test_one_model_alone_serves_every_version() -> None:
    assert set(serving({"z-image-turbo": CATALOG["z-image-turbo"]})) == set(VERSIONS)


def test_the_model_to_install_is_one_that_fits() -> None:
    large = missing_for("8.1", CATALOG, memory_gb=80)
    small = missing_for("8.1", CATALOG, memory_gb=24)

    assert large
    assert large.name == "qwen-image-2512"
    assert small
    assert small.name == "z-image"
    assert missing_for("7", {}) is None
