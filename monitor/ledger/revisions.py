"""The revisions of frozen months, side by side."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from monitor.sla.months import Month, local_iso

_ALWAYS = ("availability", "down_ms", "excluded_ms", "unknown_ms", "outages", "coverage", "breach", "credit")
"""What is shown of a month that was never revised."""


@dataclass(frozen=True, slots=True)
class KeptRevision:
    """A revision as it was written. Who asked for it stands in the reason."""

    revision: int
    frozen_ms: int
    reason: str
    figures: Mapping[str, Any]
    difference: Mapping[str, Sequence[Any]]
    """For each figure that changed against the revision before: what it was, and what it is."""


@dataclass(frozen=True, slots=True)
class RevisedMonth:
    """A service's month with all of its revisions."""

    service: str
    zone: str
    """IANA name of the contract's time zone."""
    revisions: tuple[KeptRevision, ...]

    @property
    def figures_to_compare(self) -> list[str]:
        """Those that changed with any revision, in their order; of a single revision those that matter most."""
        changed = {key for one in self.revisions for key in one.difference}
        return [key for key in self.revisions[-1].figures if key in (changed or _ALWAYS)]


def revisions(
    db: sqlite3.Connection, month: Month, services: Collection[str] | None = None
) -> list[RevisedMonth]:
    """By service; ``services``: of these alone."""
    rows = db.execute(
        "SELECT id, json_extract(terms, '$.zone'), revision, frozen_ms, reason, figures, difference"
        " FROM services CROSS JOIN months ON service = services.key WHERE month = ?1"
        " AND (?2 IS NULL OR id IN (SELECT value FROM json_each(?2))) ORDER BY id, revision",
        (str(month), None if services is None else json.dumps(list(services))),
    )
    return [
        RevisedMonth(
            service,
            zone,
            tuple(
                KeptRevision(number, frozen_ms, reason, json.loads(figures), json.loads(difference))
                for _, _, number, frozen_ms, reason, figures, difference in of_service
            ),
        )
        for (service, zone), of_service in groupby(rows, key=lambda row: (row[0], row[1]))
    ]


def month_record(one: RevisedMonth) -> dict[str, Any]:
    """As ``ringback month show --json`` prints it."""
    zone = ZoneInfo(one.zone)
    return {
        "service": one.service,
        "revisions": [
            {
                "revision": each.revision,
                "frozen": local_iso(each.frozen_ms, zone),
                "reason": each.reason,
                "difference": each.difference,
                "figures": each.figures,
            }
            for each in one.revisions
        ],
    }


def shown(value: object) -> str:
    """A figure for people; of a credit its amount."""
    if isinstance(value, Mapping):
        return f"{value['amount']} {value['currency']}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else str(value)
