"""The clocks of incidents as they stand, by the terms that were in force when they were reported."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from monitor.ledger.agreement import Agreement, from_json
from monitor.ledger.drafting import STATE
from monitor.sla.clocks import Clock, ClockName, Course, Handling, clocks
from monitor.sla.holidays import public_holidays
from monitor.sla.months import from_ms
from monitor.store.incidents import STAGES, Incident, WantedIncidents, keys, read

_FOLLOWED_YEARS = 10
"""As far as monitor.sla.hours follows a deadline."""


@dataclass(frozen=True, slots=True)
class Drafted:
    """The entitlement of a clock that was breached."""

    key: int
    uid: str
    state: str


@dataclass(frozen=True)
class Standing:
    """An incident at some instant."""

    incident: Incident
    drafted: Mapping[ClockName, Drafted]
    now_ms: int

    @cached_property
    def agreement(self) -> Agreement:
        return from_json(self.incident.report.terms)

    @cached_property
    def clocks(self) -> tuple[Clock, ...]:
        """None of one that was withdrawn, nor where nothing was agreed."""
        plan = self.agreement.plan
        if plan is None or self.incident.state == "withdrawn":
            return ()
        reported_ms, zone = self.incident.report.reported_ms, self.agreement.tz
        first = from_ms(reported_ms, zone).year
        last = max(first + _FOLLOWED_YEARS, from_ms(self.now_ms, zone).year + 1)
        handling = Handling(
            (plan.mrt_ms, plan.tti_ms, plan.ttr_ms),
            plan.fault_hours,
            zone,
            public_holidays(plan.holidays, first, last),
        )
        course = Course(reported_ms, *map(self.incident.at_ms, STAGES))
        return clocks(course, handling, self.now_ms)


def standings(db: sqlite3.Connection, incidents: Sequence[Incident], now_ms: int) -> list[Standing]:
    """The incidents as they stand now."""
    return [Standing(one, _drafted(db, one), now_ms) for one in incidents]


def open_incidents(db: sqlite3.Connection, now_ms: int) -> list[Standing]:
    """Those that are neither resolved nor withdrawn, the latest report first."""
    return standings(db, read(db, keys(db, WantedIncidents(only_open=True))), now_ms)


def _drafted(db: sqlite3.Connection, incident: Incident) -> dict[ClockName, Drafted]:
    rows = db.execute(
        f"SELECT clock, key, uid, {STATE} FROM entitlements WHERE incident = ?",  # noqa: S608
        (incident.key,),
    )
    return {clock: Drafted(key, uid, state) for clock, key, uid, state in rows}
