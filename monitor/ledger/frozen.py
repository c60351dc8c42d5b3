"""Frozen months: written once, revision by revision, and read back. Nothing in them is ever edited."""

from __future__ import annotations

import json
import sqlite3
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pydantic_core

from monitor.ledger.agreement import Agreement, from_json, to_json
from monitor.ledger.drafting import Owed, draft, owed_of, supersede
from monitor.ledger.outages import outage_record
from monitor.ledger.rollup import Ledger, Rollup
from monitor.sla.months import Month, local_iso
from monitor.store.exclusions import Exclusion
from monitor.store.timelines import Outage

_FOR_EVER = 1 << 62

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


class Record(NamedTuple):
    """A month in the form in which it is frozen; JSON texts but for its name and what is owed.

    A tuple, as what it is made of: Python takes three times as long to send a data class to another process.
    """

    service: str
    month: Month
    figures: str
    terms: str
    outages: str
    exclusions: str
    facts: str
    """The last key of each table of facts that was counted."""
    owed: Owed


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
    # CROSS JOIN: months have an index by service; joined in another order all of them are read
    rows = db.execute(
        "SELECT month, revision, figures, terms FROM services CROSS JOIN months ON service = services.key"
        " WHERE month BETWEEN ?1 AND ?2 AND (?3 IS NULL OR id IN (SELECT value FROM json_each(?3)))"
        " AND revision = (SELECT max(revision) FROM months AS other WHERE other.service = months.service"
        " AND other.month = months.month) ORDER BY month, id",
        (str(first), str(last or first), None if services is None else json.dumps(list(services))),
    )
    return [
        FrozenMonth(Month.parse(month), revision, pydantic_core.from_json(figures), from_json(terms))
        for month, revision, figures, terms in rows
    ]


def record_of(db: sqlite3.Connection, ledger: Ledger, rolled: Rollup, month: Month) -> Record:
    """A month as it is rolled up, ready to be written."""
    agreement = rolled.agreement
    return Record(
        agreement.service,
        month,
        _json(rolled.figures()),
        to_json(agreement),
        outages_json(db, ledger, rolled),
        exclusions_json(rolled),
        _json(ledger.counted),
        owed_of(rolled.owed),
    )


def write_revision(
    db: sqlite3.Connection, key: int, record: Record, earlier: FrozenMonth | None, now_ms: int, reason: str
) -> Revision:
    """Freeze a month, and draft the entitlement that it gives, in the place of an earlier one.

    ``key``: the service's.
    """
    revision = 1 if earlier is None else earlier.revision + 1
    difference = {} if earlier is None else differing(earlier.figures, json.loads(record.figures))
    cursor = db.execute(
        "INSERT INTO months (service, month, revision, frozen_ms, figures, terms, outages, exclusions,"
        " reason, difference, facts) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            key,
            str(record.month),
            revision,
            now_ms,
            record.figures,
            record.terms,
            record.outages,
            record.exclusions,
            reason,
            _json(difference),
            record.facts,
        ),
    )
    sent = None if earlier is None else supersede(db, key, record.month, now_ms, reason)
    draft(db, sent, int(cursor.lastrowid or 0), record.owed, now_ms, reason)
    return Revision(record.service, record.month, revision, difference)


def outages_json(db: sqlite3.Connection, ledger: Ledger, rolled: Rollup) -> str:
    """The outages of a month as they are kept with it."""
    agreement = rolled.agreement
    outages = ledger.timelines.outages(agreement.service, *rolled.measured.window)
    if not outages:
        return "[]"
    evidence = _evidence(db, agreement.service, outages)
    return _json(
        [
            {**outage_record(agreement.service, one, agreement.tz), "evidence": keys}
            for one, keys in zip(outages, evidence, strict=True)
        ]
    )


def exclusions_json(rolled: Rollup) -> str:
    """The exclusions of a month as they are kept with it."""
    return _json([exclusion_record(one, rolled.agreement.tz) for one in rolled.exclusions])


def differing(old: Mapping[str, Any], new: Mapping[str, Any]) -> Difference:
    """The figures that are not what they were."""
    return {key: (old.get(key), new[key]) for key in new if old.get(key) != new[key]}


def _evidence(db: sqlite3.Connection, service: str, outages: Sequence[Outage]) -> list[list[int]]:
    """The changes of the service's checks in each outage (keys of check_changes); their probes are the evidence."""
    ends = [one.first_good_ms or _FOR_EVER for one in outages]
    rows: list[tuple[int, int]] = db.execute(
        "SELECT at_ms, check_changes.key FROM services JOIN checks ON checks.service = services.key"
        ' JOIN check_changes ON check_changes."check" = checks.key'
        " WHERE services.id = ? AND at_ms BETWEEN ? AND ? ORDER BY at_ms, check_changes.key",
        (service, outages[0].first_bad_ms, max(ends)),
    ).fetchall()
    instants, keys = [at_ms for at_ms, _ in rows], [key for _, key in rows]
    return [
        keys[bisect_left(instants, one.first_bad_ms) : bisect_right(instants, end_ms)]
        for one, end_ms in zip(outages, ends, strict=True)
    ]


def exclusion_record(one: Exclusion, zone: ZoneInfo) -> dict[str, Any]:
    """As frozen months keep it."""
    instants = {name: local_iso(getattr(one, f"{name}_ms"), zone) for name in ("from", "to", "entered")}
    kept = asdict(one)
    return {name: kept[name] for name in ("uid", "scope", "subject", "reason", "author")} | {
        "exclusion": one.exclusion_class,
        **instants,
    }


def _json(value: object) -> str:
    return pydantic_core.to_json(value).decode()
