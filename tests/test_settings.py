"""Settings work as they are, and bad ones name themselves."""

import pytest
from pydantic import ValidationError

from brushwork.settings import Settings


def test_every_setting_has_a_default_and_a_sentence() -> None:
    for name, field in Settings.model_fields.items():
        assert not field.is_required(), name
        assert field.description, name
        assert field.description.endswith("."), name


def test_a_setting_is_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRUSHWORK_PORT", "9001")

    assert Settings().resolved_public_url == "http://127.0.0.1:9001"


def test_listening_on_every_card_still_links_to_an_address_that_can_be_opened() -> None:
    assert Settings(host="0.0.0.0", port=80).resolved_public_url == "http://127.0.0.1:80"


def test_the_public_url_loses_its_slash_and_must_be_http() -> None:
    assert Settings(public_url="https://pictures.example/").resolved_public_url == "https://pictures.example"
    with pytest.raises(ValidationError, match="http"):
        Settings(public_url="pictures.example")


def test_the_database_and_the_store_live_in_the_data_folder_by_default() -> None:
    settings = Settings()

    assert settings.resolved_database_url.startswith(f"sqlite:///{settings.data_dir}")
    assert settings.resolved_store_url == f"file://{settings.data_dir}/files"


NUMBERS = {name: field for name, field in Settings.model_fields.items() if field.annotation is float}
USELESS = ("inf", "nan", "1e300", "-1", "0")


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, value) for name, field in NUMBERS.items() for value in USELESS if field.default != float(value)],
)
def test_numbers_that_no_clock_or_disk_can_follow_are_refused(name: str, value: str) -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate({name: value})
