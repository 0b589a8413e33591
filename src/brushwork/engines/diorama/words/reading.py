"""From a prompt's words to what they ask for: subjects with counts and colours, a place, a time, a style; and what
was not understood.

Pure and linear in the length of the text. Knows nothing of where things will stand (see layout/).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from brushwork.engines.diorama.words.emoji import spell_out
from brushwork.engines.diorama.words.forbidden import ALSO, CONTENT, denials, forbid
from brushwork.engines.diorama.words.lexicon import TOKEN, Meaning, concepts, look_up
from brushwork.engines.diorama.worlds.places import PLACES, shows

SCENERY = frozenset({"place", "time", "weather", "season", "palette", "style", "element"})
WEARABLE = frozenset({
    "dress", "kimono", "sneaker", "hiking boot", "high heel", "crown", "sun hat", "top hat", "glasses", "sunglasses",
    "backpack", "handbag", "headphones", "ring", "watch",
})  # fmt: skip
"""Worn rather than standing beside its wearer."""
VESSELS = frozenset({
    "canoe", "sailboat", "speedboat", "bathtub", "basket", "bucket", "bed", "sofa", "coffee", "honey pot", "amphora",
    "sled", "hot air balloon", "treasure chest", "package", "gift", "teapot",
})  # fmt: skip
"""What one can be in and still be seen."""
PREPOSITIONS = frozenset({"on", "in", "at", "by", "under", "over", "near", "with", "from", "beside", "of"})
NATURAL = frozenset({
    ("green", "place"), ("blue", "time"), ("white", "season"), ("white", "weather"), ("grey", "weather"),
    ("gold", "time"), ("orange", "time"), ("red", "time"), ("yellow", "time"), ("black", "weather"),
    ("orange", "season"), ("gold", "season"), ("green", "element"), ("white", "element"), ("red", "season"),
    ("brown", "place"), ("gold", "place"), ("blue", "place"), ("white", "place"), ("black", "time"),
    ("grey", "element"), ("yellow", "place"), ("teal", "element"), ("blue", "element"), ("pink", "element"),
})  # fmt: skip
"""(colour, group) pairs that say what is so anyway: green hills, a golden sunset. Other pairs tint the picture."""
TOPPINGS = frozenset({
    "candle", "mushroom", "cheese", "tomato", "onion", "garlic", "strawberry", "cherries", "blueberries", "chocolate",
    "chili", "bell pepper", "egg", "shrimp", "broccoli",
})  # fmt: skip
"""With a dish they are part of it, and the dish is drawn as it is."""
MOST_UNKNOWN = 24


@dataclass(frozen=True)
class Mention:
    """A subject as the words ask for it."""

    concept: str
    count: int = 1
    colour: str | None = None
    size: float = 1.0
    position: str | None = None
    pose: str | None = None
    weight: float = 1.0
    owner: int = 0
    """Which of the prompt's segments it came from."""


@dataclass(frozen=True)
class Relation:
    """How mention `a` stands to mention `b`: left_of, beside, behind, above, under, on, in, holds, …"""

    kind: str
    a: int
    b: int


@dataclass(frozen=True)
class Understanding:
    """All that a text asks for. None and empty mean that it does not say."""

    mentions: tuple[Mention, ...] = ()
    relations: tuple[Relation, ...] = ()
    place: str | None = None
    time: str | None = None
    weather: str | None = None
    season: str | None = None
    style: str | None = None
    palette: str | None = None
    camera: str | None = None
    elements: tuple[tuple[str, float], ...] = ()
    """(what the place brings, factor): ("trees", 1.5)."""
    forbidden: frozenset[str] = field(default_factory=frozenset)
    unknown: tuple[str, ...] = ()
    """Words that were not understood, or stand for a thing that can only be drawn as something near it."""
    left_out: tuple[str, ...] = ()
    """Places that were asked for besides the one that is drawn, and are not to be seen in it."""


PLACE_RANK = {
    name: rank
    for rank, name in enumerate((
        "underwater", "moon", "mars", "space", "cyberpunk", "waterfall", "volcano", "castle_grounds", "village",
        "island", "river", "beach", "lake", "canyon", "arctic", "skyline", "city_street", "lavender_field",
        "flower_field",
        "wheat_field", "jungle", "winter_forest", "autumn_forest", "forest", "desert", "sea", "snow_peaks", "mountains",
        "hills", "meadow", "sky", "studio",
    ))
}  # fmt: skip
"""Of two places in one text the rarer names the picture; the other is often part of it (a lake in the mountains)."""
SEASONED = {
    ("forest", "winter"): "winter_forest", ("forest", "autumn"): "autumn_forest", ("mountains", "winter"): "snow_peaks",
    ("meadow", "winter"): "winter_forest", ("winter_forest", "autumn"): "winter_forest",
}  # fmt: skip


@dataclass
class Reader:
    """What is known while the words go by."""

    owner: int = 0
    weight: float = 1.0
    mentions: list[Mention] = field(default_factory=list)
    relations: list[Relation] = field(default_factory=list)
    found: dict[str, list[str]] = field(default_factory=dict)
    elements: list[tuple[str, float]] = field(default_factory=list)
    forbidden: set[str] = field(default_factory=set)
    unknown: list[str] = field(default_factory=list)
    palettes: list[str] = field(default_factory=list)
    count: int | None = None
    colour: str | None = None
    size: float = 1.0
    pose: str | None = None
    position: str | None = None
    relation: str | None = None
    denied: bool = False
    worn: bool = False
    inside: bool = False
    """Whether "in" was the last small word."""
    after_thing: bool = False
    """Whether the last word was a subject."""
    lost: bool = False
    """Whether the last word was not understood: the adjectives before it were its own."""
    of: bool = False
    """Whether the last word was "of", right after a mention: a basket of apples."""

    def read(self, text: str) -> None:
        text, nameless = spell_out(text)
        for emoji in nameless:
            self.not_known(f"emoji {emoji}")
        tokens = TOKEN.findall(text.lower())
        at = 0
        while at < len(tokens):
            token = tokens[at]
            if not token[0].isalnum():
                self.pause()
                at += 1
                continue
            count, meanings = look_up(tokens, at)
            phrase = " ".join(tokens[at : at + max(count, 1)])
            if not count:
                self.not_known(token)
                self.after_thing, self.lost = False, True
            else:
                self.lost = False
                for meaning in chosen(meanings, tokens, at + count, denied=self.denied):
                    self.take(meaning, phrase)
            at += max(count, 1)
        self.pause()

    def take(self, meaning: Meaning, phrase: str) -> None:
        """Act on one phrase."""
        group, value = meaning.group, meaning.value
        if self.denied and group in CONTENT | {"style", "palette"}:
            self.forbidden |= denials(meaning)
            self.denied = False
        elif group == "subject" or group == "nearest":
            if group == "nearest":
                self.not_known(phrase)
            self.mention(value, plural=meaning.plural, phrase=phrase)
        elif group == "count":
            self.count = int(value)
        elif group == "colour":
            self.colour = value
        elif group == "size":
            self.size = float(value)
        elif group == "relation":
            self.relation = value
            self.worn = phrase == "with"
            if phrase.split()[0] in ("flying", "soaring", "hovering", "floating") and self.mentions:
                self.posed("flying")
        elif group == "position":
            self.place_last(value)
        elif group == "pose":
            self.posed(value)
        elif group == "element":
            self.scenery(group, value)
            self.elements.append((value, 1.6))
        elif group in ("stop", "quality"):
            self.small_word(phrase)
        else:
            if group in CONTENT:
                self.scenery(group, value)
            self.found.setdefault(group, []).append(value)
        self.after_thing = group in ("subject", "nearest")
        if group not in ("stop", "quality"):
            self.of = False

    def small_word(self, phrase: str) -> None:
        self.denied = self.denied or phrase in ("no", "without")
        self.worn = self.worn or phrase == "in"
        self.inside = self.inside or phrase == "in"
        self.of = phrase == "of" and bool(self.mentions)

    def scenery(self, group: str, value: str) -> None:
        """A place or time took the adjectives before it."""
        if self.colour and (self.colour, group) not in NATURAL:
            self.palettes.append(self.colour)
        if self.relation == "above" and self.mentions and group == "place" and self.mentions[-1].pose is None:
            self.mentions[-1] = replace(self.mentions[-1], pose="flying")  # a dragon over a village
        if self.count and self.count > 1:
            self.elements.append((value, 1.5))
        self.count, self.colour, self.size, self.relation = None, None, 1.0, None

    def mention(self, concept: str, *, plural: bool, phrase: str) -> None:
        last = self.mentions[-1] if self.mentions else None
        if last and self.after_thing and last.owner == self.owner:
            self.compound(last, concept, plural=plural)
        elif (last and self.of) or (
            last and self.worn and concepts()[last.concept].kind == "food" and concept in TOPPINGS
        ):
            self.not_known(phrase)
        elif last and self.worn and concept in WEARABLE and concepts()[last.concept].kind in ("person", "animal"):
            self.wear(last, phrase)
        else:
            count = self.count if self.count and (self.count > 1 or not plural) else (3 if plural else 1)
            new = Mention(concept, count, self.colour, self.size, self.position, self.pose, self.weight, self.owner)
            if self.inside and concept in VESSELS:
                self.relation = "in"
            if self.relation and last:
                self.relations.append(Relation(self.relation, len(self.mentions) - 1, len(self.mentions)))
            self.mentions.append(new)
        self.count, self.colour, self.size, self.position, self.pose = None, None, 1.0, None, None
        self.relation, self.worn, self.inside = None, False, False

    def compound(self, last: Mention, concept: str, *, plural: bool) -> None:
        """Two nouns in a row: the second is the thing (a golden retriever puppy)."""
        if concepts()[last.concept].kind != concepts()[concept].kind:
            self.not_known(last.concept)
        count = 3 if plural and last.count == 1 else last.count
        self.mentions[-1] = replace(last, concept=concept, count=count)

    def wear(self, last: Mention, phrase: str) -> None:
        """A woman in a red dress: the colour is honoured, the cut is not."""
        if self.colour and not last.colour:
            self.mentions[-1] = replace(last, colour=self.colour)
        else:
            self.not_known(phrase)

    def place_last(self, position: str) -> None:
        if self.mentions and self.mentions[-1].position is None and self.count is None and self.colour is None:
            self.mentions[-1] = replace(self.mentions[-1], position=position)
        else:
            self.position = position

    def posed(self, pose: str) -> None:
        if self.mentions and self.mentions[-1].pose is None and self.count is None:
            self.mentions[-1] = replace(self.mentions[-1], pose=pose)
        else:
            self.pose = pose

    def pause(self) -> None:
        """A comma: adjectives without a noun speak of the whole picture."""
        if self.colour and not self.lost:
            self.palettes.append(self.colour)
        self.count, self.colour, self.size, self.relation = None, None, 1.0, None
        self.denied = self.worn = self.inside = self.of = self.after_thing = self.lost = False

    def not_known(self, phrase: str) -> None:
        self.denied = False
        if len(phrase) > 1 and not phrase.isdigit() and phrase not in self.unknown and len(self.unknown) < MOST_UNKNOWN:
            self.unknown.append(phrase)


def understand(text: str) -> Understanding:
    """What a text asks for."""
    return understand_all([(text, 1.0)])


def understand_all(segments: Iterable[tuple[str, float]]) -> Understanding:
    """What the parts of a multi-prompt ask for together. A part of negative weight forbids."""
    reader = Reader()
    weights: dict[str, float] = {}
    for owner, (text, weight) in enumerate(segments):
        if weight < 0:
            names, _ = forbid((text,))
            reader.forbidden |= names
            continue
        before = {group: len(values) for group, values in reader.found.items()}
        reader.owner, reader.weight = owner, weight
        reader.read(text)
        for group, values in reader.found.items():
            for value in values[before.get(group, 0) :]:
                weights[value] = max(weight, weights.get(value, 0.0))
    return settled(reader, weights)


def settled(reader: Reader, weights: dict[str, float]) -> Understanding:
    """One value a group, by weight and rank; seasons refine places."""
    found = {
        group: [value for value in values if value not in reader.forbidden] for group, values in reader.found.items()
    }

    def heaviest(group: str) -> str | None:
        values = found.get(group, [])
        return max(values, key=lambda value: weights.get(value, 1.0)) if values else None

    places = sorted(found.get("place", []), key=lambda name: (-weights.get(name, 1.0), PLACE_RANK[name]))
    season, place = heaviest("season"), places[0] if places else None
    if place == "cyberpunk":
        found["style"] = [style for style in found.get("style", []) if style != "neon"]  # its neon is in the street
    place = SEASONED.get((place or "", season or ""), place)
    mentions, brought = without_scenery(reader.mentions, place)
    palettes = [*found.get("palette", []), *reader.palettes]
    elements = [*reader.elements, *brought, *((name, weights.get(name, 1.0)) for name in places[1:])]
    elements += [("clouds", weights[name]) for name in found.get("weather", []) if name == "cloudy"]
    return Understanding(
        mentions=tuple(mention for mention in mentions if mention.concept not in reader.forbidden),
        relations=tuple(reader.relations) if len(mentions) == len(reader.mentions) and not reader.forbidden else (),
        place=place,
        time=heaviest("time"),
        weather=heaviest("weather"),
        season=season,
        style=heaviest("style"),
        palette=palettes[0] if palettes else None,
        camera=heaviest("camera"),
        elements=tuple(elements),
        forbidden=frozenset(reader.forbidden),
        unknown=tuple(reader.unknown),
        left_out=tuple(dict.fromkeys(name for name in places[1:] if not shows(place or "", name))),
    )


def without_scenery(mentions: list[Mention], place: str | None) -> tuple[list[Mention], list[tuple[str, float]]]:
    """Several trees, palms, rocks are the place's own business if it brings them: not subjects, but more of those."""
    kept, brought = [], []
    for mention in mentions:
        names = [name for name in ALSO.get(mention.concept, ()) if place and name in PLACES[place].brings]
        if (
            names
            and mention.count > 1
            and not mention.colour
            and concepts()[mention.concept].kind in ("plant", "object")
        ):
            brought.append((names[-1], 1.6))
        else:
            kept.append(mention)
    return kept, brought


def chosen(meanings: Sequence[Meaning], tokens: list[str], after: int, *, denied: bool) -> Sequence[Meaning]:
    """The meanings that count here: all of scenery ("stormy sea"), but of a colour and a fruit only one."""
    if len(meanings) == 1 or denied:
        return meanings[:1]
    if all(meaning.group in SCENERY for meaning in meanings):
        return meanings
    colour = next((meaning for meaning in meanings if meaning.group == "colour"), None)
    if colour is None or meanings[0].plural:
        return meanings[:1]
    return (colour if adjective_at(tokens, after) else next(m for m in meanings if m.group != "colour"),)


def adjective_at(tokens: list[str], after: int) -> bool:
    """Whether a word that ends at `after` modifies a noun that follows."""
    for _ in range(4):
        if after >= len(tokens) or not tokens[after][0].isalnum() or tokens[after] in PREPOSITIONS:
            break
        if tokens[after] == "and":
            after += 1
            continue
        count, following = look_up(tokens, after)
        if count == 0:
            return True  # probably a noun that we do not know
        if following[0].group in CONTENT:
            return True
        if following[0].group not in ("quality", "colour", "size", "style"):
            break
        after += count
    return False
