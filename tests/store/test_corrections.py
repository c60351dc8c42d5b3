"""Corrections lie over the facts, and leave no trace in them."""

from __future__ import annotations

import sqlite3

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.store import facts, spans
from monitor.store.corrections import STATES, Correction, add, everything, to_withdraw, withdraw
from monitor.store.database import StoreError
from monitor.store.exclusions import Withdrawal
from monitor.store.timelines import Timelines
from tests.store.recorded import changed, run
from tests.store.test_spans import BATCHES, import_spans, in_memory, line

WITHDRAWAL = Withdrawal("typo", "noc", 90)
END = 70
"""Later than anything that the tests record."""

STRETCHES = st.tuples(st.integers(0, 60), st.integers(1, 20), st.sampled_from(sorted(STATES)))
STEPS = st.lists(
    st.one_of(
        STRETCHES.map(lambda found: ("correct", found)),
        st.integers(0, 5).map(lambda index: ("withdraw", index)),
        BATCHES.map(lambda batches: ("record", batches[0])),
    ),
    max_size=12,
)


def correction(
    uid: str, from_ms: int, to_ms: int, correction_class: str = "provider", reason: str = "their report"
) -> Correction:
    return Correction(uid, "acme", correction_class, from_ms, to_ms, reason, "noc", 5)


def take_back(db: sqlite3.Connection, uid: str) -> None:
    withdraw(db, to_withdraw(db, uid), WITHDRAWAL)


def outages(db: sqlite3.Connection, now_ms: int = 90) -> list[tuple[int | None, int, int | None, int | None]]:
    found = Timelines(db, now_ms).outages("acme", 0, now_ms)
    return [(one.last_good_ms, one.first_bad_ms, one.last_bad_ms, one.first_good_ms) for one in found]


def every_millisecond(line: list[tuple[int, int | None, str]]) -> list[str | None]:
    """The state in each millisecond; None: nothing is known, not even that."""
    states: list[str | None] = [None] * END
    for from_ms, to_ms, state in line:
        for at_ms in range(from_ms, END if to_ms is None else min(to_ms, END)):
            states[at_ms] = state
    return states


def corrected_by_brute_force(by_facts: list[str | None], corrections: list[Correction]) -> list[str | None]:
    """Millisecond by millisecond; what lies between two that are known is unknown."""
    states = list(by_facts)
    for one in corrections:
        if one.withdrawn is None:
            for at_ms in range(one.from_ms, min(one.to_ms, END)):
                states[at_ms] = one.state
    known = [at_ms for at_ms, state in enumerate(states) if state is not None]
    for at_ms in range(known[0], known[-1]) if known else ():
        states[at_ms] = states[at_ms] or "unknown"
    return states


@settings(max_examples=300, deadline=None)
@given(steps=STEPS, imported=st.sets(st.integers(0, 12)))
def test_whatever_is_recorded_corrected_and_withdrawn_each_millisecond_is_what_the_last_word_on_it_says(
    steps: list[tuple[str, object]], imported: set[int]
) -> None:
    db, untouched = in_memory(), in_memory()
    for one in (db, untouched):
        import_spans(one, *((at * 5, at * 5 + 3, "down") for at in imported))
    lives = [(one, facts.begin_run(one, "lux-1", "0", 0), facts.Keys(one)) for one in (db, untouched)]
    for number, (verb, what) in enumerate(steps):
        if verb == "record":
            for one, life, keys in lives:
                facts.record(one, life, keys, changed("acme", *what), 0)  # type: ignore[misc]
        elif verb == "correct":
            start, length, name = what  # type: ignore[misc]
            add(db, correction(f"c{number}", start, start + length, name))
        else:
            held = [one for one in everything(db) if one.withdrawn is None]
            if held:
                withdraw(db, held[what % len(held)], WITHDRAWAL)  # type: ignore[operator]
        incremental = db.execute("SELECT * FROM spans ORDER BY from_ms").fetchall()
        spans.rebuild(db, facts.service_key(db, "acme"))
        assert incremental == db.execute("SELECT * FROM spans ORDER BY from_ms").fetchall()
        expected = corrected_by_brute_force(every_millisecond(line(untouched)), everything(db))
        assert every_millisecond(line(db)) == expected
    for held in everything(db):
        if held.withdrawn is None:
            withdraw(db, held, WITHDRAWAL)
    table = "SELECT * FROM spans ORDER BY from_ms"
    assert db.execute(table).fetchall() == untouched.execute(table).fetchall()


def test_an_outage_that_no_probe_saw_is_entered_and_marked_so(db: sqlite3.Connection) -> None:
    run(db, [changed("acme", (10, "up"))], 0, 90)
    add(db, correction("a1", 30, 50, "unseen", "one-way audio"))
    assert db.execute("SELECT from_ms, to_ms, state, reason, source FROM spans").fetchall() == [
        (10, 30, "up", "up", "probe"),
        (30, 50, "down", "one-way audio", "correction"),
        (50, None, "up", "up", "probe"),
    ]
    assert outages(db) == [(None, 30, None, 50)]


def test_a_false_alarm_was_no_outage(db: sqlite3.Connection) -> None:
    run(db, [changed("acme", (10, "up"), (30, "down"), (50, "up"))], 0, 90)
    add(db, correction("a1", 30, 50, "false_alarm"))
    assert outages(db) == []


def test_the_providers_report_makes_an_outage_longer_and_it_stays_one(db: sqlite3.Connection) -> None:
    run(db, [changed("acme", (10, "up"), (30, "down"), (50, "up"))], 0, 90)
    add(db, correction("a1", 25, 30))
    assert outages(db) == [(None, 25, None, 50)]


def test_an_open_outage_stays_open_under_a_correction_of_its_beginning(db: sqlite3.Connection) -> None:
    run(db, [changed("acme", (10, "up"), (30, "down"))], 0, 90)
    add(db, correction("a1", 30, 40, "false_alarm"))
    assert outages(db) == [(None, 40, None, None)]
    facts.record(db, facts.Run(1, ""), facts.Keys(db), changed("acme", (60, "up"), seen_ms=55), 90)
    assert outages(db) == [(None, 40, 55, 60)]


def test_an_outage_ends_where_a_correction_says_although_nothing_was_seen_after(
    db: sqlite3.Connection,
) -> None:
    run(db, [changed("acme", (10, "up"))], 0, 20, stopped=True)
    facts.end_dead_runs(db, 90)
    add(db, correction("a1", 30, 40))
    assert outages(db) == [(None, 30, None, 40)]
    assert line(db) == [(10, 20, "up"), (20, 30, "unknown"), (30, 40, "down"), (40, None, "unknown")]


def test_a_correction_does_not_cover_the_time_after_the_last_heartbeat(db: sqlite3.Connection) -> None:
    run(db, [changed("acme", (10, "up"))], 0, 35)
    add(db, correction("a1", 36, 40))
    facts.end_dead_runs(db, 90)
    assert line(db) == [(10, 35, "up"), (35, 36, "unknown"), (36, 40, "down"), (40, None, "unknown")]


def test_a_history_is_compared_with_what_was_seen_and_not_with_what_was_corrected(
    db: sqlite3.Connection,
) -> None:
    run(db, [changed("acme", (10, "up"))], 0, 90)
    add(db, correction("a1", 30, 50, "unseen"))
    by_facts = spans.from_facts(db, facts.service_key(db, "acme"))
    assert [(one.from_ms, one.to_ms, one.state) for one in by_facts] == [(10, None, "up")]


def test_the_later_entered_correction_holds_and_the_earlier_one_comes_back(db: sqlite3.Connection) -> None:
    add(db, correction("a1", 10, 50))
    add(db, correction("b1", 20, 30, "false_alarm"))
    assert line(db) == [(10, 20, "down"), (20, 30, "up"), (30, 50, "down")]
    take_back(db, "b")
    assert line(db) == [(10, 50, "down")]
    take_back(db, "a")
    assert line(db) == []


def test_a_correction_is_kept_as_entered_and_withdrawn_once(db: sqlite3.Connection) -> None:
    add(db, correction("a1", 10, 50))
    assert everything(db) == [correction("a1", 10, 50)]
    take_back(db, "A1")
    assert everything(db)[0].withdrawn == WITHDRAWAL
    with pytest.raises(StoreError, match="withdrawn already"):
        take_back(db, "a1")
    with pytest.raises(StoreError, match="there is no correction"):
        take_back(db, "b")
    with pytest.raises(sqlite3.IntegrityError, match="never changed"):
        db.execute("DELETE FROM corrections")


def test_plain_sqlite_shows_a_corrected_outage_as_the_commands_do(db: sqlite3.Connection) -> None:
    run(db, [changed("acme", (1000, "up"), (4000, "down"))], 0, 9000)
    add(db, correction("a1", 2000, 2500, "unseen"))
    add(db, correction("b1", 3500, 4000))
    shown = db.execute("SELECT first_bad, first_good, source, status FROM outages").fetchall()
    assert shown == [
        ("1970-01-01T00:00:02.000Z", "1970-01-01T00:00:02.500Z", "correction", "over"),
        ("1970-01-01T00:00:03.500Z", None, "correction", "open"),
    ]
    assert outages(db, 9000) == [(None, 2000, None, 2500), (None, 3500, None, None)]
