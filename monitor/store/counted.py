"""Which facts a figure counts: those up to the last key of each table at the time."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

_SEEN = ("changes", "check_changes", "blips")
_ENTERED = ("imported_spans", "exclusions", "withdrawals", "corrections", "correction_withdrawals")

COUNTED = (*_SEEN, *_ENTERED)


def last_keys(db: sqlite3.Connection) -> dict[str, int]:
    """Of each table that is counted; 0: it is empty."""
    sums = [f"(SELECT coalesce(max(key), 0) FROM {table})" for table in COUNTED]  # noqa: S608
    return dict(zip(COUNTED, db.execute(f"SELECT {', '.join(sums)}").fetchone(), strict=True))


def entered(keys: Mapping[str, int]) -> dict[str, int]:
    """Those of what people entered, and no probe saw."""
    return {table: keys[table] for table in _ENTERED}
