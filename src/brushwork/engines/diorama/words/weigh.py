"""How much each word of a prompt matters: what the painter would no longer understand if the word were not there.

Leave one out, read again, compare. A word only changes the reading of its own clause, so no more than a few words
around it are read again, and the time grows with the length of the text. Knows nothing of flags or of pixels.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from brushwork.engines.diorama.words.lexicon import TOKEN, look_up
from brushwork.engines.diorama.words.reading import Understanding, understand

REACH = 8
"""Words to each side that are read with a word. The longest phrase of the dictionary has four."""
SUBJECT, NEARLY = 1.0, 0.6
"""A thing that is no longer drawn, and one that becomes another ("polar bear" without "polar"), as does a place."""
FACTS = {
    "place": 0.75, "style": 0.65, "time": 0.45, "weather": 0.45, "season": 0.4, "palette": 0.35, "camera": 0.35,
    "elements": 0.3, "forbidden": 0.5, "relations": 0.25,
}  # fmt: skip
"""Field of the Understanding → what its loss weighs."""
TRAITS = {"colour": 0.4, "count": 0.35, "size": 0.25, "pose": 0.3, "position": 0.25}
"""Likewise, of a Mention."""
SAID_AGAIN = 0.3
"""Share that remains for a fact that was heard before."""
NOT_CHOSEN = 0.5
"""Share for a fact that the whole text overrules: the second of two places."""
PRAISE = 0.04
"""A word like "beautiful", which changes nothing that is drawn."""
COUNT = 0.1
"""A number that says what would be drawn anyway: "three balloons" and "balloons" are the same picture."""
UNKNOWN, EACH_LETTER, LONGEST = 0.08, 0.016, 12
"""A word nobody here knows may be a name: the longer, the rarer."""


@dataclass(frozen=True)
class Loss:
    """What went missing: how much it weighs, and its name, so that a repetition is noticed."""

    weight: float
    facts: frozenset[tuple[str, str]]


def weigh(words: Sequence[str]) -> list[float]:
    """0-1 for each word of a prompt as it was written, with its punctuation. The weightiest has 1."""
    whole = understand(" ".join(words))
    heard: set[tuple[str, str]] = set()
    clause: set[tuple[str, str]] = set()
    weights = []
    for at, word in enumerate(words):
        loss = lost_without(words, at)
        weight = loss.weight
        if loss.facts and loss.facts <= heard:
            weight *= SAID_AGAIN
        elif loss.facts and all(overruled(fact, whole) for fact in loss.facts):
            weight *= NOT_CHOSEN
        clause |= loss.facts
        if punctuation(word):
            heard, clause = heard | clause, set()
        weights.append(weight or own_weight(word))
    most = max(weights, default=0.0)
    return [round(weight / most, 4) if most else 0.0 for weight in weights]


def lost_without(words: Sequence[str], at: int) -> Loss:
    """What the words around one lose with it. Its punctuation stays, or clauses would run together."""
    first, last = max(at - REACH, 0), at + REACH + 1
    around = list(words[first:last])
    before = understand(" ".join(around))
    around[at - first] = punctuation(words[at])
    after = understand(" ".join(around))
    if before == after:
        return Loss(0.0, frozenset())
    return difference(before, after)


def punctuation(word: str) -> str:
    """What ends a phrase at the end of a word: "fox," → ","."""
    return word[len(word.rstrip(",.;:!?()|")) :]


def difference(before: Understanding, after: Understanding) -> Loss:
    """What the first understood and the second does not."""
    lost, facts = mentions_lost(before, after)
    for name, weight in FACTS.items():
        was, now = getattr(before, name), getattr(after, name)
        if was == now or not was or (name == "relations" and lost):
            continue
        values = set(was) - set(now) if isinstance(was, tuple | frozenset) else {was}
        if values:
            lost += weight if not now or isinstance(now, tuple | frozenset) else weight * NEARLY
            facts |= {(name, str(value)) for value in values}
    return Loss(lost, frozenset(facts))


def mentions_lost(before: Understanding, after: Understanding) -> tuple[float, set[tuple[str, str]]]:
    """Subjects that are gone or other ones, and what is no longer said of those that stay."""
    remaining = list(after.mentions)
    weight = 0.0
    facts: set[tuple[str, str]] = set()
    gone = []
    for mention in before.mentions:
        same = next((other for other in remaining if other.concept == mention.concept), None)
        if same is None:
            gone.append(mention)
            facts.add(("subject", mention.concept))
            continue
        remaining.remove(same)
        for name, worth in TRAITS.items():
            if getattr(mention, name) != getattr(same, name):
                weight += worth
                facts.add((name, f"{getattr(mention, name)} {mention.concept}"))
    for number in range(len(gone)):
        weight += NEARLY if number < len(remaining) else SUBJECT
    return weight, facts


def overruled(fact: tuple[str, str], whole: Understanding) -> bool:
    """Whether the whole text says something else than its part said."""
    name, value = fact
    if name not in FACTS or name in ("elements", "forbidden", "relations"):
        return False
    return str(getattr(whole, name)) != value


def own_weight(word: str) -> float:
    """Of a word without which the painter understands the same."""
    tokens = [token for token in TOKEN.findall(word.lower()) if token[0].isalnum()]
    if not tokens:
        return 0.0
    count, meanings = look_up(tokens, 0)
    if not count:
        letters = sum(map(len, tokens))
        return 0.0 if letters < 2 else UNKNOWN + EACH_LETTER * min(letters, LONGEST)
    group = meanings[0].group
    return {"stop": 0.0, "count": 0.0 if meanings[0].value == "1" else COUNT, "relation": 0.01, "quality": PRAISE}.get(
        group, 2 * PRAISE
    )
