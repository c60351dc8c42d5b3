"""Half-open stretches of time ``[from, to)`` in integer milliseconds, as sorted lists without overlaps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

Interval = tuple[int, int]


def union(intervals: Iterable[Interval]) -> list[Interval]:
    """The same time as sorted stretches that neither overlap nor touch. Empty ones vanish."""
    merged: list[Interval] = []
    for start, end in sorted(intervals):
        if start >= end:
            continue
        if merged and start <= merged[-1][1]:
            if end > merged[-1][1]:
                merged[-1] = (merged[-1][0], end)
        else:
            merged.append((start, end))
    return merged


def intersect(one: Sequence[Interval], other: Sequence[Interval]) -> list[Interval]:
    """The time that lies in both. Both sorted, without overlaps."""
    common: list[Interval] = []
    i = j = 0
    while i < len(one) and j < len(other):
        start, end = max(one[i][0], other[j][0]), min(one[i][1], other[j][1])
        if start < end:
            common.append((start, end))
        if one[i][1] < other[j][1]:
            i += 1
        else:
            j += 1
    return common


def subtract(one: Sequence[Interval], other: Sequence[Interval]) -> list[Interval]:
    """The time that lies in the first only. Both sorted, without overlaps."""
    if not other:
        return list(one)
    left: list[Interval] = []
    j = 0
    for start, end in one:
        at = start
        while j < len(other) and other[j][1] <= at:
            j += 1
        k = j
        while k < len(other) and other[k][0] < end:
            if at < other[k][0]:
                left.append((at, other[k][0]))
            at = max(at, other[k][1])
            k += 1
        if at < end:
            left.append((at, end))
    return left


def clip(intervals: Sequence[Interval], window: Interval) -> list[Interval]:
    """The part that lies in the window; in one that ends before it begins lies nothing."""
    first, last = window
    if first >= last:
        return []
    if intervals and intervals[0][0] >= first and intervals[-1][1] <= last:
        return list(intervals)
    return [(max(a, first), min(b, last)) for a, b in intervals if a < last and b > first]


def total(intervals: Iterable[Interval]) -> int:
    """Milliseconds in all."""
    spent = 0
    for start, end in intervals:  # most outages are one stretch: sum() over a generator takes twice as long
        spent += end - start
    return spent
