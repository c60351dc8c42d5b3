"""What Prometheus is shown of a burst."""

from __future__ import annotations

from collections.abc import Iterable

from probes.metric import Metric, Sample, durations, number
from probes.outcome import Outcome

_MS = 1e-3


def _directed(name: str, help: str, factor: float, **keys: str) -> Metric:
    """Numbers of the detail, times ``factor``, by ``direction``: ``forward="x"`` is what stands under x."""

    def samples(outcome: Outcome) -> Iterable[Sample]:
        for direction, key in keys.items():
            value = outcome.detail.get(key)
            if isinstance(value, int | float):
                yield {"direction": direction}, value * factor

    return Metric(name, help, samples)


def _seconds(name: str, help: str, key: str) -> Metric:
    """The milliseconds that the detail holds under ``key``."""

    def samples(outcome: Outcome) -> Iterable[Sample]:
        value = outcome.detail.get(key)
        if isinstance(value, int | float):
            yield {}, value * _MS

    return Metric(name, help, samples)


METRICS = (
    durations(
        "probe_stamp_duration_seconds",
        "Duration of STAMP probe by phase",
        *("resolve", "setup", "reflect"),
        reflect="rtt",
    ),
    number("probe_stamp_loss_ratio", "Share of the test packets that no answer came to", "loss"),
    _directed(
        "probe_stamp_lost_packets",
        "Test packets lost in each direction, as far as the reflector's numbers tell",
        1,
        forward="forward_lost",
        backward="backward_lost",
        unknown="unattributed_lost",
    ),
    _seconds("probe_stamp_rtt_min_seconds", "Shortest round trip, less the reflector's time", "rtt_min_ms"),
    _seconds("probe_stamp_rtt_max_seconds", "Longest round trip, less the reflector's time", "rtt_max_ms"),
    _seconds("probe_stamp_dwell_seconds", "Mean time for which the reflector held a packet", "dwell_ms"),
    _directed(
        "probe_stamp_jitter_seconds",
        "Mean difference of the delays of consecutive packets",
        _MS,
        both="jitter_ms",
        forward="forward_jitter_ms",
        backward="backward_jitter_ms",
    ),
    _directed(
        "probe_stamp_delay_variation_seconds",
        "Longest less shortest delay in each direction",
        _MS,
        forward="forward_variation_ms",
        backward="backward_variation_ms",
    ),
    _directed(
        "probe_stamp_delay_seconds",
        "Mean delay in each direction, where both clocks are synchronised",
        _MS,
        forward="forward_delay_avg_ms",
        backward="backward_delay_avg_ms",
    ),
    _seconds(
        "probe_stamp_delay_error_seconds", "How far off the delays may be, by both clocks", "delay_error_ms"
    ),
    number("probe_stamp_duplicate_packets", "Answers that came again", "duplicates"),
    number("probe_stamp_reordered_packets", "Answers that came after one to a later packet", "reordered"),
)
