"""A service's month as the pages show it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from monitor.ledger.revisions import RevisedMonth, shown
from monitor.ledger.rollup import Rollup
from monitor.sla.availability import left_ms
from monitor.sla.credit import NoCredit
from monitor.sla.figures import duration, percentage, plain_ratio
from monitor.sla.months import month_of
from monitor.web.wording import Instant, instant

_KNOWN_ENOUGH = Fraction(95, 100)


@dataclass(frozen=True, slots=True)
class MonthView:
    """Texts are ready to be shown; None: there is no such thing."""

    service: str
    plan: str | None
    availability: str | None
    guarantee: str | None
    breach: bool
    complete: bool
    until: str
    """The end of what was measured, ISO 8601."""
    down: str | None
    allowed: str | None
    """In the whole month, truncated to seconds."""
    spent: int | None
    """Downtime in thousandths of what the whole month allows, at most 1000."""
    left: str | None
    """Downtime until the breach while the month goes on."""
    coverage: str
    doubtful: bool
    """So much is unknown that it could hide a breach; without a guarantee, more than a twentieth."""
    outages: int
    blips: int
    excluded: str | None
    degraded: str | None
    credit: str | None
    no_credit: str | None
    """Why there is none."""


def running_month(rolled: Rollup) -> MonthView:
    """The month that goes on: its allowance is that of the whole month, if the rest of it is measured."""
    zone = rolled.agreement.tz
    measured = rolled.measured
    left = left_ms(measured, rolled.agreement.month(month_of(measured.window[0], zone)))
    allowed = None if left is None else measured.down_ms + left
    reason = rolled.owed.reason if isinstance(rolled.owed, NoCredit) else None
    return _view(rolled.figures(), allowed, left, reason)


def reported_month(figures: Mapping[str, Any], rolled: Rollup | None = None) -> MonthView:
    """A month as it is reported; ``rolled`` knows why there is no credit, and of a running month what is left."""
    if rolled is not None and not figures["complete"]:
        return running_month(rolled)
    owed = None if rolled is None else rolled.owed
    reason = owed.reason if isinstance(owed, NoCredit) else None
    return _view(figures, figures["allowed_down_ms"], None, reason)


@dataclass(frozen=True, slots=True)
class RevisedView:
    """The revisions of a month side by side: for each figure that changed, its value in each of them."""

    service: str
    revisions: Sequence[tuple[int, Instant, str]]
    """Number, when, and the reason, which names the author."""
    rows: Sequence[tuple[str, Sequence[str]]]


def revised_view(one: RevisedMonth, now_ms: int) -> RevisedView:
    zone = ZoneInfo(one.zone)
    return RevisedView(
        one.service,
        [(each.revision, instant(each.frozen_ms, zone, now_ms), each.reason) for each in one.revisions],
        [(key, [shown(each.figures.get(key)) for each in one.revisions]) for key in one.figures_to_compare],
    )


def _view(
    figures: Mapping[str, Any], allowed_ms: int | None, left: int | None, no_credit: str | None
) -> MonthView:
    guarantee = None if figures["guarantee"] is None else Decimal(figures["guarantee"])
    owed = figures["credit"]
    down_ms = figures["down_ms"]
    return MonthView(
        service=figures["service"],
        plan=figures["plan"],
        availability=_availability(figures, guarantee),
        guarantee=None if guarantee is None else plain_ratio(guarantee),
        breach=figures["breach"],
        complete=figures["complete"],
        until=figures["to"],
        down=duration(down_ms) if down_ms else None,
        allowed=None if allowed_ms is None else duration(allowed_ms // 1000 * 1000),
        spent=None if allowed_ms is None else _spent(down_ms, allowed_ms),
        left=None if left is None or left < 0 else duration(left // 1000 * 1000),
        coverage=percentage(Fraction(figures["coverage"])),
        doubtful=_doubtful(figures, allowed_ms),
        outages=figures["outages"],
        blips=figures["blips"],
        excluded=duration(figures["excluded_ms"]) if figures["excluded_ms"] else None,
        degraded=duration(figures["degraded_ms"]) if figures["degraded_ms"] else None,
        credit=None if owed is None else f"{owed['amount']} {owed['currency']}",
        no_credit=no_credit if owed is None else None,
    )


def _availability(figures: Mapping[str, Any], guarantee: Decimal | None) -> str | None:
    """From the exact figures, with as many digits as show a breach; None where nothing was seen."""
    total_ms = figures["total_ms"]
    if figures["availability"] is None or figures["unknown_ms"] >= total_ms:
        return None
    return percentage(Fraction(total_ms - figures["down_ms"], total_ms), guarantee)


def _doubtful(figures: Mapping[str, Any], allowed_ms: int | None) -> bool:
    if allowed_ms is None:
        return Fraction(figures["coverage"]) < _KNOWN_ENOUGH
    return bool(0 <= allowed_ms - figures["down_ms"] < figures["unknown_ms"])


def _spent(down_ms: int, allowed_ms: int) -> int:
    if allowed_ms <= 0:
        return 1000 if down_ms else 0
    return min(1000, -(-down_ms * 1000 // allowed_ms))
