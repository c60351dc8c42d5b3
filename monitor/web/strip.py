"""A month as a strip a day, each cut into cells of five minutes that show the worst that was in them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from monitor.sla.intervals import Interval
from monitor.sla.months import Month, midnight_ms
from monitor.store.timelines import Timeline

CELL_MS = 5 * 60_000


@dataclass(frozen=True, slots=True)
class Run:
    """Cells in a row, from their day's first midnight on, in one state."""

    cell: int
    cells: int
    state: str


@dataclass(frozen=True, slots=True)
class Day:
    day: date
    cells: int
    """288, but for the days on which the clocks change."""
    runs: tuple[Run, ...]
    """What has not come yet is in none of them."""


def strip(line: Timeline, month: Month, zone: ZoneInfo) -> list[Day]:
    """The days of the month; ``line`` covers what has passed of it."""
    first = date(month.year, month.month, 1)
    following = date(month.next.year, month.next.month, 1)
    days = [first + timedelta(days=number) for number in range((following - first).days + 1)]
    return [
        _day(line, day, midnight_ms(day, zone), midnight_ms(after, zone)) for day, after in pairwise(days)
    ]


def _day(line: Timeline, day: date, from_ms: int, to_ms: int) -> Day:
    first, last = max(from_ms, line.from_ms), min(to_ms, line.to_ms)
    cells = -(-(to_ms - from_ms) // CELL_MS)
    states: list[str | None] = [None] * cells
    _paint(states, [(first, last)], "up", from_ms, to_ms)
    _paint(states, line.unknown, "unknown", from_ms, to_ms)
    _paint(states, line.degraded, "degraded", from_ms, to_ms)
    _paint(states, [(start, end) for start, end, _ in line.down], "down", from_ms, to_ms)
    return Day(day, cells, _runs(states))


def _paint(states: list[str | None], stretches: list[Interval], state: str, from_ms: int, to_ms: int) -> None:
    for start, end in stretches:
        if start < to_ms and end > from_ms and start < end:
            first = max(0, (start - from_ms) // CELL_MS)
            last = min(len(states), -(-(end - from_ms) // CELL_MS))
            states[first:last] = [state] * (last - first)


def _runs(states: list[str | None]) -> tuple[Run, ...]:
    runs = []
    begin = 0
    for cell in range(1, len(states) + 1):
        if cell == len(states) or states[cell] != states[begin]:
            state = states[begin]
            if state is not None:
                runs.append(Run(begin, cell - begin, state))
            begin = cell
    return tuple(runs)
