"""What prompts are understood to ask for."""

import time

import pytest

from brushwork.engines.diorama.words.forbidden import forbid
from brushwork.engines.diorama.words.reading import Understanding, understand, understand_all

# prompt → (place, {concept: count}, other fields)
Expected = tuple[str | None, dict[str, int], dict[str, str]]
PROMPTS: dict[str, Expected] = {
    "a red fox in a snowy forest at dawn": ("winter_forest", {"fox": 1}, {"time": "dawn"}),
    "three hot air balloons over a mountain lake at sunrise": ("lake", {"hot air balloon": 3}, {"time": "morning"}),
    "a lone astronaut on mars, cinematic": ("mars", {"astronaut": 1}, {"style": "photo"}),
    "cyberpunk city street at night in the rain, neon signs": ("cyberpunk", {}, {"time": "night", "weather": "rain"}),
    "a sailboat on a calm sea at sunset": ("sea", {"sailboat": 1}, {"time": "sunset"}),
    "a bowl of ramen, studio lighting": ("studio", {"ramen": 1}, {}),
    "a dragon over a medieval village": ("village", {"dragon": 1}, {}),
    "an octopus on a coral reef, underwater": ("underwater", {"octopus": 1}, {}),
    "lavender field at golden hour, oil painting": ("lavender_field", {}, {"time": "golden_hour", "style": "oil"}),
    "a wizard next to a castle, misty morning": (None, {"wizard": 1, "castle": 1}, {"weather": "fog"}),
    "portrait of an old man, pencil drawing": (None, {"old man": 1}, {"style": "pencil", "camera": "portrait"}),
    "a lighthouse on the coast, stormy sea, lightning": ("beach", {"lighthouse": 1}, {"weather": "storm"}),
    "a cute kitten in a meadow full of flowers": ("meadow", {"kitten": 1}, {}),
    "a rocket near a ringed planet, purple nebula": ("space", {"rocket": 1, "ringed planet": 1}, {"palette": "purple"}),
    "an orange cat and a black dog on the beach, watercolor": ("beach", {"cat": 1, "dog": 1}, {"style": "watercolor"}),
    "snow-capped mountains, northern lights": ("snow_peaks", {}, {"weather": "aurora"}),
    "a unicorn in a flower field, rainbow, dreamy": ("flower_field", {"unicorn": 1}, {"palette": "dreamy"}),
    "the great wave, ukiyo-e woodblock print": ("sea", {}, {"style": "ukiyo_e"}),
    "a camel in the desert, noon": ("desert", {"camel": 1}, {"time": "noon"}),
    "two elephants at sunset in the savanna": ("wheat_field", {"elephant": 2}, {"time": "sunset"}),
    "a blue vintage car on a city street, photo": ("city_street", {"car": 1}, {"style": "photo"}),
    "a waterfall in the jungle": ("waterfall", {}, {}),
    "five penguins on the ice": ("arctic", {"penguin": 5}, {}),
    "a knight in front of a castle, dramatic clouds": (None, {"knight": 1, "castle": 1}, {"weather": "cloudy"}),
    "a girl with red hair, anime": (None, {"red-haired girl": 1}, {"style": "anime"}),
    "a volcano erupting at night": ("volcano", {}, {"time": "night"}),
    "a windmill in a field of tulips, impressionist": ("flower_field", {"windmill": 1}, {"style": "oil"}),
    "a polar bear under the aurora": (None, {"polar bear": 1}, {"weather": "aurora"}),
    "autumn forest, river, warm colors": ("river", {}, {"season": "autumn", "palette": "warm"}),
    "pixel art robot in a futuristic city": ("cyberpunk", {"robot": 1}, {"style": "pixel"}),
    "a swan on a lake, foggy morning, black and white": ("lake", {"swan": 1}, {"style": "mono", "weather": "fog"}),
    "four colorful parrots in the rainforest, pop art": ("jungle", {"parrot": 4}, {"style": "pop_art"}),
    "a gold crown, product photo": ("studio", {"crown": 1}, {}),
    "a cat on a skateboard, vaporwave": (None, {"cat": 1, "skateboard": 1}, {"style": "neon"}),
    "a teddy bear under a christmas tree in the snow": (
        None, {"teddy bear": 1, "christmas tree": 1}, {"season": "winter"},
    ),
    "a wolf howling under a full moon, low poly": (None, {"wolf": 1}, {"time": "night", "style": "low_poly"}),
    "a steam train in the mountains, vintage photo": ("mountains", {"steam locomotive": 1}, {"style": "vintage"}),
    "a tropical island, palm trees, flat vector poster": ("island", {}, {"style": "flat"}),
    "a t-rex near a volcano, claymation": ("volcano", {"t-rex": 1}, {"style": "clay"}),
    "a cup of coffee and a croissant": (None, {"coffee": 1, "croissant": 1}, {}),
}  # fmt: skip


@pytest.mark.parametrize("prompt", PROMPTS)
def test_forty_prompts_are_understood(prompt: str) -> None:
    place, things, others = PROMPTS[prompt]

    asked = understand(prompt)

    assert asked.place == place
    assert {mention.concept: mention.count for mention in asked.mentions} == things
    for name, value in others.items():
        assert getattr(asked, name) == value


def colours(asked: Understanding) -> dict[str, str | None]:
    return {mention.concept: mention.colour for mention in asked.mentions}


def test_a_colour_belongs_to_what_follows_it() -> None:
    assert colours(understand("a blue cat and a green dog")) == {"cat": "blue", "dog": "green"}
    assert colours(understand("a cat, blue roses")) == {"cat": None, "rose": "blue"}


def test_an_orange_is_a_fruit_unless_a_thing_follows() -> None:
    assert colours(understand("an orange")) == {"orange": None}
    assert colours(understand("an orange cat")) == {"cat": "orange"}
    assert colours(understand("an orange on a plate")) == {"orange": None}


def test_a_worn_colour_goes_to_the_wearer() -> None:
    assert colours(understand("a woman in a red dress")) == {"woman": "red"}


def test_a_colour_without_a_thing_tints_the_picture() -> None:
    assert understand("a lake, in shades of teal").palette == "teal"
    assert understand("pink clouds over the sea").palette == "pink"
    assert understand("green hills").palette is None


@pytest.mark.parametrize(
    ("text", "count"),
    [("a fox", 1), ("two foxes", 2), ("foxes", 3), ("a pair of foxes", 2), ("a dozen foxes", 12), ("7 foxes", 7)],
)
def test_counts(text: str, count: int) -> None:
    (mention,) = understand(text).mentions

    assert (mention.concept, mention.count) == ("fox", count)


def test_sizes_and_positions() -> None:
    big, small = understand("a huge cat on the left, a tiny house in the background").mentions

    assert big.size > 1 > small.size
    assert (big.position, small.position) == ("left", "background")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("a mouse to the left of an elephant", "left_of"),
        ("a cat on a sofa", "on"),
        ("an owl above a castle", "above"),
        ("an old man in a canoe", "in"),
        ("a girl holding an umbrella", "holds"),
        ("a dog in front of a house", "in_front"),
    ],
)
def test_relations(text: str, kind: str) -> None:
    assert [relation.kind for relation in understand(text).relations] == [kind]


def test_the_longest_phrase_wins() -> None:
    assert [mention.concept for mention in understand("a hot air balloon").mentions] == ["hot air balloon"]
    assert [mention.concept for mention in understand("a polar bear and a teddy bear").mentions] == [
        "polar bear",
        "teddy bear",
    ]


def test_two_nouns_in_a_row_are_one_thing() -> None:
    assert [mention.concept for mention in understand("a golden retriever puppy").mentions] == ["puppy"]


def test_words_of_quality_are_understood_and_stop_words_ignored() -> None:
    assert understand("a beautiful, highly detailed masterpiece of a fox, 8k, award winning").unknown == ()


def test_unknown_words_are_listed_once_each() -> None:
    assert understand("a fox quaffing glorp, glorp everywhere").unknown == ("quaffing", "glorp", "everywhere")


def test_a_thing_drawn_as_its_neighbour_is_listed_too() -> None:
    asked = understand("a samurai")

    assert [mention.concept for mention in asked.mentions] == ["ninja"]
    assert asked.unknown == ("samurai",)


def test_without_forbids_what_follows() -> None:
    asked = understand("a meadow without trees, no clouds")

    assert {"trees", "clouds"} <= asked.forbidden


def test_negative_terms_name_what_must_not_be_seen_and_what_means_nothing() -> None:
    names, meaningless = forbid(("trees", "people", "glorp"))

    assert {"trees", "people"} <= names
    assert meaningless == ("glorp",)


def test_a_segment_of_negative_weight_forbids() -> None:
    asked = understand_all([("a meadow", 1.0), ("flowers", -0.5)])

    assert "flowers" in asked.forbidden


def test_the_heavier_place_wins() -> None:
    assert understand_all([("beach", 2.0), ("mountain forest", 1.0)]).place == "beach"
    assert understand_all([("beach", 1.0), ("mountain forest", 2.0)]).place == "forest"


def test_a_compound_of_weather_and_place_gives_both() -> None:
    asked = understand("a stormy sea")

    assert (asked.place, asked.weather) == ("sea", "storm")


def test_understanding_is_quick_and_linear() -> None:
    text = "a red fox and two very small wolves by the stormy mountain lake, glorp "
    understand(text)
    spent = {}
    for times in (1, 110):
        runs = []
        for _ in range(5):
            began = time.perf_counter()
            understand(text * times)
            runs.append(time.perf_counter() - began)
        spent[times] = min(runs)

    assert spent[1] < 0.005
    assert spent[110] < 110 * spent[1] * 4 + 0.01


def test_understanding_survives_any_text() -> None:
    for text in ("", "   ", ",,,", "🦊🦊", "ß", "a" * 8192, "of of of", "a a a a", "on the left of", "1 2 3 4", "—"):
        assert understand(text) == understand(text)


def test_a_second_place_that_is_not_drawn_is_told() -> None:
    assert understand("a fishing village by the sea").left_out == ("beach",)
    assert understand("a lake in the mountains").left_out == ()


def test_the_colour_of_an_unknown_thing_tints_nothing() -> None:
    asked = understand("a snowman with a red scarf")

    assert (asked.palette, asked.unknown) == (None, ("scarf",))


def test_a_background_is_a_place_in_the_picture_only_when_something_is_in_it() -> None:
    (violin,) = understand("a violin, dark background").mentions

    assert violin.position is None


def test_a_topping_belongs_to_its_dish() -> None:
    asked = understand("a pizza with mushrooms")

    assert [mention.concept for mention in asked.mentions] == ["pizza"]
    assert asked.unknown == ("mushrooms",)
