"""Freezing months that are over: their figures, terms, outages and exclusions are written down for good."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from zoneinfo import ZoneInfo

from monitor.config.values import Configuration, ServiceConfig
from monitor.ledger.agreement import agreed_for, month_bounds
from monitor.ledger.frozen import Revision, write_revision
from monitor.ledger.rollup import Ledger
from monitor.sla.intervals import Interval
from monitor.sla.months import Month, month_of
from monitor.store.timelines import Timelines

PORTION = 200
"""Months frozen in one transaction at most, so that what the agent sees meanwhile does not wait for long."""

SETTLED_MS = 15 * 60_000
"""How long after its end a month is frozen: by then its last probes are in and what they prove is written."""

_EVER: Interval = (0, 1 << 62)


def freeze_due(
    db: sqlite3.Connection,
    configuration: Configuration,
    now_ms: int,
    month: Month | None = None,
    at_most: int = PORTION,
) -> list[Revision]:
    """Freeze months that are over, settled and not frozen, within the caller's transaction; all months or one.

    Call again until nothing comes back. A month in which a service was never watched is not frozen: nothing
    can be claimed for it, and a history may still be imported.
    """
    ledger = Ledger(db, now_ms, _EVER)
    written: list[Revision] = []
    for service, one in _due(db, ledger.timelines, configuration.services, now_ms, month):
        rolled = ledger.month(agreed_for(service, one), one)
        if rolled is None or not rolled.watched:
            continue
        written.append(write_revision(db, ledger, rolled, one, None, "the month is over"))
        if len(written) == at_most:
            break
    return written


def is_due(db: sqlite3.Connection, configuration: Configuration, now_ms: int, month: Month) -> bool:
    """Whether freeze_due might find something to freeze in a month."""
    due = _due(db, Timelines(db, now_ms), configuration.services, now_ms, month)
    return next(due, None) is not None


def is_over(configuration: Configuration, month: Month, now_ms: int) -> bool:
    """Whether a month is over, and settled, for every service."""
    return all(
        month_bounds(month, service.zone)[1] + SETTLED_MS <= now_ms for service in configuration.services
    )


def _due(
    db: sqlite3.Connection,
    timelines: Timelines,
    services: Iterable[ServiceConfig],
    now_ms: int,
    month: Month | None,
) -> Iterator[tuple[ServiceConfig, Month]]:
    """Months since the first fact of each service, within its contract."""
    frozen = set(db.execute("SELECT id, month FROM months JOIN services ON services.key = service"))
    for service in services:
        begin_ms, end_ms = timelines.known(service.id)
        if begin_ms >= end_ms:
            continue
        zone = ZoneInfo(service.zone)
        one = month_of(max(begin_ms, service.contract_from_ms or 0), zone)
        last_ms = min(end_ms, service.contract_to_ms or end_ms)
        while (
            month_bounds(one, service.zone)[0] < last_ms
            and month_bounds(one, service.zone)[1] + SETTLED_MS <= now_ms
        ):
            if month in (None, one) and (service.id, str(one)) not in frozen:
                yield service, one
            one = one.next
