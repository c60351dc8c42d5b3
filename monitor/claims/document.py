"""A document in a language, before it has a form: HTML, PDF and text lay out the same one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Facts = Sequence[tuple[str, str]]
"""Labels and what they say."""


@dataclass(frozen=True, slots=True)
class Column:
    title: str
    kind: Literal["text", "short", "number", "instant", "span", "figure", "signed"] = "text"
    """``text`` takes the width that is left, and so does ``signed``, a name and an instant; numbers, spans of time and
    figures stand to the right."""


@dataclass(frozen=True, slots=True)
class Table:
    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[str]]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Drawing:
    """An SVG that stands for itself; ``about`` says in words what is in it."""

    title: str
    svg: str
    about: str


@dataclass(frozen=True, slots=True)
class Section:
    title: str
    lead: str
    facts: Facts
    drawing: Drawing | None
    tables: Sequence[Table]


@dataclass(frozen=True, slots=True)
class Document:
    language: str
    title: str
    subtitle: str
    dated: str
    """ISO 8601: what it tells was so at that instant; never the time of printing."""
    facts: Facts
    tables: Sequence[Table]
    sections: Sequence[Section]
    page: str
    """The footer's words, with {page} and {pages}."""
    attached: str
    """What is said of the attached data."""
