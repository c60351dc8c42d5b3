"""Frozen months rolled up again as the facts stand: asked for by people, or because a record came late.

"Reopening" edits nothing: it adds a revision with the difference, where there is one.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Annotated, ClassVar

from pydantic import Field

from monitor.config.values import Configuration
from monitor.ledger.agreement import month_bounds
from monitor.ledger.claiming import MonthText
from monitor.ledger.errors import LedgerError
from monitor.ledger.freezing import SETTLED_MS
from monitor.ledger.frozen import Revision, latest
from monitor.ledger.request import Author, Reason, Request, Result, Task
from monitor.ledger.revising import revise_windows
from monitor.sla.intervals import Interval
from monitor.sla.months import Month

LATE = "recorded late by the agent"

Late = tuple[str, Month]
"""A service and its month."""


class Reopen(Request):
    """Roll a service's frozen month up again, by the terms that it was frozen with."""

    kind: ClassVar[str] = "reopen-month"

    service: Annotated[str, Field(max_length=64)]
    month: MonthText
    reason: Reason
    author: Author

    def task(self, configuration: Configuration, now_ms: int) -> Task:
        def task(db: sqlite3.Connection) -> Result:
            month = Month.parse(self.month)
            found = latest(db, month, services=(self.service,))
            if not found:
                raise LedgerError(f"{self.service}: {month} is not frozen, so there is nothing to reopen")
            window = month_bounds(month, found[0].agreement.zone)
            reason = f"reopened by {self.author}: {self.reason}"
            revised = revise_windows(db, {self.service: window}, now_ms, reason)
            return {
                "service": self.service,
                "month": self.month,
                "revised": [one.as_json() for one in revised],
            }

        return task


def last_change(db: sqlite3.Connection) -> int:
    """The key of the latest change that was recorded."""
    (key,) = db.execute("SELECT coalesce(max(key), 0) FROM changes").fetchone()
    return int(key)


def late_records(db: sqlite3.Connection, after_key: int) -> list[Late]:
    """The frozen months into which one of the changes after that key was recorded when they had been frozen.

    A month is frozen no sooner than ``SETTLED_MS`` after its end, so that few changes come into question.
    """
    rows: Iterable[tuple[str, str]] = db.execute(
        "SELECT DISTINCT id, month FROM changes JOIN months USING (service)"
        " JOIN services ON services.key = changes.service"
        " WHERE changes.key > ? AND recorded_ms - at_ms > ? AND frozen_ms <= recorded_ms"
        " AND month BETWEEN strftime('%Y-%m', at_ms / 1000 - 86400, 'unixepoch')"
        " AND strftime('%Y-%m', recorded_ms / 1000 + 86400, 'unixepoch')"
        " AND revision = (SELECT max(revision) FROM months AS other"
        " WHERE other.service = months.service AND other.month = months.month) ORDER BY month, id",
        (after_key, SETTLED_MS),
    )
    return [(service, Month.parse(month)) for service, month in rows]


def revise_late(db: sqlite3.Connection, late: Iterable[Late], now_ms: int) -> list[Revision]:
    """Revise these months, where the late records make a difference."""
    windows: dict[Month, dict[str, Interval]] = {}
    for service, month in late:
        for frozen in latest(db, month, services=(service,)):
            windows.setdefault(month, {})[service] = month_bounds(month, frozen.agreement.zone)
    return [one for of_month in windows.values() for one in revise_windows(db, of_month, now_ms, LATE)]
