"""What became of a year's claims in money: by month, customer and currency, exactly.

What a month claims is what its latest claim that was sent and not withdrawn says: an amendment states the full
new amount. ``claimed = accepted + rejected + open`` always holds, also while an amendment is under way: until
it is decided the earlier decision stands, and ``open`` is what it would change, which may be less than nothing.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple

from monitor.ledger.claims import ACCEPTED, OPEN, UNSENT
from monitor.ledger.entitlements import CURRENCY, FROM, NEAR, Lived, month_of_claim, near
from monitor.sla.figures import written
from monitor.sla.money import rounded
from monitor.sla.months import Month

_NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class Sums:
    """Amounts in one currency."""

    drafted: Decimal = _NOTHING
    """In drafts that are not sent yet, approved or not; an amendment with its difference."""
    claimed: Decimal = _NOTHING
    accepted: Decimal = _NOTHING
    rejected: Decimal = _NOTHING
    open: Decimal = _NOTHING
    paid: Decimal = _NOTHING

    def __add__(self, other: Sums) -> Sums:
        return Sums(
            self.drafted + other.drafted,
            self.claimed + other.claimed,
            self.accepted + other.accepted,
            self.rejected + other.rejected,
            self.open + other.open,
            self.paid + other.paid,
        )


@dataclass(frozen=True, slots=True)
class Line:
    """A customer's month in one currency."""

    month: Month
    customer: str
    currency: str
    sums: Sums
    to_be_agreed: int
    """Claims without an amount, that are not decided."""


class _Step(NamedTuple):
    state: str
    amount: str | None


@dataclass(frozen=True, slots=True)
class _Claim(Lived):
    """As much of an entitlement as is counted: a year of a portfolio has tens of thousands."""

    uid: str
    kind: str
    service: str
    month: Month
    amount: str | None
    """None: to be agreed."""
    currency: str
    events: Sequence[_Step]

    @property
    def matter(self) -> tuple[object, ...]:
        """What it is about: a service's month, or a breached clock."""
        return (self.service, self.month) if self.kind == "availability" else (self.uid,)


_CLAIMS = f"""
    SELECT entitlements.uid, kind, id, months.month, reported_ms, json_extract(incidents.terms, '$.zone'), amount,
           {CURRENCY}, (SELECT json_group_array(json_array(state, amount)) FROM
               (SELECT state, amount FROM entitlement_events WHERE entitlement = entitlements.key ORDER BY key)) {FROM}
    WHERE {NEAR} ORDER BY kind, services.key, months.month, entitlements.key"""  # noqa: S608


def sums_of_year(
    db: sqlite3.Connection,
    year: int,
    customers: Mapping[str, str],
    services: Collection[str] | None = None,
) -> list[Line]:
    """By month, customer and currency; ``services``: of these alone. What was superseded counts for nothing."""
    lines: dict[tuple[Month, str, str], tuple[Sums, int]] = {}
    for _, group in groupby(_read(db, year, services), attrgetter("matter")):
        claims = list(group)
        last = claims[-1]
        key = (last.month, customers.get(last.service, ""), last.currency)
        before, without = lines.get(key, (Sums(), 0))
        unknown = sum(one.amount is None and one.state in (*UNSENT, OPEN) for one in claims)
        lines[key] = before + _sums(claims), without + unknown
    return [Line(*key, *lines[key]) for key in sorted(lines) if lines[key] != (Sums(), 0)]


def totals(lines: Iterable[Line]) -> dict[str, Sums]:
    """By currency."""
    sums: dict[str, Sums] = {}
    for line in lines:
        sums[line.currency] = sums.get(line.currency, Sums()) + line.sums
    return dict(sorted(sums.items()))


def sums_record(year: int, lines: Iterable[Line]) -> dict[str, Any]:
    """As ``ringback claim year --json`` prints it."""
    lines = list(lines)
    return {
        "year": year,
        "months": [
            {
                "month": str(line.month),
                "customer": line.customer,
                "currency": line.currency or None,
                **amounts(line.sums, line.currency),
                "to_be_agreed": line.to_be_agreed,
            }
            for line in lines
        ],
        "totals": [
            {"currency": currency or None, **amounts(sums, currency)}
            for currency, sums in totals(lines).items()
        ],
    }


def amounts(sums: Sums, currency: str) -> dict[str, str]:
    """With the digits of the currency."""
    return {one.name: _written(getattr(sums, one.name), currency) for one in fields(Sums)}


@lru_cache(maxsize=1024)
def _written(amount: Decimal, currency: str) -> str:
    return written(rounded(Fraction(amount), currency).amount) if currency else written(amount)


def _read(db: sqlite3.Connection, year: int, services: Collection[str] | None) -> Iterator[_Claim]:
    """Of the year, matter by matter in the order of drafting; ``services``: of these alone."""
    for uid, kind, service, month, reported_ms, zone, amount, currency, steps in db.execute(
        _CLAIMS, near(Month(year, 1), Month(year, 12), services)
    ):
        claimed = month_of_claim(month, reported_ms, zone)
        if claimed.year == year:
            yield _Claim(uid, kind, service, claimed, amount, currency or "", _steps(steps))


@lru_cache(maxsize=1024)
def _steps(text: str) -> tuple[_Step, ...]:
    """Of JSON. Most claims took the same few."""
    return tuple(_Step(*one) for one in json.loads(text))


def _sums(claims: list[_Claim]) -> Sums:
    """Of one matter."""
    drafts = [one for one in claims if one.state in UNSENT and one.amount is not None]
    drafted = sum((_claimed(one) for one in drafts), _NOTHING)
    if not any(one.was_sent for one in claims):
        return Sums(drafted)
    sent = [one for one in claims if one.was_sent and one.state != "withdrawn"]
    decided = [one for one in sent if one.state != OPEN]
    claimed = _claimed(sent[-1]) if sent else _NOTHING
    accepted = next(
        (one.accepted or _NOTHING for one in reversed(decided) if one.state in ACCEPTED), _NOTHING
    )
    settled = _claimed(decided[-1]) if decided else _NOTHING
    return Sums(
        drafted=drafted - (claimed if drafts else _NOTHING),
        claimed=claimed,
        accepted=accepted,
        rejected=settled - accepted,
        open=claimed - settled,
        paid=sum((one.paid for one in claims), _NOTHING),
    )


def _claimed(claim: _Claim) -> Decimal:
    """What it claims; where that had to be agreed, what was."""
    return Decimal(claim.amount) if claim.amount is not None else claim.accepted or _NOTHING
