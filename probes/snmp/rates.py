"""What two readings of an agent say together: how fast its counters count, and whether it was restarted between."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

SHORTEST_NS = 500_000_000
"""Nanoseconds between two readings of which a rate is made; in less, one packet would be many a second."""

TOLERANCE_S = 5.0
DRIFT = 0.01
"""By how much the agent's clock may run otherwise than ours: seconds, and a share of the time between."""

_TICKS_A_SECOND = 100
_TICKS = 1 << 32

BITS = {"Counter32": 32, "Counter64": 64}


@dataclass(frozen=True, slots=True)
class Count:
    """A counter's value; ``bits`` after which it begins anew; ``since`` is its last discontinuity, if it has one."""

    value: int
    bits: int = 32
    since: int | str | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """What an agent said at a time (nanoseconds of a monotonic clock). ``ticks``: sysUpTime, if it was asked."""

    at_ns: int
    ticks: int | None
    counts: Mapping[tuple[str, str], Count] = field(default_factory=dict)
    """By row and figure."""


def restarted(before: Reading, now: Reading) -> bool:
    """Whether the agent was initialised between the readings: its uptime is not the old one and the time since,
    modulo the 497 days after which it begins anew, and fits between the readings. (A clock that stood still, as
    that of a suspended machine, is behind and fits not.)
    """
    if before.ticks is None or now.ticks is None:
        return False
    elapsed_s = (now.at_ns - before.at_ns) / 1e9
    tolerance = (TOLERANCE_S + DRIFT * elapsed_s) * _TICKS_A_SECOND
    elapsed = elapsed_s * _TICKS_A_SECOND
    off = (now.ticks - before.ticks - elapsed) % _TICKS
    return min(off, _TICKS - off) > tolerance and now.ticks <= elapsed + tolerance


def rate(before: Reading, now: Reading, key: tuple[str, str]) -> float | None:
    """The increase a second of one counter; None where the readings cannot tell.

    A counter that went down by more than half of its range began anew; by less, it was set back.
    """
    old, new = before.counts.get(key), now.counts.get(key)
    elapsed_ns = now.at_ns - before.at_ns
    if old is None or new is None or elapsed_ns < SHORTEST_NS or restarted(before, now):
        return None
    if old.since != new.since or old.bits != new.bits:
        return None
    increase = (new.value - old.value) % (1 << new.bits)
    if new.value < old.value and increase >= 1 << (new.bits - 1):
        return None
    return increase * 1e9 / elapsed_ns
