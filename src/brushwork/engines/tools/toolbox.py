"""Which tools work on pictures beside an engine: those that ship, or better ones that an engine brings along.

A task asks for tools and never learns what they are made of. Knows no task.
"""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from brushwork.engines.base import Engine
from brushwork.engines.tools.enlarge import Content
from brushwork.engines.tools.matting import Matting
from brushwork.engines.tools.matting_depth import MATTING_DEPTH
from brushwork.engines.tools.super_resolution import SHIPPED, Enlarger
from brushwork.engines.tools.tags import TAGS


@dataclass(frozen=True)
class Cutter:
    """What tells a subject from its background."""

    name: str
    """For the recipe."""
    matting: Matting | None = None
    """None is the network that ships."""


SHIPPED_CUTTER = Cutter(MATTING_DEPTH.name)


@dataclass(frozen=True)
class Toolbox:
    """One tool for each purpose."""

    cutter: Cutter = SHIPPED_CUTTER
    enlarger: Enlarger = SHIPPED
    illustrations: Enlarger | None = None
    """Another enlarger for what is drawn with clear lines; None is the one for everything."""
    describer: str = TAGS.name
    """What an engine describes pictures with, for the recipe."""
    missing: frozenset[str] = frozenset()
    """Purposes for which this engine would have a better tool, were it installed: "describe"."""

    def enlarger_for(self, content: Content) -> Enlarger:
        return self.illustrations or self.enlarger if content == "illustration" else self.enlarger


SHIPPED_TOOLS = Toolbox()


@runtime_checkable
class Equipped(Protocol):
    """An engine with tools of its own."""

    @property
    def tools(self) -> Toolbox:
        """What is installed; the same while the process lives."""


def tools_of(engine: Engine) -> Toolbox:
    """The engine's own tools where it has some."""
    return engine.tools if isinstance(engine, Equipped) else SHIPPED_TOOLS
