"""Two years of a portfolio of 10,000 services, frozen month by month: what a question about them takes.

``python -m benchmarks.portfolio`` writes and freezes them, asks each question by a command as a person does, of a
running agent's page, and within a process for all services at once; beside it SQLite alone scans the rows that the
answer is made of.
``--keep DIR`` makes them there, or asks about those that are there already.
"""

from __future__ import annotations

import argparse
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from zoneinfo import ZoneInfo

from benchmarks.rig import agent, free_ports
from monitor.config.loading import load
from monitor.config.values import Configuration
from monitor.ledger.claim_sums import sums_of_year, sums_record
from monitor.ledger.customers import customers
from monitor.ledger.explaining import explain
from monitor.ledger.explanation_record import explanation_record
from monitor.ledger.freezing import freeze
from monitor.ledger.report import month_figures
from monitor.sla.intervals import Interval
from monitor.sla.months import Month, bounds
from monitor.store import spans
from monitor.store.database import open_for_reading, open_for_writing
from monitor.store.facts import service_key

ZONE = ZoneInfo("Europe/Luxembourg")
FIRST, ASKED, AFTER = Month(2023, 1), Month(2024, 9), Month(2025, 1)
NOW_MS = bounds(AFTER, ZONE)[0] + 3_600_000
SERVICE = "service-04711"
RUNS = 3
SETTLING_S = 20
"""For the agent to look through what it finds: at its start it reads the month that goes on."""

SCANS = {
    "report": "SELECT figures, terms FROM months WHERE month = '2024-09'",
    "explain": "SELECT figures, terms, outages, exclusions FROM months JOIN services ON services.key = service"
    f" WHERE id = '{SERVICE}' AND month = '2024-09'",
    "claim year": "SELECT entitlements.amount, calculation, terms, state FROM entitlements"
    " JOIN months ON months.key = entitlements.month"
    " JOIN entitlement_events ON entitlement = entitlements.key WHERE months.month LIKE '2024-%'",
}


PAGES = {
    "report": f"/months/{ASKED}",
    "explain": f"/services/{SERVICE}/months/{ASKED}",
    "claim year": f"/claims?year={ASKED.year}",
}


def months() -> list[Month]:
    found = [FIRST]
    while found[-1].next != AFTER:
        found.append(found[-1].next)
    return found


def write_configuration(file: Path, services: int, page: int) -> None:
    lines = [
        f"agent: {{name: bench, state_dir: '{file.parent}', listen: '127.0.0.1:{page}', log_format: json}}",
        "plans: [plans/mixvoip.yml]",
        "services:",
    ]
    terms = "plan: mixvoip/enterprise, monthly_fee: 100.00 EUR, contract_from: 2023-01-01"
    lines += [f"  - {{id: service-{n:05}, customer: Customer {n % 300}, {terms}}}" for n in range(services)]
    file.write_text("\n".join(lines) + "\n")


def write_facts(db: sqlite3.Connection, services: int) -> None:
    """An outage in each month, one in four of them long enough to break the guarantee."""
    windows = [bounds(one, ZONE) for one in months()]
    db.execute("BEGIN")
    db.execute("INSERT INTO imports (uid, source, imported_ms) VALUES ('bench', 'bench', 0)")
    for number in range(services):
        key = service_key(db, f"service-{number:05}")
        rows = [row for turn, window in enumerate(windows) for row in _month(key, number, turn, window)]
        db.executemany(
            "INSERT INTO imported_spans (import, service, state, from_ms, to_ms) VALUES (1, ?, ?, ?, ?)", rows
        )
        spans.rebuild(db, key)
    db.execute("COMMIT")


def _month(key: int, number: int, turn: int, window: Interval) -> list[tuple[int, str, int, int]]:
    start = window[0] + 3_600_000 + number * 60_000
    end = start + 1_000 + (number * 7_919 + turn * 104_729) % 3_600_000
    return [(key, "up", window[0], start), (key, "down", start, end), (key, "up", end, window[1])]


def freeze_all(db: sqlite3.Connection, configuration: Configuration) -> None:
    for month in months():
        db.execute("BEGIN IMMEDIATE")
        freeze(db, configuration.services, NOW_MS, month)
        db.execute("COMMIT")


def prepare(directory: Path, services: int) -> None:
    with closing(open_for_writing(directory / "ringback.db")) as db:
        started = time.monotonic()
        write_facts(db, services)
        written = time.monotonic()
        freeze_all(db, load(directory / "ringback.yml"))
        frozen = time.monotonic()
        (count, claims) = db.execute(
            "SELECT (SELECT count(*) FROM months), (SELECT count(*) FROM entitlements)"
        ).fetchone()
    print(f"{count} months frozen in {frozen - written:.0f} s, {claims} claims drafted;", end=" ")
    print(f"facts written in {written - started:.0f} s")


def least(work: Callable[[], object]) -> str:
    """Seconds, and CPU-seconds, of the fastest of a few runs: others share the machine."""
    times = []
    for _ in range(RUNS):
        before, started = os.times(), time.perf_counter()
        work()
        took_s, after = time.perf_counter() - started, os.times()
        times.append((took_s, sum(after[:4]) - sum(before[:4])))
    return f"{min(took for took, _ in times):7.3f} s {min(cpu for _, cpu in times):6.2f} CPU-s"


def process(directory: Path, *words: str) -> None:
    command = [sys.executable, "-m", "monitor", "--config", str(directory / "ringback.yml"), *words]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=os.environ)


def measure(directory: Path, page: int) -> None:
    database = directory / "ringback.db"
    file = directory / "ringback.yml"
    configuration = load(file)
    service = next(one for one in configuration.services if one.id == SERVICE)

    def read(work: Callable[[sqlite3.Connection], object]) -> object:
        with closing(open_for_reading(database)) as db:
            return work(db)

    def explained(db: sqlite3.Connection) -> object:
        found = explain(db, service, ASKED, NOW_MS)
        assert found is not None
        return explanation_record(found)

    questions: dict[str, tuple[tuple[str, ...], Callable[[sqlite3.Connection], object]]] = {
        "report": (
            ("report", str(ASKED)),
            lambda db: month_figures(db, configuration.services, ASKED, NOW_MS),
        ),
        "explain": (("explain", SERVICE, str(ASKED)), explained),
        "claim year": (
            ("claim", "year", "2024"),
            lambda db: sums_record(2024, sums_of_year(db, 2024, customers(configuration))),
        ),
    }
    load_s = least(lambda: load(file))
    print(f"  {'':12} {'a command':>22} {'within a process':>22} {'SQLite alone':>22} {'a page':>10}")
    print(f"  {'(only load)':12} {'':22} {load_s}")
    with agent(file, page, None) as running:
        time.sleep(SETTLING_S)
        pages = {name: least(lambda: running.get(path))[:9] for name, path in PAGES.items()}  # noqa: B023
    for name, (words, work) in questions.items():
        whole = least(lambda: process(directory, *words))  # noqa: B023
        within = least(lambda: read(work))  # noqa: B023
        scan = least(lambda: read(lambda db: db.execute(SCANS[name]).fetchall()))  # noqa: B023
        print(f"  {name:12} {whole} {within} {scan} {pages[name]:>10}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--services", type=int, default=10_000)
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        directory = options.keep or Path(temporary)
        directory.mkdir(parents=True, exist_ok=True)
        (page,) = free_ports(1)
        write_configuration(directory / "ringback.yml", options.services, page)
        if not (directory / "ringback.db").exists():
            prepare(directory, options.services)
        measure(directory, page)


if __name__ == "__main__":
    main()
