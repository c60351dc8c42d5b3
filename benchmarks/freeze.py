"""What freezing a month of 10,000 services costs an agent that probes them, and how long it takes.

``python -m benchmarks.freeze`` writes last month's facts, starts the agent on services that were not in
contract then, takes that back by a reload, and has the month frozen through the control socket while SIP and
ICMP probes go on. Beside it SQLite alone inserts the same rows, in one transaction.
"""

from __future__ import annotations

import argparse
import signal
import sqlite3
import tempfile
import threading
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from benchmarks.rig import Agent, agent, cores, endpoints, free_ports, histogram, quantile, stolen_s
from monitor.control import post, socket_path
from monitor.sla.months import Month, bounds, month_of, to_ms
from monitor.store import spans
from monitor.store.database import open_for_writing
from monitor.store.facts import service_key

ZONE = "Europe/Luxembourg"
LATE = "ringback_schedule_lateness_seconds"
SCRAPED_AFTER_S = 2
TABLES = ("months", "entitlements", "entitlement_events")

FACTS = """
INSERT INTO changes (run, service, at_ms, state, seen_ms, "check", reason, recorded_ms)
VALUES (1, ?, ?, ?, ?, ?, 'no answer', ?)"""
CHECK_FACTS = """
INSERT INTO check_changes (run, "check", at_ms, state, seen_ms, reason, recorded_ms)
VALUES (1, ?, ?, ?, ?, 'no answer', ?)"""


def last_month() -> Month:
    return month_of(to_ms(datetime.now(UTC)), ZoneInfo(ZONE)).previous


def write_facts(database: Path, services: int, outages: int) -> None:
    """As an agent would have recorded them: each service watched all month, with its outages."""
    from_ms, to_ms = bounds(last_month(), ZoneInfo(ZONE))
    turn_ms = (to_ms - from_ms) // max(1, outages)
    db = open_for_writing(database)
    db.execute("BEGIN")
    db.execute(
        "INSERT INTO runs (uid, vantage, version, started_ms, heartbeat_ms, stopped_ms)"
        " VALUES ('bench', 'bench', '0', ?, ?, ?)",
        (from_ms, to_ms, to_ms),
    )
    for number in range(services):
        key = service_key(db, f"service-{number}")
        check = db.execute("INSERT INTO checks (service, name) VALUES (?, 'check-0')", (key,)).lastrowid
        turns = [(from_ms, "up")]
        for turn in range(outages):
            start = from_ms + turn * turn_ms + 60_000
            turns += [(start, "down"), (start + 1_000 + (number * 7_919 + turn * 104_729) % 2_400_000, "up")]
        db.executemany(FACTS, [(key, at, state, at - 1_000, check, at) for at, state in turns])
        db.executemany(CHECK_FACTS, [(check, at, state, at - 1_000, at) for at, state in turns])
        spans.rebuild(db, key)
    db.execute("COMMIT")
    db.close()


def write_configuration(path: Path, page: int, targets: list[str], contract_from: str) -> None:
    """Written aside and put in place, as an operator's editor does."""
    lines = [
        f"agent: {{name: bench, state_dir: {path.parent}, listen: 127.0.0.1:{page}, log_format: json}}",
        "plans: [plans/mixvoip.yml]",
        "defaults: {interval: 10s, timeout: 4s, retry_interval: 5s}",
        "services:",
    ]
    terms = f"plan: mixvoip/enterprise, monthly_fee: 100.00 EUR, contract_from: {contract_from}"
    lines += [
        f'  - {{id: service-{number}, {terms}, checks: ["{target}"]}}'
        for number, target in enumerate(targets)
    ]
    aside = path.with_suffix(".new")
    aside.write_text("\n".join(lines) + "\n")
    aside.replace(path)


class Lateness:
    """The lateness of the probes of a time in which Prometheus scrapes once, as it does within fifteen seconds."""

    def __init__(self, running: Agent) -> None:
        self._running = running
        self._scrape = threading.Timer(SCRAPED_AFTER_S, running.get, ("/metrics",))

    def __enter__(self) -> Lateness:
        self._before = histogram(self._running.get("/metrics"), LATE)
        self._scrape.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._scrape.join()
        after = histogram(self._running.get("/metrics"), LATE)
        self.late = f"p50 {quantile(self._before, after, 0.5)}, p99 {quantile(self._before, after, 0.99)}"
        self.late += f", all {quantile(self._before, after, 1.0)}"


def measure(services: int, outages: int) -> None:
    _, others = cores()
    (page,) = free_ports(1)
    month = last_month()
    with tempfile.TemporaryDirectory() as directory, endpoints(others) as there:
        config = Path(directory) / "ringback.yml"
        targets = [there.target(("sip", "icmp")[number % 2], number) for number in range(services)]
        write_facts(config.parent / "ringback.db", services, outages)
        write_configuration(config, page, targets, f"{month.next}-01")
        with agent(config, page, None) as running:
            time.sleep(15)
            write_configuration(config, page, targets, "2020-01-01")
            with Lateness(running) as reloading:
                running.child.send_signal(signal.SIGHUP)
                time.sleep(10)
            time.sleep(15)
            with Lateness(running) as quiet:
                time.sleep(10)
            before, stolen = running.usage(), stolen_s()
            with Lateness(running) as freezing:
                started = time.monotonic()
                done = post(socket_path(config.parent), "/v1/freeze", {"month": str(month)})
                took_s = time.monotonic() - started
                time.sleep(1)
            after, stolen = running.usage(), stolen_s() - stolen
        print(f"{done['frozen']} months of {month}, {outages} outages each, {services} checks every 10 s")
        print(
            f"  frozen in    {took_s:.2f} s, {after.cpu_s - before.cpu_s:.2f} CPU-s with the probing;",
            end=" ",
        )
        print(f"the host took {stolen:.2f} CPU-s meanwhile")
        print(f"  reloading    probes late {reloading.late}: all services are changed at once")
        print(f"  quiet        probes late {quiet.late}")
        print(f"  freezing     probes late {freezing.late}")
        took, size = insert_again(config.parent / "ringback.db")
        print(f"  beside it    SQLite alone inserts the same {size / 1e6:.1f} MB in {took:.2f} s")


def insert_again(database: Path) -> tuple[float, int]:
    """Seconds that SQLite takes to write what was frozen, into a database of its own; and its bytes."""
    with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(f"{database}.peer")) as peer:
        peer.execute("PRAGMA journal_mode = WAL")
        rows = {}
        for table in TABLES:
            rows[table] = source.execute(f"SELECT * FROM {table}").fetchall()
            peer.execute(
                source.execute("SELECT sql FROM sqlite_master WHERE name = ?", (table,)).fetchone()[0]
            )
        started = time.monotonic()
        with peer:
            for table, found in rows.items():
                marks = ", ".join("?" * len(found[0])) if found else "NULL"
                peer.executemany(f"INSERT INTO {table} VALUES ({marks})", found)
        took = time.monotonic() - started
        size = sum(len(str(cell)) for found in rows.values() for row in found for cell in row)
    return took, size


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--services", type=int, default=10_000)
    parser.add_argument("--outages", type=int, default=3)
    options = parser.parse_args()
    measure(options.services, options.outages)


if __name__ == "__main__":
    main()
