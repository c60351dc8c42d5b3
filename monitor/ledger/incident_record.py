"""An incident as the JSON object that programs read (documented in docs/commands.md)."""

from __future__ import annotations

from typing import Any

from monitor.ledger.incident_clocks import Standing
from monitor.sla.clocks import CLOCKS, Clock
from monitor.sla.months import local_iso
from monitor.store.incidents import STAGES


def incident_record(standing: Standing) -> dict[str, Any]:
    """Instants are in the contract's time zone, durations in ms."""
    incident, agreement = standing.incident, standing.agreement
    report, zone = incident.report, agreement.tz

    def told(at_ms: int | None) -> str | None:
        return None if at_ms is None else local_iso(at_ms, zone)

    def clock_record(clock: Clock) -> dict[str, Any]:
        drafted = standing.drafted.get(clock.name)
        return {
            "agreed_ms": clock.agreed_ms,
            "deadline": told(clock.deadline_ms),
            "used_ms": clock.used_ms,
            "left_ms": clock.left_ms,
            "status": clock.status,
            "claim": None if drafted is None else drafted.uid,
        }

    found = {clock.name: clock_record(clock) for clock in standing.clocks}
    return {
        "uid": report.uid,
        "service": report.service,
        "title": report.title,
        "reference": incident.reference,
        "state": incident.state,
        "plan": None if agreement.plan is None else agreement.plan.key,
        "reported": told(report.reported_ms),
        **{stage: told(incident.at_ms(stage)) for stage in STAGES},
        "outages": [told(at_ms) for at_ms in incident.outages],
        "clocks": {name: found.get(name) for name in CLOCKS},
        "author": report.author,
        "entered": told(report.entered_ms),
        "events": [
            {
                "event": one.event,
                "at": told(one.at_ms),
                "author": one.author,
                "note": one.note,
                "entered": told(one.entered_ms),
            }
            for one in incident.events
        ],
    }
