"""Freezing months that are over: their figures, terms, outages and exclusions are written down for good."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from monitor.config.values import Configuration, ServiceConfig
from monitor.ledger.agreement import agreed_for, month_bounds
from monitor.ledger.frozen import Record, Revision, record_of, write_revision
from monitor.ledger.rollup import Ledger, around_month
from monitor.sla.months import Month, month_of
from monitor.store.counted import entered, last_keys
from monitor.store.timelines import Timelines

PORTION = 200
"""Services frozen in one transaction where no agent runs that has other things to write."""

SETTLED_MS = 15 * 60_000
"""How long after its end a month is frozen: by then its last probes are in and what they prove is written."""

_FROZEN = """
    SELECT key, EXISTS (SELECT 1 FROM months WHERE service = services.key AND month = ?) FROM services WHERE id = ?"""

_Due = tuple[ServiceConfig, Month]
"""A month of a service that may have to be frozen."""


def _due_months(
    db: sqlite3.Connection, timelines: Timelines, services: Sequence[ServiceConfig], month: Month | None
) -> Iterator[_Due]:
    """Months that are over, settled and not frozen, since the first fact of each service and within its contract."""
    now_ms = timelines.now_ms
    frozen = _frozen(db, services)
    for service in services:
        begin_ms, end_ms = timelines.known(service.id)
        if begin_ms >= end_ms:
            continue
        one = month_of(max(begin_ms, service.contract_from_ms or 0), ZoneInfo(service.zone))
        last_ms = min(end_ms, service.contract_to_ms or end_ms)
        while (bounds := month_bounds(one, service.zone))[0] < last_ms and _settled(bounds[1], now_ms):
            if month in (None, one) and (service.id, str(one)) not in frozen:
                yield service, one
            one = one.next


@dataclass(frozen=True, slots=True)
class Computed:
    """Months that are ready to be frozen."""

    records: tuple[Record, ...]
    entered: Mapping[str, int]
    """The last key of each table of what people enter that was counted."""


def compute(
    db: sqlite3.Connection, services: Sequence[ServiceConfig], now_ms: int, month: Month | None = None
) -> Computed:
    """What the months that are due will be frozen as, within the caller's transaction; ``month``: that one alone.

    A month in which a service was never watched is not frozen: nothing can be claimed for it, and a history
    may still be imported.
    """
    timelines = Timelines(db, now_ms)
    due = list(_due_months(db, timelines, services, month))
    if not due:
        return Computed((), entered(last_keys(db)))
    months = [month for _, month in due]
    around = around_month(min(months))[0], around_month(max(months))[1]
    ledger = Ledger(db, now_ms, around, timelines)
    rolled = ((ledger.month(agreed_for(service, month), month), month) for service, month in due)
    records = [record_of(db, ledger, one, month) for one, month in rolled if one is not None and one.watched]
    return Computed(tuple(records), entered(ledger.counted))


def write(db: sqlite3.Connection, computed: Computed, now_ms: int) -> list[Revision] | None:
    """Freeze months, within the caller's transaction; those frozen by now are passed over.

    None, and nothing is written: people entered something since the months were computed. (What is recorded late
    by probes revises a month, see monitor.ledger.reopening.)
    """
    if computed.entered != entered(last_keys(db)):
        return None
    revisions = []
    for one in computed.records:
        key, frozen = db.execute(_FROZEN, (str(one.month), one.service)).fetchone()
        if not frozen:
            revisions.append(write_revision(db, key, one, None, now_ms, "the month is over"))
    return revisions


def freeze(
    db: sqlite3.Connection, services: Sequence[ServiceConfig], now_ms: int, month: Month | None = None
) -> list[Revision]:
    """Freeze the months that are due, or that one alone, within the caller's transaction."""
    return write(db, compute(db, services, now_ms, month), now_ms) or []


def is_due(db: sqlite3.Connection, configuration: Configuration, now_ms: int, month: Month) -> bool:
    """Whether there might be something to freeze in a month."""
    return next(_due_months(db, Timelines(db, now_ms), configuration.services, month), None) is not None


def is_over(configuration: Configuration, month: Month, now_ms: int) -> bool:
    """Whether a month is over, and settled, for every service."""
    return all(_settled(month_bounds(month, service.zone)[1], now_ms) for service in configuration.services)


def frozen_services(db: sqlite3.Connection, month: Month) -> dict[str, int]:
    """The services whose month is frozen, with the latest revision of it."""
    rows = db.execute(
        "SELECT id, max(revision) FROM services CROSS JOIN months ON service = services.key"
        " WHERE month = ? GROUP BY id",
        (str(month),),
    )
    return dict(rows.fetchall())


def why_not_frozen(ledger: Ledger, service: ServiceConfig, month: Month) -> str:
    """Why a month that is not frozen is not."""
    agreement = agreed_for(service, month)
    from_ms, to_ms = agreement.month(month)
    if from_ms >= to_ms:
        return "not in contract"
    if not _settled(month_bounds(month, service.zone)[1], ledger.now_ms):
        return "not over, or its last probes may not be in yet"
    rolled = ledger.month(agreement, month)
    return "never watched in it" if rolled is None or not rolled.watched else "not frozen yet"


def _frozen(db: sqlite3.Connection, services: Iterable[ServiceConfig]) -> set[tuple[str, str]]:
    """Service and month of all their months that are frozen."""
    rows: Iterable[tuple[str, str]] = db.execute(
        "SELECT id, month FROM services JOIN months ON service = services.key"
        " WHERE id IN (SELECT value FROM json_each(?)) AND revision = 1",
        (json.dumps([service.id for service in services]),),
    )
    return set(rows)


def _settled(end_ms: int, now_ms: int) -> bool:
    return end_ms + SETTLED_MS <= now_ms
