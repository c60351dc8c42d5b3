"""A configuration, a database, and what is done to them in a test of the ledger."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from monitor.config.loading import load
from monitor.config.values import Configuration
from monitor.ledger.entitlements import Entitlement, of_month
from monitor.ledger.excluding import Exclude, Withdraw
from monitor.ledger.freezing import freeze
from monitor.ledger.frozen import Revision
from monitor.ledger.importing import importing
from monitor.ledger.report import ReportedMonth, report
from monitor.ledger.request import Request
from monitor.sla.months import Month, parse_instant
from monitor.store.database import open_for_writing

LUXEMBOURG = ZoneInfo("Europe/Luxembourg")

SERVICES = """
services:
  - id: acme-trunk
    tags: [voice]
    plan: mixvoip/enterprise
    monthly_fee: 100.00 EUR
    timezone: Europe/Luxembourg
    contract_from: 2026-01-01
"""

OUTAGE = [
    ("up", "2026-10-01", "2026-10-10T10:00"),
    ("down", "2026-10-10T10:00", "2026-10-10T12:00"),
    ("up", "2026-10-10T12:00", "2026-11-01"),
]
"""The October of INTERFACES: two hours of downtime."""


def at(text: str) -> int:
    return parse_instant(text, LUXEMBOURG)


def line(state: str, begin: str, end: str, service: str = "acme-trunk") -> str:
    return json.dumps({"service": service, "state": state, "from": begin, "to": end})


@dataclass
class Book:
    path: Path
    db: sqlite3.Connection
    now: str = "2026-11-20"

    @property
    def now_ms(self) -> int:
        return at(self.now)

    def configure(self, services: str = SERVICES) -> Configuration:
        """Write the configuration anew."""
        file = self.path / "ringback.yml"
        file.write_text(
            f"agent: {{name: lux, state_dir: {self.path}}}\nplans: [plans/mixvoip.yml]\n{services}"
        )
        return load(file)

    @property
    def configuration(self) -> Configuration:
        file = self.path / "ringback.yml"
        return load(file) if file.exists() else self.configure()

    def write(self, task: Callable[[sqlite3.Connection], Any]) -> Any:
        self.db.execute("BEGIN IMMEDIATE")
        try:
            result = task(self.db)
        except BaseException:
            self.db.execute("ROLLBACK")
            raise
        self.db.execute("COMMIT")
        return result

    def bring_in(self, *lines: str) -> dict[str, Any]:
        content = "\n".join(lines).encode()
        return self.write(importing(self.configuration, content, "x.jsonl", self.now_ms))  # type: ignore[no-any-return]

    def ask(self, request: Request) -> dict[str, Any]:
        return self.write(request.task(self.configuration, self.now_ms))  # type: ignore[no-any-return]

    def exclude(
        self, begin: str, end: str, scope: str = "service", subject: str = "acme-trunk"
    ) -> dict[str, Any]:
        asked = Exclude.model_validate(
            {
                "scope": scope,
                "subject": subject,
                "exclusion_class": "maintenance",
                "from_ms": at(begin),
                "to_ms": at(end),
                "reason": "new SBC",
                "author": "noc",
            }
        )
        return self.ask(asked)

    def withdraw(self, uid: str) -> dict[str, Any]:
        return self.ask(Withdraw(uid=uid, reason="typo", author="noc"))

    def freeze(self, month: str | None = None) -> list[Revision]:
        one = None if month is None else Month.parse(month)
        services = self.configuration.services

        def frozen(db: sqlite3.Connection) -> list[Revision]:
            return freeze(db, services, self.now_ms, one)

        return self.write(frozen)  # type: ignore[no-any-return]

    def report(self, month: str) -> dict[str, ReportedMonth]:
        found = report(self.db, self.configuration.services, Month.parse(month), self.now_ms)
        return {one.figures["service"]: one for one in found}

    def figures(self, month: str, service: str = "acme-trunk") -> dict[str, Any]:
        return dict(self.report(month)[service].figures)

    def credits(self, month: str) -> list[Entitlement]:
        return of_month(self.db, Month.parse(month))


def new_book(path: Path) -> Book:
    return Book(path, open_for_writing(path / "ringback.db"))
