"""Emoji in a prompt, read as the things they show.

An emoji is understood by its artwork, when that is among ours, or else by its Unicode name: "SPOUTING WHALE" is a
whale. Knows nothing of sentences.
"""

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache

from brushwork.engines.diorama.words.lexicon import TOKEN, concepts, look_up

JOINER, PRESENTATION = "\u200d", "\ufe0f"
FLAG = "\U0001f1e6-\U0001f1ff"
PICTURE = "\u231a-\u23f3\u2600-\u27bf\u2b00-\u2bff\U0001f300-\U0001f3fa\U0001f400-\U0001faff"
EMOJI = re.compile(
    f"[{PICTURE}][{PRESENTATION}\U0001f3fb-\U0001f3ff]*(?:{JOINER}[{PICTURE}\u2640\u2642\u2695\u2696\u2708]{PRESENTATION}?)*|[{FLAG}]{{2}}"
)
"""One emoji: a picture, its skin tone, and what is joined to it; or a flag, which is two letters."""


def spell_out(text: str) -> tuple[str, list[str]]:
    """(the text with its emoji as words, those that stand for nothing we know)."""
    unknown: list[str] = []

    def words(match: re.Match[str]) -> str:
        emoji = match.group()
        known = words_for(emoji)
        if not known:
            unknown.append(emoji)
        return f" {known}, " if known else " , "

    return EMOJI.sub(words, text), unknown


def words_for(emoji: str) -> str:
    """The phrase of the lexicon that an emoji stands for, or ""."""
    codes = [f"{ord(character):X}" for character in emoji if character != PRESENTATION]
    by_artwork = artwork_names()
    if whole := by_artwork.get("-".join(codes)):
        return whole
    profession = known_part(next((PROFESSIONS[part] for part in emoji[1:] if part in PROFESSIONS), ""))
    if profession or emoji[0] in BY_HAND:
        return profession or BY_HAND[emoji[0]]
    return by_artwork.get(codes[0]) or known_part(unicodedata.name(emoji[0], "").lower())


def known_part(name: str) -> str:
    """The longest phrase of an emoji's name that the lexicon knows; the later one of two: a whale, not its spouting."""
    words = TOKEN.findall(name)
    found = ""
    for start in range(len(words)):
        count, meanings = look_up(words, start)
        is_shown = any(meaning.group in SHOWN for meaning in meanings)
        if is_shown and count >= len(found.split()):
            found = " ".join(words[start : start + count])
    return found


SHOWN = frozenset({"subject", "place", "time", "weather", "season", "element"})
"""What an emoji's name may say of a picture. "With", "black" and "face" say nothing of it."""
PROFESSIONS: Mapping[str, str] = {
    "🚀": "astronaut", "🍳": "chef", "🌾": "farmer", "🚒": "firefighter", "⚕": "doctor", "🔬": "scientist",
    "🎤": "singer", "✈": "pilot", "🎓": "student", "🏫": "teacher", "🎨": "artist", "🔧": "mechanic", "⚖": "judge",
}  # fmt: skip
"""A person joined to one of these has that profession."""
BY_HAND: Mapping[str, str] = {"❄": "snow", "☃": "snowman", "⛄": "snowman", "🌊": "ocean", "🌠": "night sky"}
"""Emoji whose names say less than they show."""


@lru_cache(maxsize=1)
def artwork_names() -> Mapping[str, str]:
    """Code points, as `1F408-200D-2B1B`, → the concept drawn with that emoji's artwork."""
    table: dict[str, str] = {}
    for concept in concepts().values():
        for artwork in concept.artwork:
            source, _, codes = artwork.partition("-")
            if source in ("f", "n"):
                table.setdefault(codes.upper().replace("-FE0F", ""), concept.name)
    return table
