"""A month explained, for page and API."""

from __future__ import annotations

import sqlite3

from monitor.config.values import ServiceConfig
from monitor.ledger.explaining import Explanation, explain
from monitor.sla.months import Month
from monitor.web.asking import NotThere


def explained(db: sqlite3.Connection, now_ms: int, service: ServiceConfig, month: Month) -> Explanation:
    """Raises NotThere where there is nothing to explain."""
    found = explain(db, service, month, now_ms)
    if found is None:
        raise NotThere(f"{service.id}: {month} has not begun, or the service was not in contract")
    return found
