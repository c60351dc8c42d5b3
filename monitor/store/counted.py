"""Which facts a figure counts: those up to the last key of each table at the time."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

_SEEN = ("changes", "check_changes", "blips")
_ENTERED = ("imported_spans", "exclusions", "withdrawals", "corrections", "correction_withdrawals")

COUNTED = (*_SEEN, *_ENTERED)

_TOLD = """
    SELECT service FROM changes WHERE key > :changes AND at_ms < :before
    UNION SELECT service FROM blips WHERE key > :blips AND first_bad_ms < :before
    UNION SELECT service FROM imported_spans WHERE key > :imported_spans AND from_ms < :before
    UNION SELECT service FROM corrections WHERE key > :corrections AND from_ms < :before
    UNION SELECT corrections.service FROM correction_withdrawals AS withdrawn
        JOIN corrections ON corrections.key = correction
        WHERE withdrawn.key > :correction_withdrawals AND from_ms < :before"""
_EXCLUDED = """
    SELECT EXISTS (SELECT 1 FROM exclusions WHERE key > :exclusions AND from_ms < :before)
        OR EXISTS (SELECT 1 FROM withdrawals JOIN exclusions ON exclusions.key = exclusion
            WHERE withdrawals.key > :withdrawals AND from_ms < :before)"""


def last_keys(db: sqlite3.Connection) -> dict[str, int]:
    """Of each table that is counted; 0: it is empty."""
    sums = [f"(SELECT coalesce(max(key), 0) FROM {table})" for table in COUNTED]  # noqa: S608
    return dict(zip(COUNTED, db.execute(f"SELECT {', '.join(sums)}").fetchone(), strict=True))


def entered(keys: Mapping[str, int]) -> dict[str, int]:
    """Those of what people entered, and no probe saw."""
    return {table: keys[table] for table in _ENTERED}


def told_since(db: sqlite3.Connection, counted: Mapping[str, int], before_ms: int) -> set[int] | None:
    """The services (keys) of whose time before that instant something is told by facts that were not counted.

    None: it may be any, for exclusions were entered or withdrawn.
    """
    asked = {**counted, "before": before_ms}
    (excluded,) = db.execute(_EXCLUDED, asked).fetchone()
    return None if excluded else {service for (service,) in db.execute(_TOLD, asked)}
