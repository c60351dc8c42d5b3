"""What an outcome shows to Prometheus beyond success and duration: each prober declares its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from probes.outcome import Outcome

Sample = tuple[Mapping[str, str], float]
"""Labels and value."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A gauge. ``name`` begins with ``probe_``; ``samples`` takes an outcome, also one without an answer."""

    name: str
    help: str
    samples: Callable[[Outcome], Iterable[Sample]]
    of_phases: bool = False
    """It shows the outcome's phases, under the names that others have for them."""


def number(name: str, help: str, key: str) -> Metric:
    """The number (or truth value, or number as text) that the detail holds under ``key``; no sample without."""

    def samples(outcome: Outcome) -> Iterable[Sample]:
        value = outcome.detail.get(key)
        if isinstance(value, int | float | str):
            try:
                yield {}, float(value)
            except ValueError:
                return

    return Metric(name, help, samples)


def milliseconds(name: str, help: str, key: str) -> Metric:
    """Seconds, as Prometheus has times, of the milliseconds that the detail holds under ``key``."""

    def samples(outcome: Outcome) -> Iterable[Sample]:
        value = outcome.detail.get(key)
        if isinstance(value, int | float):
            yield {}, value / 1000

    return Metric(name, help, samples)


def timestamp(name: str, help: str, key: str) -> Metric:
    """Unix seconds of the ISO 8601 instant that the detail holds under ``key``."""

    def samples(outcome: Outcome) -> Iterable[Sample]:
        value = outcome.detail.get(key)
        if isinstance(value, str):
            yield {}, datetime.fromisoformat(value).timestamp()

    return Metric(name, help, samples)


def information(name: str, help: str, **keys: str) -> Metric:
    """Always 1, with texts of the detail as labels: ``version="tls"`` labels it with ``detail["tls"]``. No
    sample where none of them is there."""

    def samples(outcome: Outcome) -> Iterable[Sample]:
        labels = {label: str(outcome.detail[key]) for label, key in keys.items() if key in outcome.detail}
        if labels:
            yield {label: labels.get(label, "") for label in keys}, 1.0

    return Metric(name, help, samples)


def durations(name: str, help: str, *phases: str, **renamed: str) -> Metric:
    """Seconds by ``phase``: each of ``phases`` is always there, with 0 where the probe did not get to it.
    ``renamed`` gives a phase of ours the label that others know it by."""

    def samples(outcome: Outcome) -> Iterable[Sample]:
        took = dict(outcome.phases)
        for phase in phases:
            yield {"phase": renamed.get(phase, phase)}, took.get(phase, 0.0)

    return Metric(name, help, samples, of_phases=True)
