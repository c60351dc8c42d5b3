"""Figures of services for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

from monitor.cli.output import RIGHT, print_table
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


def print_figures(rows: Sequence[tuple[Rollup, Mapping[str, Any]]], running: bool = False) -> None:
    """One line a service: the figures as they are to be shown, and the roll-up that they come from.

    ``running``: the windows are months that go on, and have downtime left until the breach.
    """
    titles, cells = list(_TITLES), [_row(rolled, figures) for rolled, figures in rows]
    if running:
        titles.append(f"{RIGHT}LEFT TO BREACH")
        for (rolled, figures), row in zip(rows, cells, strict=True):
            row.append(_left(rolled, figures))
    print_table(titles, cells)


def _row(rolled: Rollup, figures: Mapping[str, Any]) -> list[str]:
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
        _credit(rolled, figures),
    ]


def _availability(figures: Mapping[str, Any], guarantee: Decimal | None) -> str:
    """With as many digits as show the breach, from the exact figures."""
    total_ms = figures["total_ms"]
    if figures["availability"] is None or figures["unknown_ms"] >= total_ms:
        return "not known"
    return percentage(Fraction(total_ms - figures["down_ms"], total_ms), guarantee)


def _left(rolled: Rollup, figures: Mapping[str, Any]) -> str:
    """Downtime until the breach, while the month goes on."""
    if figures["complete"]:
        return ""
    zone = rolled.agreement.tz
    whole = rolled.agreement.month(month_of(rolled.measured.window[0], zone))
    left = left_ms(rolled.measured, whole)
    if left is None:
        return ""
    return "breached" if left < 0 else duration(left)


def _credit(rolled: Rollup, figures: Mapping[str, Any]) -> str:
    owed = figures["credit"]
    if owed is None:
        return f"none: {rolled.owed.reason}" if isinstance(rolled.owed, NoCredit) else "none"
    return f"{owed['amount']} {owed['currency']}"
