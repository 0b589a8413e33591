"""What every chapter of planning looks at: a row, the model that draws it, and the profile of the version asked for."""

from dataclasses import dataclass, field
from typing import Any

from brushwork.engines.base import Row
from brushwork.engines.catalog.model import Model, Profile
from brushwork.engines.diffusion.facts import FAMILIES, Facts
from brushwork.engines.diffusion.planning.guided import is_guided
from brushwork.engines.diffusion.planning.tools import BUILT_IN, Tools

ORDINARY: dict[str, Any] = {
    "chaos": 0, "weird": 0, "stylize": 100, "stop": 100, "quality": 1, "exp": 0, "iw": 1, "sw": 100, "cw": 100,
    "ow": 100,
}  # fmt: skip
"""What a number is when nothing is said."""


@dataclass(frozen=True)
class Case:
    """One row for one model."""

    row: Row
    model: Model
    profile: Profile
    tools: Tools = field(default=BUILT_IN, repr=False)

    @property
    def facts(self) -> Facts:
        return FAMILIES[self.model.family]

    def number(self, name: str) -> float:
        """A parameter of the prompt, or what it is when it is not said or has no effect with this model."""
        value = self.row.params.get(name) if self.heeds(name) else None
        return float(ORDINARY[name] if value is None else value)

    def is_on(self, name: str) -> bool:
        """A switch of the prompt that has an effect with this model."""
        return self.heeds(name) and bool(self.row.params.get(name))

    def heeds(self, name: str) -> bool:
        """Whether the catalog grants the model an effect of this parameter; an entry that lists none grants all."""
        return not self.model.params or name in self.model.params

    @property
    def looks(self) -> int:
        """How many pictures the model reads beside the prompt."""
        return min(self.facts.references, self.model.references)

    @property
    def is_raw(self) -> bool:
        return self.is_on("raw") or (self.heeds("raw") and self.row.params.get("style") == "raw")

    @property
    def is_guided(self) -> bool:
        """Whether the profile's guidance looks at a second prompt."""
        return not self.model.distilled and is_guided(self.model.family, self.profile.guidance)


def profile_of(row: Row, model: Model) -> Profile:
    """The profile of the version that was asked for; else the model's first one, or one made of its usual numbers."""
    if row.model in model.profiles:
        return model.profiles[row.model]
    usual = Profile(version="", steps=round(model.steps.usual), guidance=model.guidance.usual)
    return next(iter(model.profiles.values()), usual)
