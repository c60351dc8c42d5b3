"""The end of repeated probes: what they saw in all, and what a check would have recorded."""

from __future__ import annotations

import zoneinfo
from collections.abc import Iterator
from typing import Any

from rich.text import Text

from monitor.cli.detail_view import STYLES
from monitor.cli.outcome_view import clock
from monitor.cli.probe_series import Series, Span
from monitor.sla.figures import duration
from monitor.sla.months import local_iso
from monitor.track.states import CheckChange, State
from probes.outcome import Verdict

_STYLES = {State(verdict): style for verdict, style in STYLES.items()}
_UTC = zoneinfo.ZoneInfo("UTC")


def change_line(change: CheckChange) -> Text:
    """What a check states, at the moment at which it does."""
    style = _STYLES[change.state]
    line = Text("      a check states: ", "dim").append(change.state.word, style)
    return line.append(f" from {clock(change.at_ms)} on", "dim")


def summary_record(series: Series) -> dict[str, Any]:
    """Times in seconds, loss as a share of 1, instants in UTC."""
    trips, pending_ms = series.round_trips, series.tracker.pending_ms
    return {
        "target": series.target,
        "probes": series.probes,
        **{verdict.word: series.verdicts[verdict] for verdict in Verdict},
        "loss": series.loss,
        "rtt_min_s": trips.least_s if trips.count else None,
        "rtt_avg_s": trips.mean_s if trips.count else None,
        "rtt_max_s": trips.most_s if trips.count else None,
        "jitter_s": trips.jitter_s if trips.count > 1 else None,
        "fall": series.tracker.fall,
        "rise": series.tracker.rise,
        "state": series.tracker.state.word,
        "outages": [_span_record(span) for span in series.spans(State.DOWN)],
        "blips": len(series.blips),
        "unconfirmed_since": None if pending_ms is None else _instant(pending_ms),
    }


def summary_lines(series: Series) -> Iterator[str]:
    """What ``ping`` says at its end, and what the contract would."""
    counts = [f"{series.verdicts[verdict]} {verdict.word.replace('_', ' ')}" for verdict in Verdict]
    lost = "" if series.loss is None else f"; {series.loss:.1%} lost"
    probes = "1 probe" if series.probes == 1 else f"{series.probes} probes"
    yield f"--- {series.target}: {probes} in {duration(series.lasted_ms)} ---"
    yield f"{', '.join(counts)}{lost}"
    trips = series.round_trips
    if trips.count:
        figures = (trips.least_s, trips.mean_s, trips.most_s, trips.jitter_s)
        yield f"round trip min/avg/max/jitter = {'/'.join(f'{s * 1000:.3f}' for s in figures)} ms"
    yield from _recorded(series)


def _recorded(series: Series) -> Iterator[str]:
    rule = f"A check with fall {series.tracker.fall} and rise {series.tracker.rise} would have recorded"
    outages = series.spans(State.DOWN)
    if not outages:
        yield f"{rule} no outage."
    for span in outages:
        begin = _instant(span.from_ms)
        if span.to_ms is None:
            yield f"{rule} an outage since {begin}, which goes on ({span.reason})."
        else:
            lasted = duration(span.to_ms - span.from_ms)
            yield f"{rule} an outage from {begin} to {_instant(span.to_ms)}, {lasted} ({span.reason})."
    for blip in series.blips:
        yield f"A blip at {_instant(blip.first_bad_ms)} was too short to be confirmed ({blip.reason})."
    if (pending_ms := series.tracker.pending_ms) is not None:
        yield f"Answers since {_instant(pending_ms)} differ from the state, and are not confirmed yet."
    unknown = series.verdicts[Verdict.NOT_ASKED]
    if unknown:
        yield f"{unknown} could not be asked: that time is unknown, and never held against the target."


def _span_record(span: Span) -> dict[str, Any]:
    return {
        "from": _instant(span.from_ms),
        "to": None if span.to_ms is None else _instant(span.to_ms),
        "for_ms": None if span.to_ms is None else span.to_ms - span.from_ms,
        "reason": span.reason,
    }


def _instant(at_ms: int) -> str:
    return local_iso(at_ms, _UTC)
