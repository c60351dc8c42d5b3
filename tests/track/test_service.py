"""A service over several checks: up_when, and changes that reach back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.track.check import ALWAYS_CONNECTED, CheckTracker
from monitor.track.service import combined
from probes.outcome import Verdict
from tests.track.sightings import BAD, DOWN, GOOD, NOT_ASKED, SLOW, UNKNOWN, UP, Bench, line, seen, turns


@pytest.mark.parametrize(
    ("states", "up_when", "expected"),
    [
        ([UP, UP], 2, UP),
        ([UP, DOWN], 2, DOWN),
        ([UP, DOWN], 1, UP),
        ([SLOW, DOWN], 1, SLOW),
        ([UP, SLOW], 2, SLOW),
        ([UP, UNKNOWN], 2, UNKNOWN),
        ([UP, UNKNOWN], 1, UP),
        ([DOWN, UNKNOWN], 2, DOWN),
        ([DOWN, UNKNOWN], 1, UNKNOWN),
        ([UP, DOWN, DOWN], 2, DOWN),
        ([UP, UP, DOWN], 2, UP),
    ],
)
def test_up_when_says_how_many_checks_must_be_up(states, up_when, expected):
    assert combined(states, up_when) is expected


def test_a_service_that_needs_all_is_down_from_the_first_failure_of_any_check():
    bench = Bench(checks=2, up_when=2)
    bench.check(1, GOOD, 0), bench.check(2, GOOD, 1)
    for at_ms in (10, 20, 30):
        bench.check(at_ms, BAD, 1)
    assert bench.line == [(2, UP), (10, DOWN)]


def test_a_failure_confirmed_later_that_began_earlier_moves_the_outage_back():
    bench = Bench(checks=2, up_when=2)
    bench.check(1, GOOD, 0), bench.check(2, GOOD, 1)
    bench.check(10, BAD, 0)
    for at_ms in (12, 14, 16):
        bench.check(at_ms, BAD, 1)
    assert bench.line[-1] == (12, DOWN)
    bench.check(20, BAD, 0)
    bench.check(30, BAD, 0)
    assert bench.line[-1] == (10, DOWN)


def test_a_service_that_needs_one_is_down_only_while_all_are():
    bench = Bench(checks=2, up_when=1)
    bench.check(1, GOOD, 0), bench.check(2, GOOD, 1)
    for at_ms in (10, 20, 30):
        bench.check(at_ms, BAD, 0)
    assert bench.line[-1] == (1, UP)
    for at_ms in (31, 41, 51):
        bench.check(at_ms, BAD, 1)
    assert bench.line[-1] == (31, DOWN)
    bench.check(60, GOOD, 0), bench.check(70, GOOD, 0)
    assert bench.line[-1] == (60, UP)


sights = st.lists(
    st.tuples(st.integers(0, 2), st.sampled_from([GOOD, GOOD, BAD, BAD, NOT_ASKED])), max_size=60
)


@given(sights, st.integers(1, 3))
def test_the_service_line_is_the_checks_lines_put_together(sights: list[tuple[int, Verdict]], up_when):
    """However late each check's change is confirmed, the outcome is as if all had been known at once."""
    bench = Bench(checks=3, up_when=up_when, fall=2, rise=2)
    alone = [CheckTracker(2, 2) for _ in range(3)]
    lines: list[list[tuple[int, object]]] = [[], [], []]
    for at_ms, (index, verdict) in enumerate(sights, start=1):
        bench.check(at_ms, verdict, index)
        changes, _ = alone[index].observe(seen(at_ms, verdict), ALWAYS_CONNECTED)
        lines[index] += turns(changes)
    parts = [line(part) for part in lines]

    def state_at(at_ms: int):
        states = [next((s for start, s in reversed(part) if start <= at_ms), UNKNOWN) for part in parts]
        return combined(states, up_when)

    for at_ms in range(1, len(sights) + 1):
        stated = next((s for start, s in reversed(bench.line) if start <= at_ms), UNKNOWN)
        assert stated is state_at(at_ms)
