"""The table of places: how each is built, where things may stand in it, and from where it is best seen.

Only facts; the painters read them, and so does whoever composes a scene.
"""

from collections.abc import Mapping, Set
from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """One row of the table."""

    kind: str
    """Which painter: "land", "city", "space", "underwater", "studio", "sky"."""
    stands: str = "ground"
    """Where subjects are put: "ground", "water" (floating), "sky" (flying), "seabed", "space" (floating free)."""
    near: float = 4.0
    """Closest and farthest useful distance of a subject, metres."""
    far: float = 40.0
    half_width: float = 0.55
    """Subjects keep |x| below this times z."""
    water: bool = False
    """Whether open water is in the picture."""
    eye: float = 1.7
    pitch: float = 3.0
    focal: float = 1.6
    suits: tuple[str, ...] = ()
    """Words for what is at home here: "animal", "person", "boat", "fish", "vehicle", "bird", "building" ..."""
    brings: tuple[str, ...] = ()
    """What the place puts in by itself; each can be forbidden or emphasised by this name."""
    default_time: str = "afternoon"
    default_season: str = "summer"


_WILD = ("animal", "person", "bird", "plant", "house", "fantasy")
_FLORA = ("grass", "flowers", "trees", "rocks", "clouds")

PLACES: dict[str, Place] = {
    "mountains": Place("land", pitch=4.5, suits=_WILD, brings=("mountains", *_FLORA)),
    "snow_peaks": Place("land", pitch=5.0, suits=_WILD, brings=("mountains", "snow", "trees", "rocks", "clouds")),
    "hills": Place("land", pitch=2.5, suits=_WILD, brings=("hills", *_FLORA)),
    "meadow": Place("land", pitch=2.0, eye=1.5, suits=_WILD, brings=("hills", *_FLORA)),
    "flower_field": Place("land", pitch=0.5, eye=1.5, suits=_WILD, brings=("hills", *_FLORA)),
    "lavender_field": Place("land", pitch=0.5, eye=2.2, suits=_WILD, brings=("hills", *_FLORA)),
    "wheat_field": Place("land", pitch=1.5, eye=1.9, suits=(*_WILD, "vehicle"), brings=("hills", *_FLORA)),
    "forest": Place("land", pitch=5.0, far=22, suits=_WILD, brings=_FLORA),
    "autumn_forest": Place("land", pitch=5.0, far=22, suits=_WILD, brings=_FLORA, default_season="autumn"),
    "winter_forest": Place(
        "land", pitch=4.5, far=25, suits=_WILD, brings=("trees", "snow", "rocks", "clouds"), default_season="winter"
    ),
    "jungle": Place("land", pitch=5.0, far=18, suits=_WILD, brings=_FLORA),
    "desert": Place(
        "land", pitch=2.5, eye=2.0, suits=(*_WILD, "vehicle"), brings=("dunes", "cacti", "rocks", "clouds")
    ),
    "canyon": Place("land", pitch=4.0, eye=3.0, suits=_WILD, brings=("cliffs", "bushes", "rocks", "clouds")),
    "lake": Place(
        "land",
        "water",
        9,
        60,
        water=True,
        pitch=1.5,
        eye=1.8,
        suits=("boat", "bird", "animal", "fish"),
        brings=("water", "mountains", "trees", "reeds", "rocks", "clouds"),
    ),
    "river": Place(
        "land",
        near=4,
        far=25,
        water=True,
        pitch=2.0,
        eye=2.6,
        suits=(*_WILD, "boat", "fish"),
        brings=("water", "hills", *_FLORA),
    ),
    "waterfall": Place(
        "land", near=5, far=22, water=True, pitch=5.0, eye=2.2, suits=_WILD, brings=("water", "cliffs", *_FLORA)
    ),
    "sea": Place(
        "land",
        "water",
        10,
        120,
        water=True,
        pitch=1.0,
        eye=2.4,
        suits=("boat", "bird", "fish"),
        brings=("water", "clouds", "islands"),
    ),
    "beach": Place(
        "land",
        near=4,
        far=16,
        water=True,
        pitch=1.5,
        eye=1.8,
        suits=("person", "animal", "bird", "boat", "plant", "food"),
        brings=("water", "sand", "palms", "rocks", "clouds"),
    ),
    "island": Place(
        "land",
        "water",
        12,
        110,
        water=True,
        pitch=2.5,
        eye=2.6,
        suits=("boat", "bird", "fish"),
        brings=("water", "islands", "palms", "trees", "clouds"),
    ),
    "volcano": Place(
        "land",
        pitch=5.0,
        eye=2.2,
        suits=("dinosaur", *_WILD),
        brings=("volcano", "lava", "smoke", "rocks", "clouds"),
        default_time="dusk",
    ),
    "arctic": Place(
        "land",
        near=4,
        far=18,
        water=True,
        pitch=2.0,
        eye=1.9,
        suits=("animal", "bird", "person", "boat"),
        brings=("water", "ice", "snow", "mountains", "clouds"),
        default_season="winter",
    ),
    "mars": Place(
        "land",
        pitch=2.5,
        eye=2.0,
        suits=("astronaut", "robot", "vehicle", "spaceship"),
        brings=("dunes", "rocks", "mountains"),
    ),
    "moon": Place(
        "land",
        pitch=3.0,
        eye=2.0,
        suits=("astronaut", "robot", "vehicle", "spaceship"),
        brings=("craters", "rocks", "mountains", "stars", "planets"),
        default_time="noon",
    ),
    "space": Place(
        "space",
        "space",
        6,
        40,
        pitch=0.0,
        suits=("spaceship", "astronaut", "planet", "fantasy"),
        brings=("stars", "planets", "nebula"),
        default_time="night",
    ),
    "city_street": Place(
        "city",
        near=5,
        far=30,
        half_width=0.32,
        pitch=7.0,
        eye=1.7,
        suits=("person", "vehicle", "animal", "robot"),
        brings=("buildings", "street", "lamps", "trees", "clouds"),
    ),
    "skyline": Place(
        "city",
        "water",
        15,
        90,
        water=True,
        pitch=3.5,
        eye=3.0,
        suits=("boat", "bird", "aircraft"),
        brings=("buildings", "water", "clouds"),
    ),
    "cyberpunk": Place(
        "city",
        near=5,
        far=30,
        half_width=0.32,
        pitch=8.0,
        eye=1.6,
        suits=("person", "vehicle", "robot", "animal"),
        brings=("buildings", "street", "neon", "rain"),
        default_time="night",
    ),
    "village": Place("land", near=5, far=30, pitch=3.0, suits=(*_WILD, "vehicle"), brings=("houses", "hills", *_FLORA)),
    "castle_grounds": Place(
        "land", near=5, far=30, pitch=4.5, suits=("knight", "dragon", *_WILD), brings=("castle", "hills", *_FLORA)
    ),
    "underwater": Place(
        "underwater",
        "seabed",
        4,
        18,
        pitch=1.0,
        eye=2.2,
        suits=("fish", "diver", "submarine", "whale"),
        brings=("water", "corals", "kelp", "fish", "bubbles", "rocks"),
        default_time="noon",
    ),
    "studio": Place(
        "studio", "ground", 3, 8, 0.4, pitch=-8.0, eye=1.6, focal=2.0, suits=("anything",), brings=("backdrop",)
    ),
    "sky": Place(
        "sky",
        "sky",
        15,
        150,
        pitch=2.0,
        eye=900.0,
        suits=("bird", "aircraft", "balloon", "dragon", "fantasy"),
        brings=("clouds", "mountains"),
    ),
}


COUNTRY = frozenset({"hills", "meadow", "mountains", "forest", "sky"})
SHOWS: Mapping[str, Set[str]] = {
    "lake": COUNTRY | {"snow_peaks"}, "river": COUNTRY | {"autumn_forest"}, "waterfall": COUNTRY | {"jungle", "river"},
    "village": COUNTRY, "castle_grounds": COUNTRY, "hills": COUNTRY, "meadow": COUNTRY, "mountains": COUNTRY,
    "snow_peaks": COUNTRY, "flower_field": COUNTRY, "lavender_field": COUNTRY, "wheat_field": COUNTRY,
    "forest": {"meadow", "sky"}, "autumn_forest": {"forest", "meadow"},
    "winter_forest": {"forest", "meadow", "arctic"},
    "jungle": {"forest"}, "island": {"sea", "beach", "sky"}, "beach": {"sea", "island", "sky"},
    "sea": {"sky", "island"},
    "arctic": {"sea", "mountains", "snow_peaks", "lake", "sky", "winter_forest"}, "volcano": {"mountains", "sky"},
    "cyberpunk": {"city_street", "skyline"}, "city_street": {"skyline"}, "skyline": {"city_street", "sky", "river"},
    "underwater": {"sea"}, "space": {"sky", "moon", "mars"}, "mars": {"desert", "space", "canyon", "mountains"},
    "moon": {"space", "sky"}, "desert": {"hills", "sky"}, "canyon": {"desert", "sky", "river"},
}  # fmt: skip
"""Place → what else its picture shows."""


def shows(place: str, other: str) -> bool:
    """Whether a picture of a place also shows the other one, as its background or as what it is part of."""
    return other == place or other in SHOWS.get(place, ())
