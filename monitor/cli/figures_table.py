"""Figures of services for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

from monitor.cli.output import RIGHT, print_table
from monitor.ledger.report import MonthFigures, ReportedMonth
from monitor.ledger.rollup import Rollup
from monitor.sla.availability import left_ms
from monitor.sla.credit import NoCredit
from monitor.sla.figures import duration, percentage, plain_ratio
from monitor.sla.months import month_of

_TITLES = (
    "SERVICE",
    "PLAN",
    f"{RIGHT}AVAILABILITY",
    f"{RIGHT}GUARANTEE",
    f"{RIGHT}DOWNTIME",
    f"{RIGHT}ALLOWED",
    f"{RIGHT}OUTAGES",
    f"{RIGHT}COVERAGE",
    "CREDIT",
)


def print_months(months: Sequence[MonthFigures]) -> None:
    """One line a service; of months that go on with the downtime that is left until the breach."""
    titles, cells = list(_TITLES), [_row(one.figures, one.no_credit) for one in months]
    if not all(one.figures["complete"] for one in months):
        titles.append(f"{RIGHT}LEFT TO BREACH")
        for one, row in zip(months, cells, strict=True):
            row.append(_left(one.rolled) if isinstance(one, ReportedMonth) else "")
    print_table(titles, cells)


def print_window(rolled: Rollup) -> None:
    """The line of a service in any window."""
    owed = rolled.owed
    print_table(_TITLES, [_row(rolled.figures(), owed.reason if isinstance(owed, NoCredit) else "")])


def _row(figures: Mapping[str, Any], no_credit: str) -> list[str]:
    guarantee = None if figures["guarantee"] is None else Decimal(figures["guarantee"])
    allowed = figures["allowed_down_ms"]
    return [
        figures["service"],
        figures["plan"] or "none",
        _availability(figures, guarantee),
        "none" if guarantee is None else plain_ratio(guarantee),
        duration(figures["down_ms"]),
        "" if allowed is None else duration(allowed),
        str(figures["outages"]),
        percentage(Fraction(figures["coverage"])),
        _credit(figures["credit"], no_credit),
    ]


def _availability(figures: Mapping[str, Any], guarantee: Decimal | None) -> str:
    """With as many digits as show the breach, from the exact figures."""
    total_ms = figures["total_ms"]
    if figures["availability"] is None or figures["unknown_ms"] >= total_ms:
        return "not known"
    return percentage(Fraction(total_ms - figures["down_ms"], total_ms), guarantee)


def _left(rolled: Rollup) -> str:
    """Downtime until the breach, while the month goes on."""
    if rolled.measured.complete:
        return ""
    zone = rolled.agreement.tz
    whole = rolled.agreement.month(month_of(rolled.measured.window[0], zone))
    left = left_ms(rolled.measured, whole)
    if left is None:
        return ""
    return "breached" if left < 0 else duration(left)


def _credit(owed: Mapping[str, Any] | None, no_credit: str) -> str:
    return f"none: {no_credit}" if owed is None else f"{owed['amount']} {owed['currency']}"
