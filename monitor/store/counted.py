"""Which facts a figure counts: those up to the last key of each table at the time."""

from __future__ import annotations

import sqlite3

COUNTED = (
    "changes",
    "check_changes",
    "blips",
    "imported_spans",
    "exclusions",
    "withdrawals",
    "corrections",
    "correction_withdrawals",
)


def last_keys(db: sqlite3.Connection) -> dict[str, int]:
    """Of each table that is counted; 0: it is empty."""
    sums = [f"(SELECT coalesce(max(key), 0) FROM {table})" for table in COUNTED]  # noqa: S608
    return dict(zip(COUNTED, db.execute(f"SELECT {', '.join(sums)}").fetchone(), strict=True))
