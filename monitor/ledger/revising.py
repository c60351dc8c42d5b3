"""Late corrections: a frozen month is never edited, it gets a revision with the difference and its reason."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Mapping, Sequence
from zoneinfo import ZoneInfo

from monitor.ledger.agreement import Agreement
from monitor.ledger.frozen import Revision, differing, latest, record_of, write_revision
from monitor.ledger.rollup import Ledger, around_month
from monitor.sla.intervals import Interval
from monitor.sla.months import month_of
from monitor.store.exclusions import Exclusion
from monitor.store.facts import service_key

_UTC = ZoneInfo("UTC")


def revise_windows(
    db: sqlite3.Connection, windows: Mapping[str, Interval], now_ms: int, reason: str
) -> list[Revision]:
    """Revise the frozen months of services of which something has become known in these windows."""
    if not windows:
        return []
    around = min(window[0] for window in windows.values()), max(window[1] for window in windows.values())
    return _revise(db, around, lambda agreement: windows.get(agreement.service), now_ms, reason, windows)


def revise_excluded(
    db: sqlite3.Connection, exclusions: Sequence[Exclusion], now_ms: int, reason: str
) -> list[Revision]:
    """Revise the frozen months that exclusions touch, which were entered or withdrawn."""

    def touched(agreement: Agreement) -> Interval | None:
        found = [one for one in exclusions if one.concerns(agreement.service, agreement.tags)]
        return _around(found) if found else None

    return _revise(db, _around(exclusions), touched, now_ms, reason)


def _around(exclusions: Sequence[Exclusion]) -> Interval:
    return min(one.from_ms for one in exclusions), max(one.to_ms for one in exclusions)


def _revise(
    db: sqlite3.Connection,
    around: Interval,
    touched: Callable[[Agreement], Interval | None],
    now_ms: int,
    reason: str,
    services: Collection[str] | None = None,
) -> list[Revision]:
    """Roll frozen months up again by the terms they were frozen with; where figures differ, write a revision.

    ``services``: those that can be touched; None: any.
    """
    first, last = month_of(around[0], _UTC).previous, month_of(around[1], _UTC).next
    written = []
    ledger: Ledger | None = None
    for frozen in latest(db, first, last, services):
        window = touched(frozen.agreement)
        month = frozen.agreement.month(frozen.month)
        if window is None or window[0] >= month[1] or window[1] <= month[0]:
            continue
        ledger = ledger or Ledger(db, now_ms, (around_month(first)[0], around_month(last)[1]))
        rolled = ledger.month(frozen.agreement, frozen.month)
        if rolled is not None and differing(frozen.figures, rolled.figures()):
            record = record_of(db, ledger, rolled, frozen.month)
            key = service_key(db, record.service)
            written.append(write_revision(db, key, record, frozen, now_ms, reason))
    return written
