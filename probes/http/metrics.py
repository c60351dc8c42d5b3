"""What Prometheus is shown of an HTTP probe: as blackbox_exporter, also where there was no answer."""

from __future__ import annotations

from collections.abc import Iterable

from probes.http.trail import PHASES
from probes.metric import Metric, Sample, durations, timestamp
from probes.outcome import Outcome
from probes.tls_metrics import TLS_METRICS


def _always(name: str, help: str, key: str) -> Metric:
    """The number that the detail holds under ``key``, 0 without."""

    def samples(outcome: Outcome) -> Iterable[Sample]:
        yield {}, float(str(outcome.detail.get(key, 0)))

    return Metric(name, help, samples)


def _content_length(outcome: Outcome) -> Iterable[Sample]:
    unknown = -1 if "status" in outcome.detail else 0
    yield {}, float(str(outcome.detail.get("content_length", unknown)))


def _ssl(outcome: Outcome) -> Iterable[Sample]:
    yield {}, float("status" in outcome.detail and "tls" in outcome.detail)


def _failed_due_to_regex(outcome: Outcome) -> Iterable[Sample]:
    yield {}, float("regex_failed" in outcome.detail)


METRICS = (
    durations("probe_http_duration_seconds", "Duration of HTTP by phase, summed over all redirects", *PHASES),
    _always("probe_http_status_code", "Status of the last answer", "status"),
    _always("probe_http_version", "HTTP version of the last answer", "http"),
    Metric("probe_http_content_length", "Content-Length of the answer; -1 without one", _content_length),
    _always(
        "probe_http_uncompressed_body_length", "Bytes of the body, without its compression", "body_bytes"
    ),
    _always("probe_http_redirects", "Redirects that were followed", "redirects"),
    Metric("probe_http_ssl", "Whether the last answer came over TLS", _ssl),
    Metric(
        "probe_failed_due_to_regex", "Whether a header or the body was not as expected", _failed_due_to_regex
    ),
    timestamp("probe_http_last_modified_timestamp_seconds", "Last-Modified of the answer", "last_modified"),
    *TLS_METRICS,
)
