"""How much each word matters: by what the painter would not understand without it."""

import time

import pytest

from brushwork.engines.diorama.words.weigh import weigh


def weights(text: str) -> dict[str, float]:
    words = text.split()
    return dict(zip(words, weigh(words), strict=True))


def test_things_outweigh_places_and_places_outweigh_light() -> None:
    given = weights("the fox in a meadow at sunset")

    assert given["fox"] > given["meadow"] > given["sunset"] > given["the"]


def test_small_words_weigh_nothing() -> None:
    given = weights("a fox in the meadow")

    assert given["a"] == given["in"] == given["the"] == 0


def test_the_weightiest_word_has_one() -> None:
    assert max(weigh(["beautiful", "light,", "gently"])) == 1
    assert max(weigh(["two", "foxes", "and", "a", "castle"])) == 1


def test_praise_weighs_less_than_an_unknown_word_and_that_less_than_a_colour() -> None:
    given = weights("a beautiful purple horse of quixotry")

    assert given["beautiful"] < given["quixotry"] < given["purple"] < given["horse"]


def test_a_word_that_makes_one_thing_of_another_counts() -> None:
    given = weights("a polar bear on the ice")

    assert 0.4 < given["polar"] < given["bear"]


def test_what_is_said_again_weighs_less() -> None:
    words = ["a", "castle,", "misty", "mountains,", "a", "castle"]
    first, *_, second = (weight for word, weight in zip(words, weigh(words), strict=True) if "castle" in word)

    assert second < first


def test_no_is_not_a_small_word() -> None:
    given = weights("a meadow without trees")

    assert given["without"] > 0.3
    assert given["trees"] > 0.3


def test_an_empty_list_and_lone_punctuation_are_weighed() -> None:
    assert weigh([]) == []
    assert weigh([",", "::", "-"]) == [0, 0, 0]


@pytest.mark.parametrize("word", ["a", "fox", "zxcvq", "a,", "golden"])
def test_the_longest_prompt_is_weighed_in_a_moment(word: str) -> None:
    words = [word] * (8192 // (len(word) + 1))
    weigh(words[:10])
    began = time.process_time()

    assert len(weigh(words)) == len(words)
    assert time.process_time() - began < 5  # 0.7 s on a quiet core
