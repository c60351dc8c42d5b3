"""What Prometheus is shown of a TCP probe: as blackbox_exporter."""

from __future__ import annotations

from collections.abc import Iterable

from probes.metric import Metric, Sample
from probes.outcome import Outcome
from probes.tls_metrics import TLS_METRICS


def _failed_due_to_regex(outcome: Outcome) -> Iterable[Sample]:
    yield {}, float("regex_failed" in outcome.detail)


def _expected(outcome: Outcome) -> Iterable[Sample]:
    labels = outcome.detail.get("labels")
    if isinstance(labels, dict):
        yield labels, 1.0


METRICS = (
    Metric("probe_failed_due_to_regex", "Whether an expected line did not come", _failed_due_to_regex),
    Metric("probe_expect_info", "What was found in the expected lines", _expected),
    *TLS_METRICS,
)
