"""From time lines and terms to figures: how much a service was available, and what that owes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from monitor.config.values import ServiceConfig
from monitor.ledger.agreement import Agreement, agreed, agreed_for, month_bounds
from monitor.sla.availability import Availability, Observed, measure
from monitor.sla.credit import Credit, NoCredit, credit
from monitor.sla.intervals import Interval
from monitor.sla.months import Month, month_of
from monitor.sla.record import service_figures
from monitor.store.counted import last_keys
from monitor.store.exclusions import Exclusion, in_force
from monitor.store.timelines import Stretch, Timelines

_ONLY_MONTHS = NoCredit("a credit is owed for whole calendar months only")


@dataclass(frozen=True, slots=True)
class Rollup:
    """A service in a window: what was agreed, what was measured, what is owed."""

    agreement: Agreement
    measured: Availability
    owed: Credit | NoCredit
    exclusions: tuple[Exclusion, ...]
    """Those that touch the window."""

    def figures(self) -> dict[str, Any]:
        """As ``ringback report --json`` prints them."""
        plan = self.agreement.plan
        return service_figures(
            self.agreement.service,
            None if plan is None else plan.key,
            self.measured,
            self.owed,
            self.agreement.tz,
        )

    @property
    def watched(self) -> bool:
        """Whether anything at all is known of the window."""
        return self.measured.coverage > 0


class Ledger:
    """Rolls services up as the facts stand; make a new one for facts that have changed."""

    def __init__(
        self, db: sqlite3.Connection, now_ms: int, around: Interval, timelines: Timelines | None = None
    ) -> None:
        """``around``: a window that contains all those that will be asked for. ``timelines``: those of ``now_ms``,
        where something was read of them already.
        """
        self._db = db
        self.timelines = timelines or Timelines(db, now_ms)
        self.now_ms = now_ms
        self._exclusions = in_force(db, *around)

    @cached_property
    def counted(self) -> dict[str, int]:
        """The last key of each table of facts that counts."""
        return last_keys(self._db)

    def month(self, agreement: Agreement, month: Month) -> Rollup | None:
        """A month within the contract and up to now; None where that leaves nothing."""
        from_ms, to_ms = agreement.month(month)
        window = from_ms, min(to_ms, self.now_ms)
        if window[0] >= window[1]:
            return None
        complete = month_bounds(month, agreement.zone)[1] <= self.now_ms
        measured, exclusions = self._measured(agreement, window, complete)
        return Rollup(agreement, measured, credit(measured, agreement.plan, agreement.fee), exclusions)

    def window(self, service: ServiceConfig, asked: Interval) -> Rollup | None:
        """Any window within the contract and up to now, by the terms at its beginning; None: nothing is left.

        A credit is owed only where the window is a calendar month.
        """
        agreement = agreed(service, asked[0])
        month = month_of(asked[0], agreement.tz)
        if asked == month_bounds(month, agreement.zone):
            return self.month(agreement, month)
        from_ms, to_ms = agreement.within(asked)
        window = from_ms, min(to_ms, self.now_ms)
        if window[0] >= window[1]:
            return None
        measured, exclusions = self._measured(agreement, window, asked[1] <= self.now_ms)
        return Rollup(agreement, measured, _ONLY_MONTHS, exclusions)

    def observed(
        self, agreement: Agreement, window: Interval, complete: bool
    ) -> tuple[Observed, tuple[Exclusion, ...]]:
        """What the facts say of a window, with the exclusions that touch it."""
        line = self.timelines.timeline(agreement.service, *window)
        exclusions = tuple(
            one
            for one in self._exclusions
            if one.concerns(agreement.service, agreement.tags)
            and one.from_ms < window[1]
            and one.to_ms > window[0]
        )
        observed = Observed(
            window,
            _by_outage(line.down, window[0]),
            line.degraded,
            line.unknown,
            [(one.from_ms, one.to_ms) for one in exclusions],
            line.blips,
            complete,
        )
        return observed, exclusions

    def _measured(
        self, agreement: Agreement, window: Interval, complete: bool
    ) -> tuple[Availability, tuple[Exclusion, ...]]:
        observed, exclusions = self.observed(agreement, window, complete)
        return measure(observed, agreement.plan), exclusions


def roll_up_month(
    db: sqlite3.Connection, services: Iterable[ServiceConfig], month: Month, now_ms: int
) -> Iterator[Rollup]:
    """A month of every service that has one, by the terms of the configuration."""
    ledger = Ledger(db, now_ms, around_month(month))
    for service in services:
        rolled = ledger.month(agreed_for(service, month), month)
        if rolled is not None:
            yield rolled


def around_month(month: Month) -> Interval:
    """A window that contains the month in every time zone."""
    day_ms = 24 * 3_600_000
    from_ms, to_ms = month_bounds(month, "UTC")
    return from_ms - day_ms, to_ms + day_ms


def _by_outage(down: list[Stretch[int]], from_ms: int) -> list[list[Interval]]:
    """The stretches of each outage. One that began before the window, and was lost sight of, says so."""
    outages: dict[int, list[Interval]] = {}
    for start, end, first_bad_ms in down:
        stretches = outages.get(first_bad_ms)
        if stretches is not None:
            stretches.append((start, end))
        elif first_bad_ms < start and first_bad_ms < from_ms:
            outages[first_bad_ms] = [(first_bad_ms, first_bad_ms + 1), (start, end)]
        else:
            outages[first_bad_ms] = [(start, end)]
    return list(outages.values())
