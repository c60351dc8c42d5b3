"""Opening hours as they are written: ``{mon-fri: "07:30-18:00", sat: "08:00-12:00"}``."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator

from monitor.sla.hours import Stretches, WeeklyHours

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_TIMES = re.compile(r"(\d\d):([0-5]\d)\s*-\s*(\d\d):([0-5]\d)")
_DAY_MINUTES = 24 * 60


def days_of(text: str) -> range:
    """The days, 0 for Monday, of ``sat`` or ``mon-fri``. Raises ValueError with what was expected."""
    first, dash, last = text.partition("-")
    if first in _DAYS and (not dash or last in _DAYS[_DAYS.index(first) :]):
        return range(_DAYS.index(first), _DAYS.index(last if dash else first) + 1)
    raise ValueError(f"expected a day (mon ... sun) or days such as mon-fri, not {text!r:.80}")


def parse_stretches(value: object) -> Stretches:
    """Minutes of the day, each ``[from, to)``, of ``08:00-12:00, 13:00-24:00``.

    Raises ValueError with what was expected.
    """
    found: list[tuple[int, int]] = []
    for part in str(value).split(","):
        match = _TIMES.fullmatch(part.strip())
        begin, end = (0, 0) if match is None else (_minute(match[1], match[2]), _minute(match[3], match[4]))
        if not (found[-1][1] if found else 0) <= begin < end <= _DAY_MINUTES:
            raise ValueError(f'expected times in their order, such as "07:30-18:00", not {value!r:.80}')
        found.append((begin, end))
    return tuple(found)


def _minute(hours: str, minutes: str) -> int:
    return int(hours) * 60 + int(minutes)


def _known_days(text: str) -> str:
    days_of(text)
    return text


def _days_once(hours: dict[str, Stretches]) -> dict[str, Stretches]:
    if not hours:
        raise ValueError('expected a day at least, such as {mon-fri: "07:30-18:00"}')
    days = [day for text in hours for day in days_of(text)]
    for day in days:
        if days.count(day) > 1:
            raise ValueError(f"expected each day once, not {_DAYS[day]} again")
    return hours


def weekly_hours(hours: Hours | None) -> WeeklyHours | None:
    """The hours of a week, for the clocks."""
    if hours is None:
        return None
    return WeeklyHours({day: stretches for text, stretches in hours.items() for day in days_of(text)})


Hours = Annotated[
    dict[
        Annotated[str, AfterValidator(_known_days)],
        Annotated[Stretches, BeforeValidator(parse_stretches)],
    ],
    AfterValidator(_days_once),
]
"""Stretches by the days at which they hold, as written. A day may be named once."""
