"""From what an agent says to the outcome of a probe."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from probes.outcome import Verdict
from probes.snmp.figures import Figures, Row, counted, figures, in_use
from probes.snmp.options import SnmpOptions
from probes.snmp.pdu import Binding
from probes.snmp.question import OPER_STATUS, SYS_UP_TIME, Expected, Question
from probes.snmp.ranges import Limits, Ranges, parse_ranges
from probes.snmp.rates import Reading
from probes.snmp.sensor import Sensor

MOST_ROWS_SHOWN = 256
"""Rows of a table in the detail; those that something speaks against come first."""

_UP = Expected("up", 1, 1)


@dataclass(frozen=True, slots=True)
class Judged:
    """What is to be said of an answer."""

    verdict: Verdict
    reason: str
    detail: dict[str, object]


def judge_object(binding: Binding, question: Question, options: SnmpOptions) -> Judged:
    """One object, by the wanted value and by ranges."""
    detail: dict[str, object] = {"oid": ".".join(map(str, binding.oid))}
    if binding.missing:
        return Judged(Verdict.BAD, binding.word, detail)
    detail["value"] = binding.value
    if binding.oid == SYS_UP_TIME and isinstance(binding.value, int):
        detail["uptime_s"] = binding.value / 100
    expected = options.expect or (_UP if question.is_oper_status else None)
    verdict, reason = Verdict.GOOD, "answered"
    if expected is not None and not expected.accepts(binding.value):
        verdict, reason = Verdict.BAD, "unexpected value"
    elif isinstance(binding.value, int):
        for worse, limits in ((Verdict.BAD, options.bad), (Verdict.DEGRADED, options.degraded)):
            if any(binding.value in ranges for _, ranges in limits):
                verdict, reason = worse, "out of range"
                break
    if question.is_oper_status and isinstance(binding.value, int):
        reason = OPER_STATUS.get(binding.value, "no such status")
    return Judged(verdict, reason, detail)


def judge_sensor(
    sensor: Sensor, rows: list[Row], options: SnmpOptions, before: Reading | None, now: Reading
) -> Judged:
    """The rows of a sensor: the worst that any figure of any row is."""
    named = options.row is not None
    if named and not in_use(sensor, rows[0]) and sensor.otherwise:
        return Judged(Verdict.DEGRADED, sensor.otherwise, {"sensor": sensor.name, "row": options.row})
    counting = [row for row in rows if counted(sensor, row)]
    if not counting:
        return Judged(Verdict.BAD, "no such row" if named else "nothing to read", {"sensor": sensor.name})
    known = {row.name: figures(sensor, row, before, now) for row in counting}
    findings = {name: _worst(sensor, options, of_row) for name, of_row in known.items()}
    name, (verdict, reason) = max(findings.items(), key=lambda one: one[1][0])  # the first of the worst
    if name and len(known) > 1 and verdict is not Verdict.GOOD:
        reason = f"{name}: {reason}"
    shown = sorted(known, key=lambda one: -findings[one][0])[:MOST_ROWS_SHOWN]
    detail: dict[str, object] = {"sensor": sensor.name, "figures": {one: dict(known[one]) for one in shown}}
    if len(known) > len(shown):
        detail["rows"] = len(known)
    return Judged(verdict, reason, detail)


def _worst(sensor: Sensor, options: SnmpOptions, of_row: Figures) -> tuple[Verdict, str]:
    return max(_findings(sensor, options, of_row), key=lambda one: one[0], default=(Verdict.GOOD, "answered"))


def _findings(sensor: Sensor, options: SnmpOptions, of_row: Figures) -> Iterator[tuple[Verdict, str]]:
    for verdict, limits in (
        (Verdict.BAD, limits_of(sensor, sensor.bad, options.bad)),
        (Verdict.DEGRADED, limits_of(sensor, sensor.degraded, options.degraded)),
    ):
        for figure in sensor.figures:
            value = of_row.get(figure.name)
            if value is not None and figure.name in limits and value in limits[figure.name]:
                yield verdict, figure.words.get(int(value), figure.name)


def limits_of(sensor: Sensor, usual: Mapping[str, str], wanted: Limits) -> dict[str, Ranges]:
    """The sensor's own limits, and those of the operator in their place."""
    limits = {name: parse_ranges(text) for name, text in usual.items()}
    return limits | {name or sensor.figures[0].name: ranges for name, ranges in wanted}
