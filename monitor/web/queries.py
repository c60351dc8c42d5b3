"""Pages of what the database holds, for the API and the pages alike."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar
from zoneinfo import ZoneInfo

from monitor.config.values import ServiceConfig
from monitor.ledger.entitlements import Entitlement, Wanted, keys, read
from monitor.ledger.incident_clocks import Standing, standings
from monitor.ledger.report import ReportedMonth, report
from monitor.ledger.rollup import around_month
from monitor.sla.months import Month, bounds
from monitor.store import incidents as store
from monitor.store.incidents import WantedIncidents
from monitor.store.timelines import Outage, Timelines

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Excerpt(Generic[T]):
    """Some of all there is."""

    items: Sequence[T]
    total: int


@dataclass(frozen=True, slots=True)
class Portion:
    """Which of them are wanted."""

    limit: int
    offset: int

    def of(self, items: Sequence[T]) -> Excerpt[T]:
        return Excerpt(items[self.offset : self.offset + self.limit], len(items))


ServiceOutage = tuple[str, ZoneInfo, Outage]


def outages(
    db: sqlite3.Connection,
    now_ms: int,
    services: Sequence[ServiceConfig],
    month: Month | None,
    portion: Portion,
) -> Excerpt[ServiceOutage]:
    """Outages of these services, the latest first; those that touch a month, or all."""
    zones = {service.id: ZoneInfo(service.zone) for service in services}
    around = (0, now_ms) if month is None else around_month(month)
    one = services[0].id if len(services) == 1 else None
    rows = db.execute(
        "SELECT id, outage, min(from_ms), max(coalesce(to_ms, ?4)) FROM spans"
        " JOIN services ON services.key = service"
        " WHERE state = 'down' AND from_ms < ?3 AND (?1 IS NULL OR id = ?1)"
        " GROUP BY service, outage HAVING max(coalesce(to_ms, ?4)) > ?2 ORDER BY outage DESC, id",
        (one, *around, now_ms),
    )
    touching = [
        (service, first_bad_ms)
        for service, first_bad_ms, from_ms, to_ms in rows
        if service in zones and _touches(from_ms, to_ms, month, zones[service])
    ]
    wanted = portion.of(touching)
    read = Timelines(db, now_ms)
    return Excerpt(
        [
            (service, zones[service], outage)
            for service, first_bad_ms in wanted.items
            for outage in read.outages(service, first_bad_ms, first_bad_ms + 1)
        ],
        wanted.total,
    )


def _touches(from_ms: int, to_ms: int, month: Month | None, zone: ZoneInfo) -> bool:
    if month is None:
        return True
    begin_ms, end_ms = bounds(month, zone)
    return from_ms < end_ms and to_ms > begin_ms


def reported(
    db: sqlite3.Connection, now_ms: int, services: Sequence[ServiceConfig], month: Month, portion: Portion
) -> Excerpt[ReportedMonth]:
    """The month of some of the services, in the order of the configuration."""
    wanted = portion.of(services)
    return Excerpt(report(db, wanted.items, month, now_ms), wanted.total)


def entitlements(db: sqlite3.Connection, _: int, wanted: Wanted, portion: Portion) -> Excerpt[Entitlement]:
    """Those that are wanted, the latest month first."""
    found = portion.of(keys(db, wanted))
    return Excerpt(read(db, found.items), found.total)


def incidents(
    db: sqlite3.Connection, now_ms: int, wanted: WantedIncidents, portion: Portion
) -> Excerpt[Standing]:
    """Those that are wanted, the latest report first."""
    found = portion.of(store.keys(db, wanted))
    return Excerpt(standings(db, store.read(db, found.items), now_ms), found.total)
