"""One check: fall, rise, the four instants, blips, and what could not be asked."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from monitor.track.check import ALWAYS_CONNECTED, CheckTracker
from monitor.track.states import CheckChange, State
from probes.outcome import Verdict
from tests.track.sightings import (
    BAD,
    DEGRADED,
    DOWN,
    GOOD,
    NOT_ASKED,
    SLOW,
    UNKNOWN,
    UP,
    Bench,
    line,
    seen,
    turns,
)


def track(verdicts: list[Verdict], fall: int = 3, rise: int = 2) -> tuple[CheckTracker, list[CheckChange]]:
    """A check that is asked every ten milliseconds, from 10 on."""
    tracker = CheckTracker(fall, rise)
    changes: list[CheckChange] = []
    for number, verdict in enumerate(verdicts, start=1):
        changes += tracker.observe(seen(number * 10, verdict), ALWAYS_CONNECTED)[0]
    return tracker, changes


def test_it_is_unknown_until_it_is_asked_and_up_with_the_first_good_answer():
    tracker, changes = track([])
    assert tracker.state is UNKNOWN
    tracker, changes = track([GOOD])
    assert turns(changes) == [(10, UP)]


def test_it_is_down_from_the_first_bad_answer_of_the_run_that_confirmed_it():
    _, changes = track([GOOD, BAD, BAD, BAD])
    assert turns(changes)[-1] == (20, DOWN)
    assert changes[-1].seen_ms == 10, "last_good"


def test_it_is_up_again_from_the_first_good_answer_of_the_run_that_confirmed_it():
    _, changes = track([GOOD, BAD, BAD, BAD, BAD, GOOD, GOOD])
    assert turns(changes)[-1] == (60, UP)
    assert changes[-1].seen_ms == 50, "last_bad"


def test_two_bad_answers_of_three_are_a_blip_and_no_downtime():
    bench = Bench()
    for at_ms, verdict in [(10, GOOD), (20, BAD), (30, BAD), (40, GOOD)]:
        bench.check(at_ms, verdict)
    assert bench.line == [(10, UP)]
    assert bench.blips == [(20, 40)]


def test_one_good_answer_amid_an_outage_does_not_end_it():
    _, changes = track([GOOD, BAD, BAD, BAD, GOOD, BAD, GOOD, GOOD])
    assert line(turns(changes)) == [(10, UP), (20, DOWN), (70, UP)]


def test_degraded_answers_among_bad_ones_make_it_degraded_and_the_bad_ones_that_follow_down():
    _, changes = track([GOOD, DEGRADED, BAD, DEGRADED, BAD, BAD, BAD])
    assert line(turns(changes)) == [(10, UP), (20, SLOW), (50, DOWN)]


def test_it_recovers_from_down_through_degraded():
    _, changes = track([BAD, BAD, BAD, DEGRADED, DEGRADED, GOOD, GOOD])
    assert line(turns(changes)) == [(10, DOWN), (40, SLOW), (60, UP)]


def test_what_could_not_be_asked_is_unknown_at_once_and_one_good_answer_ends_that():
    _, changes = track([GOOD, NOT_ASKED, NOT_ASKED, GOOD])
    assert turns(changes) == [(10, UP), (20, UNKNOWN), (40, UP)]


def test_what_could_not_be_asked_neither_confirms_nor_clears_a_failure():
    _, changes = track([GOOD, BAD, NOT_ASKED, BAD, BAD])
    assert line(turns(changes)) == [(10, UP), (20, DOWN), (30, UNKNOWN), (40, DOWN)]


def test_an_outage_stays_open_over_unknown_time():
    _, changes = track([BAD, BAD, BAD, NOT_ASKED, BAD, GOOD, GOOD])
    assert line(turns(changes)) == [(10, DOWN), (40, UNKNOWN), (50, DOWN), (60, UP)]


def test_after_unknown_time_a_recovery_still_takes_rise_good_answers():
    _, changes = track([BAD, BAD, BAD, NOT_ASKED, GOOD, BAD, GOOD, GOOD])
    assert line(turns(changes)) == [(10, DOWN), (40, UNKNOWN), (60, DOWN), (70, UP)]


def test_a_remembered_outage_goes_on_with_the_first_bad_answer():
    tracker = CheckTracker(3, 2, State.DOWN)
    assert tracker.state is UNKNOWN
    changes, _ = tracker.observe(seen(10, BAD), ALWAYS_CONNECTED)
    assert turns(changes) == [(10, DOWN)]


def test_the_probes_that_led_to_a_change_are_its_evidence_with_the_last_one_before_them():
    _, changes = track([GOOD, GOOD, BAD, BAD, BAD])
    assert [one.at_ms for one in changes[-1].evidence] == [20, 30, 40, 50]


def test_an_answer_that_was_under_way_when_sight_was_lost_does_not_count():
    tracker, _ = track([GOOD])
    tracker.lose_sight(seen(50, NOT_ASKED))
    assert tracker.observe(seen(40, GOOD), ALWAYS_CONNECTED) == ([], None)
    assert tracker.state is UNKNOWN


verdicts = st.lists(st.sampled_from(Verdict), max_size=40)


@given(verdicts, st.integers(1, 4), st.integers(1, 4))
def test_a_stated_time_line_never_contradicts_what_was_seen(sights, fall, rise):
    _, changes = track(sights, fall, rise)
    at = {number * 10: verdict for number, verdict in enumerate(sights, start=1)}
    stated = line(turns(changes))
    for change in changes:
        verdict = at[change.at_ms]
        expected = {UP: GOOD, SLOW: DEGRADED, DOWN: BAD, UNKNOWN: NOT_ASKED}[change.state]
        if change.state in (DOWN, UP, UNKNOWN):
            assert verdict == expected, "a state begins with an answer that shows it"
    for start, state in stated:
        if state is DOWN:
            before = [v for ms, v in at.items() if ms < start and v is not NOT_ASKED]
            assert not before or before[-1] is not BAD or UNKNOWN in [s for ms, s in stated if ms < start]
    for ms, verdict in at.items():
        if verdict is NOT_ASKED:
            state = next((s for start, s in reversed(stated) if start <= ms), UNKNOWN)
            assert state is UNKNOWN, "what was not asked is unknown"


@given(verdicts, st.integers(1, 4), st.integers(1, 4))
def test_down_is_never_stated_with_fewer_bad_answers_than_fall_in_a_row(sights, fall, rise):
    _, changes = track(sights, fall, rise)
    asked = [v for v in sights if v is not NOT_ASKED]
    longest = run = 0
    for verdict in asked:
        run = run + 1 if verdict is BAD else 0
        longest = max(longest, run)
    assert (longest >= fall) == any(change.state is DOWN for change in changes)
