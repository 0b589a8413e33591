"""What was computed lately and may be asked for again: encoded texts and pictures. The least used is forgotten."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class Remembered(Generic[T]):
    """At most `most` things. Not safe to use from two threads."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.things: OrderedDict[Hashable, T] = OrderedDict()

    def get(self, key: Hashable) -> T | None:
        if key in self.things:
            self.things.move_to_end(key)
        return self.things.get(key)

    def put(self, key: Hashable, thing: T) -> T:
        self.things[key] = thing
        self.things.move_to_end(key)
        while len(self.things) > self.most:
            self.things.popitem(last=False)
        return thing

    def clear(self) -> None:
        self.things.clear()
