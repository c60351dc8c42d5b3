"""Whether every derived number follows from the facts: time lines, frozen months, and what they owe."""

from __future__ import annotations

import json
import sqlite3
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import accumulate, groupby, zip_longest
from operator import itemgetter
from typing import Any

from monitor.ledger.agreement import Agreement, from_json
from monitor.ledger.as_of import AsOf
from monitor.ledger.evidence import Misfit
from monitor.ledger.frozen import differing, exclusions_json, outages_json
from monitor.ledger.rollup import Ledger, Rollup, around_month
from monitor.sla.credit import Credit
from monitor.sla.figures import written
from monitor.sla.months import Month
from monitor.store import spans
from monitor.store.spans import Span

_UNREADABLE = (sqlite3.Error, ValueError, LookupError, TypeError, AttributeError, ArithmeticError)
"""What comes of records that are not of the form that they were written in."""

_ENTRIES = (
    ("changes", "SELECT at_ms, key FROM main.changes WHERE service = ? ORDER BY at_ms"),
    ("imported_spans", "SELECT from_ms, key FROM main.imported_spans WHERE service = ? ORDER BY from_ms"),
    ("corrections", "SELECT from_ms, key FROM main.corrections WHERE service = ? ORDER BY from_ms"),
    (
        "correction_withdrawals",
        "SELECT from_ms, withdrawn.key FROM main.correction_withdrawals AS withdrawn JOIN main.corrections"
        " ON corrections.key = correction WHERE service = ? ORDER BY from_ms",
    ),
)
"""For each table that makes time lines: from when on its facts tell of a service, and their keys."""

_ORDER = """
SELECT frozen_ms, facts, month, months.key FROM months JOIN services ON services.key = service
WHERE facts IS NOT NULL ORDER BY frozen_ms, facts, month, id"""

_MONTH = """
SELECT months.key, services.key, id, month, revision, figures, terms, outages, exclusions, difference,
       (SELECT figures FROM months AS earlier WHERE earlier.service = months.service
        AND earlier.month = months.month AND earlier.revision = months.revision - 1)
FROM months JOIN services ON services.key = service WHERE months.key = ?"""


@dataclass
class Derived:
    """What was computed again."""

    services: int = 0
    months: int = 0
    amounts: int = 0
    not_again: int = 0
    """Months that were frozen before it was written down which facts they counted."""


def check_derived(db: sqlite3.Connection, found: Derived) -> Iterator[Misfit]:
    """What does not follow from the facts, in the order time lines, months, entitlements."""
    yield from _check_lines(db, found)
    yield from _Months(db, found).check()


def _check_lines(db: sqlite3.Connection, found: Derived) -> Iterator[Misfit]:
    for key, service in db.execute("SELECT key, id FROM services ORDER BY key").fetchall():
        found.services += 1
        try:
            misfit = _line_misfit(db, key)
        except _UNREADABLE as error:
            misfit = f"the time line cannot be computed again: {error}"
        if misfit:
            yield Misfit("spans", None, service, misfit)
    (strays,) = db.execute(
        "SELECT count(*) FROM spans WHERE service NOT IN (SELECT key FROM services)"
    ).fetchone()
    if strays:
        yield Misfit("spans", None, None, f"{strays} spans are of no service")


def _line_misfit(db: sqlite3.Connection, service: int) -> str | None:
    kept = db.execute(
        "SELECT from_ms, to_ms, state, seen_ms, reason, source, outage FROM spans WHERE service = ?"
        " ORDER BY from_ms",
        (service,),
    )
    for expected, there in zip_longest(spans.derived(db, service), (Span(*row) for row in kept)):
        if expected != there:
            return f"expected {_told(expected)}, not {_told(there)}"
    return None


def _told(span: Span | None) -> str:
    """In milliseconds of UTC."""
    return "nothing" if span is None else f"{span.state} from {span.from_ms} to {span.to_ms} ({span.reason})"


@dataclass(frozen=True, slots=True)
class _Frozen:
    """A row of months."""

    key: int
    service_key: int
    service: str
    month: str
    revision: int
    figures: str
    terms: str
    outages: str
    exclusions: str
    difference: str
    earlier: str | None
    """The figures of the revision before."""


class _Reach:
    """Up to which instant a service's time line is the same as when a month was frozen."""

    def __init__(self, db: sqlite3.Connection, service: int) -> None:
        self._tables: list[tuple[str, array[int], array[int]]] = []
        for table, query in _ENTRIES:
            rows = db.execute(query, (service,)).fetchall()
            starts = array("q", (start for start, _ in rows))
            latest = array("q", accumulate((key for _, key in rows), max))
            self._tables.append((table, starts, latest))

    def unchanged(self, before_ms: int, last_keys: dict[str, int]) -> bool:
        """Whether every fact that tells of a time before that instant was counted."""
        for table, starts, latest in self._tables:
            count = bisect_left(starts, before_ms)
            if count and latest[count - 1] > last_keys.get(table, 0):
                return False
        return True


class _Months:
    """Computes frozen months again, as the facts stood that they counted."""

    def __init__(self, db: sqlite3.Connection, found: Derived) -> None:
        self._db = db
        self._found = found
        self._as_of = AsOf(db)
        self._reach: dict[int, _Reach] = {}

    def check(self) -> Iterator[Misfit]:
        (self._found.not_again,) = self._db.execute(
            "SELECT count(*) FROM months WHERE facts IS NULL"
        ).fetchone()
        kept: dict[str, str] = {}  # a month's facts are told by hundreds of rows in the same words
        rows = [
            ((frozen_ms, kept.setdefault(facts, facts), month), key)
            for frozen_ms, facts, month, key in self._db.execute(_ORDER)
        ]
        for (frozen_ms, facts, month), group in groupby(rows, itemgetter(0)):
            yield from self._group(frozen_ms, facts, Month.parse(month), [key for _, key in group])

    def _group(self, frozen_ms: int, facts: str, month: Month, keys: Iterable[int]) -> Iterator[Misfit]:
        """The months that counted the same facts."""
        last_keys = json.loads(facts)
        self._as_of.cut(last_keys)
        ledger = Ledger(self._db, frozen_ms, around_month(month))
        for month_key in keys:
            one = _Frozen(*self._db.execute(_MONTH, (month_key,)).fetchone())
            self._found.months += 1
            try:
                table, key, problem = self._problem(ledger, one, month, last_keys)
            except _UNREADABLE as error:
                table, key, problem = "months", one.key, f"cannot be computed again: {error}"
            if problem:
                told = f"revision {one.revision} of {one.month}: {problem}"
                yield Misfit(table, key, one.service, told)

    def _problem(
        self, ledger: Ledger, one: _Frozen, month: Month, last_keys: dict[str, int]
    ) -> tuple[str, int | None, str | None]:
        agreement = from_json(one.terms)
        if self._as_now(one, agreement, month, last_keys):
            rolled, outages = self._again(ledger, agreement, month)
        else:
            with self._as_of.spans_of(one.service_key):
                rolled, outages = self._again(ledger, agreement, month)
        problem = _difference(one, rolled, outages)
        if problem is not None or rolled is None:
            return "months", one.key, problem
        return self._owed(one, rolled)

    def _again(self, ledger: Ledger, agreement: Agreement, month: Month) -> tuple[Rollup | None, str]:
        rolled = ledger.month(agreement, month)
        return rolled, "" if rolled is None else outages_json(self._db, ledger, rolled)

    def _as_now(self, one: _Frozen, agreement: Agreement, month: Month, last_keys: dict[str, int]) -> bool:
        """Whether the time line as it is now tells the same of the month as that which was counted."""
        end_ms = agreement.month(month)[1]
        reach = self._reach.get(one.service_key)
        if reach is None:
            reach = self._reach[one.service_key] = _Reach(self._db, one.service_key)
        if not reach.unchanged(end_ms, last_keys):
            return False
        # an outage over the month's end is kept as far as it was known then
        last = self._db.execute(
            "SELECT outage FROM spans WHERE service = ? AND from_ms < ? ORDER BY from_ms DESC LIMIT 1",
            (one.service_key, end_ms),
        ).fetchone()
        return last is None or last[0] is None

    def _owed(self, one: _Frozen, rolled: Rollup) -> tuple[str, int | None, str | None]:
        """What is wrong with the entitlement of a month."""
        row = self._db.execute(
            "SELECT key, amount, currency, calculation FROM entitlements WHERE month = ?", (one.key,)
        ).fetchone()
        owed = rolled.owed
        if row is None:
            if one.revision == 1 and isinstance(owed, Credit) and owed.amount.amount > 0:
                return "months", one.key, f"expected an entitlement of {owed.amount}"
            return "months", one.key, None
        self._found.amounts += 1
        key, amount, currency, calculation = row
        if not isinstance(owed, Credit):
            wrong = Decimal(amount) != 0
            return "entitlements", key, f"expected 0, not {amount}" if wrong else None
        expected = written(owed.amount.amount), owed.amount.currency
        if (amount, currency) != expected:
            return "entitlements", key, f"expected {' '.join(expected)}, not {amount} {currency}"
        steps = [[step.what, step.how, step.result] for step in owed.steps]
        if json.loads(calculation) != steps:
            return "entitlements", key, "the calculation is not the one that gives the amount"
        return "entitlements", key, None


def _difference(one: _Frozen, rolled: Rollup | None, outages: str) -> str | None:
    """What a frozen month has, and does not follow from the facts."""
    if rolled is None:
        return "nothing of the month lies in the contract"
    figures = rolled.figures()
    kept = json.loads(one.figures)
    wrong = differing(kept, figures)
    if wrong:
        return "; ".join(
            f"{key}: expected {_short(new)}, not {_short(old)}" for key, (old, new) in wrong.items()
        )
    if kept.keys() != figures.keys():
        return f"figures that there are not: {', '.join(sorted(kept.keys() - figures.keys()))}"
    if json.loads(one.outages) != json.loads(outages):
        return "the outages are not those of the facts"
    if json.loads(one.exclusions) != json.loads(exclusions_json(rolled)):
        return "the exclusions are not those that were in force"
    before = {} if one.earlier is None else differing(json.loads(one.earlier), figures)
    if json.loads(one.difference) != {key: list(pair) for key, pair in before.items()}:
        return "the difference is not that against the revision before"
    return None


def _short(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
