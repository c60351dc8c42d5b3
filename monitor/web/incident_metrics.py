"""The metrics of open incidents as Prometheus text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from monitor.ledger.incident_clocks import Standing
from monitor.sla.clocks import Clock
from monitor.web.exposition import SLICE, escaped

_LEFT, _BREACHED = "ringback_incident_time_left_seconds", "ringback_incident_clock_breached"


def incident_exposition(found: Sequence[Standing]) -> Iterator[str]:
    """As their clocks stood when they were looked at last."""
    clocks = [(_labels(one, clock), clock) for one in found for clock in one.clocks]
    yield from _family(
        _LEFT,
        "Handling time that is left to a clock which runs; negative once more was used than was agreed.",
        [f"{{{labels}}} {clock.left_ms / 1000}\n" for labels, clock in clocks if clock.stopped_ms is None],
    )
    yield from _family(
        _BREACHED,
        "Whether a clock of an open incident was stopped after its deadline, or runs on after it (1).",
        [f"{{{labels}}} {int(clock.breached)}\n" for labels, clock in clocks],
    )


def _labels(one: Standing, clock: Clock) -> str:
    report = one.incident.report
    return f'service="{escaped(report.service)}",incident="{report.uid}",clock="{clock.name}"'


def _family(name: str, text: str, series: Sequence[str]) -> Iterator[str]:
    head = f"# HELP {name} {text}\n# TYPE {name} gauge\n"
    for start in range(0, len(series) or 1, SLICE):
        yield head + "".join(f"{name}{one}" for one in series[start : start + SLICE])
        head = ""
