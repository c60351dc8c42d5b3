"""A breached clock drafts an entitlement without an amount, once: no rate is agreed for it.

Where the instants of an incident are entered anew, and the clock is not breached by them, a draft that was not
sent is superseded; should it be breached after all, the same one is a draft again. What was sent is never changed.
"""

from __future__ import annotations

import json
import sqlite3
import uuid
from dataclasses import dataclass

from monitor.ledger.claims import UNSENT
from monitor.ledger.drafting import AGENT, take_step
from monitor.ledger.incident_clocks import Standing, open_incidents, standings
from monitor.sla.clocks import Clock, ClockName
from monitor.sla.figures import duration
from monitor.sla.months import local_iso
from monitor.store.incidents import Incident

NAMES = {"mrt": "response (MRT)", "tti": "intervention (TTI)", "ttr": "resolution (TTR)"}
AGREED_LATER = "to be agreed"


@dataclass(frozen=True, slots=True)
class Breach:
    """A clock whose entitlement was drafted."""

    service: str
    incident: str
    clock: ClockName


def draft_open_breaches(db: sqlite3.Connection, now_ms: int) -> list[Breach]:
    """Draft what is owed since deadlines of open incidents have passed."""
    return [
        breach for one in open_incidents(db, now_ms) for breach in _draft(db, one, "the deadline has passed")
    ]


def undrafted(standing: Standing) -> list[Clock]:
    """The breached clocks of which nothing stands drafted."""
    drafted = standing.drafted
    return [
        clock
        for clock in standing.clocks
        if clock.breached and (clock.name not in drafted or drafted[clock.name].state == "superseded")
    ]


def settle(db: sqlite3.Connection, incident: Incident, now_ms: int, note: str) -> list[Breach]:
    """Bring the drafts of an incident in line with its clocks, for something was entered on it."""
    (standing,) = standings(db, [incident], now_ms)
    breached = {clock.name for clock in standing.clocks if clock.breached}
    for clock, drafted in standing.drafted.items():
        if clock not in breached and drafted.state in UNSENT:
            take_step(db, drafted.key, "superseded", now_ms, AGENT, note)
    return _draft(db, standing, note)


def _draft(db: sqlite3.Connection, standing: Standing, note: str) -> list[Breach]:
    breaches = []
    for clock in undrafted(standing):
        before = standing.drafted.get(clock.name)
        key = _write(db, standing, clock) if before is None else before.key
        take_step(db, key, "draft", standing.now_ms, AGENT, note)
        report = standing.incident.report
        breaches.append(Breach(report.service, report.uid, clock.name))
    return breaches


def _write(db: sqlite3.Connection, standing: Standing, clock: Clock) -> int:
    cursor = db.execute(
        "INSERT INTO entitlements (uid, kind, incident, clock, calculation, drafted_ms)"
        " VALUES (?, 'response', ?, ?, ?, ?)",
        (
            str(uuid.uuid4()),
            standing.incident.key,
            clock.name,
            json.dumps(_steps(standing, clock), ensure_ascii=False),
            standing.now_ms,
        ),
    )
    return int(cursor.lastrowid or 0)


def _steps(standing: Standing, clock: Clock) -> list[list[str]]:
    """What, how, result: as it stands when it is drafted."""
    assert clock.deadline_ms is not None, "what is never due is not breached"
    zone, report = standing.agreement.tz, standing.incident.report
    plan = standing.agreement.plan
    until = (
        f"running on at {local_iso(standing.now_ms, zone)}"
        if clock.stopped_ms is None
        else f"until {local_iso(clock.stopped_ms, zone)}"
    )
    return [
        ["reported", report.title or "incident", local_iso(report.reported_ms, zone)],
        ["agreed", f"{NAMES[clock.name]} of {plan.key if plan else ''}", duration(clock.agreed_ms)],
        ["due", "in fault-handling hours only", local_iso(clock.deadline_ms, zone)],
        ["handling time used", until, duration(clock.used_ms)],
        ["amount", "no rate is agreed for a breached clock", AGREED_LATER],
    ]
