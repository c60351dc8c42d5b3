"""Instants and durations as the pages show them."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from monitor.sla.months import from_ms, local_iso


@dataclass(frozen=True, slots=True)
class Instant:
    """A moment: ``iso`` for machines with its offset, ``text`` for people in the same zone."""

    iso: str
    text: str


def instant(at_ms: int, zone: ZoneInfo, now_ms: int) -> Instant:
    """The time of day alone where it was today."""
    local = from_ms(at_ms, zone)
    today = local.date() == from_ms(now_ms, zone).date()
    return Instant(local_iso(at_ms, zone), f"{local:%H:%M:%S}" if today else f"{local:%Y-%m-%d %H:%M:%S}")


def maybe_instant(at_ms: int | None, zone: ZoneInfo, now_ms: int) -> Instant | None:
    """None for what nobody saw."""
    return None if at_ms is None else instant(at_ms, zone, now_ms)


def roughly(milliseconds: int) -> str:
    """A duration at a glance, truncated to its two largest units: ``45 s``, ``3 min``, ``2 h 05 min``, ``3 d 04 h``."""
    seconds = max(0, milliseconds) // 1000
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86_400
    if days:
        return f"{days} d {hours % 24:02} h"
    if hours:
        return f"{hours} h {minutes % 60:02} min"
    return f"{minutes} min" if minutes else f"{seconds} s"


def round_trip(seconds: float) -> str:
    """Three significant digits of milliseconds, from a microsecond on: ``0.412 ms``, ``38.1 ms``, ``1204 ms``."""
    ms = seconds * 1000
    digits = 3 if ms < 1 else 2 if ms < 10 else 1 if ms < 100 else 0
    return f"{ms:.{digits}f} ms"
