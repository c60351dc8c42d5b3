"""How much of a window a service was available, as the plan counts it (SLA.md §4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import get_args

from monitor.sla.intervals import Interval, clip, subtract, total, union
from monitor.sla.plans import DegradedRule, Plan, TimeRule


@dataclass(frozen=True, slots=True)
class Observed:
    """What is known of a service in and around a window. Stretches are sorted and do not overlap.

    ``outages``: for each outage its stretches of down (at least one), which unknown time may interrupt.
    What is in none of the lists was up.
    """

    window: Interval
    outages: Sequence[Sequence[Interval]] = ()
    degraded: Sequence[Interval] = ()
    unknown: Sequence[Interval] = ()
    excluded: Sequence[Interval] = ()
    """Exclusions of any class; they may overlap and come in any order."""
    blips: int = 0
    complete: bool = True
    """The month of the window is over."""


@dataclass(frozen=True, slots=True)
class Availability:
    """What the plan's rules make of a window. Times are in whole milliseconds, ratios exact."""

    window: Interval
    total_ms: int
    """T: the measured time, without what the plan removes."""
    down_ms: int
    """D: the downtime after exclusions."""
    degraded_ms: int
    excluded_ms: int
    """Downtime that an exclusion took away."""
    unknown_ms: int
    outages: int
    """Those that begin in the window."""
    blips: int
    coverage: Fraction
    """The share of the window in which the state was known."""
    ratio: Fraction | None
    """A = (T - D) / T; None where nothing was measured."""
    guarantee: Decimal | None
    allowed_down_ms: int | None
    """The most downtime that is no breach; None without a guarantee."""
    breach: bool
    complete: bool
    down_by_outage: tuple[int, ...]
    """D, outage by outage: what ``started`` and ``whole`` hours are rounded on."""


_NO_RULES = Plan("", "")
_NONE, _ALL = Fraction(0), Fraction(1)


@lru_cache(maxsize=1024)
def _exact(guarantee: Decimal) -> Fraction:
    """A few guarantees serve many services, and making a fraction of a decimal takes a while."""
    return Fraction(guarantee)


def measure(observed: Observed, plan: Plan | None) -> Availability:
    """Count a window by the plan's rules; without a plan, by the default ones and against no guarantee."""
    plan = plan or _NO_RULES
    window = observed.window
    length = max(0, window[1] - window[0])
    excluded = clip(union(observed.excluded), window) if observed.excluded else []
    unknown = clip(observed.unknown, window) if observed.unknown else []
    degraded = clip(observed.degraded, window) if observed.degraded else []
    outages = counted_outages(observed, plan)
    begun, excluded_ms, by_outage = 0, 0, []
    first, last = window
    for stretches in outages:
        start, end = stretches[0]
        if first <= start < last:
            begun += 1
            # As most are: the month of ten thousand services has half a million.
            if end <= last and len(stretches) == 1 and not excluded:
                by_outage.append(end - start)
                continue
        inside = clip(stretches, window)
        if inside:
            counted_ms = total(subtract(inside, excluded))
            excluded_ms += total(inside) - counted_ms
            by_outage.append(counted_ms)
    down_ms = sum(by_outage)
    removed = excluded if plan.excluded_time == "removed" else []
    if plan.unknown_time == "removed":
        removed = union([*removed, *unknown]) if removed else unknown
    total_ms = length - total(removed)
    unknown_ms = total(unknown)
    ratio = Fraction(total_ms - down_ms, total_ms) if total_ms > 0 else None
    guarantee = plan.guarantee
    covered = Fraction(length - unknown_ms, length) if unknown_ms else _ALL
    return Availability(
        window=window,
        total_ms=total_ms,
        down_ms=down_ms,
        degraded_ms=total(degraded),
        excluded_ms=excluded_ms,
        unknown_ms=unknown_ms,
        outages=begun,
        blips=observed.blips,
        coverage=covered if length else _NONE,
        ratio=ratio,
        guarantee=guarantee,
        allowed_down_ms=None if guarantee is None else allowed_ms(total_ms, guarantee),
        breach=guarantee is not None and ratio is not None and ratio < _exact(guarantee),
        complete=observed.complete,
        down_by_outage=tuple(by_outage),
    )


def counted_outages(observed: Observed, plan: Plan | None) -> Sequence[Sequence[Interval]]:
    """The outages as the plan takes them: with degraded time, where that is downtime."""
    degraded_is_down = plan is not None and plan.degraded == "down" and observed.degraded
    return _with_degraded(observed) if degraded_is_down else observed.outages


def allowed_ms(total_ms: int, guarantee: Decimal) -> int:
    """The most whole milliseconds of downtime in ``total_ms`` with which the guarantee still holds."""
    promised = _exact(guarantee)
    return (promised.denominator - promised.numerator) * total_ms // promised.denominator


def left_ms(now: Availability, whole_month: Interval) -> int | None:
    """Downtime that the month still has until the breach, if the rest of it is measured; negative: overdrawn."""
    if now.guarantee is None:
        return None
    rest_ms = whole_month[1] - now.window[1]
    return allowed_ms(now.total_ms + max(0, rest_ms), now.guarantee) - now.down_ms


def under_every_rule(observed: Observed, plan: Plan) -> dict[tuple[str, str, str], Availability]:
    """The verdict under each way to count (degraded, excluded_time, unknown_time), to be set side by side."""
    verdicts = {}
    for degraded in get_args(DegradedRule):
        for excluded in get_args(TimeRule):
            for unknown in get_args(TimeRule):
                rules = replace(plan, degraded=degraded, excluded_time=excluded, unknown_time=unknown)
                verdicts[degraded, excluded, unknown] = measure(observed, rules)
    return verdicts


def _with_degraded(observed: Observed) -> list[list[Interval]]:
    """The outages when degraded time is downtime: what touches is one."""
    outages = [list(stretches) for stretches in observed.outages]
    ends: dict[int, list[Interval]] = {}
    starts: dict[int, list[Interval]] = {}
    for stretches in outages:
        for start, end in stretches:
            starts[start] = ends[end] = stretches
    for span in observed.degraded:
        before, after = ends.get(span[0]), starts.get(span[1])
        home = before if before is not None else after
        if home is None:
            home = []
            outages.append(home)
        home.append(span)
        if before is not None and after is not None and before is not after:
            before += after
            for start, end in after:
                starts[start] = ends[end] = before
            outages.remove(after)
        ends[span[1]] = home
    return sorted(sorted(stretches) for stretches in outages)
