"""Four prompts that name what is in a picture: from what is known of it, else from what is believed of it.

Says nothing that is unlikely: where neither thing nor scenery is believed, colours, light and layout remain. The
phrases are such that the painter reads them back as the same thing. Knows no task.
"""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from PIL import Image

from brushwork.engines.diorama.recipe import shot_of
from brushwork.engines.diorama.scene import Scene, Subject, View
from brushwork.engines.diorama.words.lexicon import IRREGULAR, concepts
from brushwork.engines.diorama.words.reading import understand
from brushwork.engines.tools.tags import Tags, recognise

BELIEVED = {"concept": 0.3, "kind": 0.4, "name": 0.5, "count": 0.6, "place": 0.5, "hours": 0.75, "weather": 0.6,
            "style": 0.6}  # fmt: skip
"""Least probability of what is said."""
OURS, STRANGE = 0.05, 0.9
"""Without a painted thing, scenery and style are only said of a picture that is probably the painter's (this foreign at
most), and from this probability on: the network learned them from painted pictures, and is too sure of photographs."""
PHOTOGRAPH = 0.6
"""From here on (foreign, or of a kind of thing) a picture without a painted thing is called a photograph."""
BLANK = 0.04
"""Contrast of a picture that shows nothing."""
GREY = 0.06
"""Saturation of a picture without colours."""
SLACK = 0.3
"""Units above and below the window: the ground may lie higher or lower than the scene says."""
NUMBERS = {2: "two", 3: "three", 4: "four", 5: "five", 6: "six", 7: "seven", 8: "eight", 9: "nine", 10: "ten"}
PLACES = {
    "mountains": "in the mountains", "snow_peaks": "before snow capped mountains", "hills": "in rolling hills",
    "meadow": "in a meadow", "flower_field": "in a field of flowers", "lavender_field": "in a lavender field",
    "wheat_field": "in a wheat field", "forest": "in a forest", "autumn_forest": "in an autumn forest",
    "winter_forest": "in a snowy forest", "jungle": "in the jungle", "desert": "in the desert",
    "canyon": "in a canyon", "lake": "by a lake", "river": "at a river", "waterfall": "at a waterfall",
    "sea": "at sea", "beach": "on a beach", "island": "at a tropical island", "volcano": "near a volcano",
    "arctic": "in the arctic", "mars": "on mars", "moon": "on the lunar surface", "space": "in outer space",
    "city_street": "in a city street", "skyline": "before a city skyline", "cyberpunk": "in a cyberpunk city",
    "village": "in a village", "castle_grounds": "in a castle garden", "underwater": "under the sea",
    "studio": "on a plain background", "sky": "in the sky",
}  # fmt: skip
TIMES = {
    "dawn": "at dawn", "morning": "in the morning", "noon": "at noon", "afternoon": "in the afternoon",
    "golden_hour": "at golden hour", "sunset": "at sunset", "dusk": "at dusk", "night": "at night",
    "midnight": "at midnight",
}  # fmt: skip
HOURS = {**TIMES, "day": "in daylight"}
WEATHERS = {
    "cloudy": "fluffy clouds", "overcast": "overcast sky", "rain": "rain", "snow": "falling snow", "fog": "morning fog",
    "storm": "thunderstorm", "aurora": "northern lights", "rainbow": "a rainbow", "windy": "windy",
}  # fmt: skip
STYLES = {
    "photo": "photograph", "watercolor": "watercolor painting", "oil": "oil painting", "pixel": "pixel art",
    "pencil": "pencil drawing", "ukiyo_e": "japanese woodblock print", "flat": "flat illustration",
    "anime": "anime style", "mono": "black and white photograph", "low_poly": "low poly art", "neon": "synthwave",
    "vintage": "vintage photo", "pop_art": "pop art", "clay": "claymation",
}  # fmt: skip
MADE = ("painting", "art", "drawing", "print", "illustration", "photograph", "photo")
"""Ends of styles that can be "of" something."""
SAFE = {"orange": "amber"}
"""Colours that would be read as fruit."""
SAME = frozenset({"deer", "sheep", "fish", "bison", "shrimp", "squid", "salmon"})
"""One or many."""
SEASONLESS = frozenset({
    "studio", "space", "moon", "mars", "underwater", "desert", "cyberpunk", "sky", "winter_forest", "snow_peaks",
    "autumn_forest", "arctic",
})  # fmt: skip
"""Places that have none, or say it by their name."""
TIMELESS = frozenset({"studio", "space", "underwater"})


@dataclass(frozen=True)
class Seen:
    """What is going to be said. Empty where nothing is known or believed."""

    things: tuple[str, ...] = ()
    """With number and colour, the hero first: "a red fox", "three balloons"."""
    place: str = ""
    time: str = ""
    weather: str = ""
    season: str = ""
    style: str = ""
    mood: str = ""
    """A palette of the whole picture."""
    light: str = ""
    colours: tuple[str, ...] = ()
    where: str = ""


def describe(image: Image.Image, *, facts: Mapping[str, Any] | None = None) -> tuple[str, str, str, str]:
    """Four different prompts, without parameters. `facts` is the recipe of a picture of our own; it is used as long as
    the picture still shows what its recipe says."""
    tags, shot = recognise(image), shot_of(facts)
    return told(known_of(shot.scene, shot.view, tags) if shot else seen_of(tags))


# ---------------------------------------------------------------- what is known


def known_of(scene: Scene, view: View, tags: Tags) -> Seen:
    """The truth of a scene; only light and colours are measured."""
    subjects = sorted((one for one in scene.subjects if shown(one, scene, view)), key=lambda one: -one.height / one.z)
    groups = Counter((one.concept, one.colour) for one in subjects)
    timeless = scene.place in TIMELESS
    seasonless = scene.season == "summer" or scene.place in SEASONLESS
    return Seen(
        things=tuple(thing(name, count, colour) for (name, colour), count in groups.items()),
        place=PLACES[scene.place],
        time="" if timeless else TIMES[scene.time],
        weather="" if timeless else WEATHERS.get(scene.weather, ""),
        season="" if seasonless else f"in {scene.season}",
        style=STYLES.get(scene.style, ""),
        mood=mood_words(scene.palette),
        light=light_words(tags),
        colours=colour_words(tags),
        where=side_of(subjects[0], scene, view) if len(subjects) == 1 else "",
    )


def shown(subject: Subject, scene: Scene, view: View) -> bool:
    """Whether its middle lies in the window, and it is more than the rock on which another stands."""
    across = subject.x * scene.focal / subject.z
    slope = (subject.lift + subject.height / 2 - scene.eye) / subject.z
    down = (math.tan(math.radians(scene.pitch)) - slope) * scene.focal
    inside = view.left < across < view.right and view.top - SLACK < down < view.bottom + SLACK
    return inside and not (subject.concept == "rock" and subject.lift < 0)


def side_of(subject: Subject, scene: Scene, view: View) -> str:
    """Left or right third of the window."""
    share = (subject.x * scene.focal / subject.z - view.left) / (view.right - view.left)
    return "on the left" if share < 0.33 else "on the right" if share > 0.67 else ""


def mood_words(palette: str | None) -> str:
    """As the dictionary knows it: "teal_orange" is said "teal and orange"."""
    if not palette:
        return ""
    return "teal and orange" if palette == "teal_orange" else f"{SAFE.get(palette, palette)} colors"


# ---------------------------------------------------------------- what is believed


def seen_of(tags: Tags) -> Seen:
    """Only what is likely enough."""
    if tags.light.contrast < BLANK:
        return Seen(light=light_words(tags), colours=colour_words(tags))
    named = tags.concepts[0] if tags.concepts else ("", 0.0)
    painted = named[1] >= BELIEVED["concept"]
    natural = tags.kind[1] >= BELIEVED["kind"]
    things: tuple[str, ...] = ()
    if painted:
        number = tags.count[0] if tags.count[1] >= BELIEVED["count"] else 1
        things = (thing(named[0], max(number, 1), None),)
    elif natural:
        name, probability = tags.kinds[0] if tags.kinds else tags.kind
        things = (with_article(known_as(name, tags.kind[0]) if probability >= BELIEVED["name"] else tags.kind[0]),)
    ours = painted or (tags.foreign < OURS and not natural)

    def said(head: str, phrases: Mapping[str, str]) -> str:
        name, probability = getattr(tags, head)
        return phrases.get(name, "") if ours and probability >= (BELIEVED[head] if painted else STRANGE) else ""

    photograph = not painted and max(tags.foreign, tags.kind[1]) >= PHOTOGRAPH
    grey = tags.light.saturation < GREY
    style = "photograph" if photograph else said("style", STYLES)
    return Seen(
        things=things,
        place=said("place", PLACES),
        time="" if grey else said("hours", HOURS),
        weather=said("weather", WEATHERS),
        style=STYLES["mono"] if grey and not painted else style,
        mood="" if painted else tone_words(tags),
        light=light_words(tags),
        colours=() if grey else colour_words(tags),
        where="" if tags.where == "centre" else f"on the {tags.where}",
    )


def known_as(name: str, kind: str) -> str:
    """A class with its kind, where its name alone says nothing to the painter: "Egyptian Mau cat"."""
    return f"{name} {kind}" if understand(name).unknown and kind.lower() not in name.lower() else name


def tone_words(tags: Tags) -> str:
    """Of pictures that are not ours, whose palette nobody chose."""
    light = tags.light
    if light.brightness < 0.25:
        return "dark and moody"
    if light.saturation < 0.2:
        return "muted colors"
    return "vibrant colors" if light.saturation > 0.6 else ""


def light_words(tags: Tags) -> str:
    """Words that the painter takes as praise, so that they tint nothing."""
    light = tags.light
    strength = "dramatic" if light.brightness < 0.35 else "natural" if light.brightness > 0.6 else "gentle"
    return f"{strength} light, high contrast" if light.contrast > 0.75 else f"{strength} light"


def colour_words(tags: Tags) -> tuple[str, ...]:
    return tuple(SAFE.get(name, name) for name, share in tags.colours[:3] if share > 0.12)


# ---------------------------------------------------------------- words


def thing(concept: str, count: int, colour: str | None) -> str:
    """A thing as the painter reads it back: "a red fox", "three sheep"."""
    word = word_for(concept)
    if count == 1:
        return with_article(f"{colour} {word}" if colour else word)
    number = NUMBERS.get(count, "many")
    return " ".join(part for part in (number, colour, plural_for(concept, word)) if part)


@lru_cache(maxsize=1024)
def word_for(concept: str) -> str:
    """Its name, or the first other word that is not read as something else."""
    row = concepts()[concept]
    candidates = (concept, *row.words)
    return next((word for word in candidates if reads_as(f"a {word}, at noon", concept, 1)), concept)


@lru_cache(maxsize=1024)
def plural_for(concept: str, word: str) -> str:
    if word in SAME:
        return word
    ending = "es" if word.endswith(("s", "x", "ch", "sh", "z")) else "s"
    many = f"{word[:-1]}ies" if word.endswith("y") and word[-2:-1] not in "aeiou" else f"{word}{ending}"
    many = next((plural for plural, single in IRREGULAR.items() if single == word), many)
    return many if reads_as(f"four {many}, at noon", concept, 4) else word


def reads_as(text: str, concept: str, count: int) -> bool:
    return [(mention.concept, mention.count) for mention in understand(text).mentions] == [(concept, count)]


def with_article(words: str) -> str:
    return f"{'an' if words[0].lower() in 'aeiou' else 'a'} {words}"


def told(seen: Seen) -> tuple[str, str, str, str]:
    """A sentence, a caption that begins with the style, a composition, and a list. Four ways to say one thing."""
    things, first = " and ".join(seen.things), joined(" ", *seen.things[:1], seen.where)
    shades = f"in shades of {' and '.join(seen.colours[:2])}" if seen.colours else ""
    whole = things or ("a scene" if seen.place else joined(" ", "a composition", shades))
    scenery = joined(" ", seen.place, seen.season, seen.time)
    plain = f"{seen.colours[0]} tones" if seen.colours else ""
    made = seen.style if seen.style.endswith(MADE) else joined(" ", seen.style or "a", "picture")
    return (
        joined(", ", joined(" ", whole, scenery), seen.weather, seen.mood, seen.style),
        joined(", ", f"{made} of {joined(' ', whole, seen.place)}", seen.season, bare(seen.time), seen.weather,
               seen.light, "" if shades in whole else shades),
        joined(", ", first if things else whole, *seen.things[1:], seen.weather, scenery, seen.mood,
               seen.light, "balanced composition", seen.style),
        joined(", ", things, bare(seen.place), bare(seen.season), bare(seen.time), seen.weather, seen.style,
               seen.mood or plain, "highly detailed"),
    )  # fmt: skip


def joined(between: str, *parts: str) -> str:
    return between.join(part for part in parts if part)


def bare(phrase: str) -> str:
    """Without the small words in front: "in a snowy forest" → "snowy forest"."""
    words = phrase.split()
    while words and words[0] in ("in", "on", "at", "by", "a", "an", "the", "before", "near"):
        words = words[1:]
    return " ".join(words)
