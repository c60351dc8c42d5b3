"""What it takes to verify a year of 1,000 services, beside `sha256sum` of the same file.

``python -m benchmarks.verify`` writes the year as an agent would have: changes with the probes around them, blips,
a seal each hour in which something was new, each month frozen at its end.
"""

from __future__ import annotations

import argparse
import random
import resource
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from zoneinfo import ZoneInfo

from benchmarks.rollup import TERMS, ZONE
from monitor.config.values import ServiceConfig
from monitor.ledger.freezing import SETTLED_MS, freeze
from monitor.ledger.verifying import verify
from monitor.sla.months import Month, bounds
from monitor.store import spans
from monitor.store.database import open_for_reading, open_for_writing
from monitor.store.facts import service_key
from monitor.store.seals import seal
from monitor.store.signing_key import SigningKey, signing_key

FIRST = Month(2025, 1)
HOUR_MS = 3_600_000
PROBES = 6
"""Around each change."""

DETAIL = '{"status":503,"reason":"Service Unavailable","from":"192.0.2.10:5060","retransmissions":2}'

CHANGE = """
INSERT INTO changes (run, service, at_ms, state, seen_ms, "check", reason, recorded_ms)
VALUES (1, ?1, ?2, ?3, ?2 - 30000, ?1, 'no answer within 4 s', ?2 + 90000)"""
CHECK_CHANGE = """
INSERT INTO check_changes (run, "check", at_ms, state, seen_ms, reason, recorded_ms)
VALUES (1, ?1, ?2, ?3, ?2 - 30000, 'no answer within 4 s', ?2 + 90000)"""
PROBE = """
INSERT INTO evidence (check_change, sent_ms, verdict, reason, round_trip_us, detail)
SELECT max(key), ?1, 'bad', 'no answer within 4 s', 1234, ?2 FROM check_changes"""
BLIP = """
INSERT INTO blips (run, service, "check", last_good_ms, first_bad_ms, last_bad_ms, first_good_ms, reason)
VALUES (1, ?1, ?1, ?2 - 30000, ?2, ?2, ?2 + 5000, 'timeout')"""

Event = tuple[int, int, str]
"""When, which service, its state from then on."""


def write_year(path: Path, services: int, outages: int) -> None:
    key = signing_key(path.parent)
    with closing(open_for_writing(path)) as db:
        db.execute("PRAGMA synchronous = OFF")
        start_ms = bounds(FIRST, ZoneInfo(ZONE))[0]
        db.execute(
            "INSERT INTO runs (uid, vantage, version, started_ms, heartbeat_ms) VALUES ('bench', 'bench', '0', ?, ?)",
            (start_ms, start_ms + 400 * 24 * HOUR_MS),
        )
        configs = [_service(db, number) for number in range(1, services + 1)]
        chance = random.Random(1)
        month = FIRST
        for _ in range(12):
            _write_month(db, key, month, services, outages, chance)
            _freeze(db, key, month, configs)
            month = month.next
        db.execute("UPDATE runs SET stopped_ms = heartbeat_ms")
        _seal(db, key, start_ms)


def _service(db: sqlite3.Connection, number: int) -> ServiceConfig:
    name = f"service-{number:05}"
    key = service_key(db, name)
    db.execute("INSERT INTO checks (service, name) VALUES (?, 'sip')", (key,))
    return ServiceConfig(name, name, "link", "", (), ZONE, None, None, TERMS, 0, ())


def _events(month: Month, services: int, outages: int, chance: random.Random) -> list[Event]:
    from_ms, to_ms = bounds(month, ZoneInfo(ZONE))
    slot_ms = (to_ms - from_ms) // outages
    events = []
    for service in range(1, services + 1):
        if month == FIRST:
            events.append((from_ms, service, "up"))
        for turn in range(outages):
            down_ms = from_ms + turn * slot_ms + chance.randrange(1, slot_ms // 2)
            up_ms = down_ms + chance.randrange(60_000, slot_ms // 3)
            events += [(down_ms, service, "down"), (up_ms, service, "up")]
            events.append((up_ms + 10_000, service, "blip"))
    return sorted(events)


def _write_month(
    db: sqlite3.Connection, key: SigningKey, month: Month, services: int, outages: int, chance: random.Random
) -> None:
    hour = 0
    db.execute("BEGIN")
    for at_ms, service, state in _events(month, services, outages, chance):
        if at_ms // HOUR_MS != hour:
            db.execute("COMMIT")
            _seal(db, key, at_ms)
            db.execute("BEGIN")
            hour = at_ms // HOUR_MS
        if state == "blip":
            db.execute(BLIP, (service, at_ms))
            continue
        db.execute(CHANGE, (service, at_ms, state))
        db.execute(CHECK_CHANGE, (service, at_ms, state))
        db.executemany(PROBE, [(at_ms + turn * 5_000, DETAIL) for turn in range(PROBES)])
    for service in range(1, services + 1):
        spans.rebuild(db, service)
    db.execute("COMMIT")


def _freeze(db: sqlite3.Connection, key: SigningKey, month: Month, configs: list[ServiceConfig]) -> None:
    now_ms = bounds(month, ZoneInfo(ZONE))[1] + SETTLED_MS
    db.execute("BEGIN")
    freeze(db, configs, now_ms, month)
    db.execute("COMMIT")
    _seal(db, key, now_ms)


def _seal(db: sqlite3.Connection, key: SigningKey, now_ms: int) -> None:
    rows = 1
    while rows:
        db.execute("BEGIN")
        rows = seal(db, key, now_ms)
        db.execute("COMMIT")


def _peer(path: Path) -> float:
    started = time.perf_counter()
    subprocess.run(["sha256sum", path], check=True, capture_output=True)
    return time.perf_counter() - started


def _sizes(db: sqlite3.Connection) -> Iterator[str]:
    for table in ("seals", "seal_blocks"):
        (size,) = db.execute("SELECT sum(pgsize) FROM dbstat WHERE name LIKE ? || '%'", (table,)).fetchone()
        yield f"{table} {size / 1e6:.1f} MB"


def measure(services: int, outages: int) -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "ringback.db"
        started = time.perf_counter()
        write_year(path, services, outages)
        print(f"a year of {services} services with {outages} outages a month each,")
        print(
            f"  {path.stat().st_size / 1e6:.0f} MB, written, frozen and sealed in {time.perf_counter() - started:.0f} s"
        )
        for _ in range(2):
            wall, cpu = time.perf_counter(), time.process_time()
            with closing(open_for_reading(path)) as db:
                db.execute("BEGIN")
                verdict = verify(db)
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
            assert verdict.fits, verdict.misfits
            peer = _peer(path)
            print(
                f"  verified in {wall:.1f} s ({cpu:.1f} CPU-s);"
                f" sha256sum of the file {peer:.2f} s: {wall / peer:.0f} times"
            )
        evidence, derived = verdict.evidence, verdict.derived
        assert derived is not None
        print(f"  {evidence.rows} records under {evidence.seals} seals; {derived.months} months and")
        print(f"  {derived.amounts} amounts computed again; {wall / evidence.rows * 1e6:.1f} us a record")
        print(
            f"  {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MiB of memory at most, writing included"
        )
        with closing(sqlite3.connect(path)) as db:
            try:
                print(f"  of the file: {', '.join(_sizes(db))}")
            except sqlite3.OperationalError:
                print("  this SQLite cannot tell the sizes of tables")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--services", type=int, default=1_000)
    parser.add_argument("--outages", type=int, default=4)
    options = parser.parse_args()
    measure(options.services, options.outages)


if __name__ == "__main__":
    main()
