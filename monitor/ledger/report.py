"""The month of every service: as it was frozen, or as it stands."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from monitor.config.values import ServiceConfig
from monitor.ledger.agreement import agreed_for
from monitor.ledger.frozen import differing, latest
from monitor.ledger.rollup import Ledger, Rollup, around_month
from monitor.sla.months import Month


@dataclass(frozen=True, slots=True)
class ReportedMonth:
    """A service's month. ``figures`` are those of the latest frozen revision, if there is one."""

    rolled: Rollup
    """As the facts stand, by the terms the month was frozen with or else by those of the configuration."""
    figures: Mapping[str, Any]
    revision: int | None
    """None: the month is not frozen."""

    @property
    def outdated(self) -> bool:
        """Whether the facts say otherwise by now than what was frozen."""
        return bool(differing(self.figures, self.rolled.figures()))


def report(
    db: sqlite3.Connection, services: Iterable[ServiceConfig], month: Month, now_ms: int
) -> list[ReportedMonth]:
    """The services that were in contract in the month, or in what has passed of it, in the order given."""
    ledger = Ledger(db, now_ms, around_month(month))
    frozen = {one.agreement.service: one for one in latest(db, month)}
    reported = []
    for service in services:
        kept = frozen.get(service.id)
        rolled = ledger.month(agreed_for(service, month) if kept is None else kept.agreement, month)
        if rolled is not None:
            figures = rolled.figures() if kept is None else kept.figures
            reported.append(ReportedMonth(rolled, figures, None if kept is None else kept.revision))
    return reported
