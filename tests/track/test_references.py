"""When we are cut off ourselves, nobody else is judged."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.track.sightings import BAD, DOWN, GOOD, UNKNOWN, UP, Bench


def test_an_outage_waits_for_a_reference_that_was_asked_after_its_last_bad_answer():
    bench = Bench(references=1)
    bench.reference(1, GOOD), bench.check(2, GOOD)
    for at_ms in (10, 20, 30):
        assert bench.check(at_ms, BAD) == []
    assert bench.reference(29, GOOD) == [], "asked before the last bad answer"
    assert bench.reference(31, GOOD) == [(10, DOWN)]


def test_all_references_failing_at_once_is_no_outage_but_unknown_from_the_first_doubtful_instant():
    bench = Bench(references=2)
    bench.reference(5, GOOD, 0), bench.reference(6, GOOD, 1), bench.check(7, GOOD)
    for at_ms in (10, 20, 30):
        bench.check(at_ms, BAD)
    for at_ms in (11, 16):
        bench.reference(at_ms, BAD, 0), bench.reference(at_ms + 1, BAD, 1)
    assert bench.line == [(7, UNKNOWN)]
    assert bench.tracker.references.cut_off
    assert bench.service.tracker.state is UNKNOWN


def test_one_reference_that_answers_is_enough_to_judge():
    bench = Bench(references=2)
    bench.check(2, GOOD)
    for at_ms in (10, 20, 30):
        bench.check(at_ms, BAD), bench.reference(at_ms + 1, BAD, 0), bench.reference(at_ms + 2, GOOD, 1)
    assert bench.line == [(2, UP), (10, DOWN)]


def test_nothing_is_judged_while_cut_off_and_one_good_answer_restores_afterwards():
    bench = Bench(references=1)
    bench.reference(1, GOOD), bench.check(2, GOOD)
    bench.reference(10, BAD), bench.reference(20, BAD)
    assert bench.check(25, GOOD) == []
    bench.reference(30, GOOD)
    assert bench.check(29, GOOD) == [], "asked while we were cut off"
    assert bench.check(35, GOOD) == [(35, UP)]
    assert bench.line == [(2, UNKNOWN), (35, UP)]


def test_an_open_outage_stays_open_through_a_cut():
    bench = Bench(references=1)
    bench.check(1, GOOD)
    for at_ms in (10, 20, 30):
        bench.check(at_ms, BAD)
    bench.reference(31, GOOD)
    bench.reference(40, BAD), bench.reference(45, BAD)
    bench.reference(60, GOOD)
    bench.check(65, BAD)
    bench.reference(66, GOOD)
    assert bench.line == [(1, UP), (10, DOWN), (31, UNKNOWN), (65, DOWN)]


@given(st.lists(st.integers(1, 12), min_size=1, max_size=30), st.integers(1, 3), st.integers(1, 4))
def test_a_cut_of_ours_never_becomes_an_outage_of_theirs(gaps, references, fall):
    """Everything answers until an instant at which our own line is cut, and nothing after it."""
    bench = Bench(references=references, fall=fall)
    at_ms, cut_ms = 0, sum(gaps) * 10 // 2
    for number, gap in enumerate(gaps * 3):
        at_ms += gap * 10
        verdict = GOOD if at_ms < cut_ms else BAD
        if number % 2:
            bench.reference(at_ms, verdict, number // 2 % references)
        else:
            bench.check(at_ms, verdict)
    assert not any(state is DOWN for _, state in bench.line)
