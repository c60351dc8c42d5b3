"""How far an outage's edges could be off, and what that leaves of a month: at least this, at most that (SLA.md §3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from monitor.sla.availability import Observed
from monitor.sla.intervals import Interval, subtract, union


@dataclass(frozen=True, slots=True)
class Edges:
    """The instants around an outage's edges; None: nobody saw it."""

    last_good_ms: int | None
    last_bad_ms: int | None
    first_good_ms: int | None


def at_least(observed: Observed, edges: Mapping[int, Edges]) -> Observed:
    """Each outage only from its first bad answer to its last one. ``edges``: of outages by their first bad instant."""
    return replace(observed, outages=[_shortest(one, edges.get(one[0][0])) for one in observed.outages])


def at_most(observed: Observed, edges: Mapping[int, Edges]) -> Observed:
    """Each outage from the last good answer before it. Where it ends is where it was seen to be over."""
    outages = [_longest(one, edges.get(one[0][0])) for one in observed.outages]
    down = union(stretch for one in outages for stretch in one)
    return replace(
        observed,
        outages=outages,
        degraded=subtract(observed.degraded, down),
        unknown=subtract(observed.unknown, down),
    )


def at_worst(observed: Observed, edges: Mapping[int, Edges]) -> Observed:
    """As ``at_most``, and all that nobody saw was downtime as well: an outage for each stretch of it."""
    most = at_most(observed, edges)
    outages = sorted([*most.outages, *([stretch] for stretch in most.unknown)], key=lambda one: one[0])
    return replace(most, outages=outages, unknown=())


def _shortest(outage: list[Interval] | tuple[Interval, ...], edges: Edges | None) -> list[Interval]:
    *earlier, (start, end) = outage
    if edges is None or edges.last_bad_ms is None or edges.first_good_ms != end:
        return list(outage)  # it goes on, or was lost sight of: it was down up to there
    return [*earlier, (start, max(start, edges.last_bad_ms))]


def _longest(outage: list[Interval] | tuple[Interval, ...], edges: Edges | None) -> list[Interval]:
    (start, end), *later = outage
    if edges is None or edges.last_good_ms is None:
        return list(outage)
    return [(min(start, edges.last_good_ms), end), *later]
