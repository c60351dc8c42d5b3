"""Open incidents as the status page shows them: the most pressing first, with the handling time that is left."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from monitor.ledger.incident_clocks import Standing, open_incidents
from monitor.sla.clocks import Clock
from monitor.web.wording import Instant, instant, roughly

SHOWN = 20
"""Incidents on the page; the others are counted."""


@dataclass(frozen=True, slots=True)
class ClockView:
    name: str
    text: str
    """How it stands: ``met``, ``breached``, or the time that is left."""
    due: Instant | None
    """Of one that runs."""
    breached: bool


@dataclass(frozen=True, slots=True)
class IncidentView:
    uid: str
    service: str
    title: str
    reference: str
    state: str
    reported: Instant
    clocks: tuple[ClockView, ...]


@dataclass(frozen=True, slots=True)
class OpenIncidents:
    shown: Sequence[IncidentView] = ()
    more: int = 0


def open_now(db: sqlite3.Connection, now_ms: int) -> OpenIncidents:
    found = sorted(open_incidents(db, now_ms), key=_pressing)
    return OpenIncidents([_view(one) for one in found[:SHOWN]], max(0, len(found) - SHOWN))


def _pressing(one: Standing) -> tuple[int, int]:
    """By the next deadline that can still be kept; those without one last."""
    running = [clock for clock in one.clocks if clock.stopped_ms is None and clock.deadline_ms is not None]
    ahead = [clock.deadline_ms or 0 for clock in running if not clock.breached]
    return min(ahead, default=1 << 62), one.incident.report.reported_ms


def _view(one: Standing) -> IncidentView:
    report = one.incident.report
    return IncidentView(
        report.uid,
        report.service,
        report.title,
        one.incident.reference,
        one.incident.state,
        instant(report.reported_ms, one.agreement.tz, one.now_ms),
        tuple(_clock(one, clock) for clock in one.clocks),
    )


def _clock(one: Standing, clock: Clock) -> ClockView:
    runs = clock.stopped_ms is None and clock.deadline_ms is not None
    due = instant(clock.deadline_ms or 0, one.agreement.tz, one.now_ms) if runs else None
    text = f"{roughly(clock.left_ms)} left" if clock.status == "running" else clock.status
    return ClockView(clock.name.upper(), text, due, clock.breached)
