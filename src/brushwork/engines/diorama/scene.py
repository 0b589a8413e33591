"""The Scene: everything the painter knows about a picture before it paints. Small, frozen, plain values.

Coordinates of the world are metres: x to the right, y up, z away from the viewer; the camera stands at (0, eye, 0) and
looks along +z. The image plane is measured in *units*: (0, 0) is the middle of the picture, u grows to the right, v
downwards, and one unit is half of the natural picture's shorter side. A `View` is any window on that plane, so a wider
or moved window sees more of the same world, and a larger number of pixels sees the same world in more detail.
"""

from dataclasses import dataclass, field

PLACES = (
    "mountains", "snow_peaks", "hills", "meadow", "flower_field", "lavender_field", "wheat_field", "forest",
    "autumn_forest", "winter_forest", "jungle", "desert", "canyon", "lake", "river", "waterfall", "sea", "beach",
    "island", "volcano", "arctic", "mars", "moon", "space", "city_street", "skyline", "cyberpunk", "village",
    "castle_grounds", "underwater", "studio", "sky",
)  # fmt: skip
TIMES = ("dawn", "morning", "noon", "afternoon", "golden_hour", "sunset", "dusk", "night", "midnight")
WEATHERS = ("clear", "cloudy", "overcast", "rain", "snow", "fog", "storm", "aurora", "rainbow", "windy")
SEASONS = ("spring", "summer", "autumn", "winter")
STYLES = (
    "none", "photo", "watercolor", "oil", "pixel", "pencil", "ukiyo_e", "flat", "anime", "mono", "low_poly", "neon",
    "vintage", "pop_art", "clay",
)  # fmt: skip


@dataclass(frozen=True)
class Subject:
    """One thing that stands, swims or flies in the world."""

    concept: str
    """Name of its artwork, as in the lexicon: "fox", "sailboat"."""
    x: float
    """Metres right of the axis."""
    z: float
    """Metres away."""
    height: float
    """Metres tall."""
    lift: float = 0.0
    """Metres above ground or water; 0 stands, >0 flies or floats, <0 is partly under."""
    colour: str | None = None
    """A colour word ("red") that replaces its main colour."""
    flip: bool = False
    tilt: float = 0.0
    """Degrees, clockwise."""
    weight: float = 1.0
    """Prominence from the prompt's `::weights`."""
    artwork: str | None = None
    """Which of its concept's pictures; None leaves it to the seed."""


@dataclass(frozen=True)
class Scene:
    """A picture before it is painted."""

    seed: int
    place: str = "meadow"
    time: str = "afternoon"
    weather: str = "clear"
    season: str = "summer"
    style: str = "none"
    palette: str | None = None
    """A colour word or mood that tints the whole picture ("pink", "teal")."""
    subjects: tuple[Subject, ...] = ()
    aspect: tuple[int, int] = (1, 1)
    eye: float = 1.7
    """Height of the camera above the ground, metres."""
    pitch: float = 0.0
    """Degrees; positive looks up."""
    focal: float = 1.6
    """Distance of the image plane in units: larger sees less, flatter."""
    stylize: float = 0.1
    """0-1: strength of grading and of the style pass."""
    weird: float = 0.0
    """0-1: palette swaps, odd scales, loosened gravity."""
    chaos: float = 0.0
    tile: bool = False
    """Periodic in both directions."""
    stop: float = 1.0
    """0.1-1: how far the refinement goes; less is softer and unfinished."""
    detail: float = 1.0
    """0.25-4: how much fine detail (`--quality`)."""
    forbidden: frozenset[str] = field(default_factory=frozenset)
    """Concepts that must not appear (`--no`): "trees", "clouds", "people" ..."""
    emphasis: tuple[tuple[str, float], ...] = ()
    """(concept, factor) that raises or lowers things the place brings: ("clouds", 2.0)."""
    grain: int | None = None
    """Another seed for clouds and surfaces; None is `seed`. A variation changes it and keeps the land."""
    growth: int | None = None
    """Another seed for what grows; None is `seed`."""

    @property
    def grain_seed(self) -> int:
        return self.seed if self.grain is None else self.grain

    @property
    def growth_seed(self) -> int:
        return self.seed if self.growth is None else self.growth


@dataclass(frozen=True)
class View:
    """A window on the image plane and its size in pixels."""

    left: float
    top: float
    right: float
    bottom: float
    width: int
    height: int


def natural_view(scene: Scene, width: int, height: int) -> View:
    """The window of the whole picture: the shorter side is two units long."""
    aspect = scene.aspect[0] / scene.aspect[1]
    half_u, half_v = (aspect, 1.0) if aspect >= 1 else (1.0, 1.0 / aspect)
    return View(-half_u, -half_v, half_u, half_v, width, height)
