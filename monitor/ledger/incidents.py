"""Reporting incidents and saying what became of them; a clock that was breached is drafted at once."""

from __future__ import annotations

import sqlite3
import uuid
from typing import ClassVar, Literal

from pydantic import model_validator

from monitor.config.values import Configuration
from monitor.ledger.agreement import agreed, from_json, to_json
from monitor.ledger.breaches import Breach, settle
from monitor.ledger.claiming import Line
from monitor.ledger.errors import LedgerError
from monitor.ledger.request import Author, Instant, Request, Result, Task, Uid
from monitor.sla.months import local_iso
from monitor.store import incidents
from monitor.store.incidents import STAGES, Incident, IncidentEvent, Report
from monitor.store.timelines import Timelines


class OpenIncident(Request):
    """A problem of a service was reported to the provider: by hand, or about an outage by its first bad instant."""

    kind: ClassVar[str] = "open-incident"

    service: str
    title: Line = ""
    """'': the reason of the outage."""
    reference: Line = ""
    reported_ms: Instant
    outage_ms: Instant | None = None
    author: Author

    def task(self, configuration: Configuration, now_ms: int) -> Task:
        service = next((one for one in configuration.services if one.id == self.service), None)
        if service is None:
            raise LedgerError(f"expected a service of the configuration, not {self.service!r:.80}")
        _not_ahead(self.reported_ms, now_ms, "the report")
        agreement = agreed(service, self.reported_ms)

        def task(db: sqlite3.Connection) -> Result:
            title = self.title
            if self.outage_ms is not None:
                title = title or _outage_reason(db, service.id, self.outage_ms, now_ms)
            report = Report(
                str(uuid.uuid4()),
                service.id,
                title,
                self.reference,
                self.reported_ms,
                to_json(agreement),
                self.author,
                now_ms,
            )
            key = incidents.add(db, report)
            if self.outage_ms is not None:
                incidents.link(db, key, self.outage_ms, self.author, now_ms)
            (incident,) = incidents.read(db, [key])
            return _told(incident, settle(db, incident, now_ms, f"reported by {self.author}"))

        return task


class EnterEvent(Request):
    """Something happened to the incident whose uid begins with ``uid``: a stage was reached, a ticket has a
    reference, or the incident was entered by mistake."""

    kind: ClassVar[str] = "incident-event"

    uid: Uid
    event: Literal["acknowledged", "intervention", "resolved", "reference", "withdrawn"]
    at_ms: Instant | None = None
    """None: now."""
    author: Author
    note: Line = ""
    """Of a reference: the reference."""

    @model_validator(mode="after")
    def _says_what_it_has_to(self) -> EnterEvent:
        if self.event in ("reference", "withdrawn") and not self.note:
            raise ValueError("expected the reference" if self.event == "reference" else "expected a reason")
        return self

    def task(self, configuration: Configuration, now_ms: int) -> Task:
        at_ms = now_ms if self.at_ms is None else self.at_ms
        _not_ahead(at_ms, now_ms, "what happened")

        def task(db: sqlite3.Connection) -> Result:
            incident = _standing(db, self.uid)
            if self.event in STAGES:
                _check_order(incident, self.event, at_ms)
            event = IncidentEvent(self.event, at_ms, self.author, self.note, now_ms)
            incidents.add_event(db, incident.key, event)
            (incident,) = incidents.read(db, [incident.key])
            note = f"{self.event} entered by {self.author}" + (f": {self.note}" if self.note else "")
            return _told(incident, settle(db, incident, now_ms, note))

        return task


class LinkOutage(Request):
    """An incident is about an outage of its service, too."""

    kind: ClassVar[str] = "link-incident"

    uid: Uid
    outage_ms: Instant
    """Its first bad instant."""
    author: Author

    def task(self, configuration: Configuration, now_ms: int) -> Task:
        def task(db: sqlite3.Connection) -> Result:
            incident = _standing(db, self.uid)
            _outage_reason(db, incident.report.service, self.outage_ms, now_ms)
            incidents.link(db, incident.key, self.outage_ms, self.author, now_ms)
            return _told(incident, [])

        return task


def _standing(db: sqlite3.Connection, prefix: str) -> Incident:
    """The one whose uid begins so. Raises LedgerError where it was withdrawn."""
    incident = incidents.one(db, prefix)
    withdrawn = incident.latest("withdrawn")
    if withdrawn is not None:
        raise LedgerError(
            f"the incident {incident.report.uid} was withdrawn by {withdrawn.author}: {withdrawn.note}"
        )
    return incident


def _not_ahead(at_ms: int, now_ms: int, what: str) -> None:
    if at_ms > now_ms:
        raise LedgerError(f"expected {what} to be in the past, not ahead of now")


def _check_order(incident: Incident, event: str, at_ms: int) -> None:
    """Raises LedgerError where the stages would not come in their order."""
    zone = from_json(incident.report.terms).tz
    place = STAGES.index(event)
    told = f"{event} at {local_iso(at_ms, zone)}"
    for other in ("reported", *STAGES):
        other_ms = incident.report.reported_ms if other == "reported" else incident.at_ms(other)
        if other == event or other_ms is None:
            continue
        earlier = other == "reported" or STAGES.index(other) < place
        if at_ms < other_ms if earlier else at_ms > other_ms:
            relation = "before" if earlier else "after"
            raise LedgerError(
                f"{told} would be {relation} the incident was {_DONE[other]}, at {local_iso(other_ms, zone)}"
            )


_DONE = {
    "reported": "reported",
    "acknowledged": "acknowledged",
    "intervention": "attended to",
    "resolved": "resolved",
}


def _outage_reason(db: sqlite3.Connection, service: str, first_bad_ms: int, now_ms: int) -> str:
    """Why the outage is one. Raises LedgerError where none of the service began then."""
    for outage in Timelines(db, now_ms).outages(service, first_bad_ms, first_bad_ms + 1):
        if outage.first_bad_ms == first_bad_ms:
            return outage.reason
    raise LedgerError(
        f"{service} has no outage that began at that instant; `ringback outages --service {service}` lists them"
    )


def _told(incident: Incident, breaches: list[Breach]) -> Result:
    return {
        "uid": incident.report.uid,
        "service": incident.report.service,
        "state": incident.state,
        "drafted": [one.clock for one in breaches],
        "revised": [],
    }
