"""From what the words ask for to a Scene: which place and light, and where everything stands.

Works on the image plane first (how big, how far left, how high) and turns that into metres by the camera's
perspective. Every choice comes from the seed: `--chaos` says how many of them may differ from one picture of a grid
to the next.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from brushwork.engines.diorama.layout import arrange
from brushwork.engines.diorama.params import Knobs
from brushwork.engines.diorama.scene import Scene
from brushwork.engines.diorama.words.lexicon import concepts
from brushwork.engines.diorama.words.reading import Understanding
from brushwork.engines.diorama.worlds.places import PLACES

GENTLE_TIMES = ("afternoon", "golden_hour", "morning", "noon")
ALL_TIMES = ("dawn", "morning", "noon", "afternoon", "golden_hour", "sunset", "dusk", "night")
ALL_PALETTES = ("warm", "cold", "pastel", "vibrant", "teal_orange", "dreamy", "pink", "purple", "teal", "gold")
SCENIC = ("mountains", "lake", "hills", "sea", "forest", "meadow", "canyon", "beach")
SHOWN_BY = {
    "aurora": "snow_peaks", "snow": "winter_forest", "fog": "forest", "rain": "hills", "storm": "sea",
    "rainbow": "hills", "spring": "hills", "autumn": "autumn_forest", "winter": "winter_forest", "summer": "meadow",
}  # fmt: skip
"""Where a weather or season without a place is shown."""
SEASONAL = {"winter": "winter_forest", "snow": "winter_forest", "autumn": "autumn_forest"}
WINTERY = frozenset({"arctic", "winter_forest", "snow_peaks", "autumn_forest"})


@dataclass(frozen=True)
class Dice:
    """Two sources of chance: `grid` is the same for all pictures of a job, `own` is this picture's."""

    grid: np.random.Generator
    own: np.random.Generator
    chaos: float

    def choose(self, options: Sequence[str]) -> str:
        """The grid's choice, or with growing chaos this picture's own."""
        common, mine = self.grid.random(), self.own.random()
        share = mine if self.own.random() < self.chaos else common
        return options[int(share * len(options)) % len(options)]

    def vary(self, amount: float) -> float:
        """This picture's deviation, -amount..amount."""
        return float(self.own.uniform(-amount, amount))


GREY = frozenset({"overcast", "rain", "storm", "snow"})


def dice_of(seed: int, index: int, chaos: float) -> Dice:
    return Dice(np.random.default_rng([seed, 7]), np.random.default_rng([seed, 11, index]), chaos)


def compose(
    asked: Understanding,
    *,
    knobs: Knobs,
    seed: int,
    index: int,
    aspect: tuple[int, int] = (1, 1),
    forbidden: frozenset[str] = frozenset(),
) -> Scene:
    """One picture of a grid."""
    dice = dice_of(seed, index, knobs.chaos)
    forbidden = forbidden | asked.forbidden
    asked = replace(asked, mentions=tuple(m for m in asked.mentions if m.concept not in forbidden))
    if any(concepts()[m.concept].kind == "celestial" for m in asked.mentions):
        forbidden = forbidden | {"planets"}  # the one that is asked for is enough
    place = place_for(asked, dice, knobs, forbidden)
    row = PLACES[place]
    time = asked.time or time_for(place, dice, index, forbidden)
    if not asked.time and asked.weather in GREY and time in ("golden_hour", "sunset", "dawn"):
        time = "afternoon"  # a closed sky has no evening glow
    scene = Scene(
        seed=int(np.random.default_rng([seed, 13, index]).integers(0, 2**31)),
        place=place,
        time=time,
        weather=weather_for(asked, place, dice, forbidden),
        season=asked.season or season_for(place, asked),
        style=style_for(asked, knobs, forbidden),
        palette=palette_for(asked, dice, knobs, forbidden),
        aspect=aspect,
        eye=row.eye,
        pitch=row.pitch + dice.vary(0.6 + 4 * knobs.chaos),
        focal=row.focal * (1 + dice.vary(0.04 + 0.22 * knobs.chaos)),
        stylize=knobs.stylize * (0.35 if knobs.raw else 1.0),
        weird=knobs.weird,
        chaos=knobs.chaos,
        tile=knobs.tile,
        stop=knobs.stop,
        detail=knobs.quality,
        forbidden=forbidden,
        emphasis=asked.elements,
    )
    scene = with_camera(scene, asked)
    return arrange.arranged(scene, asked, dice.own, dice.grid)


def place_for(asked: Understanding, dice: Dice, knobs: Knobs, forbidden: frozenset[str]) -> str:
    """The place of the words, else one that suits the subject, else one that shows the weather."""
    walks = any(concepts()[m.concept].habitat in ("land", "prop") for m in asked.mentions)
    if asked.place and asked.place in PLACES:
        return "city_street" if asked.place == "skyline" and walks else asked.place
    options: Sequence[str] = ()
    if asked.mentions:
        hero = next((m for m in asked.mentions if concepts()[m.concept].kind == "building"), arrange.hero_of(asked))
        options = ["studio"] if asked.camera == "portrait" else concepts()[hero.concept].places
        if any(concepts()[m.concept].places == ("studio",) for m in asked.mentions):
            options = [name for name in options if name == "studio"] or ["studio"] if not hero.pose else options
        seasonal = SEASONAL.get(asked.season or "") or SEASONAL.get(asked.weather or "")
        if seasonal and walks and not set(options[:1]) & WINTERY and asked.camera != "portrait":
            options = [seasonal]
        if walks:
            options = [name for name in options if PLACES[name].stands != "water"] or options
        if hero.pose == "flying" and concepts()[hero.concept].habitat != "air":
            options = ["sky", *options]
        if knobs.weird > 0 and dice.own.random() < knobs.weird * 0.8:
            options = ("mars", "space", "underwater", "volcano", "moon", "sky", "arctic")
    else:
        shown = SHOWN_BY.get(asked.weather or "") or SHOWN_BY.get(asked.season or "")
        options = (shown,) if shown else ("studio",) if asked.camera == "portrait" else SCENIC
    options = [name for name in options if name in PLACES and name not in forbidden] or ["hills"]
    return options[0] if knobs.chaos == 0 and asked.mentions and not knobs.weird else dice.choose(options)


def time_for(place: str, dice: Dice, index: int, forbidden: frozenset[str]) -> str:
    usual = PLACES[place].default_time
    if usual != "afternoon":
        return usual
    options = [time for time in GENTLE_TIMES if time not in forbidden]
    if dice.own.random() < dice.chaos:
        return str(dice.own.choice([time for time in ALL_TIMES if time not in forbidden]))
    start = int(dice.grid.integers(0, len(options)))
    return options[(start + index) % len(options)]


def weather_for(asked: Understanding, place: str, dice: Dice, forbidden: frozenset[str]) -> str:
    if asked.weather and asked.weather not in forbidden:
        return asked.weather
    if dice.own.random() < dice.chaos * 0.6 and PLACES[place].kind == "land":
        options = ("clear", "cloudy", "fog", "overcast", "windy")
        return str(dice.own.choice([weather for weather in options if weather not in forbidden]))
    return "clear"


def season_for(place: str, asked: Understanding) -> str:
    if asked.weather == "snow":
        return "winter"
    return PLACES[place].default_season


def style_for(asked: Understanding, knobs: Knobs, forbidden: frozenset[str]) -> str:
    style = asked.style or ("anime" if knobs.anime else "none")
    return "none" if style in forbidden else style


def palette_for(asked: Understanding, dice: Dice, knobs: Knobs, forbidden: frozenset[str]) -> str | None:
    if asked.palette and asked.palette not in forbidden:
        return asked.palette
    if not knobs.raw and dice.own.random() < max(dice.chaos - 0.25, 0) * 0.9:
        return str(dice.own.choice(ALL_PALETTES))
    return None


def with_camera(scene: Scene, asked: Understanding) -> Scene:
    """The viewpoint that the words ask for."""
    if asked.camera == "aerial" and PLACES[scene.place].kind == "land":
        return replace(scene, eye=max(scene.eye, 26.0), pitch=-14.0)
    if asked.camera == "low":
        return replace(scene, eye=max(0.35, scene.eye * 0.4), pitch=scene.pitch + 8)
    if asked.camera == "wide":
        return replace(scene, focal=scene.focal * 0.78)
    return scene


def horizon(scene: Scene) -> float:
    """Where the horizon lies on the image plane, in units below the middle."""
    return math.tan(math.radians(scene.pitch)) * scene.focal
