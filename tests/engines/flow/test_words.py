"""Captions as numbers."""

from brushwork.engines.flow.words import BUCKETS, PARTS, WORDS, ids_of, parts_of, words_of

NUMBERS = [[994, 3731, 0], [4046, 3456, 2585]]


def test_words_are_small_and_plain() -> None:
    assert words_of("Café-Terrasse, at NIGHT!") == ["cafe", "terrasse", "at", "night"]
    assert words_of("猫") == []


def test_related_words_share_parts_and_the_whole_word_is_its_own() -> None:
    one, many, other = (set(parts_of(word)) for word in ("mountain", "mountains", "kitten"))

    assert len(one & many) >= 8
    assert len(one & other) == 0
    assert parts_of("mountain")[0] not in many


def test_an_empty_caption_is_all_nothing_and_a_long_one_is_cut() -> None:
    assert ids_of("").sum() == 0
    long = ids_of("incomprehensibilities " * 40)

    assert long.shape == (WORDS, PARTS)
    assert (long > 0).all()
    assert long.max() < BUCKETS


def test_numbers_never_change_or_trained_weights_would_be_useless() -> None:
    assert ids_of("a lake")[:2, :3].tolist() == NUMBERS
