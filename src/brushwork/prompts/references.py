"""URLs and what points at pictures: the image URLs in front, and the items of `--sref`, `--cref`, `--oref` and `--end`.

Checks how a URL is written, never what is behind it: whoever fetches guards against private networks.
"""

import re
from socket import AF_INET6, inet_pton
from urllib.parse import urlsplit

from brushwork.prompts.findings import bad_value, shown
from brushwork.prompts.prompt import Reference
from brushwork.prompts.tokens import PUNCTUATION, URL_START

LONGEST_URL = 1024
HIGHEST_CODE = 4294967295
HEAVIEST = 1000.0

WEIGHT = r"[+\-\u2212]?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)"

COMMON_URL = re.compile(
    r"""https?://[a-z0-9](?:[a-z0-9._-]*[a-z0-9.])?(?::(?P<port>[0-9]{1,5}))?(?:[/?\#][^\\"<>`{}]*)?""",
    re.IGNORECASE | re.VERBOSE,
)
"""A host name or IPv4 address without user info: nearly every URL, decided without the standard library's parser."""

IPV6_URL = re.compile(
    r"""https?://\[(?P<address>[0-9a-f:.]{2,45})\](?:[/?\#][^\\"<>`{}]*)?""", re.IGNORECASE | re.VERBOSE
)

UNSAFE = re.compile(r"""[\\"<>`{}]""")
"""Characters that no URL has, and that programs read in different ways."""

IS_URL = re.compile(URL_START)
WEIGHT_TAIL = re.compile(rf"::(?P<weight>{WEIGHT})?")
CODE = re.compile(r"[0-9]+")
REFERENCE = re.compile(rf"{URL_START}|[0-9]+(?:::.*)?$|random(?:::.*)?$", re.IGNORECASE)


def is_url(word: str) -> bool:
    return IS_URL.match(word) is not None


def looks_like_a_reference(word: str) -> bool:
    return REFERENCE.match(word) is not None


def url_problem(url: str) -> str | None:
    """What is wrong with a URL, as the end of a sentence; None when it is fine."""
    if len(url) > LONGEST_URL:
        return f"has {len(url)} characters; at most {LONGEST_URL} are possible"
    common = COMMON_URL.fullmatch(url)
    if common:
        return None if int(common["port"] or 1) in range(1, 65536) else "has an impossible port"
    address = IPV6_URL.fullmatch(url)
    if address:
        return None if is_ipv6(address["address"]) else "has an impossible address"
    if UNSAFE.search(url):
        return 'holds a character that no URL has (one of \\ " < > ` { })'
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return "has an impossible host or port"
    if "@" in parts.netloc:
        return "holds user info before the host; leave it out"
    if not host or "%" in host or not any(character.isalnum() for character in host) or port == 0:
        return "has no host that could be looked up"
    return None


def is_ipv6(address: str) -> bool:
    try:
        inet_pton(AF_INET6, address)
    except OSError:
        return False
    return True


def url_of(word: str) -> str:
    """The word as a URL, or the error that says what is wrong with it."""
    problem = url_problem(word)
    if problem:
        raise bad_value("invalid_url", f"The URL {shown(word)} {problem}.")
    return word


def number_of(text: str) -> float:
    """A written weight as a number; U+2212 is a minus."""
    return float(text.replace("\u2212", "-")) + 0.0  # -0 is 0


def weighted(word: str) -> tuple[str, float]:
    """Split `item::2` into the item and its weight; 1 where none is written."""
    position = word.rfind("::")
    match = WEIGHT_TAIL.fullmatch(word, position) if position > 0 else None
    if not match:
        return word, 1.0
    return word[:position], number_of(match["weight"] or "1")


def reference_of(word: str, *, codes: bool) -> Reference:
    """One item of a list of references."""
    item, weight = weighted(word)
    item = item.rstrip(PUNCTUATION)
    if abs(weight) > HEAVIEST:
        raise bad_value("out_of_range", f"The weight of {shown(word)} is beyond {HEAVIEST:.0f}.")
    if is_url(item):
        return Reference(url=url_of(item), weight=weight)
    item = item.lower()
    if codes and item == "random":
        return Reference(random=True, weight=weight)
    if codes and CODE.fullmatch(item):
        digits = item.lstrip("0")
        if not digits or len(digits) > 10 or int(digits) > HIGHEST_CODE:
            raise bad_value("out_of_range", f"The style code {shown(item)} is not one from 1 to {HIGHEST_CODE}.")
        return Reference(code=int(digits), weight=weight)
    possible = "image URLs, style codes and `random`" if codes else "image URLs"
    raise bad_value("invalid_value", f"{shown(word)} is none of these: {possible}.")
