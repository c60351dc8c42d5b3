"""What Prometheus is shown of a DNS probe: as blackbox_exporter, also where there was no answer."""

from __future__ import annotations

from collections.abc import Iterable

from probes.metric import Metric, Sample, number
from probes.outcome import Outcome
from probes.tls_metrics import TLS_METRICS


def _durations(outcome: Outcome) -> Iterable[Sample]:
    """blackbox_exporter connects and shakes hands in one phase."""
    took = dict(outcome.phases)
    yield {"phase": "resolve"}, took.get("resolve", 0.0)
    yield {"phase": "connect"}, took.get("connect", 0.0) + took.get("tls", 0.0)
    yield {"phase": "request"}, took.get("truncated", 0.0) + took.get("request", 0.0)


def _records(section: str) -> Metric:
    key = f"{section}_rrs"

    def samples(outcome: Outcome) -> Iterable[Sample]:
        yield {}, float(str(outcome.detail.get(key, 0)))

    return Metric(f"probe_dns_{key}", f"Records in the {section} section", samples)


def _succeeded(outcome: Outcome) -> Iterable[Sample]:
    yield {}, float("rcode" in outcome.detail)


METRICS = (
    Metric("probe_dns_duration_seconds", "Duration of DNS request by phase", _durations, of_phases=True),
    _records("answer"),
    _records("authority"),
    _records("additional"),
    Metric("probe_dns_query_succeeded", "Whether the query was answered, however", _succeeded),
    number("probe_dns_serial", "Serial number of the zone, of the SOA record in the answer", "serial"),
    *TLS_METRICS,
)
