"""The weight of words by leaving each one out, with embeddings whose answer is known, and with real encoders."""

from collections.abc import Sequence

import numpy as np
import pytest
import torch

from brushwork.engines.diffusion.families.base import Conditioning
from brushwork.engines.diffusion.pooled import pooled
from brushwork.engines.diffusion.words import BATCH, MOST, Vector, word_weights
from brushwork.engines.diorama.words.weigh import weigh
from tests.engines.diffusion.shelf import TinyShelf

MEANING = {"fox": 5.0, "snowy": 3.0, "forest": 2.0}


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> TinyShelf:
    return TinyShelf(tmp_path_factory.mktemp("shelf"))


class Embedder:
    """Each known word is a direction of its own, as long as it matters; remembers how often it was asked."""

    def __init__(self) -> None:
        self.batches: list[int] = []

    def __call__(self, texts: Sequence[str]) -> list[Vector]:
        self.batches.append(len(texts))
        return [self.vector(text) for text in texts]

    def vector(self, text: str) -> Vector:
        said = [word.strip(",.") for word in text.split()]
        return np.array([1.0, *(length * (name in said) for name, length in MEANING.items())])


def test_the_word_that_turns_the_embedding_most_weighs_most() -> None:
    weights = word_weights(["a", "fox", "in", "a", "snowy", "forest"], Embedder())

    assert weights[1] == 1.0
    assert weights[1] > weights[4] > weights[5] > 0
    assert [weights[at] for at in (0, 2, 3)] == [0, 0, 0]


def test_a_repeated_word_is_not_missed_once() -> None:
    weights = word_weights(["fox,", "a", "fox", "in", "a", "forest"], Embedder())

    assert (weights[0], weights[2], weights[-1]) == (0, 0, 1)


def test_long_prompts_take_a_bounded_number_of_embeddings() -> None:
    words = ["very"] * 1200
    words[700] = "fox"
    embedder = Embedder()

    weights = word_weights(words, embedder)

    assert len(weights) == 1200
    assert sum(embedder.batches) == MOST + 1
    assert max(embedder.batches) == BATCH
    assert weights[700] == 1.0
    assert sum(weight > 0.5 for weight in weights) == 1


@pytest.mark.parametrize("words", [[], ["fox"], ["the", "of"]])
def test_without_a_difference_the_painters_reading_counts(words: list[str]) -> None:
    assert word_weights(words, Embedder()) == weigh(words)


def test_without_a_model_the_painters_reading_counts() -> None:
    words = ["a", "beautiful", "red", "fox", "in", "a", "snowy", "forest"]

    assert word_weights(words, None) == weigh(words)


def test_numbers_that_are_none_are_not_believed() -> None:
    words = ["a", "red", "fox"]

    assert word_weights(words, lambda texts: [np.full(3, np.nan)] * len(texts)) == weigh(words)


def test_a_vector_holds_the_models_own_and_the_mean_of_its_tokens() -> None:
    tokens = torch.tensor([[1000.0, 0.0], [0.0, 1.0], [0.0, 1.0]])  # one of great length, as language models have
    tensors = {"tokens": tokens, "pooled": torch.tensor([3.0, 4.0]), "ids": torch.arange(9)}

    vector = pooled(Conditioning(tensors))

    np.testing.assert_allclose(vector, [0.6, 0.8, 1 / 5**0.5, 2 / 5**0.5])


@pytest.mark.parametrize("family", ["sdxl", "zimage", "flux2", "qwen"])
def test_every_familys_own_encoder_weighs_words(shelf: TinyShelf, family: str) -> None:
    model = shelf.family(family)

    def embed(texts: Sequence[str]) -> list[Vector]:
        with torch.inference_mode():
            return [pooled(conditioning) for conditioning in model.encode(texts)]

    words = ["a", "red", "fox", "in", "a", "snowy", "forest", "at", "dusk"]
    weights = word_weights(words, embed)

    assert max(weights) == 1.0
    assert all(0 < weight <= 1 for weight in weights)
    assert weights != weigh(words)
    assert word_weights(words, embed) == weights
