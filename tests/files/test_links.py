"""A link opens one file until it expires, and nothing else."""

import dataclasses
from urllib.parse import parse_qs, urlparse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brushwork.errors import FileNotFound
from brushwork.files.links import Links

NOW = 1_800_000_123.0
LINKS = Links("https://pictures.example", b"secret", seconds=86400)
FILE = "0123456789abcdef0123456789abcdef"


def parts(url: str) -> tuple[str, str]:
    query = parse_qs(urlparse(url).query)
    return query["expires"][0], query["signature"][0]


def test_a_link_works_for_its_time_and_an_hour_at_most_beyond() -> None:
    url = LINKS.link(FILE, "image/png", now=NOW)
    expires, signature = parts(url)

    assert url.startswith(f"https://pictures.example/files/{FILE}.png?")
    LINKS.check(FILE, expires=expires, signature=signature, now=NOW + 86400)
    with pytest.raises(FileNotFound, match="expired"):
        LINKS.check(FILE, expires=expires, signature=signature, now=NOW + 86400 + 3600)


def test_a_client_that_polls_sees_the_same_link() -> None:
    assert LINKS.link(FILE, "image/png", now=NOW) == LINKS.link(FILE, "image/png", now=NOW + 60)


def test_a_link_to_one_file_does_not_open_another() -> None:
    expires, signature = parts(LINKS.link(FILE, "image/png", now=NOW))

    with pytest.raises(FileNotFound):
        LINKS.check(FILE[::-1], expires=expires, signature=signature, now=NOW)


def test_a_link_cannot_be_prolonged() -> None:
    expires, signature = parts(LINKS.link(FILE, "image/png", now=NOW))

    with pytest.raises(FileNotFound):
        LINKS.check(FILE, expires=str(int(expires) + 1), signature=signature, now=NOW)


def test_another_secret_makes_other_links() -> None:
    expires, signature = parts(LINKS.link(FILE, "image/png", now=NOW))

    with pytest.raises(FileNotFound):
        dataclasses.replace(LINKS, secret=b"other").check(FILE, expires=expires, signature=signature, now=NOW)


@given(st.none() | st.text(), st.none() | st.text())
def test_any_other_query_is_refused(expires: str | None, signature: str | None) -> None:
    with pytest.raises(FileNotFound):
        LINKS.check(FILE, expires=expires, signature=signature, now=NOW)
