"""``ringback import uptime-kuma``, from a file with the tables of Uptime Kuma."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.cli.sites import Site

FROM = datetime(2026, 9, 30, 22, tzinfo=UTC)
UP, DOWN, PENDING, MAINTENANCE = 1, 0, 2, 3


def kuma(folder: Path, beats: Sequence[tuple[int, int]]) -> Path:
    """Heartbeats: the minute of October in Luxembourg, and the status."""
    file = folder / "kuma.db"
    with closing(sqlite3.connect(file)) as db, db:
        db.execute("PRAGMA journal_mode = WAL")
        db.executescript(
            """
            CREATE TABLE monitor (id INTEGER PRIMARY KEY AUTOINCREMENT, name VARCHAR(150), active BOOLEAN DEFAULT 1,
                interval INTEGER DEFAULT 20 NOT NULL, url TEXT, type VARCHAR(20),
                retry_interval INTEGER DEFAULT 0 NOT NULL,
                maxretries INTEGER NOT NULL DEFAULT 0);
            CREATE TABLE heartbeat (id INTEGER PRIMARY KEY AUTOINCREMENT, important BOOLEAN NOT NULL DEFAULT 0,
                monitor_id INTEGER NOT NULL REFERENCES monitor, status SMALLINT NOT NULL, msg TEXT,
                time DATETIME NOT NULL, ping INTEGER, duration INTEGER NOT NULL DEFAULT 0,
                down_count INTEGER NOT NULL DEFAULT 0);
            INSERT INTO monitor (name, interval, type) VALUES
                ('SBC', 60, 'port'), ('twice', 60, 'ping'), ('twice', 60, 'ping');
            """
        )
        db.executemany(
            "INSERT INTO heartbeat (monitor_id, status, time, duration) VALUES (1, ?, ?, 60)",
            [
                (status, f"{FROM + timedelta(minutes=minute):%Y-%m-%d %H:%M:%S}.000")
                for minute, status in beats
            ],
        )
    return file


def minutes(*stretches: tuple[range, int]) -> list[tuple[int, int]]:
    return [(minute, status) for stretch, status in stretches for minute in stretch]


def bring_in(site: Site, file: Path, *more: str, monitor: str = "SBC") -> object:
    return site.json("import", "uptime-kuma", file, "--service", "acme-trunk", "--monitor", monitor, *more)


def measured(site: Site, until: str) -> dict[str, object]:
    window = ("--from", "2026-10-01", "--to", until)
    found: dict[str, object] = site.json("availability", "--service", "acme-trunk", *window)
    return found


def test_downtime_is_what_the_heartbeats_of_that_monitor_say(site: Site, tmp_path: Path) -> None:
    beats = minutes((range(100), UP), (range(100, 130), DOWN), (range(130, 241), UP))
    bring_in(site, kuma(tmp_path, beats))
    found = measured(site, "2026-10-01T04:00")
    with closing(sqlite3.connect(tmp_path / "kuma.db")) as db:
        theirs = db.execute(
            "SELECT sum(duration) FROM heartbeat WHERE status = 0 AND time < '2026-10-01 02:00'"
        ).fetchone()[0]
    assert found["down_ms"] == theirs * 1000 == 30 * 60_000
    assert (found["unknown_ms"], found["outages"]) == (0, 1)


def test_an_outage_begins_with_the_first_pending_heartbeat_if_it_was_confirmed(
    site: Site, tmp_path: Path
) -> None:
    beats = minutes(
        (range(10), UP), (range(10, 13), PENDING), (range(13, 20), DOWN),
        (range(20, 30), UP), (range(30, 32), PENDING), (range(32, 61), UP),
    )  # fmt: skip
    bring_in(site, kuma(tmp_path, beats))
    found = measured(site, "2026-10-01T01:00")
    assert (found["down_ms"], found["unknown_ms"]) == (10 * 60_000, 2 * 60_000)


def test_maintenance_and_missing_heartbeats_are_unknown(site: Site, tmp_path: Path) -> None:
    beats = minutes((range(10), UP), (range(10, 20), MAINTENANCE), (range(20, 30), UP), (range(50, 61), UP))
    bring_in(site, kuma(tmp_path, beats))
    found = measured(site, "2026-10-01T01:00")
    assert found["unknown_ms"] == (10 + 21 - 2) * 60_000  # each heartbeat holds for its interval and a minute
    assert found["down_ms"] == 0


def test_importing_it_again_changes_nothing(site: Site, tmp_path: Path) -> None:
    file = kuma(tmp_path, minutes((range(10), UP), (range(10, 20), DOWN), (range(20, 61), UP)))
    assert bring_in(site, file, monitor="1")["spans"] == 3  # type: ignore[index]
    assert bring_in(site, file)["spans"] == 0  # type: ignore[index]


def test_a_file_that_has_grown_is_brought_in_again_and_what_was_pending_at_its_end_then_counts(
    site: Site, tmp_path: Path
) -> None:
    beats = minutes((range(10), UP), (range(10, 13), PENDING), (range(13, 20), DOWN), (range(20, 61), UP))
    for grown_to in (5, 12, 15, 40, 61):
        folder = tmp_path / str(grown_to)
        folder.mkdir()
        bring_in(site, kuma(folder, beats[:grown_to]))
    found = measured(site, "2026-10-01T01:00")
    assert (found["down_ms"], found["unknown_ms"], found["outages"]) == (10 * 60_000, 0, 1)


def test_what_is_still_in_its_log_is_brought_in_too(site: Site, tmp_path: Path) -> None:
    file = kuma(tmp_path, minutes((range(10), UP), (range(10, 20), DOWN), (range(20, 60), UP)))
    with closing(sqlite3.connect(file)) as running:
        running.execute("PRAGMA wal_autocheckpoint = 0")
        running.execute(
            "INSERT INTO heartbeat (monitor_id, status, time, duration) VALUES (1, 1, '2026-09-30 23:00:00.000', 60)"
        )
        running.commit()
        bring_in(site, file)
    assert measured(site, "2026-10-01T01:00")["unknown_ms"] == 0


def test_a_database_at_rest_is_left_as_it_is_and_nothing_beside_it(site: Site, tmp_path: Path) -> None:
    folder = tmp_path / "of-uptime-kuma"
    folder.mkdir()
    file = kuma(
        folder,
        minutes(
            (range(10), UP),
        ),
    )
    before = (file.read_bytes(), list(folder.iterdir()))
    bring_in(site, file)
    assert (file.read_bytes(), list(folder.iterdir())) == before


@pytest.mark.parametrize(
    ("monitor", "told"),
    [
        ("PBX", "expected one of its monitors, not 'PBX': SBC (1), twice (2), twice (3)"),
        ("twice", "'twice' are several: twice (2), twice (3); give its number"),
        ("9" * 30, "expected one of its monitors"),
        ("2", "expected heartbeats of '2', and there are none"),
    ],
)
def test_a_monitor_that_cannot_be_brought_in_is_told(
    site: Site, tmp_path: Path, monitor: str, told: str
) -> None:
    file = kuma(tmp_path, [(0, UP)])
    result = site.run("import", "uptime-kuma", file, "--service", "acme-trunk", "--monitor", monitor)
    assert result.exit_code == 1
    assert told in result.stderr


def test_another_file_is_told_and_not_changed(site: Site, tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    other.write_text("no database")
    result = site.run("import", "uptime-kuma", other, "--service", "acme-trunk", "--monitor", "SBC")
    assert (result.exit_code, "expected the file of Uptime Kuma" in result.stderr) == (1, True)
    assert other.read_text() == "no database"
