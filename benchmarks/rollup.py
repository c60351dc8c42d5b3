"""A month of 10,000 services with 50 outages each: from the facts in SQLite to figures and credit.

``python -m benchmarks.rollup`` writes such a month, rolls it up, and beside it lets SQLite alone add up the
downtime of each service (no exclusions, no coverage, no verdict, no credit).
"""

from __future__ import annotations

import argparse
import sqlite3
import tempfile
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

from monitor.config.values import ServiceConfig, Terms
from monitor.ledger.rollup import roll_up_month
from monitor.sla.money import Money
from monitor.sla.months import Month, bounds
from monitor.sla.plans import CreditTerms, Plan
from monitor.store import spans
from monitor.store.database import open_for_writing
from monitor.store.facts import service_key

MONTH = Month(2026, 9)
ZONE = "Europe/Luxembourg"
PLAN = Plan(
    "bench/plan", "Bench", guarantee=Decimal("0.9990"), credit=CreditTerms(Decimal("0.30"), Decimal(1))
)
TERMS = (Terms(None, PLAN, Money.parse("100.00 EUR")),)

SQL = """
SELECT service, sum(min(coalesce(to_ms, :to), :to) - max(from_ms, :from)) FROM spans
WHERE state = 'down' AND from_ms < :to AND coalesce(to_ms, :to) > :from GROUP BY service"""


def write_month(db: sqlite3.Connection, services: int, outages: int) -> list[ServiceConfig]:
    from_ms, to_ms = bounds(MONTH, ZoneInfo(ZONE))
    turn_ms = (to_ms - from_ms) // outages
    db.execute("BEGIN")
    db.execute("INSERT INTO imports (uid, source, imported_ms) VALUES ('bench', 'bench', 0)")
    configs = []
    for number in range(services):
        name = f"service-{number:05}"
        key = service_key(db, name)
        rows = []
        for turn in range(outages):
            start = from_ms + turn * turn_ms
            down = 1_000 + (number * 7 + turn * 13) % 600_000
            rows.append((1, key, "down", start, start + down))
            rows.append((1, key, "up", start + down, start + turn_ms))
        db.executemany(
            "INSERT INTO imported_spans (import, service, state, from_ms, to_ms) VALUES (?, ?, ?, ?, ?)", rows
        )
        spans.rebuild(db, key)
        configs.append(ServiceConfig(name, name, "link", "", (), ZONE, None, None, TERMS, 0, ()))
    db.execute("COMMIT")
    return configs


def timed(what: str, work: Callable[[], list[object]]) -> float:
    wall, cpu = time.perf_counter(), time.process_time()
    rows = work()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(f"  {what:36} {wall:6.2f} s  {cpu:6.2f} CPU-s  {len(rows)} services")
    return wall


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--services", type=int, default=10_000)
    parser.add_argument("--outages", type=int, default=50)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        db = open_for_writing(Path(directory) / "ringback.db")
        configs = write_month(db, options.services, options.outages)
        from_ms, to_ms = bounds(MONTH, ZoneInfo(ZONE))
        print(f"{options.services} services with {options.outages} outages each in {MONTH}")
        window = {"from": from_ms, "to": to_ms}
        for _ in range(3):
            ours = timed("figures and credit", lambda: list(roll_up_month(db, configs, MONTH, to_ms + 1)))
            plain = timed("downtime alone, by SQLite", lambda: db.execute(SQL, window).fetchall())
            print(f"  ratio {ours / plain:.1f}")


if __name__ == "__main__":
    main()
