"""Bringing a history into the database."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence

import pytest

from monitor.store import facts
from monitor.store.history import Imported, import_history
from monitor.store.history_file import HistoryErrors, parse_history
from tests.store.recorded import changed, run

ZONES = {"acme": "Europe/Luxembourg", "other": "Europe/Luxembourg"}
NOW = 1_800_000_000_000
DAY_MS = 24 * 3_600_000


def span(first: int, last: int, state: str = "up", service: str = "acme") -> bytes:
    return (
        f'{{"service": "{service}", "state": "{state}", "from": "2026-10-{first:02}", "to": "2026-10-{last:02}"}}'
    ).encode()


EXCLUDED = (
    b'{"service": "acme", "exclusion": "maintenance", "from": "2026-10-01", "to": "2026-10-02",'
    b' "reason": "new SBC"}'
)


def bring_in(db: sqlite3.Connection, lines: Sequence[bytes]) -> Imported:
    """As the command does it, in one transaction."""
    db.execute("BEGIN IMMEDIATE")
    try:
        facts.end_dead_runs(db, NOW)
        imported = import_history(db, parse_history(lines, ZONES, NOW), "x.jsonl", ZONES, NOW)
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")
    return imported


def everything(db: sqlite3.Connection) -> list[str]:
    return list(db.iterdump())


def test_importing_the_same_file_twice_changes_nothing(db: sqlite3.Connection) -> None:
    lines = [span(1, 2), span(2, 3, "down"), EXCLUDED]
    first = bring_in(db, lines)
    assert (first.spans, first.exclusions, first.known) == (2, 1, 0)
    before = everything(db)
    again = bring_in(db, lines)
    assert (again.spans, again.exclusions, again.known, again.touched) == (0, 0, 3, {})
    assert everything(db) == before


def test_lines_added_to_a_file_are_all_that_a_second_import_takes(db: sqlite3.Connection) -> None:
    bring_in(db, [span(1, 2)])
    again = bring_in(db, [span(1, 2), span(2, 3, "down")])
    assert (again.spans, again.known, set(again.touched)) == (1, 1, {"acme"})
    assert db.execute("SELECT state FROM spans ORDER BY from_ms").fetchall() == [("up",), ("down",)]


@pytest.mark.parametrize(
    "later", [span(2, 5, "down"), span(1, 3, "down"), span(1, 3, "degraded"), span(1, 3)[:-1] + b" }"]
)
def test_a_span_that_contradicts_an_earlier_import_is_refused_unless_it_says_the_same(
    db: sqlite3.Connection, later: bytes
) -> None:
    bring_in(db, [span(1, 3)])
    before = everything(db)
    if later.endswith(b" }"):
        assert bring_in(db, [later]).known == 1
        return
    with pytest.raises(
        HistoryErrors, match=r"line 2: acme: .* overlaps up from .* \(imported from x.jsonl\)"
    ):
        bring_in(db, [span(9, 10), later])
    assert everything(db) == before


def test_a_source_that_has_grown_is_brought_in_again_and_an_outage_that_went_on_is_one(
    db: sqlite3.Connection,
) -> None:
    bring_in(db, [span(1, 2), span(2, 3, "down")])
    again = bring_in(db, [span(1, 2), span(2, 4, "down"), span(4, 5)])
    assert (again.spans, again.known) == (2, 1)
    grown = db.execute(
        "SELECT state, to_ms - from_ms, outage - from_ms FROM spans ORDER BY from_ms"
    ).fetchall()
    assert grown == [("up", DAY_MS, None), ("down", 2 * DAY_MS, 0), ("up", DAY_MS, None)]
    assert bring_in(db, [span(1, 2), span(2, 4, "down"), span(4, 5)]).known == 3


def test_of_a_span_around_what_is_known_only_the_rest_is_new(db: sqlite3.Connection) -> None:
    bring_in(db, [span(2, 3)])
    around = bring_in(db, [span(1, 5)])
    assert (around.spans, around.known, around.touched["acme"][1] - around.touched["acme"][0]) == (
        2,
        0,
        4 * DAY_MS,
    )
    assert len(db.execute("SELECT state FROM spans").fetchall()) == 1


def test_a_span_over_what_the_agent_saw_is_refused(db: sqlite3.Connection) -> None:
    noon = 1_791_021_600_000  # 2026-10-03 12:00 CEST
    run(db, [changed("acme", (noon, "up"))], noon, noon + 1000, stopped=True)
    with pytest.raises(
        HistoryErrors, match=r"overlaps up from 2026-10-03T12:00:00\+02:00 .*\(seen by the agent\)"
    ):
        bring_in(db, [span(3, 4)])
    assert bring_in(db, [span(1, 3), span(4, 5)]).spans == 2


def test_an_open_span_of_a_dead_agent_ends_at_its_heartbeat(db: sqlite3.Connection) -> None:
    noon = 1_791_021_600_000
    run(db, [changed("acme", (noon, "up"))], noon, noon + 1000)
    assert bring_in(db, [span(4, 5)]).spans == 1
    states = db.execute("SELECT state, to_ms FROM spans ORDER BY from_ms").fetchall()
    assert states[0] == ("up", noon + 1000)
    assert [state for state, _ in states] == ["up", "unknown", "up", "unknown"]


def test_a_bad_span_of_one_service_keeps_all_others_out(db: sqlite3.Connection) -> None:
    bring_in(db, [span(1, 3)])
    with pytest.raises(HistoryErrors):
        bring_in(db, [span(1, 2, service="other"), EXCLUDED, span(2, 4, "down")])
    assert db.execute("SELECT count(*) FROM exclusions").fetchone() == (0,)
    assert db.execute("SELECT count(*) FROM services").fetchone() == (1,)


def test_a_withdrawn_exclusion_is_not_brought_back_by_its_file(db: sqlite3.Connection) -> None:
    bring_in(db, [EXCLUDED])
    db.execute(
        "INSERT INTO withdrawals (exclusion, reason, author, entered_ms) SELECT key, 'no', 'me', 0 FROM exclusions"
    )
    assert bring_in(db, [EXCLUDED]).known == 1
    assert db.execute("SELECT count(*) FROM exclusions_in_force").fetchone() == (0,)


def test_a_large_history_comes_in_within_seconds(db: sqlite3.Connection) -> None:
    count = 20_000
    lines = []
    instant = "2026-{:02}-{:02}T{:02}:{:02}:{:02}Z".format
    for i in range(count):
        begin, end = (
            (1, 1 + s // 86400, s // 3600 % 24, s // 60 % 60, s % 60) for s in (i * 30, i * 30 + 30)
        )
        lines.append(
            f'{{"service": "acme", "state": "{("up", "down")[i % 2]}",'
            f' "from": "{instant(*begin)}", "to": "{instant(*end)}"}}'
        )
    began = time.process_time()
    assert bring_in(db, [one.encode() for one in lines]).spans == count
    assert time.process_time() - began < 3
