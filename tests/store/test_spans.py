"""The time line of a service, derived from its facts."""

from __future__ import annotations

import sqlite3
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlite_utils import Database

from monitor.store import facts, spans
from monitor.store.schema import migrations
from tests.store.recorded import changed, run

STATES = st.sampled_from(["up", "degraded", "down", "unknown"])
BATCHES = st.lists(
    st.lists(st.tuples(st.integers(0, 60), STATES), min_size=1, max_size=4), min_size=1, max_size=12
)


def in_memory() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrations.apply(Database(connection))
    return connection


def line(db: sqlite3.Connection) -> list[tuple[int, int | None, str]]:
    return db.execute("SELECT from_ms, to_ms, state FROM spans ORDER BY service, from_ms").fetchall()


def import_spans(db: sqlite3.Connection, *found: tuple[int, int, str]) -> None:
    service = facts.service_key(db, "acme")
    (key,) = db.execute(
        "INSERT INTO imports (uid, source, imported_ms) VALUES (hex(randomblob(8)), 'x', 0) RETURNING key"
    )
    db.executemany(
        "INSERT INTO imported_spans (import, service, from_ms, to_ms, state) VALUES (?, ?, ?, ?, ?)",
        [(key[0], service, *span) for span in found],
    )
    spans.rebuild(db, service)


@settings(max_examples=150, deadline=None)
@given(batches=BATCHES, imported=st.sets(st.integers(0, 12)))
def test_taking_changes_in_one_by_one_gives_what_deriving_everything_again_gives(
    batches: list[list[tuple[int, str]]], imported: set[int]
) -> None:
    db = in_memory()
    import_spans(db, *((at * 5, at * 5 + 3, "down") for at in imported))
    life = facts.begin_run(db, "lux-1", "0", 0)
    keys = facts.Keys(db)
    for batch in batches:
        facts.record(db, life, keys, changed("acme", *batch), 0)
        incremental = db.execute("SELECT * FROM spans ORDER BY from_ms").fetchall()
        spans.rebuild(db, keys.service("acme"))
        assert incremental == db.execute("SELECT * FROM spans ORDER BY from_ms").fetchall()
    tiles = line(db)
    assert all(one[1] == other[0] for one, other in pairwise(tiles))


def test_a_late_correction_changes_the_past(db: sqlite3.Connection) -> None:
    run(
        db, [changed("acme", (10, "up")), changed("acme", (50, "down")), changed("acme", (30, "down"))], 0, 90
    )
    assert line(db) == [(10, 30, "up"), (30, None, "down")]


def test_a_correction_between_two_changes_to_one_state_ends_at_the_second(db: sqlite3.Connection) -> None:
    run(db, [changed("acme", (10, "up"), (20, "up")), changed("acme", (15, "down"))], 0, 90)
    assert line(db) == [(10, 15, "up"), (15, 20, "down"), (20, None, "up")]


def test_an_imported_history_fills_the_gaps_between_what_was_recorded(db: sqlite3.Connection) -> None:
    run(db, [changed("acme", (100, "up"))], 90, 200, stopped=True)
    run(db, [changed("acme", (300, "up"))], 290, 400)
    import_spans(db, (0, 80, "up"), (210, 260, "down"))
    assert line(db) == [
        (0, 80, "up"),
        (80, 100, "unknown"),
        (100, 200, "up"),
        (200, 210, "unknown"),
        (210, 260, "down"),
        (260, 300, "unknown"),
        (300, None, "up"),
    ]


def test_what_the_agent_saw_itself_stands_against_an_import(db: sqlite3.Connection) -> None:
    import_spans(db, (100, 200, "down"))
    run(db, [changed("acme", (150, "up"))], 90, 300)
    assert line(db) == [(150, None, "up")]


def test_unknown_time_does_not_end_a_recorded_outage(db: sqlite3.Connection) -> None:
    run(db, [changed("acme", (10, "up"), (20, "down"), (30, "unknown"), (40, "down"), (50, "up"))], 0, 90)
    assert db.execute("SELECT DISTINCT outage FROM spans WHERE state = 'down'").fetchall() == [(20,)]


def test_in_an_imported_history_each_stretch_of_down_is_an_outage(db: sqlite3.Connection) -> None:
    import_spans(db, (0, 10, "down"), (20, 30, "down"), (30, 40, "down"))
    assert db.execute("SELECT outage FROM spans WHERE state = 'down'").fetchall() == [(0,), (20,)]


def test_facts_cannot_be_changed_or_deleted(db: sqlite3.Connection) -> None:
    run(db, [changed("acme", (10, "up"))], 0, 90)
    for statement in ("DELETE FROM changes", "UPDATE changes SET state = 'down'"):
        with pytest.raises(sqlite3.IntegrityError, match="never changed"):
            db.execute(statement)


def test_an_outage_reads_in_plain_sqlite_with_iso_times(db: sqlite3.Connection, tmp_path: Path) -> None:
    run(db, [changed("acme", (1000, "up")), changed("acme", (5250, "down"), seen_ms=5000)], 0, 9000)
    plain = sqlite3.connect(tmp_path / "ringback.db")
    names = [row[0] for row in plain.execute("SELECT name FROM sqlite_schema WHERE type = 'view'")]
    for name in names:
        plain.execute(f"SELECT * FROM {name}").fetchall()
    assert plain.execute("SELECT service, last_good, first_bad, status FROM outages").fetchall() == [
        ("acme", "1970-01-01T00:00:05.000Z", "1970-01-01T00:00:05.250Z", "open")
    ]
    plain.close()
