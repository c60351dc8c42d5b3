"""What is known of a service in a window of time."""

from __future__ import annotations

import sqlite3

from monitor.store import facts
from monitor.store.timelines import FRESH_MS, Outage, Timelines
from tests.store.recorded import blipped, changed, pending, run
from tests.store.test_spans import import_spans


def test_a_service_without_facts_is_unknown_throughout(db: sqlite3.Connection) -> None:
    line = Timelines(db, 1000).timeline("nobody", 0, 500)
    assert (line.unknown, line.down) == ([(0, 500)], [])
    assert Timelines(db, 1000).state("nobody") == ("unknown", None, "never watched")


def test_time_before_the_first_fact_is_unknown(db: sqlite3.Connection) -> None:
    run(db, [changed("acme", (100, "up"))], 90, 300)
    assert Timelines(db, 300).timeline("acme", 0, 200).unknown == [(0, 100)]


def test_an_open_span_reaches_to_now_while_the_agent_is_alive(db: sqlite3.Connection) -> None:
    run(db, [changed("acme", (100, "up"), (200, "down"))], 90, 300)
    alive = Timelines(db, 300 + FRESH_MS).timeline("acme", 0, 300 + FRESH_MS)
    assert (alive.down, alive.unknown) == ([(200, 300 + FRESH_MS, 200)], [(0, 100)])


def test_an_open_span_of_a_dead_agent_reaches_to_its_heartbeat(db: sqlite3.Connection) -> None:
    run(db, [changed("acme", (100, "down"))], 90, 300)
    now = 300 + FRESH_MS + 1
    line = Timelines(db, now).timeline("acme", 0, now)
    assert (line.down, line.unknown) == ([(100, 300, 100)], [(0, 100), (300, now)])
    assert Timelines(db, now).state("acme") == ("unknown", 300, "agent not running")


def test_answers_that_no_state_accounts_for_end_what_a_dead_agent_knew(db: sqlite3.Connection) -> None:
    run(db, [changed("acme", (100, "up")), pending("acme", 250)], 90, 300)
    now = 300 + FRESH_MS + 1
    before = Timelines(db, now).timeline("acme", 100, now).unknown
    facts.end_dead_runs(db, now)
    assert before == [(250, now)] == Timelines(db, now).timeline("acme", 100, now).unknown


def test_a_stopped_agent_knows_nothing_of_what_follows(db: sqlite3.Connection) -> None:
    run(db, [changed("acme", (100, "up"))], 90, 300, stopped=True)
    assert Timelines(db, 310).timeline("acme", 100, 310).unknown == [(300, 310)]


def test_stretches_that_touch_the_window_are_given_whole(db: sqlite3.Connection) -> None:
    states = [
        (0, "down"),
        (100, "up"),
        (200, "down"),
        (300, "degraded"),
        (400, "unknown"),
        (500, "up"),
        (600, "down"),
    ]
    run(db, [changed("acme", *states)], 0, 900)
    read = Timelines(db, 900)
    line = read.timeline("acme", 50, 650)
    assert line.down == [(0, 100, 0), (200, 300, 200), (600, 900, 600)]
    assert (line.degraded, line.unknown) == ([(300, 400)], [(400, 500)])
    assert read.timeline("acme", 100, 200).down == []
    assert read.timeline("acme", 220, 280).down == [(200, 300, 200)]
    assert read.timeline("acme", 350, 360).degraded == [(300, 400)]


def test_blips_are_counted_where_they_begin(db: sqlite3.Connection) -> None:
    run(db, [changed("acme", (0, "up")), *(blipped("acme", at) for at in (99, 100, 199, 200))], 0, 900)
    assert Timelines(db, 900).timeline("acme", 100, 200).blips == 2


def test_an_outage_has_its_four_instants(db: sqlite3.Connection) -> None:
    run(db, [changed("acme", (0, "up")), changed("acme", (100, "down"), seen_ms=95)], 0, 150)
    assert Timelines(db, 150).outages("acme", 0, 900) == [Outage(95, 100, None, None, 50, "down", "probe")]
    keys = facts.Keys(db)
    facts.record(db, facts.Run(1, ""), keys, changed("acme", (200, "up"), seen_ms=195), 0)
    (outage,) = Timelines(db, 900).outages("acme", 150, 160)
    assert outage == Outage(95, 100, 195, 200, 100, "down", "probe")


def test_an_outage_goes_on_over_time_in_which_the_agent_was_dead(db: sqlite3.Connection) -> None:
    run(db, [changed("acme", (0, "up"), (100, "down"))], 0, 150)
    run(db, [changed("acme", (200, "down"), (300, "up"))], 190, 400)
    (outage,) = Timelines(db, 400).outages("acme", 0, 400)
    assert (outage.first_bad_ms, outage.first_good_ms, outage.down_ms) == (100, 300, 150)
    assert [down[2] for down in Timelines(db, 400).timeline("acme", 0, 400).down] == [100, 100]


def test_an_imported_outage_is_over_when_its_span_is(db: sqlite3.Connection) -> None:
    import_spans(db, (0, 100, "up"), (100, 200, "down"))
    (outage,) = Timelines(db, 900).outages("acme", 0, 900)
    assert (outage.first_good_ms, outage.down_ms, outage.source) == (200, 100, "import")


def test_a_window_that_an_outage_only_touches_has_none(db: sqlite3.Connection) -> None:
    run(db, [changed("acme", (0, "up"), (100, "down"), (200, "up"))], 0, 900)
    read = Timelines(db, 900)
    assert read.outages("acme", 0, 100) == read.outages("acme", 200, 900) == []
