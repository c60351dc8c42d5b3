"""The plain tree of a YAML document, in which every key and value has its place.

A scalar is a ``str``, as written. Places are kept as numbers in the container, because an object with its own
place for every value would weigh more than all the values.
"""

from __future__ import annotations

from array import array
from typing import NamedTuple, TypeAlias


class Place(NamedTuple):
    """Line and column, both from 1."""

    line: int
    column: int


class Table(dict[str, "Tree"]):
    """A mapping. ``marks`` holds four numbers for each key: line and column of the key, then of its value."""

    __slots__ = ("marks",)

    def __init__(self) -> None:
        self.marks = array("I")

    def add(self, key: str, key_place: Place, value: Tree, place: Place) -> None:
        self[key] = value
        self.marks.extend((*key_place, *place))

    def places(self, key: str) -> tuple[Place, Place]:
        """Of the key and of its value."""
        start = 4 * list(self).index(key)
        return Place(*self.marks[start : start + 2]), Place(*self.marks[start + 2 : start + 4])


class Series(list["Tree"]):
    """A sequence. ``marks`` holds line and column of each item."""

    __slots__ = ("marks",)

    def __init__(self) -> None:
        self.marks = array("I")

    def add(self, value: Tree, place: Place) -> None:
        self.append(value)
        self.marks.extend(place)

    def place(self, index: int) -> Place:
        return Place(*self.marks[2 * index : 2 * index + 2])


Tree: TypeAlias = str | Table | Series
Step: TypeAlias = str | int
"""A key of a mapping or an index of a sequence."""


def locate(root: Tree, steps: tuple[Step, ...]) -> tuple[int, Place]:
    """How many of the steps the tree has, and where the value at the end of these stands.

    A value that is a container stands at its key.
    """
    node, place = root, Place(1, 1)
    for depth, step in enumerate(steps):
        if isinstance(node, Table) and isinstance(step, str) and step in node:
            key_place, value_place = node.places(step)
            node = node[step]
            place = value_place if isinstance(node, str) else key_place
        elif isinstance(node, Series) and isinstance(step, int) and step < len(node):
            place, node = node.place(step), node[step]
        else:
            return depth, place
    return len(steps), place


def written(steps: tuple[Step, ...]) -> str:
    """The steps as people write them: ``services[3].checks[0].interval``."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps).removeprefix(".")
