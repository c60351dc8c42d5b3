"""The month of every service: as it was frozen, or as it stands."""

from __future__ import annotations

import json
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pydantic_core

from monitor.config.values import ServiceConfig
from monitor.ledger.agreement import Agreement, agreed_for, from_json
from monitor.ledger.frozen import differing, latest
from monitor.ledger.rollup import Ledger, Rollup, around_month
from monitor.sla.credit import why_none
from monitor.sla.months import Month
from monitor.store.counted import COUNTED, told_since


@dataclass(frozen=True, slots=True)
class MonthFigures(ABC):
    """A service's month: the figures of the latest frozen revision, if there is one, or else as the facts stand."""

    figures: Mapping[str, Any]
    revision: int | None
    """None: the month is not frozen."""
    outdated: bool
    """Whether the facts say otherwise by now than what was frozen."""

    @property
    @abstractmethod
    def agreement(self) -> Agreement:
        """The terms the month was frozen with, or else those of the configuration."""

    @property
    def no_credit(self) -> str:
        """Why the figures owe nothing; '' where they owe something."""
        if self.figures["credit"] is not None:
            return ""
        agreement = self.agreement
        measured = self.figures["availability"] is not None
        return why_none(agreement.plan, agreement.fee, measured, self.figures["breach"]) or ""


@dataclass(frozen=True, slots=True)
class SettledMonth(MonthFigures):
    """A frozen month of which no fact tells that it did not count."""

    terms: str
    """As JSON: thousands are read, and few are asked for."""

    @property
    def agreement(self) -> Agreement:
        return from_json(self.terms)


@dataclass(frozen=True, slots=True)
class ReportedMonth(MonthFigures):
    """A service's month with what its figures come from."""

    rolled: Rollup
    """As the facts stand, by the terms of the ``agreement``."""

    @property
    def agreement(self) -> Agreement:
        return self.rolled.agreement


def report(
    db: sqlite3.Connection, services: Sequence[ServiceConfig], month: Month, now_ms: int
) -> list[ReportedMonth]:
    """The services that were in contract in the month, or in what has passed of it, in the order given."""
    ledger = Ledger(db, now_ms, around_month(month))
    frozen = {one.agreement.service: one for one in latest(db, month, services=[one.id for one in services])}
    reported = []
    for service in services:
        kept = frozen.get(service.id)
        rolled = ledger.month(agreed_for(service, month) if kept is None else kept.agreement, month)
        if rolled is not None:
            figures = rolled.figures()
            if kept is None:
                reported.append(ReportedMonth(figures, None, False, rolled))
            else:
                outdated = bool(differing(kept.figures, figures))
                reported.append(ReportedMonth(kept.figures, kept.revision, outdated, rolled))
    return reported


def month_figures(
    db: sqlite3.Connection, services: Sequence[ServiceConfig], month: Month, now_ms: int
) -> list[MonthFigures]:
    """As ``report``, without what the figures come from: only what may be outdated is rolled up again."""
    settled = _settled(db, month)
    others = report(db, [one for one in services if one.id not in settled], month, now_ms)
    rolled = {one.rolled.agreement.service: one for one in others}
    known: dict[str, MonthFigures] = {**rolled, **settled}
    found = (known.get(service.id) for service in services)
    return [one for one in found if one is not None]


def _settled(db: sqlite3.Connection, month: Month) -> dict[str, SettledMonth]:
    """The frozen months for which there are no facts but those that they counted, by service."""
    rows = db.execute(
        "SELECT service, id, revision, figures, terms, facts FROM services CROSS JOIN months ON service = services.key"
        " WHERE month = ? AND revision = (SELECT max(revision) FROM months AS other"
        " WHERE other.service = months.service AND other.month = months.month) AND facts IS NOT NULL",
        (str(month),),
    ).fetchall()
    if not rows:
        return {}
    counted = [json.loads(facts) for facts in {facts for *_, facts in rows}]
    least = {table: min(one.get(table, 0) for one in counted) for table in COUNTED}
    told = told_since(db, least, around_month(month)[1])
    if told is None:
        return {}
    return {
        service: SettledMonth(pydantic_core.from_json(figures), revision, False, terms)
        for key, service, revision, figures, terms, _ in rows
        if key not in told
    }
