"""Freezing months that are over: their figures, terms, outages and exclusions are written down for good."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from zoneinfo import ZoneInfo

from monitor.config.values import Configuration, ServiceConfig
from monitor.ledger.agreement import agreed_for, month_bounds
from monitor.ledger.frozen import Revision, write_revision
from monitor.ledger.rollup import Ledger, around_month
from monitor.sla.months import Month, month_of
from monitor.store.timelines import Timelines

PORTION = 200
"""Months frozen in one transaction at most where no agent runs that has other things to write."""

SETTLED_MS = 15 * 60_000
"""How long after its end a month is frozen: by then its last probes are in and what they prove is written."""

Due = tuple[ServiceConfig, Month]
"""A month of a service that may have to be frozen."""


def due_months(
    db: sqlite3.Connection, services: Iterable[ServiceConfig], now_ms: int, month: Month | None = None
) -> Iterator[Due]:
    """Months that are over, settled and not frozen, since the first fact of each service and within its contract.

    ``month``: that one alone.
    """
    timelines = Timelines(db, now_ms)
    for service in services:
        begin_ms, end_ms = timelines.known(service.id)
        if begin_ms >= end_ms:
            continue
        one = month_of(max(begin_ms, service.contract_from_ms or 0), ZoneInfo(service.zone))
        last_ms = min(end_ms, service.contract_to_ms or end_ms)
        frozen = _frozen(db, service.id)
        while (bounds := month_bounds(one, service.zone))[0] < last_ms and _settled(bounds[1], now_ms):
            if month in (None, one) and str(one) not in frozen:
                yield service, one
            one = one.next


def freeze(db: sqlite3.Connection, due: Sequence[Due], now_ms: int) -> list[Revision]:
    """Freeze months that are due, within the caller's transaction; those frozen by now are passed over.

    A month in which a service was never watched is not frozen: nothing can be claimed for it, and a history
    may still be imported.
    """
    return list(_freezing(db, due, now_ms))


def freeze_due(
    db: sqlite3.Connection,
    configuration: Configuration,
    now_ms: int,
    month: Month | None = None,
    at_most: int = PORTION,
) -> list[Revision]:
    """Freeze so many of the months that are due. Call again until nothing comes back."""
    due = list(due_months(db, configuration.services, now_ms, month))
    return list(islice(_freezing(db, due, now_ms), at_most))


def is_due(db: sqlite3.Connection, configuration: Configuration, now_ms: int, month: Month) -> bool:
    """Whether there might be something to freeze in a month."""
    return next(due_months(db, configuration.services, now_ms, month), None) is not None


def is_over(configuration: Configuration, month: Month, now_ms: int) -> bool:
    """Whether a month is over, and settled, for every service."""
    return all(_settled(month_bounds(month, service.zone)[1], now_ms) for service in configuration.services)


def frozen_services(db: sqlite3.Connection, month: Month) -> dict[str, int]:
    """The services whose month is frozen, with the latest revision of it."""
    rows = db.execute(
        "SELECT id, max(revision) FROM months JOIN services ON services.key = service WHERE month = ? GROUP BY id",
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


def _freezing(db: sqlite3.Connection, due: Sequence[Due], now_ms: int) -> Iterator[Revision]:
    if not due:
        return
    months = [month for _, month in due]
    ledger = Ledger(db, now_ms, (around_month(min(months))[0], around_month(max(months))[1]))
    for service, month in due:
        rolled = ledger.month(agreed_for(service, month), month)
        if rolled is not None and rolled.watched and str(month) not in _frozen(db, service.id):
            yield write_revision(db, ledger, rolled, month, None, "the month is over")


def _frozen(db: sqlite3.Connection, service: str) -> set[str]:
    rows: Iterable[tuple[str]] = db.execute(
        "SELECT DISTINCT month FROM months WHERE service = (SELECT key FROM services WHERE id = ?)",
        (service,),
    )
    return {month for (month,) in rows}


def _settled(end_ms: int, now_ms: int) -> bool:
    return end_ms + SETTLED_MS <= now_ms
