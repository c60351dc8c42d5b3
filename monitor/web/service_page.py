"""What the page of one service shows beyond its line on the status page: its months, its outages."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from monitor.config.values import ServiceConfig
from monitor.ledger.frozen import latest
from monitor.ledger.report import report
from monitor.live import LiveCheck, LiveService
from monitor.sla.figures import duration
from monitor.sla.months import Month, bounds, month_of
from monitor.store.timelines import Outage, Timelines
from monitor.web.month_view import MonthView, reported_month
from monitor.web.overview import CheckView, check_view
from monitor.web.strip import Day, strip
from monitor.web.wording import Instant, instant, maybe_instant

MONTHS = 24
"""Months that are listed at most."""

OUTAGES = 50
"""Outages that are listed at most, the latest first."""


@dataclass(frozen=True, slots=True)
class OutageLine:
    """An outage with its four instants, and how long it lasted at least, by our count, and at most."""

    first_bad: Instant
    last_good: Instant | None
    last_bad: Instant | None
    first_good: Instant | None
    down: str
    least: str | None
    most: str | None
    reason: str
    source: str


@dataclass(frozen=True, slots=True)
class History:
    """What the database knows of a service."""

    month: Month
    view: MonthView | None
    """None: not in contract in that month, or it has not begun."""
    days: Sequence[Day]
    outages: Sequence[OutageLine]
    """Of that month and the two before it."""
    outages_in_all: int
    months: Sequence[tuple[Month, int, MonthView]]
    """Frozen ones with their revision, the latest first."""
    following: Month | None
    """The next month, if it has begun."""


def history(db: sqlite3.Connection, now_ms: int, service: ServiceConfig, asked: Month | None) -> History:
    """``asked``: the month to show; None: the running one."""
    zone = ZoneInfo(service.zone)
    running = month_of(now_ms, zone)
    month = min(asked or running, running)
    from_ms, to_ms = bounds(month, zone)
    read = Timelines(db, now_ms)
    reported = report(db, [service], month, now_ms)
    window = reported[0].rolled.measured.window if reported else (from_ms, from_ms)
    outages = read.outages(service.id, bounds(month.previous.previous, zone)[0], min(to_ms, now_ms))
    first = month
    for _ in range(MONTHS - 1):
        first = first.previous
    frozen = latest(db, first, running, (service.id,))
    return History(
        month=month,
        view=reported_month(reported[0].figures, reported[0].rolled) if reported else None,
        days=strip(read.timeline(service.id, *window), month, zone) if reported else (),
        outages=[outage_line(one, zone, now_ms) for one in reversed(outages[-OUTAGES:])],
        outages_in_all=len(outages),
        months=[(one.month, one.revision, reported_month(one.figures)) for one in reversed(frozen)],
        following=month.next if month < running else None,
    )


def outage_line(outage: Outage, zone: ZoneInfo, now_ms: int) -> OutageLine:
    return OutageLine(
        instant(outage.first_bad_ms, zone, now_ms),
        maybe_instant(outage.last_good_ms, zone, now_ms),
        maybe_instant(outage.last_bad_ms, zone, now_ms),
        maybe_instant(outage.first_good_ms, zone, now_ms),
        duration(outage.down_ms),
        None if outage.least_ms is None else duration(outage.least_ms),
        None if outage.most_ms is None else duration(outage.most_ms),
        outage.reason,
        outage.source,
    )


@dataclass(frozen=True, slots=True)
class CheckDetail:
    """A check with everything that its last outcome says."""

    view: CheckView
    target: str
    probed: Instant | None
    probes: int
    phases: Sequence[tuple[str, float]]
    """In seconds."""
    detail: Sequence[tuple[str, str]]


def check_details(service: LiveService, now_ms: int) -> list[CheckDetail]:
    zone = ZoneInfo(service.config.zone)
    targets = {check.name: check.target for check in service.config.checks}
    return [_check_detail(check, targets.get(check.name, ""), zone, now_ms) for check in service.checks]


def _check_detail(check: LiveCheck, target: str, zone: ZoneInfo, now_ms: int) -> CheckDetail:
    outcome = check.outcome
    return CheckDetail(
        check_view(check),
        target,
        maybe_instant(check.seen_ms, zone, now_ms),
        sum(check.counts),
        [] if outcome is None else [(name, seconds) for name, seconds in outcome.phases],
        [] if outcome is None else [(name, str(value)[:200]) for name, value in outcome.detail.items()],
    )
