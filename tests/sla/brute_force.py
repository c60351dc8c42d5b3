"""The rules of SLA.md once more, slowly and in another way, to hold monitor.sla against. Nothing of it is used here.

A month's bounds are found by looking at a clock minute by minute; time is counted in cells between all
instants at which anything changes; what touches is one outage by flooding over a graph; handling hours are
walked minute by minute.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from itertools import pairwise
from zoneinfo import ZoneInfo

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
Stretch = tuple[int, int]


@dataclass(frozen=True)
class Span:
    """A stretch that was not up. ``outage`` names the outage that it is part of, if it was down."""

    from_ms: int
    to_ms: int
    state: str
    outage: int | None = None


@dataclass(frozen=True)
class Count:
    """What the rules make of a window."""

    total_ms: int
    down_ms: int
    degraded_ms: int
    excluded_ms: int
    unknown_ms: int
    outages: int
    down_by_outage: list[int]


def local(at_ms: int, zone: ZoneInfo) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(at_ms // 1000, zone)


def month_start(year: int, month: int, zone: ZoneInfo) -> int:
    """The first minute at which a clock of the zone shows the first day of the month."""
    about = datetime.datetime(year, month, 1, tzinfo=datetime.UTC) - datetime.timedelta(hours=15)
    at_ms = int(about.timestamp()) * 1000
    while local(at_ms, zone).date() != datetime.date(year, month, 1):
        at_ms += MINUTE_MS
    return at_ms


def month_window(year: int, month: int, zone: ZoneInfo) -> Stretch:
    following = (year + 1, 1) if month == 12 else (year, month + 1)
    return month_start(year, month, zone), month_start(*following, zone)


def count(
    window: Stretch,
    spans: Sequence[Span],
    exclusions: Sequence[Stretch],
    degraded: str,
    excluded_time: str,
    unknown_time: str,
) -> Count:
    """Cell by cell between the instants at which anything begins or ends."""
    bad = {"down", "degraded"} if degraded == "down" else {"down"}
    name_of = _outage_names([span for span in spans if span.state in bad])
    edges = {*window, *(edge for span in spans for edge in (span.from_ms, span.to_ms))}
    edges |= {edge for exclusion in exclusions for edge in exclusion}
    cells = sorted(edge for edge in edges if window[0] <= edge <= window[1])
    sums = dict.fromkeys(("total", "down", "degraded", "excluded", "unknown"), 0)
    by_outage: dict[int, int] = {}
    for begin, end in pairwise(cells):
        length = end - begin
        span = next((one for one in spans if one.from_ms <= begin < one.to_ms), None)
        state = "up" if span is None else span.state
        excluded = any(one[0] <= begin < one[1] for one in exclusions)
        removed = (excluded and excluded_time == "removed") or (
            state == "unknown" and unknown_time == "removed"
        )
        sums["total"] += 0 if removed else length
        if state in ("degraded", "unknown"):
            sums[state] += length
        if span is not None and state in bad:
            name = name_of[span]
            by_outage.setdefault(name, 0)
            sums["excluded" if excluded else "down"] += length
            by_outage[name] += 0 if excluded else length
    begun = {name for name in name_of.values() if window[0] <= name < window[1]}
    return Count(
        sums["total"],
        sums["down"],
        sums["degraded"],
        sums["excluded"],
        sums["unknown"],
        len(begun),
        [by_outage[name] for name in sorted(by_outage)],
    )


def _outage_names(bad: Sequence[Span]) -> dict[Span, int]:
    """For each stretch of downtime the first instant of its outage."""
    names: dict[Span, int] = {}
    for span in bad:
        if span in names:
            continue
        flooded, rising = {span}, [span]
        while rising:
            at = rising.pop()
            for other in bad:
                if other not in flooded and _belong(at, other):
                    flooded.add(other)
                    rising.append(other)
        first = min(one.from_ms for one in flooded)
        names.update(dict.fromkeys(flooded, first))
    return names


def _belong(one: Span, other: Span) -> bool:
    same = one.outage is not None and one.outage == other.outage
    return same or one.to_ms == other.from_ms or other.to_ms == one.from_ms


def is_breach(counted: Count, guarantee: Decimal) -> bool:
    if counted.total_ms == 0:
        return False
    return Fraction(counted.total_ms - counted.down_ms) < Fraction(guarantee) * counted.total_ms


def allowed_ms(total_ms: int, guarantee: Decimal) -> int:
    """Found by halving: the most downtime that is no breach."""
    least, most = 0, total_ms
    while least < most:
        middle = (least + most + 1) // 2
        if Fraction(total_ms - middle) >= Fraction(guarantee) * total_ms:
            least = middle
        else:
            most = middle - 1
    return least


def hours(down_by_outage: Sequence[int], rule: str) -> Fraction:
    if rule == "prorata":
        return sum((Fraction(ms, HOUR_MS) for ms in down_by_outage), Fraction(0))
    whole = 0
    for ms in down_by_outage:
        full, rest = divmod(ms, HOUR_MS)
        whole += full + (1 if rest and rule == "started" else 0)
    return Fraction(whole)


def credit(fee: Decimal, rate: Decimal, cap: Decimal | None, downtime_hours: Fraction) -> Decimal:
    """In a currency with cents."""
    exact = Fraction(fee) * Fraction(rate) * downtime_hours
    if cap is not None:
        exact = min(exact, Fraction(fee) * Fraction(cap))
    thousandths = Decimal(int(exact * 1000))  # half a cent is five of them: what follows changes nothing
    return (thousandths / 1000).quantize(Decimal("0.01"), ROUND_HALF_UP)


class HandlingClock:
    """Walks minute by minute; a window is open from when the clock first shows its beginning until its end."""

    def __init__(
        self,
        week: Mapping[int, Sequence[Stretch]],
        zone: ZoneInfo,
        holidays: Collection[datetime.date],
    ) -> None:
        self._week = week
        self._zone = zone
        self._holidays = holidays
        self._latest: dict[datetime.date, int] = {}

    def _is_open(self, at_ms: int) -> bool:
        """To be asked minute by minute, from a midnight on."""
        shown = local(at_ms, self._zone)
        minute = max(self._latest.get(shown.date(), 0), shown.hour * 60 + shown.minute)
        self._latest[shown.date()] = minute
        for begin, end in self._week.get(shown.weekday(), ()):
            around_the_clock = (begin, end) == (0, 1440)
            if begin <= minute < end and (around_the_clock or shown.date() not in self._holidays):
                return True
        return False

    def walk(self, from_ms: int, until: Callable[[int, int], bool]) -> tuple[int, int]:
        """Minutes from a midnight before ``from_ms``, until ``until(at_ms, used_ms)``; where and what was used."""
        self._latest.clear()
        at_ms = from_ms - from_ms % MINUTE_MS
        while local(at_ms, self._zone).day == local(from_ms, self._zone).day:
            at_ms -= MINUTE_MS
        used_ms = 0
        while not until(at_ms, used_ms):
            if self._is_open(at_ms) and at_ms + MINUTE_MS > from_ms:
                used_ms += at_ms + MINUTE_MS - max(at_ms, from_ms)
            at_ms += MINUTE_MS
        return at_ms, used_ms

    def deadline(self, from_ms: int, budget_ms: int) -> int:
        at_ms, used_ms = self.walk(from_ms, lambda _, used_ms: used_ms >= budget_ms)
        return at_ms - (used_ms - budget_ms)

    def used(self, from_ms: int, to_ms: int) -> int:
        """``to_ms`` on a whole minute."""
        return self.walk(from_ms, lambda at_ms, _: at_ms >= to_ms)[1]
