"""Names and descriptions: what people see of them must be all that is in them. Knows nothing of what is named.

A name that holds an invisible character looks like another one; one that turns the direction of writing can make a
line of an invoice or of a terminal say what it does not. Control characters can do worse to a terminal.
"""

JOINERS = "\u200c\u200d"
"""Between two letters or pictures they are spelling, in Persian and in emoji of several parts."""
UNSEEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0")
"""Fillers that count as letters, marks or signs, and show nothing."""


def unseen_in(text: str, *, breaks: str = "") -> str | None:
    """The first character that cannot be seen or turns others around; `breaks` are fine. None when there is none."""
    for place, character in enumerate(text):
        if character in breaks or (character.isprintable() and character not in UNSEEN):
            continue
        if character in JOINERS and joins(text, place):
            continue
        return character
    return None


def joins(text: str, place: int) -> bool:
    """Whether there is something to join on both sides, and not of a script that is never joined."""
    sides = text[place - 1 : place] + text[place + 1 : place + 2]
    return len(sides) == 2 and all(side.isprintable() and not side.isascii() for side in sides)


def visible(text: str, *, breaks: str = "") -> str:
    """The text. Raises ValueError with the end of a sentence that begins with the field's name."""
    if (unseen := unseen_in(text, breaks=breaks)) is not None:
        raise ValueError(f"must be printable characters; U+{ord(unseen):04X} is not")
    return text


def fit_name(text: str) -> str:
    """The name without spaces around it. Raises ValueError as `visible` does."""
    if not text.strip():
        raise ValueError("must not be empty")
    return visible(text.strip(" "))
