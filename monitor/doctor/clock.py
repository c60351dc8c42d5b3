"""Is the wall clock right? Outages are recorded by it."""

from __future__ import annotations

import ctypes

from monitor.doctor.finding import Finding

_STA_UNSYNC = 0x40
_ADVICE = "run chrony or systemd-timesyncd: claims are only as good as this clock"


class _Timex(ctypes.Structure):
    """struct timex of <sys/timex.h>, as far as it is read; the kernel writes the rest, too."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 256),
    )


def synchronised() -> Finding:
    """By adjtimex(2), which knows whoever disciplines the clock; asking needs no privileges."""
    timex = _Timex()
    try:
        result = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(timex))
    except AttributeError:
        result = -1
    if result < 0:
        return Finding(
            "clock", "warn", "unknown whether it is synchronised: this system does not say", _ADVICE
        )
    if timex.status & _STA_UNSYNC:
        return Finding("clock", "warn", "the kernel does not know it to be synchronised", _ADVICE)
    return Finding("clock", "ok", f"synchronised, at most {timex.maxerror / 1000:,.0f} ms off")
