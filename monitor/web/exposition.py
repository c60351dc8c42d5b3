"""The metrics of checks and services as Prometheus text (exposition format 0.0.4), rendered slice by slice.

There are a dozen series for each service and half a dozen for each check: far too many for the objects of a
client library. Labels are escaped once for each configuration, a series is one formatted string, and the
text comes in pieces of so many subjects, between which the loop goes on (see monitor.web.slices).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import starmap
from typing import Any, Generic, Literal, TypeVar

from monitor.live import LiveCheck, LiveService
from monitor.sla.availability import Availability
from monitor.sla.credit import Credit
from monitor.track.states import State
from probes.metric import Metric
from probes.outcome import Verdict
from probes.prober import Prober

# Looking a member up in its enum takes as long as the line that depends on it.
_BAD, _NOT_ASKED = Verdict.BAD, Verdict.NOT_ASKED
_DOWN, _UNKNOWN = State.DOWN, State.UNKNOWN

SLICE = 500
"""Checks or services in one piece at most."""

Subject = TypeVar("Subject", LiveCheck, LiveService)
Labelled = tuple[Subject, str]
"""A subject and its labels, escaped, as they stand between the braces."""


@dataclass(frozen=True, slots=True)
class Family(Generic[Subject]):
    """All series of one name."""

    name: str
    kind: Literal["gauge", "counter"]
    help: str
    text: Callable[[Subject, str], str]
    """The lines of a subject with these labels; '' where there is nothing to say."""

    def pieces(self, subjects: Sequence[Labelled[Subject]]) -> Iterator[str]:
        head = f"# HELP {self.name} {self.help}\n# TYPE {self.name} {self.kind}\n"
        for start in range(0, len(subjects) or 1, SLICE):
            yield head + "".join(starmap(self.text, subjects[start : start + SLICE]))
            head = ""


class Exposition:
    """Renders what is live; keeps the labels between one scrape and the next."""

    def __init__(self, services: Mapping[str, LiveService]) -> None:
        self._services = services
        self._known: dict[str, _Labels] = {}

    def pieces(self, now_ms: int) -> Iterator[str]:
        """The text of all families, each in one stretch."""
        known: dict[str, _Labels] = {}
        checks: list[Labelled[LiveCheck]] = []
        services: list[Labelled[LiveService]] = []
        for number, (service_id, service) in enumerate(tuple(self._services.items()), 1):
            labels = self._known.get(service_id)
            if labels is None or labels.service is not service:
                labels = _labels(service_id, service)
            known[service_id] = labels
            services.append((service, labels.own))
            checks += labels.checks
            if number % SLICE == 0:
                yield ""
        self._known = known  # without those that are gone
        for of_check in CHECK_FAMILIES:
            yield from of_check.pieces(checks)
        yield from _declared(checks)
        for of_service in (*SERVICE_FAMILIES, _open_outages(now_ms)):
            yield from of_service.pieces(services)


@dataclass(frozen=True, slots=True)
class _Labels:
    service: LiveService
    own: str
    checks: tuple[Labelled[LiveCheck], ...]


def _labels(service_id: str, service: LiveService) -> _Labels:
    own = f'service="{escaped(service_id)}"'
    checks = tuple((check, f'{own},check="{escaped(check.name)}"') for check in service.checks)
    return _Labels(service, own, checks)


def escaped(value: str) -> str:
    """A label's value as it stands between its quotes."""
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _success(check: LiveCheck, labels: str) -> str:
    outcome = check.outcome
    if outcome is None or outcome.verdict is _NOT_ASKED:
        return ""
    return f"ringback_probe_success{{{labels}}} {0 if outcome.verdict is _BAD else 1}\n"


def _duration(check: LiveCheck, labels: str) -> str:
    outcome = check.outcome
    if outcome is None or outcome.round_trip_s is None or outcome.verdict is _NOT_ASKED:
        return ""
    return f"ringback_probe_duration_seconds{{{labels}}} {outcome.round_trip_s:.6f}\n"


def _phases(check: LiveCheck, labels: str) -> str:
    text = ""
    if check.outcome is not None:
        for phase, seconds in check.outcome.phases:
            text += f'ringback_probe_phase_seconds{{{labels},phase="{phase}"}} {seconds:.6f}\n'
    return text


def _probes(check: LiveCheck, labels: str) -> str:
    good, degraded, bad, not_asked = check.counts
    return (
        f'ringback_probes_total{{{labels},outcome="good"}} {good}\n'
        f'ringback_probes_total{{{labels},outcome="degraded"}} {degraded}\n'
        f'ringback_probes_total{{{labels},outcome="bad"}} {bad}\n'
        f'ringback_probes_total{{{labels},outcome="not_asked"}} {not_asked}\n'
    )


CHECK_FAMILIES: tuple[Family[LiveCheck], ...] = (
    Family(
        "ringback_probe_success",
        "gauge",
        "Whether the last probe was answered (1; a degraded answer is one) or was answered badly or not at"
        " all (0). Absent where we could not ask.",
        _success,
    ),
    Family(
        "ringback_probe_duration_seconds",
        "gauge",
        "Round trip of the last probe. Absent where there was no answer, or a retransmission makes it ambiguous.",
        _duration,
    ),
    Family("ringback_probe_phase_seconds", "gauge", "What each phase of the last probe took.", _phases),
    Family(
        "ringback_probes_total",
        "counter",
        "Probes since the agent started, by outcome. not_asked says nothing of the target.",
        _probes,
    ),
)


def _declared(checks: Sequence[Labelled[LiveCheck]]) -> Iterator[str]:
    """What probers declare beyond this, each name in one stretch. Phases are shown already."""
    by_prober: dict[type[Prober[Any, Any]], list[Labelled[LiveCheck]]] = {}
    for number, (check, labels) in enumerate(checks, 1):
        if check.prober is not None:
            by_prober.setdefault(check.prober, []).append((check, labels))
        if number % SLICE == 0:
            yield ""
    named: dict[str, list[tuple[Metric, list[Labelled[LiveCheck]]]]] = {}
    for prober, of_prober in by_prober.items():
        for metric in prober.metrics:
            if not metric.of_phases:
                named.setdefault(metric.name, []).append((metric, of_prober))
    for own_name, declared in sorted(named.items()):
        name = f"ringback_{own_name}"
        head = f"# HELP {name} {declared[0][0].help}\n# TYPE {name} gauge\n"
        lines: list[str] = []
        for metric, of_prober in declared:
            for number, labelled in enumerate(of_prober, 1):
                lines += _samples(name, metric, *labelled)
                if number % SLICE == 0 or len(lines) >= SLICE:
                    yield head * bool(lines) + "".join(lines)
                    head, lines = head * (not lines), []
        yield head * bool(lines) + "".join(lines)


def _samples(name: str, metric: Metric, check: LiveCheck, labels: str) -> Iterator[str]:
    outcome = check.outcome  # it may be another one than that of the slice before
    if outcome is None or outcome.verdict is _NOT_ASKED:
        return
    for own, value in metric.samples(outcome):
        more = "".join(f',{key}="{escaped(str(own[key]))}"' for key in sorted(own))
        yield f"{name}{{{labels}{more}}} {float(value)!r}\n"


def _up(service: LiveService, label: str) -> str:
    if service.state is _UNKNOWN:
        return ""
    return f"ringback_service_up{{{label}}} {0 if service.state is _DOWN else 1}\n"


_STATES = {
    now: "".join(
        f'ringback_service_state{{\0,state="{state.word}"}} {int(state is now)}\n' for state in State
    )
    for now in State
}
"""The lines of a service in each state, with a NUL where its label belongs."""


def _states(service: LiveService, label: str) -> str:
    return _STATES[service.state].replace("\0", label)


def _outages(service: LiveService, label: str) -> str:
    return f"ringback_outages_total{{{label}}} {service.outages}\n"


def _open_outages(now_ms: int) -> Family[LiveService]:
    name = "ringback_outage_open_seconds"

    def text(service: LiveService, label: str) -> str:
        if service.outage_since_ms is None:
            return ""
        return f"{name}{{{label}}} {max(0, now_ms - service.outage_since_ms) / 1000}\n"

    return Family(name, "gauge", "Time since the first bad probe of the outage that is open.", text)


def _figure(name: str, help: str, figure: Callable[[Availability], object]) -> Family[LiveService]:
    """A figure of the running month, absent where it is None."""

    def text(service: LiveService, label: str) -> str:
        if service.figures is None or (value := figure(service.figures.measured)) is None:
            return ""
        return f"{name}{{{label}}} {value}\n"

    return Family(name, "gauge", help, text)


def _credit(service: LiveService, label: str) -> str:
    month = service.figures
    if month is None or month.agreement.fee is None:
        return ""
    owed = month.owed
    if isinstance(owed, Credit):
        amount = f"{owed.amount.amount:f}"
    elif month.measured.guarantee is not None and month.measured.ratio is not None:
        amount = "0"
    else:
        return ""
    return f'ringback_month_credit{{{label},currency="{month.agreement.fee.currency}"}} {amount}\n'


def _availability(measured: Availability) -> str | None:
    total_ms = measured.total_ms
    return _ratio(total_ms - measured.down_ms, total_ms) if total_ms > 0 else None


def _coverage(measured: Availability) -> str:
    from_ms, to_ms = measured.window
    return _ratio(to_ms - from_ms - measured.unknown_ms, to_ms - from_ms)


def _ratio(part: int, whole: int) -> str:
    """Truncated at eight places, as reports have it: what is below a guarantee stays below it."""
    return "1" if part == whole else f"0.{part * 100_000_000 // whole:08}"


def _allowed(measured: Availability) -> float | None:
    allowed_ms = measured.allowed_down_ms
    return None if allowed_ms is None else allowed_ms / 1000


SERVICE_FAMILIES: tuple[Family[LiveService], ...] = (
    Family(
        "ringback_service_up",
        "gauge",
        "Whether the service is up (1; degraded is up) or down (0). Absent while its state is unknown.",
        _up,
    ),
    Family("ringback_service_state", "gauge", "1 for the state that the service is in, else 0.", _states),
    Family(
        "ringback_outages_total",
        "counter",
        "Outages that began since the agent started.",
        _outages,
    ),
    _figure(
        "ringback_month_availability_ratio",
        "Availability of the running month so far, as the plan counts it.",
        _availability,
    ),
    _figure(
        "ringback_month_downtime_seconds",
        "Downtime of the running month after exclusions.",
        lambda measured: measured.down_ms / 1000,
    ),
    _figure(
        "ringback_month_allowed_downtime_seconds",
        "The most downtime of the running month, so far, that is no breach.",
        _allowed,
    ),
    _figure(
        "ringback_month_coverage_ratio",
        "Share of the running month so far in which the state was known.",
        _coverage,
    ),
    _figure(
        "ringback_guarantee_ratio",
        "The availability that the plan guarantees for each month.",
        lambda measured: measured.guarantee,
    ),
    Family(
        "ringback_month_credit",
        "gauge",
        "The credit that would be owed if the month ended now.",
        _credit,
    ),
)
