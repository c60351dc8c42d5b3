"""The quantities that an operator writes in configuration: ``500ms``, ``30s``, ``5 %``."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator

_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000}
_DURATION = re.compile(r"(\d{1,9})\s*(ms|s|m|h)")
_DAYS = re.compile(r"(\d{1,5})\s*d")
_RATIO = re.compile(r"(\d{1,6}(?:\.\d{1,12})?)\s*%")


def parse_duration(value: object) -> int:
    """Milliseconds of ``500ms``, ``30s``, ``5m`` or ``2h``. Raises ValueError with what was expected."""
    match = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f"expected a duration such as 500ms, 30s, 5m or 2h, not {value!r}")
    return int(match[1]) * _MS[match[2]]


def parse_positive_duration(value: object) -> int:
    """Like parse_duration, and more than zero."""
    if (milliseconds := parse_duration(value)) <= 0:
        raise ValueError(f"expected a duration above zero, not {value!r}")
    return milliseconds


def parse_long_duration(value: object) -> int:
    """Milliseconds of ``14d``, or of what parse_positive_duration takes. Raises ValueError with what was expected."""
    days = _DAYS.fullmatch(value.strip()) if isinstance(value, str) else None
    if days is None:
        return parse_positive_duration(value)
    if int(days[1]) == 0:
        raise ValueError(f"expected a duration above zero, not {value!r}")
    return int(days[1]) * 24 * _MS["h"]


def parse_ratio(value: object) -> Decimal:
    """The fraction that ``99.90 %`` states, with the digits as written: Decimal('0.9990')."""
    match = _RATIO.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f"expected a percentage such as 99.90 %, not {value!r}")
    return Decimal(match[1]).scaleb(-2)


def _already(kind: type, parse: object) -> BeforeValidator:
    """Let a value that code (not YAML) gives in its final type pass as it is."""
    return BeforeValidator(lambda value: value if type(value) is kind else parse(value))  # type: ignore[operator]


Duration = Annotated[int, BeforeValidator(parse_positive_duration)]
"""Milliseconds, more than zero."""

LongDuration = Annotated[int, BeforeValidator(parse_long_duration)]
"""Milliseconds, more than zero, that may be written in days of 24 hours."""

Ratio = Annotated[Decimal, _already(Decimal, parse_ratio)]
"""An exact fraction, written as a percentage."""
