"""How long the certificates of a peer still last, and when that is too short."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from pydantic import BaseModel, ConfigDict, model_validator

from probes.outcome import Outcome, Verdict
from probes.units import LongDuration


class ExpiryOptions(BaseModel):
    """When a certificate ends too soon; mixed into the options of a prober that speaks TLS."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)

    expires_degraded: LongDuration | None = None
    """Milliseconds before the first certificate of the chain ends from which on the probe is degraded."""

    expires_down: LongDuration | None = None
    """Milliseconds before that from which on it is bad."""

    @model_validator(mode="after")
    def _degrades_before_it_is_down(self) -> ExpiryOptions:
        if self.expires_degraded and self.expires_down and self.expires_down > self.expires_degraded:
            raise ValueError("expected expires_down not to be longer than expires_degraded")
        return self


def judged_by_expiry(outcome: Outcome, options: ExpiryOptions, now: datetime | None = None) -> Outcome:
    """A good or degraded outcome, or what becomes of it where ``chain_expires`` of its detail is too near."""
    if options.expires_degraded is None and options.expires_down is None:
        return outcome
    left = _left(outcome.detail, now or datetime.now(UTC))
    if left is None or outcome.verdict not in (Verdict.GOOD, Verdict.DEGRADED):
        return outcome
    if _within(left, options.expires_down):
        return replace(outcome, verdict=Verdict.BAD, reason="certificate expires")
    if _within(left, options.expires_degraded):
        return replace(outcome, verdict=Verdict.DEGRADED, reason="certificate expires")
    return outcome


def _left(detail: Mapping[str, object], now: datetime) -> timedelta | None:
    ends = detail.get("chain_expires")
    return datetime.fromisoformat(ends) - now if isinstance(ends, str) else None


def _within(left: timedelta, limit_ms: int | None) -> bool:
    return limit_ms is not None and left <= timedelta(milliseconds=limit_ms)
