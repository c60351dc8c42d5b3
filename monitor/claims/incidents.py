"""The incidents that a claim is about, with the tickets of the provider."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from zoneinfo import ZoneInfo

from monitor.claims.pack import Incident
from monitor.ledger.entitlements import Entitlement
from monitor.sla.months import local_iso

_OF_OUTAGES = """
    SELECT DISTINCT incidents.key, incidents.uid, title, reference, reported_ms
    FROM incidents JOIN services ON services.key = incidents.service
    LEFT JOIN incident_outages ON incident = incidents.key
    WHERE id = ?1 AND (incidents.uid = ?2 OR ?2 IS NULL AND first_bad_ms IN (SELECT value FROM json_each(?3)))
    AND NOT EXISTS (SELECT 1 FROM incident_events WHERE incident = incidents.key AND event = 'withdrawn')
    ORDER BY reported_ms, incidents.key"""


def incidents_of(db: sqlite3.Connection, claim: Entitlement, outages: Sequence[int]) -> list[Incident]:
    """The incident whose clock was breached, or those about outages that began at these instants."""
    asked = (claim.service, claim.incident, json.dumps(list(outages)))
    return [_incident(db, ZoneInfo(claim.zone), *row) for row in db.execute(_OF_OUTAGES, asked).fetchall()]


def _incident(
    db: sqlite3.Connection, zone: ZoneInfo, key: int, uid: str, title: str, reference: str, reported_ms: int
) -> Incident:
    instants: dict[str, str] = {}
    for event, at_ms, note in db.execute(
        "SELECT event, at_ms, note FROM incident_events WHERE incident = ? ORDER BY key", (key,)
    ):
        instants[event] = local_iso(at_ms, zone)  # of two of one kind the later entered one holds
        if event == "reference":
            reference = note
    return {
        "uid": uid,
        "title": title,
        "reference": reference,
        "reported": local_iso(reported_ms, zone),
        "acknowledged": instants.get("acknowledged"),
        "intervention": instants.get("intervention"),
        "resolved": instants.get("resolved"),
    }
