"""How far an outage's edges could be off, and what that leaves of a month: at least this, at most that (SLA.md §3)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from monitor.sla.availability import Availability, Observed, counted_outages, measure
from monitor.sla.intervals import Interval, subtract, union
from monitor.sla.plans import Plan


@dataclass(frozen=True, slots=True)
class Edges:
    """What was seen around the edges of outages; what nobody saw is left out."""

    last_good: Mapping[int, int]
    """For the first bad instant of an outage the last good one before it."""
    last_bad: Mapping[int, int]
    """For the first good instant after an outage the last bad one before it."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """A window as it counts, and what else it could have been. ``least <= counted <= most <= worst`` in downtime,
    and in the credit that it gives."""

    least: Availability
    """Each outage only from its first bad answer to its last one."""
    counted: Availability
    most: Availability
    """Each outage from the last good answer before it to the first one after it."""
    worst: Availability
    """And all that nobody saw was downtime as well, each stretch of it an outage of its own."""


def bounded(observed: Observed, plan: Plan | None, edges: Edges) -> Bounds:
    """Count a window by the plan's rules, and within its error bounds.

    Which stretches make up an outage is settled before its edges are moved: were it split or joined by that,
    hours that are rounded outage by outage could come out on the wrong side.
    """
    settled = replace(observed, outages=counted_outages(observed, plan))
    by_rule = None if plan is None else replace(plan, degraded="up")
    most = _at_most(settled, edges)
    return Bounds(
        least=measure(_at_least(settled, edges), by_rule),
        counted=measure(observed, plan),
        most=measure(most, by_rule),
        worst=measure(_at_worst(most), by_rule),
    )


def _at_least(observed: Observed, edges: Edges) -> Observed:
    def shortest(stretch: Interval) -> Interval:
        start, end = stretch
        return start, max(start, min(end, edges.last_bad.get(end, end)))

    return replace(observed, outages=[[shortest(stretch) for stretch in one] for one in observed.outages])


def _at_most(observed: Observed, edges: Edges) -> Observed:
    ends = sorted(end for one in observed.outages for _, end in one)

    def longest(stretch: Interval) -> Interval:
        start, end = stretch
        earliest = min(start, edges.last_good.get(start, start))
        before = bisect_right(ends, start)
        return (max(earliest, ends[before - 1]) if before else earliest), end  # no time counts twice

    outages = [[longest(stretch) for stretch in one] for one in observed.outages]
    return replace(observed, outages=outages, unknown=subtract(observed.unknown, _down(outages)))


def _at_worst(most: Observed) -> Observed:
    outages = [*most.outages, *([stretch] for stretch in most.unknown)]
    return replace(most, outages=sorted(outages, key=lambda one: one[0]), unknown=())


def _down(outages: Sequence[Sequence[Interval]]) -> list[Interval]:
    return union(stretch for one in outages for stretch in one)
