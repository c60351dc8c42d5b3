"""The JSON objects of the API that no command prints alike."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from monitor.live import LiveCheck, LiveService
from monitor.sla.months import local_iso


def service_record(service: LiveService, now_ms: int) -> dict[str, Any]:
    """What is known of a service right now. Instants are in its time zone."""
    config = service.config
    zone = ZoneInfo(config.zone)
    targets = {check.name: check.target for check in config.checks}
    return {
        "service": config.id,
        "name": config.name,
        "kind": config.kind,
        "customer": config.customer,
        "tags": list(config.tags),
        "timezone": config.zone,
        "state": service.state.word,
        "since": _told(service.since_ms, zone),
        "for_ms": None if service.since_ms is None else now_ms - service.since_ms,
        "reason": service.reason,
        "outage_since": _told(service.outage_since_ms, zone),
        "checks": [_check_record(check, targets.get(check.name), zone) for check in service.checks],
        "month": None if service.figures is None else service.figures.figures(),
    }


def _check_record(check: LiveCheck, target: str | None, zone: ZoneInfo) -> dict[str, Any]:
    outcome = check.outcome
    return {
        "check": check.name,
        "target": target,
        "state": check.state.word,
        "since": _told(check.since_ms, zone),
        "suspect": check.suspect,
        "last": None
        if outcome is None
        else {
            "sent": _told(check.seen_ms, zone),
            "verdict": outcome.verdict.word,
            "reason": outcome.reason,
            "round_trip_s": outcome.round_trip_s,
            "phases": [{"phase": name, "seconds": seconds} for name, seconds in outcome.phases],
            "detail": dict(outcome.detail),
        },
    }


def _told(at_ms: int | None, zone: ZoneInfo) -> str | None:
    return None if at_ms is None else local_iso(at_ms, zone)
