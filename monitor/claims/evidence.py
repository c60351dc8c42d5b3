"""The probes around the edges of outages, as a pack shows them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from zoneinfo import ZoneInfo

from monitor.claims.pack import Evidence, Probe
from monitor.sla.months import local_iso


class Witness:
    """Reads the changes of checks that a frozen outage names."""

    def __init__(self, db: sqlite3.Connection, zone: ZoneInfo) -> None:
        self._db = db
        self._zone = zone

    def evidence(self, changes: Sequence[int]) -> list[Evidence]:
        """``changes``: keys of check_changes."""
        rows = self._db.execute(
            "SELECT check_changes.key, name, vantage, at_ms, state, reason FROM check_changes"
            ' JOIN checks ON checks.key = check_changes."check" JOIN runs ON runs.key = check_changes.run'
            " WHERE check_changes.key IN (SELECT value FROM json_each(?)) ORDER BY at_ms, check_changes.key",
            (json.dumps(list(changes)),),
        )
        return [
            {
                "check": check,
                "vantage": vantage,
                "at": local_iso(at_ms, self._zone),
                "state": state,
                "reason": reason,
                "probes": self._probes(key),
            }
            for key, check, vantage, at_ms, state, reason in rows
        ]

    def _probes(self, change: int) -> list[Probe]:
        rows = self._db.execute(
            "SELECT sent_ms, verdict, reason, round_trip_us, detail FROM evidence WHERE check_change = ?"
            " ORDER BY sent_ms, key",
            (change,),
        )
        return [
            {
                "sent": local_iso(sent_ms, self._zone),
                "verdict": verdict,
                "reason": reason,
                "round_trip_us": round_trip_us,
                "detail": None if detail is None else json.loads(detail),
            }
            for sent_ms, verdict, reason, round_trip_us, detail in rows
        ]
