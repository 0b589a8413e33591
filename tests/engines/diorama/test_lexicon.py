"""The dictionary and the artwork behind it: every entry can be drawn and every number is sane."""

import time

import numpy as np
import pytest

from brushwork.engines.diorama.looks.grade import MOODS
from brushwork.engines.diorama.scene import SEASONS, STYLES, TIMES, WEATHERS
from brushwork.engines.diorama.subjects import sprites
from brushwork.engines.diorama.subjects.recolour import COLOURS
from brushwork.engines.diorama.words.lexicon import HABITATS, KINDS, concepts, normalised, phrases, singulars
from brushwork.engines.diorama.worlds.places import PLACES

VALUES = {
    "place": set(PLACES),
    "time": set(TIMES),
    "weather": set(WEATHERS),
    "season": set(SEASONS),
    "style": set(STYLES),
    "palette": set(MOODS),
    "colour": set(COLOURS),
    "camera": {"close", "portrait", "wide", "aerial", "low", "full"},
    "nearest": set(concepts()),
    "subject": set(concepts()),
}


def test_there_is_artwork_for_every_concept_and_a_concept_for_all_artwork() -> None:
    wanted = {name for concept in concepts().values() for name in concept.artwork}

    assert wanted == sprites.names()


def test_at_least_three_hundred_concepts_have_sane_facts() -> None:
    assert len(concepts()) >= 300
    for concept in concepts().values():
        assert concept.kind in KINDS, concept
        assert concept.habitat in HABITATS, concept
        assert concept.facing in ("L", "R", "F"), concept
        assert 0.1 <= concept.height <= 60, concept
        assert set(concept.places) <= set(PLACES), concept


@pytest.mark.parametrize("name", sorted(sprites.names()))
def test_artwork_is_cropped_and_stands_on_its_lower_edge(name: str) -> None:
    picture = sprites.sprite(name)

    alpha = picture[..., 3]
    assert 250 <= max(alpha.shape) <= 640
    assert 0.2 < sprites.aspect(name) < 5
    assert alpha.max() > 0.9
    for border in (alpha[:8], alpha[-8:], alpha[:, :8], alpha[:, -8:]):
        assert border.max() > 0.2, "there is an empty margin"
    assert 0.1 < float((alpha > 0.5).mean()) < 0.99


def test_every_meaning_in_the_word_list_is_one_the_painter_knows() -> None:
    for phrase, meanings in phrases().items():
        for meaning in meanings:
            assert meaning.value in VALUES.get(meaning.group, {meaning.value}), (phrase, meaning)
            if meaning.group in ("count", "size"):
                assert 0.1 < float(meaning.value) < 20


def test_phrases_are_stored_as_they_are_compared() -> None:
    assert all(phrase == normalised(phrase) for phrase in phrases())


@pytest.mark.parametrize(
    ("plural", "single"), [("foxes", "fox"), ("ponies", "pony"), ("mice", "mouse"), ("wolves", "wolf"), ("cats", "cat")]
)
def test_plurals_lead_to_their_singular(plural: str, single: str) -> None:
    assert single in singulars(plural)


def test_an_enlarged_sprite_keeps_its_outline() -> None:
    small, large = sprites.drawn("t-fox", height=100), sprites.drawn("t-fox", height=1200)

    assert large.shape[0] == 1200
    assert abs(float(small[..., 3].mean()) - float(large[..., 3].mean())) < 0.02


def test_a_turned_and_mirrored_sprite_keeps_its_area() -> None:
    straight, turned = sprites.drawn("t-fox", height=200), sprites.drawn("t-fox", height=200, flip=True, tilt=30)

    assert float(turned[..., 3].sum()) == pytest.approx(float(straight[..., 3].sum()), rel=0.03)
    assert not np.array_equal(turned.shape, straight.shape)


def test_the_dictionary_is_read_in_half_a_second() -> None:
    concepts.cache_clear()
    phrases.cache_clear()
    began = time.perf_counter()

    phrases()

    assert time.perf_counter() - began < 0.5
