"""Frozen months: written once, revision by revision, and read back. Nothing in them is ever edited."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any
from zoneinfo import ZoneInfo

from monitor.ledger.agreement import Agreement, from_json, to_json
from monitor.ledger.drafting import draft, supersede
from monitor.ledger.outages import outage_record
from monitor.ledger.rollup import Ledger, Rollup
from monitor.sla.months import Month, local_iso
from monitor.store.exclusions import Exclusion
from monitor.store.facts import service_key
from monitor.store.timelines import Outage

Difference = Mapping[str, tuple[Any, Any]]
"""For each figure that changed: what it was, and what it is."""


@dataclass(frozen=True, slots=True)
class FrozenMonth:
    """The latest revision of a service's month."""

    month: Month
    revision: int
    figures: Mapping[str, Any]
    agreement: Agreement
    """The terms that were in force when the month was frozen first; corrections count by them."""


@dataclass(frozen=True, slots=True)
class Revision:
    """A revision that was written; the first one has no difference."""

    service: str
    month: Month
    revision: int
    difference: Difference

    def as_json(self) -> dict[str, Any]:
        return {
            "service": self.service,
            "month": str(self.month),
            "revision": self.revision,
            "difference": {key: list(pair) for key, pair in self.difference.items()},
        }


def latest(
    db: sqlite3.Connection,
    first: Month,
    last: Month | None = None,
    services: Collection[str] | None = None,
) -> list[FrozenMonth]:
    """The latest revisions of the frozen months from ``first`` to ``last`` (None: that one alone).

    ``services``: of these alone; None: of all.
    """
    rows = db.execute(
        "SELECT month, revision, figures, terms FROM months JOIN services ON services.key = service"
        " WHERE month BETWEEN ?1 AND ?2 AND (?3 IS NULL OR id IN (SELECT value FROM json_each(?3)))"
        " AND revision = (SELECT max(revision) FROM months AS other WHERE other.service = months.service"
        " AND other.month = months.month) ORDER BY month, id",
        (str(first), str(last or first), None if services is None else json.dumps(list(services))),
    )
    return [
        FrozenMonth(Month.parse(month), revision, json.loads(figures), from_json(terms))
        for month, revision, figures, terms in rows
    ]


def write_revision(
    db: sqlite3.Connection,
    ledger: Ledger,
    rolled: Rollup,
    month: Month,
    earlier: FrozenMonth | None,
    reason: str,
) -> Revision:
    """Freeze a month as it is rolled up, and draft the entitlement that it gives, in the place of an earlier one."""
    figures = rolled.figures()
    revision = 1 if earlier is None else earlier.revision + 1
    difference = {} if earlier is None else differing(earlier.figures, figures)
    agreement = rolled.agreement
    zone = agreement.tz
    key = service_key(db, agreement.service)
    outages = ledger.timelines.outages(agreement.service, *rolled.measured.window)
    cursor = db.execute(
        "INSERT INTO months (service, month, revision, frozen_ms, figures, terms, outages, exclusions,"
        " reason, difference) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            key,
            str(month),
            revision,
            ledger.now_ms,
            _json(figures),
            to_json(agreement),
            _json(
                [
                    {**outage_record(agreement.service, one, zone), "evidence": _evidence(db, key, one)}
                    for one in outages
                ]
            ),
            _json([exclusion_record(one, zone) for one in rolled.exclusions]),
            reason,
            _json(difference),
        ),
    )
    if earlier is not None:
        supersede(db, key, month, ledger.now_ms, reason)
    draft(db, key, month, int(cursor.lastrowid or 0), rolled.owed, ledger.now_ms, reason)
    return Revision(agreement.service, month, revision, difference)


def differing(old: Mapping[str, Any], new: Mapping[str, Any]) -> Difference:
    """The figures that are not what they were."""
    return {key: (old.get(key), new[key]) for key in new if old.get(key) != new[key]}


def _evidence(db: sqlite3.Connection, service: int, outage: Outage) -> list[int]:
    """The changes of the service's checks in an outage (keys of check_changes); their probes are the evidence."""
    rows: Iterable[tuple[int]] = db.execute(
        'SELECT check_changes.key FROM checks JOIN check_changes ON check_changes."check" = checks.key'
        " WHERE service = ? AND at_ms BETWEEN ? AND ? ORDER BY at_ms, check_changes.key",
        (service, outage.first_bad_ms, outage.first_good_ms or (1 << 62)),
    )
    return [key for (key,) in rows]


def exclusion_record(one: Exclusion, zone: ZoneInfo) -> dict[str, Any]:
    """As a frozen month keeps it."""
    instants = {name: local_iso(getattr(one, f"{name}_ms"), zone) for name in ("from", "to", "entered")}
    kept = asdict(one)
    return {name: kept[name] for name in ("uid", "scope", "subject", "reason", "author")} | {
        "exclusion": one.exclusion_class,
        **instants,
    }


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
