"""The timestamps of test packets, 64 bits each, and how wrong they say they are.

Instants are nanoseconds since 1970 in UTC, as ``time.time_ns()`` has them.
"""

from __future__ import annotations

from dataclasses import dataclass

_BILLION = 1_000_000_000
_NTP_EPOCH_S = 2_208_988_800  # from 1900 to 1970
_ERA = 1 << 32
_SYNCHRONISED = 0x8000
_PTP = 0x4000
_MOST_SCALE = 63


def to_ntp(instant_ns: int) -> int:
    """RFC 5905 §6: 32 bits of seconds since 1900, which begin again in 2036, and 32 bits of fraction."""
    return ((instant_ns + _NTP_EPOCH_S * _BILLION) * _ERA + _BILLION // 2) // _BILLION & 0xFFFF_FFFF_FFFF_FFFF


def from_ntp(stamp: int, near_ns: int) -> int:
    """The instant of an NTP timestamp, in the era (136 years) in which it comes nearest to ``near_ns``."""
    since_epoch_ns = (stamp * _BILLION + _ERA // 2) // _ERA - _NTP_EPOCH_S * _BILLION
    return _nearest(since_epoch_ns, near_ns)


def to_ptp(instant_ns: int) -> int:
    """RFC 8186 §2.3: 32 bits of seconds since 1970, and 32 bits of nanoseconds."""
    seconds, nanoseconds = divmod(instant_ns, _BILLION)
    return seconds % _ERA << 32 | nanoseconds


def from_ptp(stamp: int, near_ns: int) -> int:
    """The instant of a truncated PTPv2 timestamp, on whatever time scale it counts, nearest to ``near_ns``.

    Nanoseconds of a second or more are taken as they are: what they mean the standard does not say.
    """
    return _nearest((stamp >> 32) * _BILLION + (stamp & 0xFFFF_FFFF), near_ns)


def _nearest(instant_ns: int, near_ns: int) -> int:
    era_ns = _ERA * _BILLION
    return instant_ns + (near_ns - instant_ns + era_ns // 2) // era_ns * era_ns


@dataclass(frozen=True, slots=True)
class ErrorEstimate:
    """What a node says of its clock (RFC 4656 §4.1.2, RFC 8186 §2.3).

    ``synchronised``: to UTC, by something outside. ``error_ns``: how far off the clock is at most, rounded up.
    ``ptp``: its timestamps are PTPv2's, not NTP's.
    """

    synchronised: bool
    error_ns: int
    ptp: bool = False


def to_error_estimate(estimate: ErrorEstimate) -> int:
    """Its 16 bits: S, Z, six of scale, eight of a multiplier that is never zero. The error is rounded up."""
    units = max(1, -(-estimate.error_ns * _ERA // _BILLION))
    scale = min(_MOST_SCALE, max(0, units.bit_length() - 8))
    multiplier = -(-units >> scale)
    if multiplier > 0xFF:
        multiplier, scale = (0x80, scale + 1) if scale < _MOST_SCALE else (0xFF, scale)
    flags = (_SYNCHRONISED if estimate.synchronised else 0) | (_PTP if estimate.ptp else 0)
    return flags | scale << 8 | multiplier


def from_error_estimate(bits: int) -> ErrorEstimate:
    """A multiplier of zero is a mistake (RFC 4656 §4.1.2): such a clock is not taken for synchronised."""
    multiplier, scale = bits & 0xFF, bits >> 8 & _MOST_SCALE
    error_ns = -(-(multiplier << scale) * _BILLION // _ERA)
    return ErrorEstimate(bool(bits & _SYNCHRONISED and multiplier), error_ns, bool(bits & _PTP))
