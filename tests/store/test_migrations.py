"""A database of an earlier version is brought up to date, and keeps what it holds."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from sqlite_utils import Database

from monitor.ledger.entitlements import of_month
from monitor.sla.months import Month
from monitor.store import exclusions
from monitor.store.database import StoreError, open_for_reading, open_for_writing
from monitor.store.schema import migrations

HELD = """
INSERT INTO services (key, id) VALUES (1, 'acme-trunk');
INSERT INTO imports (key, uid, source, imported_ms) VALUES (1, 'i', 'x.jsonl', 5);
INSERT INTO imported_spans (import, service, state, from_ms, to_ms) VALUES (1, 1, 'down', 0, 9);
INSERT INTO spans VALUES (1, 0, 9, 'down', NULL, 0, 'imported', 'import');
INSERT INTO exclusions VALUES (1, 'e1', 'all', '', 'maintenance', 0, 5, 'x', 'noc', 1);
INSERT INTO exclusions VALUES (2, 'e2', 'all', '', 'maintenance', 0, 6, 'x', 'noc', 1);
INSERT INTO withdrawals VALUES (2, 'typo', 'noc', 7), (1, 'typo', 'noc', 8);
INSERT INTO months VALUES (1, 1, '2026-10', 1, 3, '{}', '{}', '[]', '[]', 'over', '{}');
INSERT INTO entitlements VALUES (4, 'uid', 1, '60.00', 'EUR', '[]', 3);
INSERT INTO entitlement_events VALUES (7, 4, 'draft', 3, 'ringback', 'the month is over');
"""


def database_of_the_first_version(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA foreign_keys = ON")
    migrations.apply(Database(db, execute_plugins=False), stop_before="m002_corrections_incidents_and_claims")
    db.executescript(HELD)
    return db


def test_what_the_first_version_wrote_is_still_there(tmp_path: Path) -> None:
    database_of_the_first_version(tmp_path / "ringback.db").close()
    db = open_for_writing(tmp_path / "ringback.db")
    (owed,) = of_month(db, Month.parse("2026-10"))
    assert (owed.uid, owed.state, owed.amount, owed.service) == ("uid", "draft", "60.00", "acme-trunk")
    assert db.execute("SELECT * FROM spans").fetchall() == [(1, 0, 9, "down", None, 0, "imported", "import")]
    withdrawn = {one.uid: one.withdrawn for one in exclusions.everything(db)}
    assert {uid: one.entered_ms for uid, one in withdrawn.items() if one} == {"e1": 8, "e2": 7}
    assert db.execute("PRAGMA foreign_key_check").fetchall() == []
    assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    for view in ("credits", "service_states", "outages", "exclusions_in_force", "corrections_in_force"):
        db.execute(f"SELECT * FROM {view}").fetchall()


def test_whoever_reads_an_older_database_is_told_to_start_the_agent(tmp_path: Path) -> None:
    database_of_the_first_version(tmp_path / "ringback.db").close()
    with pytest.raises(StoreError, match="older version"):
        open_for_reading(tmp_path / "ringback.db")


def test_every_table_of_facts_refuses_changes(tmp_path: Path) -> None:
    database_of_the_first_version(tmp_path / "ringback.db").close()
    db = open_for_writing(tmp_path / "ringback.db")
    for table in ("withdrawals", "entitlements", "entitlement_events", "exclusions", "months"):
        with pytest.raises(sqlite3.IntegrityError, match="never changed"):
            db.execute(f"DELETE FROM {table}")
