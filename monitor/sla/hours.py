"""Handling hours: a table of the week, and clocks that run inside it only (SLA.md §6)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from monitor.sla.intervals import Interval
from monitor.sla.months import from_ms, local_ms, midnight_ms

Stretches = tuple[tuple[int, int], ...]
ALL_DAY: Stretches = ((0, 24 * 60),)

_HORIZON = timedelta(days=3660)
"""No clock is followed further: hours that holidays (almost) use up would never run out."""


@dataclass(frozen=True, slots=True)
class WeeklyHours:
    """Stretches ``[from, to)`` in minutes of the local day, by weekday from 0 for Monday."""

    days: Mapping[int, Stretches]

    def on(self, day: date, holidays: Collection[date]) -> Stretches:
        """The hours of a day. A public holiday has none, unless the plan handles faults around the clock."""
        stretches = self.days.get(day.weekday(), ())
        return () if day in holidays and stretches != ALL_DAY else stretches

    def __hash__(self) -> int:
        return hash(tuple(sorted(self.days.items())))


def windows(
    hours: WeeklyHours, since_ms: int, zone: ZoneInfo, holidays: Collection[date] = ()
) -> Iterator[Interval]:
    """The handling windows that end after ``since_ms``, in order, each with its real length on a day of DST."""
    day = from_ms(since_ms, zone).date() - timedelta(days=1)
    last = day + _HORIZON
    while day < last:
        following = day + timedelta(days=1)
        for begin, end in hours.on(day, holidays):
            start_ms = local_ms(day, begin, zone)
            end_ms = midnight_ms(following, zone) if end == 24 * 60 else local_ms(day, end, zone)
            if start_ms < end_ms and end_ms > since_ms:
                yield max(start_ms, since_ms), end_ms
        day = following


def deadline(
    reported_ms: int, budget_ms: int, hours: WeeklyHours, zone: ZoneInfo, holidays: Collection[date] = ()
) -> int:
    """When ``budget_ms`` of handling time have passed since the report.

    A budget that is used up just at a window's end is due there, not when the next window opens.
    Raises ValueError where the hours never come to that much.
    """
    left = budget_ms
    for start_ms, end_ms in windows(hours, reported_ms, zone, holidays):
        if left <= end_ms - start_ms:
            return start_ms + left
        left -= end_ms - start_ms
    raise ValueError("the handling hours never come to the time that is agreed")


def used(
    from_instant_ms: int,
    to_instant_ms: int,
    hours: WeeklyHours,
    zone: ZoneInfo,
    holidays: Collection[date] = (),
) -> int:
    """Milliseconds of handling time between two instants."""
    spent = 0
    for start_ms, end_ms in windows(hours, from_instant_ms, zone, holidays):
        if start_ms >= to_instant_ms:
            break
        spent += min(end_ms, to_instant_ms) - start_ms
    return spent


@dataclass(frozen=True, slots=True)
class Deadlines:
    """When a response, an intervention and the resolution are due; None where the plan says nothing."""

    mrt_ms: int | None
    tti_ms: int | None
    ttr_ms: int | None


def deadlines(
    budgets: tuple[int | None, int | None, int | None],
    reported_ms: int,
    hours: WeeklyHours | None,
    zone: ZoneInfo,
    holidays: Collection[date] = (),
) -> Deadlines:
    """The deadlines of a problem. ``budgets``: a plan's mrt, tti and ttr. Without fault hours, all hours count."""
    table = hours or WeeklyHours(dict.fromkeys(range(7), ALL_DAY))
    mrt, tti, ttr = (
        None if budget is None else deadline(reported_ms, budget, table, zone, holidays) for budget in budgets
    )
    return Deadlines(mrt, tti, ttr)
