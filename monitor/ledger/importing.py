"""Bringing a history in; the frozen months that it touches are revised."""

from __future__ import annotations

import io
import sqlite3

from monitor.config.values import Configuration
from monitor.ledger.request import Result, Task
from monitor.ledger.revising import revise_windows
from monitor.store.history import import_history
from monitor.store.history_file import parse_history


def importing(configuration: Configuration, content: bytes, source: str, now_ms: int) -> Task:
    """Bring a history in (monitor.store.history_file). Raises HistoryErrors, the task as well."""
    zones = {service.id: service.zone for service in configuration.services}
    history = parse_history(io.BytesIO(content), zones, now_ms)

    def task(db: sqlite3.Connection) -> Result:
        imported = import_history(db, history, source, zones, now_ms)
        reason = f"history imported from {source}"
        revised = revise_windows(db, imported.touched, now_ms, reason)
        return {
            "spans": imported.spans,
            "exclusions": imported.exclusions,
            "known": imported.known,
            "revised": [one.as_json() for one in revised],
        }

    return task
