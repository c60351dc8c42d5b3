"""Half-open stretches, against sets of single milliseconds."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from monitor.sla.intervals import Interval, clip, intersect, subtract, total, union

instants = st.integers(0, 40)
stretches = st.tuples(instants, instants).filter(lambda pair: pair[0] < pair[1])
jumbled = st.lists(st.tuples(instants, instants), max_size=8)
"""Some of them empty, or with the end before the beginning."""


@st.composite
def orderly(draw: st.DrawFn) -> list[Interval]:
    """Sorted and without overlaps; some touch."""
    edges = sorted(draw(st.sets(instants, max_size=16)))
    return [stretch for stretch in pairwise(edges) if draw(st.booleans())]


ordered = orderly()


def milliseconds(intervals: list[Interval]) -> set[int]:
    return {at for start, end in intervals for at in range(start, end)}


def assert_in_order(intervals: list[Interval]) -> None:
    assert all(start < end for start, end in intervals)
    assert all(before[1] <= after[0] for before, after in pairwise(intervals))


@given(jumbled)
def test_a_union_is_ordered_and_nothing_in_it_overlaps_or_touches(intervals: list[Interval]) -> None:
    merged = union(intervals)
    assert milliseconds(merged) == milliseconds(intervals)
    assert_in_order(merged)
    assert all(before[1] < after[0] for before, after in pairwise(merged))


@given(ordered, ordered)
def test_an_intersection_is_what_lies_in_both(one: list[Interval], other: list[Interval]) -> None:
    common = intersect(one, other)
    assert milliseconds(common) == milliseconds(one) & milliseconds(other)
    assert_in_order(common)


@given(ordered, ordered)
def test_a_difference_is_what_lies_in_the_first_only(one: list[Interval], other: list[Interval]) -> None:
    left = subtract(one, other)
    assert milliseconds(left) == milliseconds(one) - milliseconds(other)
    assert_in_order(left)


@given(ordered, stretches)
def test_clipping_leaves_what_lies_in_the_window(intervals: list[Interval], window: Interval) -> None:
    inside = clip(intervals, window)
    assert milliseconds(inside) == milliseconds(intervals) & milliseconds([window])
    assert_in_order(inside)


@given(ordered)
def test_a_total_counts_every_millisecond_once(intervals: list[Interval]) -> None:
    assert total(intervals) == len(milliseconds(intervals))


def test_nothing_lies_in_a_window_that_ends_before_it_begins() -> None:
    assert clip([(0, 20)], (10, 10)) == clip([(0, 20)], (10, 5)) == []


def test_stretches_that_touch_share_no_millisecond() -> None:
    assert intersect([(0, 10)], [(10, 20)]) == []
    assert subtract([(0, 10)], [(10, 20)]) == [(0, 10)]
    assert clip([(0, 10)], (10, 20)) == []
    assert union([(10, 20), (0, 10)]) == [(0, 20)]
