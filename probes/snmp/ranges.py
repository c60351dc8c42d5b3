"""Ranges of numbers as an operator writes them: ``70..``, ``..5``, ``0..80``, ``3``, ``2,6..7``, ``never``."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Annotated

from pydantic import BeforeValidator, InstanceOf

_NUMBER = r"-?\d{1,20}(?:\.\d{1,9})?"
_SPAN = re.compile(rf"({_NUMBER})?\.\.({_NUMBER})?|({_NUMBER})")
_MOST_SPANS = 32


@dataclass(frozen=True, slots=True)
class Ranges:
    """Numbers from the first to the last of any span, both included."""

    text: str
    spans: tuple[tuple[float, float], ...]

    def __contains__(self, value: float) -> bool:
        return any(low <= value <= high for low, high in self.spans)


def parse_ranges(value: object) -> Ranges:
    """Raises ValueError with what was expected."""
    if isinstance(value, Ranges):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(f"expected a range such as 70.., ..5, 0..80 or 3, not {value!r}")
    text = str(value).replace(" ", "")
    pieces = [] if text == "never" else text.split(",")
    if len(pieces) > _MOST_SPANS:
        raise ValueError(f"expected at most {_MOST_SPANS} ranges")
    return Ranges(text, tuple(_span(piece, text) for piece in pieces))


def _span(piece: str, text: str) -> tuple[float, float]:
    match = _SPAN.fullmatch(piece)
    if match is None or piece == "..":
        raise ValueError(f"expected a range such as 70.., ..5, 0..80 or 3, not {text!r}")
    low, high, only = match.groups()
    if only is not None:
        return _number(only), _number(only)
    span = _number(low) if low else -math.inf, _number(high) if high else math.inf
    if span[0] > span[1]:
        raise ValueError(f"expected a range from low to high, not {piece!r}")
    return span


def _number(text: str) -> float:
    """A whole number stays one: counters have more digits than a float."""
    return float(text) if "." in text else int(text)


Limits = tuple[tuple[str, Ranges], ...]
"""Ranges by the name of the figure that they are about; the empty name stands for the first one there is."""


def parse_limits(value: object) -> Limits:
    """``70..`` for the first figure, or ranges by name. Raises ValueError with what was expected."""
    if isinstance(value, tuple):
        return value
    if isinstance(value, dict):
        return tuple((str(name), parse_ranges(ranges)) for name, ranges in value.items())
    return (("", parse_ranges(value)),)


LimitsOption = Annotated[tuple[tuple[str, InstanceOf[Ranges]], ...], BeforeValidator(parse_limits)]
