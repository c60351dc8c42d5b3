"""Incidents: problems that were reported to the provider, and what became of them. Nothing is changed or deleted."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from monitor.store.database import StoreError
from monitor.store.facts import service_key

STAGES = ("acknowledged", "intervention", "resolved")
"""The course of an incident after its report, in this order."""

OVER = ("resolved", "withdrawn")

_DETAILS = (
    "SELECT incidents.key, incidents.uid, id, title, reference, reported_ms, terms, author, entered_ms"
    " FROM incidents JOIN services ON services.key = service"
)


@dataclass(frozen=True, slots=True)
class IncidentEvent:
    """Something that happened; of two of one kind the later entered one holds."""

    event: str
    """One of STAGES, ``reference`` or ``withdrawn``."""
    at_ms: int
    author: str
    note: str
    """Of a reference: the reference."""
    entered_ms: int


@dataclass(frozen=True, slots=True)
class Report:
    """What an incident begins with."""

    uid: str
    service: str
    title: str
    reference: str
    """The ticket's; '' while there is none."""
    reported_ms: int
    terms: str
    """As JSON: what was agreed on the service when it was reported."""
    author: str
    entered_ms: int


@dataclass(frozen=True, slots=True)
class Incident:
    """An incident with everything that was entered on it."""

    key: int
    report: Report
    events: tuple[IncidentEvent, ...]
    """In the order of entry."""
    outages: tuple[int, ...]
    """The first bad instants of those that it is about."""

    def latest(self, event: str) -> IncidentEvent | None:
        """The one of that kind that holds."""
        return next((one for one in reversed(self.events) if one.event == event), None)

    def at_ms(self, event: str) -> int | None:
        found = self.latest(event)
        return None if found is None else found.at_ms

    @property
    def reference(self) -> str:
        given = self.latest("reference")
        return self.report.reference if given is None else given.note

    @property
    def state(self) -> str:
        """``reported``, or how far it got."""
        kinds = {one.event for one in self.events}
        return next((state for state in ("withdrawn", *reversed(STAGES)) if state in kinds), "reported")

    @property
    def open(self) -> bool:
        return self.state not in OVER


@dataclass(frozen=True, slots=True)
class WantedIncidents:
    """Which incidents; None: whichever."""

    services: Collection[str] | None = None
    uid: str | None = None
    """How it begins."""
    only_open: bool = False


def add(db: sqlite3.Connection, report: Report) -> int:
    """Write an incident down; its key."""
    cursor = db.execute(
        "INSERT INTO incidents (uid, service, title, reference, reported_ms, terms, author, entered_ms)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            report.uid,
            service_key(db, report.service),
            report.title,
            report.reference,
            report.reported_ms,
            report.terms,
            report.author,
            report.entered_ms,
        ),
    )
    return int(cursor.lastrowid or 0)


def add_event(db: sqlite3.Connection, incident: int, event: IncidentEvent) -> None:
    """Write down what happened to an incident, by its key."""
    db.execute(
        "INSERT INTO incident_events (incident, event, at_ms, author, note, entered_ms)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (incident, event.event, event.at_ms, event.author, event.note, event.entered_ms),
    )


def link(db: sqlite3.Connection, incident: int, first_bad_ms: int, author: str, entered_ms: int) -> None:
    """Say that an incident is about an outage; to say so again changes nothing."""
    db.execute(
        "INSERT INTO incident_outages (incident, first_bad_ms, author, entered_ms) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (incident, first_bad_ms) DO NOTHING",
        (incident, first_bad_ms, author, entered_ms),
    )


def keys(db: sqlite3.Connection, wanted: WantedIncidents) -> list[int]:
    """The latest report first."""
    rows = db.execute(
        "SELECT incidents.key FROM incidents JOIN services ON services.key = service"  # noqa: S608
        " WHERE (?1 IS NULL OR id IN (SELECT value FROM json_each(?1)))"
        " AND (?2 IS NULL OR substr(uid, 1, length(?2)) = ?2)"
        " AND (NOT ?3 OR NOT EXISTS (SELECT 1 FROM incident_events WHERE incident = incidents.key"
        f" AND event IN {OVER}))"
        " ORDER BY reported_ms DESC, incidents.key DESC",
        (
            None if wanted.services is None else json.dumps(list(wanted.services)),
            wanted.uid,
            wanted.only_open,
        ),
    )
    return [key for (key,) in rows]


def read(db: sqlite3.Connection, wanted: Sequence[int]) -> list[Incident]:
    """The incidents with these keys, in this order."""
    asked = (json.dumps(list(wanted)),)
    events: dict[int, list[IncidentEvent]] = {key: [] for key in wanted}
    for key, *event in db.execute(
        "SELECT incident, event, at_ms, author, note, entered_ms FROM incident_events"
        " WHERE incident IN (SELECT value FROM json_each(?)) ORDER BY key",
        asked,
    ):
        events[key].append(IncidentEvent(*event))
    outages: dict[int, list[int]] = {key: [] for key in wanted}
    for key, first_bad_ms in db.execute(
        "SELECT incident, first_bad_ms FROM incident_outages"
        " WHERE incident IN (SELECT value FROM json_each(?)) ORDER BY first_bad_ms",
        asked,
    ):
        outages[key].append(first_bad_ms)
    found = {
        key: Incident(key, Report(*report), tuple(events[key]), tuple(outages[key]))
        for key, *report in db.execute(
            f"{_DETAILS} WHERE incidents.key IN (SELECT value FROM json_each(?))",  # noqa: S608
            asked,
        )
    }
    return [found[key] for key in wanted]


def one(db: sqlite3.Connection, prefix: str) -> Incident:
    """The incident whose uid begins so. Raises StoreError where there is none, or more than one."""
    found = keys(db, WantedIncidents(uid=prefix.lower()))
    if len(found) != 1:
        problem = "there is no incident" if not found else f"there are {len(found)} incidents"
        raise StoreError(f"{problem} whose id begins with {prefix!r:.80}")
    return read(db, found)[0]
