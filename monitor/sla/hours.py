"""Handling hours: a table of the week, and clocks that run inside it only (SLA.md §6)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from monitor.sla.intervals import Interval, total
from monitor.sla.months import from_ms, local_ms, midnight_ms, to_ms

Stretches = tuple[tuple[int, int], ...]
ALL_DAY: Stretches = ((0, 24 * 60),)

_HORIZON_MS = 3660 * 24 * 3_600_000
"""No deadline is followed further: hours that holidays (almost) use up would never run out."""
_END_MS = to_ms(datetime(9999, 1, 1, tzinfo=UTC))
"""Nor past the years that an instant can have."""


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


ALWAYS = WeeklyHours(dict.fromkeys(range(7), ALL_DAY))
"""Around the clock, every day."""


def windows(
    hours: WeeklyHours, between: Interval, zone: ZoneInfo, holidays: Collection[date] = ()
) -> Iterator[Interval]:
    """The handling windows between two instants, in order, each with its real length on a day of DST."""
    since_ms, until_ms = between
    day = from_ms(since_ms, zone).date() - timedelta(days=1)
    last = from_ms(until_ms, zone).date() + timedelta(
        days=1
    )  # it has begun where clocks go back over midnight
    while day <= last:
        following = day + timedelta(days=1)
        for begin, end in hours.on(day, holidays):
            start_ms = max(local_ms(day, begin, zone), since_ms)
            end_ms = midnight_ms(following, zone) if end == 24 * 60 else local_ms(day, end, zone)
            end_ms = min(end_ms, until_ms)
            if start_ms < end_ms:
                yield start_ms, end_ms
        day = following


def deadline(
    reported_ms: int, budget_ms: int, hours: WeeklyHours, zone: ZoneInfo, holidays: Collection[date] = ()
) -> int:
    """When ``budget_ms`` of handling time have passed since the report.

    A budget that is used up just at a window's end is due there, not when the next window opens.
    Raises ValueError where the hours never come to that much.
    """
    left = budget_ms
    followed = reported_ms, min(reported_ms + _HORIZON_MS, _END_MS)
    for start_ms, end_ms in windows(hours, followed, zone, holidays):
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
    return total(windows(hours, (from_instant_ms, to_instant_ms), zone, holidays))


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
    mrt, tti, ttr = (
        None if budget is None else deadline(reported_ms, budget, hours or ALWAYS, zone, holidays)
        for budget in budgets
    )
    return Deadlines(mrt, tti, ttr)
