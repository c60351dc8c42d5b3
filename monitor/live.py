"""What is known right now: written by the agent, read by pages and metrics. Every state here is on disk."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from typing import Any

from monitor.config.values import ServiceConfig
from monitor.ledger.claims_due import ClaimsDue
from monitor.ledger.incident_clocks import Standing
from monitor.ledger.rollup import Rollup
from monitor.track.states import State
from probes.outcome import Outcome
from probes.prober import Prober

LATENESS_BOUNDS_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)


@dataclass(slots=True)
class LiveCheck:
    """A check: its last outcome, how many there were by verdict (index: Verdict), and its state."""

    name: str
    outcome: Outcome | None = None
    seen_ms: int | None = None
    counts: list[int] = field(default_factory=lambda: [0, 0, 0, 0])
    state: State = State.UNKNOWN
    since_ms: int | None = None
    suspect: bool = False
    prober: type[Prober[Any, Any]] | None = None
    """Whose metrics the outcome has."""


@dataclass(slots=True)
class LiveService:
    """A service: its state since when and why, and how many outages began in this life of the agent."""

    config: ServiceConfig
    checks: tuple[LiveCheck, ...]
    state: State = State.UNKNOWN
    since_ms: int | None = None
    reason: str = "not asked yet"
    outage_since_ms: int | None = None
    """first_bad of the outage that is open."""
    outages: int = 0
    figures: Rollup | None = None
    """The running month so far, refreshed now and then; None: not yet, or there is no contract now."""


class Histogram:
    """Counts of observations in seconds by upper bound, cheap enough for every probe."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: tuple[float, ...] = LATENESS_BOUNDS_S) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, seconds: float) -> None:
        self.counts[bisect_left(self.bounds, seconds)] += 1
        self.total += seconds


@dataclass(slots=True)
class Live:
    """The whole vantage."""

    vantage: str
    version: str
    services: dict[str, LiveService] = field(default_factory=dict)
    claims: ClaimsDue = field(default_factory=ClaimsDue)
    """As they were counted last, about once a minute."""
    incidents: tuple[Standing, ...] = ()
    """The open ones, as their clocks stood a few seconds ago."""
    lateness: Histogram = field(default_factory=Histogram)
    loop_lag_s: float = 0.0
    """The longest that the loop was held in the last second."""
    queued: int = 0
    """Statements that wait to be written."""
    store_failing: str | None = None
    cut_off: bool = False
    clock_ahead_ms: int = 0
    config_loaded_ms: int = 0
    config_ok: bool = True
    probing: bool = False
    """The schedule turns; with store_failing None this is readiness."""
    covered_ms: int = 0
    """The instant up to which coverage is on disk."""
