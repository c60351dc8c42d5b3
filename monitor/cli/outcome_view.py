"""One outcome, for people and for programs."""

from __future__ import annotations

import zoneinfo
from collections.abc import Iterator

from monitor.sla.months import local_iso
from probes.outcome import Outcome, Verdict

_UTC = zoneinfo.ZoneInfo("UTC")
_BAR = 40
"""Characters for the longest row of phases."""

_MEANING = {
    Verdict.GOOD: "good: enough of these in a row (rise) end an outage",
    Verdict.DEGRADED: "degraded: it answers, but not as well as was asked for",
    Verdict.BAD: "bad: enough of these in a row (fall) confirm an outage, which began when the first was sent",
    Verdict.NOT_ASKED: "unknown: the fault is on this side, and is never held against the target",
}


def as_record(target: str, outcome: Outcome, sent_ms: int) -> dict[str, object]:
    """Times in seconds; ``sent`` is ISO 8601 in UTC."""
    return {
        "target": target,
        "verdict": outcome.verdict.word,
        "reason": outcome.reason,
        "sent": local_iso(sent_ms, _UTC),
        "round_trip_s": outcome.round_trip_s,
        "phases": dict(outcome.phases),
        "detail": dict(outcome.detail),
    }


def as_text(target: str, outcome: Outcome, sent_ms: int) -> str:
    return "\n".join(_lines(target, outcome, sent_ms))


def _lines(target: str, outcome: Outcome, sent_ms: int) -> Iterator[str]:
    yield f"{target}: {outcome.verdict.word.replace('_', ' ')} ({outcome.reason})"
    yield ""
    yield f"  {'asked':<12} {local_iso(sent_ms, _UTC)}"
    if outcome.round_trip_s is not None:
        yield f"  {'round trip':<12} {_ms(outcome.round_trip_s)}"
    if outcome.phases:
        yield ""
        yield from _bars(outcome.phases)
    if outcome.detail:
        yield ""
        width = max(map(len, outcome.detail))
        yield from (f"  {key:<{width}}  {value}" for key, value in outcome.detail.items())
    yield ""
    yield f"A check would record it as {_MEANING[outcome.verdict]}."


def _bars(phases: tuple[tuple[str, float], ...]) -> Iterator[str]:
    """Each phase where it lay in the whole."""
    total_s = sum(seconds for _, seconds in phases) or 1.0
    width = max(len(name) for name, _ in phases)
    passed_s = 0.0
    for name, seconds in phases:
        begin = round(_BAR * passed_s / total_s)
        passed_s += seconds
        length = max(round(_BAR * passed_s / total_s) - begin, 1 if seconds else 0)
        bar = " " * min(begin, _BAR - length) + "#" * length
        yield f"  {name:<{width}}  {bar:<{_BAR}}  {_ms(seconds):>12}"


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.3f} ms"
