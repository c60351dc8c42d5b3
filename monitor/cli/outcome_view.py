"""One outcome, for people and for programs."""

from __future__ import annotations

import zoneinfo
from collections.abc import Iterator
from datetime import UTC, datetime

from rich.text import Text

from monitor.cli.detail_view import STYLES, certificate_lines, detail_lines, without_certificate
from monitor.cli.output import printable
from monitor.cli.status_codes import phrase, sentence
from monitor.sla.months import from_ms, local_iso
from monitor.track.states import State
from probes.outcome import Outcome, Verdict
from probes.trace import Line, Trace

_UTC = zoneinfo.ZoneInfo("UTC")
_BAR = 40
"""Characters for the longest row of phases."""

_BAR_STYLES = ("blue", "cyan", "green", "magenta", "yellow")


def as_record(target: str, outcome: Outcome, sent_ms: int) -> dict[str, object]:
    """Times in seconds; ``sent`` is ISO 8601 in UTC, ``state`` what a check counts the outcome as."""
    return {
        "target": target,
        "verdict": outcome.verdict.word,
        "reason": outcome.reason,
        "state": State(outcome.verdict).word,
        "sent": local_iso(sent_ms, _UTC),
        "round_trip_s": outcome.round_trip_s,
        "phases": dict(outcome.phases),
        "detail": dict(outcome.detail),
    }


def log_record(trace: Trace, begun_ns: int) -> list[dict[str, object]]:
    """The log of a probe that began at ``begun_ns`` (``time.monotonic_ns()``)."""
    return [
        {"ms": round((line.at_ns - begun_ns) / 1e6, 3), "what": line.what, **line.facts}
        for line in trace.lines
    ]


def outcome_lines(
    target: str, outcome: Outcome, sent_ms: int, fall: int, rise: int, bar: str = "━"
) -> Iterator[Text]:
    """All there is to see of one probe."""
    yield (
        Text().append(f"{target}: ", "bold").append(_verdict(outcome)).append(f" ({worded(target, outcome)})")
    )
    if (meaning := sentence(outcome.reason)) is not None:
        yield Text(f"  {meaning}")
    yield Text()
    yield Text(f"  {'asked':<12} {local_iso(sent_ms, _UTC)}")
    if outcome.round_trip_s is not None:
        yield Text(f"  {'round trip':<12} {ms(outcome.round_trip_s)}")
    if outcome.phases:
        yield Text()
        yield from _bars(outcome.phases, bar)
    if plain := without_certificate(outcome.detail):
        yield Text()
        yield from detail_lines(plain)
    certificate = list(certificate_lines(outcome.detail, datetime.now(UTC)))
    if certificate:
        yield Text()
        yield from certificate
    yield Text()
    yield Text(_recorded(outcome.verdict, fall, rise))


def outcome_line(number: int, target: str, outcome: Outcome, sent_ms: int) -> Text:
    """One probe of many."""
    line = Text(f"{number:>4}  {clock(sent_ms)}  ")
    line.append(f"{outcome.verdict.word.replace('_', ' '):<9}", STYLES[outcome.verdict])
    took = "" if outcome.round_trip_s is None else ms(outcome.round_trip_s)
    line.append(f"  {took:>12}  {worded(target, outcome)}")
    if isinstance(address := outcome.detail.get("address"), str):
        line.append(f"  {printable(address)}", "dim")
    return line


def log_lines(trace: Trace, begun_ns: int) -> Iterator[Text]:
    """The steps of a probe, each with its instant since the beginning; texts of many lines indented below."""
    for line in trace.lines:
        yield from _step(line, (line.at_ns - begun_ns) / 1e6)
    if trace.more:
        yield Text(f"{'':>14}  ... and {trace.more} more")


def worded(target: str, outcome: Outcome) -> str:
    """The reason, a status code with its phrase: ``404 Not Found``."""
    meaning = phrase(target, outcome.reason)
    return printable(f"{outcome.reason} {meaning}" if meaning else outcome.reason)


def clock(at_ms: int) -> str:
    """The time of day in UTC."""
    return f"{from_ms(at_ms, _UTC):%H:%M:%S}.{at_ms % 1000:03}"


def ms(seconds: float) -> str:
    return f"{seconds * 1000:.3f} ms"


def _verdict(outcome: Outcome) -> Text:
    return Text(outcome.verdict.word.replace("_", " "), STYLES[outcome.verdict])


def _step(line: Line, at_ms: float) -> Iterator[Text]:
    step = Text(f"{at_ms:>+11.3f} ms  ", "dim").append(line.what, "bold")
    texts = []
    for name, fact in line.facts.items():
        shown = printable(fact)
        if "\n" in shown.strip():
            texts.append((name, shown))
        else:
            step.append(f"  {name}=", "cyan").append(shown.strip())
    yield step
    for name, shown in texts:
        yield Text(f"{'':>16}{name}:", "cyan")
        yield from (Text(f"{'':>18}{one}") for one in shown.rstrip().splitlines())


def _recorded(verdict: Verdict, fall: int, rise: int) -> str:
    """What a check makes of one such outcome, and by which rule."""
    if verdict is Verdict.GOOD:
        return f"A check counts this as up. {rise} such answers in a row (rise) end an outage, when the first was sent."
    if verdict is Verdict.DEGRADED:
        return (
            "A check counts this as degraded: it answers, but not as well as was asked for. "
            f"{fall} in a row (fall) confirm it, from the first on."
        )
    if verdict is Verdict.BAD:
        return (
            f"A check counts this as down. {fall} in a row (fall) confirm an outage, "
            "which began when the first of them was sent."
        )
    return (
        "A check records this as unknown: the fault is on this side, and is never held against the target. "
        "It neither begins nor ends an outage."
    )


def _bars(phases: tuple[tuple[str, float], ...], bar: str) -> Iterator[Text]:
    """Each phase where it lay in the whole."""
    total_s = sum(seconds for _, seconds in phases) or 1.0
    width = max(len(name) for name, _ in phases)
    passed_s = 0.0
    for number, (name, seconds) in enumerate(phases):
        begin = round(_BAR * passed_s / total_s)
        passed_s += seconds
        length = max(round(_BAR * passed_s / total_s) - begin, 1 if seconds else 0)
        begin = min(begin, _BAR - length)
        line = Text(f"  {name:<{width}}  {'':<{begin}}")
        line.append(bar * length, _BAR_STYLES[number % len(_BAR_STYLES)])
        yield line.append(f"{'':<{_BAR - begin - length}}  {ms(seconds):>12}")
