"""The metrics of the agent itself, by prometheus-client: few series, read from what is live at each scrape."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from itertools import accumulate

from prometheus_client import CollectorRegistry, GCCollector, ProcessCollector, disable_created_metrics
from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from monitor.live import Histogram, Live


def agent_registry(live: Live) -> CollectorRegistry:
    """A registry of our own: the agent, its process, its garbage collector."""
    disable_created_metrics()  # type: ignore[no-untyped-call]
    registry = CollectorRegistry()
    registry.register(_AgentCollector(live))
    ProcessCollector(registry=registry)
    GCCollector(registry=registry)
    return registry


def agent_exposition(registry: CollectorRegistry) -> str:
    """The text of its metrics; takes about a millisecond, most of it for reading /proc."""
    return generate_latest(registry).decode()


class _AgentCollector(Collector):
    def __init__(self, live: Live) -> None:
        self._live = live

    def collect(self) -> Iterator[Metric]:
        live = self._live
        yield _histogram("ringback_schedule_lateness_seconds", "How late probes were started.", live.lateness)
        yield GaugeMetricFamily(
            "ringback_loop_lag_seconds",
            "The longest that the loop was held in the last second.",
            live.loop_lag_s,
        )
        yield GaugeMetricFamily(
            "ringback_store_queue_length", "Statements that wait to be written.", live.queued
        )
        yield GaugeMetricFamily(
            "ringback_store_failing", "Whether the last write failed (1).", live.store_failing is not None
        )
        yield GaugeMetricFamily(
            "ringback_coverage_timestamp_seconds",
            "The instant up to which coverage is on disk.",
            live.covered_ms / 1000,
        )
        yield GaugeMetricFamily(
            "ringback_cut_off",
            "Whether no reference target answers (1); nothing is judged then.",
            live.cut_off,
        )
        yield GaugeMetricFamily(
            "ringback_clock_ahead_seconds",
            "How far the records are ahead of the host's clock, which was set back.",
            live.clock_ahead_ms / 1000,
        )
        yield GaugeMetricFamily(
            "ringback_config_last_reload_successful",
            "Whether the configuration was taken when it was last read (1).",
            live.config_ok,
        )
        yield GaugeMetricFamily(
            "ringback_config_last_reload_success_timestamp_seconds",
            "When a configuration was last taken.",
            live.config_loaded_ms / 1000,
        )
        yield _build_info(live)


def _histogram(name: str, documentation: str, seen: Histogram) -> HistogramMetricFamily:
    bounds = [*map(str, seen.bounds), "+Inf"]
    counts = accumulate(seen.counts)
    return HistogramMetricFamily(
        name, documentation, buckets=list(zip(bounds, counts, strict=True)), sum_value=seen.total
    )


def _build_info(live: Live) -> GaugeMetricFamily:
    info = GaugeMetricFamily(
        "ringback_build_info",
        "The version that runs, as labels of 1.",
        labels=["version", "python", "vantage"],
    )
    info.add_metric([live.version, platform.python_version(), live.vantage], 1)
    return info
